"""Every reply of the service keeps every rule; wrong ones are told from right ones."""

import pytest

from tests.conformance.recording import exchanges
from tests.conformance.rule import Rule
from tests.conformance.rules import RULES

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{'+'.join(rule.ids)}-{rule.name}")


@each_rule
def test_every_reply_keeps_the_rule(rule: Rule) -> None:
    """No reply of any service breaks it, and something was there to look at unless the rule says that nothing is."""
    assert [exchange for exchange in exchanges() if not rule.met(exchange)] == []
    seen = sum(rule.seen(exchange) for exchange in exchanges())
    assert (seen == 0) == bool(rule.never_sent)


@each_rule
def test_every_mutant_is_rejected(rule: Rule) -> None:
    """A wrong reply, or what a wrong handler would answer, does not pass the same check."""
    for number, mutant in enumerate(rule.mutants):
        wrong = [changed for exchange in exchanges() if (changed := mutant(exchange)) is not None]
        assert wrong, f"mutant {number} changes nothing"
        assert [changed.case for changed in wrong if rule.met(changed)] == [], f"mutant {number} is taken for right"
