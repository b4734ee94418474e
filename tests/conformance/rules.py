"""All rules."""

from tests.conformance import action_rules, call_rules, card_rules, discovery_rules

RULES = (*discovery_rules.RULES, *call_rules.RULES, *card_rules.RULES, *action_rules.RULES)
