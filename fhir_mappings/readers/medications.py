"""Drugs in use -> therapies that the patient has had (a dose is needed) and medication that is active at `at`."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.drug_uses import DrugUse
from fhir_mappings.timing import days_between, in_order
from fhir_mappings.windows import Windows
from models.features import Feature, FeatureSchema

_STEROID = "med_corticosteroid"
_STEROID_DAYS = 7.0
# After a single dose a drug counts as active for this long: the next round of an in-patient chart is within it.
_GIVEN_DAYS = 2.0
# Its effect lasts through its window: what was given within it is active.
_LASTING = frozenset({"med_bisphosphonate_denosumab"})
_COUNTED_ELSEWHERE = frozenset({"tx_prior_regimens"})  # from all doses together


class Medications(msgspec.Struct, frozen=True):
    """`undecided`: parameters of drugs that the record names without saying whether they are active."""

    reading: Reading
    undecided: frozenset[str]


class _NotCounted(msgspec.Struct, frozen=True):
    """Why a use gives no value; `open`: the drug may be in use all the same."""

    code: str
    text: str
    open: bool = True


def read_medications(uses: Iterable[DrugUse], schema: FeatureSchema, windows: Windows) -> Medications:
    """Findings of 1, each from one record; a dose counts for ever or within its window, a medication while active."""
    several = sorted(uses, key=lambda use: use.address)
    reading, undecided = Reading(), set()
    for use in several:
        for key in sorted(use.drug.keys if use.kind == "ordered" else use.drug.keys - _COUNTED_ELSEWHERE):
            feature = schema[key]
            found = _active(feature, use, several, windows) if feature.aggregation == "latest" else _dose(feature, use)
            if isinstance(found, Finding):
                reading.findings.append(found)
                continue
            reading.issues.append(Issue("information", found.code, f"{key}: {found.text}", use.address))
            if found.open:
                undecided.add(key)
    return Medications(reading, frozenset(undecided))


def _dose(feature: Feature, use: DrugUse) -> Finding | _NotCounted:
    if use.kind == "ordered":
        return _NotCounted("order-no-dose", "an order does not show that a dose was given")
    if use.last is None and feature.window_days is not None:
        return _NotCounted("undated", f"counts only within {feature.window_days:g} days")
    return _finding(feature, use, use.last, {"given": "dose given", "taken": "dose taken"}[use.kind])


def _active(feature: Feature, use: DrugUse, uses: list[DrugUse], windows: Windows) -> Finding | _NotCounted:
    when = use.last if feature.key in _LASTING and use.kind != "ordered" else use.until
    if when is None:
        return _NotCounted("not-current", "it ended, and nobody says when")
    age, limit = days_between(when, windows.at), windows.days(feature) or 0.0
    if age > limit:
        return _NotCounted("outside-window", f"older than {limit:g} days", open=use.ongoing)
    if not (use.ongoing or feature.key in _LASTING or age <= (_GIVEN_DAYS if use.kind == "given" else 0)):
        return _NotCounted("not-current", "it ended before the assessment", open=False)
    if use.kind == "ordered" and _has_ended(use, uses):
        return _NotCounted("superseded", "a statement says that it ended after it was ordered", open=False)
    if feature.key == _STEROID:
        begun = _given_since(use, uses) if use.kind == "given" else use.start
        if begun is None or days_between(begun, windows.at) < _STEROID_DAYS:
            return _NotCounted("too-short", f"not shown to be in use for {_STEROID_DAYS:g} days")
    return _finding(feature, use, when, "active order" if use.kind == "ordered" else "in use")


def _has_ended(order: DrugUse, uses: list[DrugUse]) -> bool:
    """Whether a statement, which ranks above an order, says that the same drug was taken and ended since."""
    return any(
        use.kind == "taken"
        and use.drug.agent == order.drug.agent
        and not use.ongoing
        and use.until is not None
        and (order.start is None or days_between(order.start, use.until) >= 0)
        for use in uses
    )


def _given_since(newest: DrugUse, uses: list[DrugUse]) -> datetime | None:
    """The first of the doses that led up to this one, each at most two days after the one before it."""
    doses = [u.start for u in uses if u.kind == "given" and _STEROID in u.drug.keys and u.start]
    first = newest.start
    for dose in sorted(doses, key=in_order, reverse=True):
        if first and in_order(dose) <= in_order(first) and days_between(dose, first) <= _GIVEN_DAYS:
            first = dose
    return first


def _finding(feature: Feature, use: DrugUse, when: datetime | None, rule: str) -> Finding:
    return Finding(feature.key, 1.0, feature.unit, when, (use.address,), rule=rule, rank=use.rank)
