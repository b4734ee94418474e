"""docs/conformance.md is true, and no requirement is left out."""

from tests.conformance.page import DOCUMENT, document, requirements
from tests.conformance.rules import RULES


def test_the_page_is_true() -> None:
    """The page is what the rules and the table of requirements make of it."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_requirement_is_tested_or_says_why_not() -> None:
    """All 120 stand in the table once, each with a rule or with a reason, never with both; no rule names another."""
    ids = [requirement.id for requirement in requirements()]
    assert len(ids) == len(set(ids)) == 120
    unclear = [r.id for r in requirements() if bool(r.rules) == bool(r.not_tested_because)]
    assert unclear == []
    assert {number for rule in RULES for number in rule.ids} <= set(ids)


def test_what_binds_has_a_mutant() -> None:
    """Each SHALL and SHALL NOT with a rule has a wrong reply that must be rejected, by every rule that names it."""
    bare = [r.id for r in requirements() if r.binds and any(not rule.mutants for rule in r.rules)]
    assert bare == []
