"""What several reports say of one gene together: any positive wins; 0 only where the right test was done."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.gene_rules import RULES, Test
from fhir_mappings.genes import Effect, current_symbol
from fhir_mappings.timing import in_order

Says = Literal["positive", "negative", "unclear"]

# Resistance that comes and goes with treatment: of these the latest sample alone counts.
_LATEST_SAMPLE = frozenset({"gene_esr1", "gene_ar"})


class GeneEvidence(msgspec.Struct, frozen=True):
    """One statement about one gene. `tests` are those that it proves were done (for a 0)."""

    symbol: str
    says: Says
    source: str
    effective: datetime | None
    rank: int = 0
    tests: frozenset[Test] = frozenset({"sequence"})
    rule: str = ""
    flags: tuple[str, ...] = ()


def of_effect(effect: Effect) -> Says:
    return {Effect.PATHOGENIC: "positive", Effect.OUTSIDE: "negative", Effect.UNKNOWN: "unclear"}[effect]  # type: ignore[return-value]


def gene_findings(evidence: Iterable[GeneEvidence]) -> Reading:
    """One finding per gene parameter, or an issue where its genes were reported but decide nothing."""
    by_key: dict[str, list[GeneEvidence]] = {}
    for statement in sorted(evidence, key=lambda e: (e.source, e.symbol, e.says, e.rule)):
        by_key.setdefault(RULES[current_symbol(statement.symbol)].key, []).append(statement)
    reading = Reading()
    for key, statements in by_key.items():
        reading.add(_decide(key, _of_latest_sample(statements) if key in _LATEST_SAMPLE else statements))
    return reading


def _of_latest_sample(statements: list[GeneEvidence]) -> list[GeneEvidence]:
    """The statements of the newest day; all of them where none has a date."""
    dated = [s.effective for s in statements if s.effective]
    if not dated:
        return statements
    newest = max(dated, key=in_order).date()
    return [s for s in statements if s.effective and s.effective.date() == newest]


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
    """The statements as one, dated by the newest; marked where each of them is (all preliminary)."""
    dated = [s.effective for s in statements if s.effective]
    marks = set.intersection(*(set(s.flags) for s in statements))
    return Finding(
        feature=key,
        value=value,
        unit="1",
        effective=max(dated, key=in_order, default=None),
        sources=tuple(dict.fromkeys(s.source for s in statements)),
        rule="; ".join(dict.fromkeys(s.rule for s in statements if s.rule)) or "gene rule",
        rank=max(s.rank for s in statements),
        flags=tuple(sorted(marks)),
    )
