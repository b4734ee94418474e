"""What several reports say of one gene together: any positive wins; 0 only where the right test was done."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.gene_rules import RULES, Test
from fhir_mappings.genes import Effect, current_symbol

Says = Literal["positive", "negative", "unclear"]


class GeneEvidence(msgspec.Struct, frozen=True):
    """One statement about one gene. `tests` are those that it proves were done (for a 0)."""

    symbol: str
    says: Says
    source: str
    effective: datetime | None
    rank: int = 0
    tests: frozenset[Test] = frozenset({"sequence"})
    rule: str = ""


def of_effect(effect: Effect) -> Says:
    return {Effect.PATHOGENIC: "positive", Effect.OUTSIDE: "negative", Effect.UNKNOWN: "unclear"}[effect]  # type: ignore[return-value]


def gene_findings(evidence: Iterable[GeneEvidence]) -> Reading:
    """One finding per gene parameter, or an issue where its genes were reported but decide nothing."""
    by_key: dict[str, list[GeneEvidence]] = {}
    for statement in evidence:
        by_key.setdefault(RULES[current_symbol(statement.symbol)].key, []).append(statement)
    reading = Reading()
    for key, statements in by_key.items():
        reading.add(_decide(key, statements))
    return reading


def _decide(key: str, statements: list[GeneEvidence]) -> Reading:
    positive = [s for s in statements if s.says == "positive"]
    if positive:
        return Reading([_finding(key, 1.0, positive)])
    if any(s.says == "unclear" for s in statements):
        return Reading()  # the reader has said why
    missing = _tests_missing(key, statements)
    if missing:
        text = f"{key}: 0 needs {', '.join(missing)}"
        return Reading(issues=[Issue("information", "test-cannot-exclude", text, s.source) for s in statements])
    return Reading([_finding(key, 0.0, statements)])


def _tests_missing(key: str, statements: list[GeneEvidence]) -> list[str]:
    """The tests without which this parameter is not 0, over all genes that share it."""
    done: dict[str, set[Test]] = {}
    for statement in statements:
        done.setdefault(current_symbol(statement.symbol), set()).update(statement.tests)
    return [
        f"{test} of {rule.symbol}"
        for rule in RULES.values()
        if rule.key == key
        for test in rule.zero_needs
        if test not in done.get(rule.symbol, set())
    ]


def _finding(key: str, value: float, statements: list[GeneEvidence]) -> Finding:
    dated = [s.effective for s in statements if s.effective]
    return Finding(
        feature=key,
        value=value,
        unit="1",
        effective=max(dated, default=None),
        sources=tuple(dict.fromkeys(s.source for s in statements)),
        rule="; ".join(dict.fromkeys(s.rule for s in statements if s.rule)) or "gene rule",
        rank=max(s.rank for s in statements),
    )
