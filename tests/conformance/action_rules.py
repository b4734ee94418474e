"""Suggestions, actions and links (CDS Hooks 2.0, Suggestion; Action; Link): no card holds any today.

The checks stand all the same: the first card that does is held to them, and `never_sent` then has to go.
"""

from typing import Any

from tests.conformance.card_rules import is_an_absolute_address, is_an_array, is_text
from tests.conformance.exchange import ANSWERED, Exchange
from tests.conformance.rule import REMOVED, Mutant, Rule, answer, card, cards, items, members

_CREATE = {"type": "create", "description": "Order it", "resource": {"resourceType": "ServiceRequest"}}
_DELETE = {"type": "delete", "description": "Stop it", "resourceId": "ServiceRequest/1"}
_SUGGESTION = {"label": "Order it", "uuid": "s1", "isRecommended": True, "actions": [_CREATE]}
_LINK = {"label": "Explanation", "url": "https://service.example/x", "type": "absolute"}
NO_SUGGESTION = "no card holds suggestions: the service gives no therapy advice"
NO_LINK = "no card holds links"

SUGGESTIONS = items(cards, "suggestions")
ACTIONS = items(SUGGESTIONS, "actions")
LINKS = items(cards, "links")


def says_how_many_may_be_chosen(shown: dict[str, Any]) -> bool:
    return shown["selectionBehavior"] in {"at-most-one", "any"}


def recommends_one_at_most_where_one_may_be_chosen(shown: dict[str, Any]) -> bool:
    recommended = [suggestion for suggestion in shown["suggestions"] if suggestion.get("isRecommended")]
    return len(recommended) <= 1 or shown["selectionBehavior"] == "any"


def has_a_label(labelled: dict[str, Any]) -> bool:
    return is_text(labelled["label"])


def is_a_flag(value: Any) -> bool:
    return isinstance(value, bool)


def has_a_known_type(action: dict[str, Any]) -> bool:
    return action["type"] in {"create", "update", "delete"}


def has_a_description(action: dict[str, Any]) -> bool:
    return is_text(action["description"])


def holds_a_resource_to_write(action: dict[str, Any]) -> bool:
    """A new one has no id yet, a changed one is named; whole it is as far as its type can be told."""
    if action["type"] == "delete":
        return "resource" not in action and is_text(action["resourceId"])
    return is_text(action["resource"]["resourceType"]) and ("id" in action["resource"]) == (action["type"] == "update")


def has_an_absolute_address(link: dict[str, Any]) -> bool:
    return is_an_absolute_address(link["url"])


def is_absolute_or_smart(link: dict[str, Any]) -> bool:
    return link["type"] in {"absolute", "smart"}


def has_app_context_for_smart_only(link: dict[str, Any]) -> bool:
    return link["type"] == "smart" and is_text(link["appContext"])


def _with_suggestions(exchange: Exchange) -> list[dict[str, Any]]:
    return [shown for shown in cards(exchange) if "suggestions" in shown]


def _with_context(exchange: Exchange) -> list[dict[str, Any]]:
    return [link for link in LINKS(exchange) if "appContext" in link]


def _changed(of_what: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**of_what, **changed}.items() if value is not REMOVED}


def _suggestion(**changed: Any) -> Mutant:
    return card(suggestions=[_changed(_SUGGESTION, changed)], selectionBehavior="any")


def _action(of_what: dict[str, Any] = _CREATE, **changed: Any) -> Mutant:
    return _suggestion(actions=[_changed(of_what, changed)])


def _link(**changed: Any) -> Mutant:
    return card(links=[_changed(_LINK, changed)])


RULES = (
    Rule(
        ("75",),
        members(lambda exchange: [exchange.body] if exchange.case in ANSWERED else [], "systemActions"),
        is_an_array,
        (answer(systemActions=_CREATE),),
        never_sent="the service changes nothing by itself",
    ),
    Rule(
        ("92", "94"),
        members(cards, "suggestions"),
        is_an_array,
        (card(suggestions=_SUGGESTION),),
        never_sent=NO_SUGGESTION,
    ),
    Rule(
        ("93", "95", "96"),
        _with_suggestions,
        says_how_many_may_be_chosen,
        tuple(card(suggestions=[_SUGGESTION], selectionBehavior=said) for said in (REMOVED, "all", ["any"], 1)),
        never_sent=NO_SUGGESTION,
    ),
    Rule(
        ("122",),
        _with_suggestions,
        recommends_one_at_most_where_one_may_be_chosen,
        (card(suggestions=[_SUGGESTION, _SUGGESTION], selectionBehavior="at-most-one"),),
        never_sent=NO_SUGGESTION,
    ),
    Rule(("117",), SUGGESTIONS, has_a_label, (_suggestion(label=REMOVED), _suggestion(label=1)), NO_SUGGESTION),
    Rule(("118", "119"), members(SUGGESTIONS, "uuid"), is_text, (_suggestion(uuid=1),), NO_SUGGESTION),
    Rule(
        ("120", "121"),
        members(SUGGESTIONS, "isRecommended"),
        is_a_flag,
        (_suggestion(isRecommended="yes"),),
        NO_SUGGESTION,
    ),
    Rule(("123", "124"), members(SUGGESTIONS, "actions"), is_an_array, (_suggestion(actions=_CREATE),), NO_SUGGESTION),
    Rule(("127",), ACTIONS, has_a_known_type, (_action(type=REMOVED), _action(type="CREATE")), NO_SUGGESTION),
    Rule(
        ("128", "129"),
        ACTIONS,
        has_a_description,
        (_action(description=REMOVED), _action(description=1)),
        NO_SUGGESTION,
    ),
    Rule(
        ("130", "131", "132", "133", "134", "135"),
        ACTIONS,
        holds_a_resource_to_write,
        (
            _action(resource=REMOVED),
            _action(resource="ServiceRequest/1"),
            _action(resource={"resourceType": "ServiceRequest", "id": "1"}),
            _action(type="update"),
            _action(_DELETE, resource="1"),
            _action(_DELETE, resourceId=REMOVED),
            _action(_DELETE, resourceId=1),
        ),
        never_sent=NO_SUGGESTION,
    ),
    Rule(("103", "104"), members(cards, "links"), is_an_array, (card(links=_LINK),), NO_LINK),
    Rule(("138",), LINKS, has_a_label, (_link(label=REMOVED), _link(label=1)), NO_LINK),
    Rule(("139", "140"), LINKS, has_an_absolute_address, (_link(url=REMOVED), _link(url="/x"), _link(url=1)), NO_LINK),
    Rule(("141", "142"), LINKS, is_absolute_or_smart, (_link(type=REMOVED), _link(type="relative")), NO_LINK),
    Rule(
        ("144", "145", "146", "147"),
        _with_context,
        has_app_context_for_smart_only,
        (_link(appContext="x"), _link(type="smart", appContext={"x": 1})),
        never_sent=NO_LINK,
    ),
)
