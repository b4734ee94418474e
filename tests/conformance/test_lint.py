"""`oncohooks hooks lint-…` and the checks of these tests, which share no code, find the same replies wrong."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from demo.patients import demo_patients
from service.cds_hooks.lint.discovery import lint_discovery
from service.cds_hooks.lint.document import read_document
from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.lint.reply import lint_reply
from tests.conformance.exchange import ANSWERED, Case, Exchange
from tests.conformance.page import requirements
from tests.conformance.recording import exchanges
from tests.conformance.rule import Rule
from tests.conformance.rules import RULES
from tests.conformance.spec_models import Discovery, HookResponse
from tests.unit.service.cds_hooks.lint.test_discovery import SERVICE
from tests.unit.service.cds_hooks.lint.test_reply import CARD

# Rules about what only this service says: no linter of any service can know it.
OURS = {"notes_the_clients_failure"}
# Mutants that our own replies must not be, but others' may: the linter has a note for them. None: all of the rule.
NOTED = {
    "is_markdown_without_html": None,  # HTML is allowed in Markdown; what is no table is a paragraph
    "has_no_id_twice": None,
    "prefetch_maps_keys_to_queries": 0,  # no prefetch at all
    "holds_a_resource_to_write": 2,  # a new resource with an id, which a server passes over
}
MAY_WITH_A_LIMIT = {"12", "122"}  # may be there as text; may be several where several may be chosen
FIRST = next(iter(demo_patients()))  # whose id a mutant writes


def linted(exchange: Exchange) -> list[Finding]:
    document = read_document(json.dumps(exchange.body).encode())
    if exchange.case is Case.DISCOVERY:
        return lint_discovery(document)
    return lint_reply(document, (exchange.sent or {}).get("context", {}).get("patientId", ""))


def visible() -> list[Exchange]:
    return [exchange for exchange in exchanges() if exchange.case in ANSWERED | {Case.DISCOVERY}]


def wrong_bodies(rule: Rule) -> Iterator[tuple[int, Exchange]]:
    """Each mutant of the rule that changes what stands in a body: its number, and the wrong exchange."""
    for number, mutant in enumerate(rule.mutants if rule.name not in OURS else ()):
        for exchange in visible():
            wrong = mutant(exchange)
            if wrong is not None and wrong.body != exchange.body and concerns(rule, exchange):
                yield number, wrong


def concerns(rule: Rule, exchange: Exchange) -> bool:
    """Whether a linter can see it: whose id stands in an address, and that what is no Markdown is not read as such."""
    if rule.name == "is_the_same_for_every_patient":
        return bool(exchange.sent["context"]["patientId"] == FIRST)
    return rule.name != "is_markdown_without_html" or "content-type" not in json.dumps(exchange.body)


def test_nothing_is_found_in_what_the_service_says() -> None:
    """No error and no note in any reply or discovery."""
    assert [finding for exchange in visible() for finding in linted(exchange)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{'+'.join(rule.ids)}-{rule.name}")
def test_what_the_rules_reject_is_found(rule: Rule) -> None:
    """Every wrong body, and as an error where the requirement binds."""
    binds = any(one.binds for one in requirements() if one.id in rule.ids)
    for number, wrong in wrong_bodies(rule):
        found = linted(wrong)
        assert found, f"mutant {number} in {wrong.case}"
        noted = rule.name in NOTED and NOTED[rule.name] in {None, number}
        assert any(finding.is_error for finding in found) or noted or not binds, f"mutant {number}: {found}"


def test_most_rules_have_a_wrong_body() -> None:
    """The comparison above is not about nothing."""
    assert sum(1 for rule in RULES if next(wrong_bodies(rule), None)) > 45


def test_levels_are_those_of_the_requirements() -> None:
    """A finding that cites a requirement has its level, or is advice."""
    levels = {one.id: one.level for one in requirements()}
    for rule in RULES:
        for _, wrong in wrong_bodies(rule):
            for finding in linted(wrong):
                assert finding.level in {"advice", levels.get(finding.requirement, "SHALL")} or (
                    finding.requirement in MAY_WITH_A_LIMIT
                ), finding


_WHOLE: tuple[tuple[Any, type[Discovery] | type[HookResponse]], ...] = (
    (
        {"cards": [CARD], "systemActions": [{"type": "delete", "resourceId": "A/1"}], "extension": {"org.x": 1}},
        HookResponse,
    ),
    ({"services": [{**SERVICE, "usageRequirements": "u", "version": "2.0", "hookVersion": "1.0"}]}, Discovery),
)
_GONE = object()
_WRONG: tuple[object, ...] = (
    None,
    "",
    [],
    {},
    0,
    1.5,
    True,
    False,
    "x",
    "x" * 200,
    "\n",
    "{{",
    ["x"],
    [None],
    [{}],
    {"x": None},
    _GONE,
)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """To every member and item."""
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in named:
        yield (*path, name)
        yield from _paths(inner, (*path, name))


def _with(body: Any, path: tuple[str | int, ...], value: object) -> Any:
    changed = copy.deepcopy(body)
    target = changed
    for step in path[:-1]:
        target = target[step]
    if value is _GONE:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return changed


@pytest.mark.parametrize(("body", "model"), _WHOLE, ids=["reply", "discovery"])
def test_what_the_models_refuse_is_found(body: Any, model: type[Discovery] | type[HookResponse]) -> None:
    """Each member in turn is taken away, or is something else: no wrong body passes, and none ends the linter."""
    lint = lint_discovery if model is Discovery else lint_reply
    refused = 0
    for path in _paths(body):
        for value in _WRONG:
            text = json.dumps(_with(body, path, value))
            found = lint(read_document(text.encode()))
            try:
                model.model_validate_json(text)
            except ValidationError:
                refused += 1
                assert found, text
    assert refused > 100
