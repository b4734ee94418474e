"""Encounter -> were problems documented, unplanned hospital days, emergency visits, nursing home, is one open now."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.resources.r4 import Condition, Encounter
from fhir_mappings.timing import days_between, instant

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ADMIT_SOURCE = "http://terminology.hl7.org/CodeSystem/admit-source"
_WINDOW_DAYS = 90.0
_PROBLEMS_DAYS = 365.0


class Stay(msgspec.Struct, frozen=True):
    encounter: Encounter
    start: datetime | None
    end: datetime | None

    @property
    def kind(self) -> str:
        code = self.encounter.class_
        return code.code if code.system in {ACT_CODE, ""} else ""


def stays(encounters: Iterable[Encounter], at: datetime) -> tuple[list[Stay], list[Issue]]:
    """The encounters that had begun by `at` and took place."""
    found: list[Stay] = []
    issues: list[Issue] = []
    for encounter in encounters:
        start = instant(encounter.period.start) if encounter.period.start else None
        end = instant(encounter.period.end) if encounter.period.end else None
        if encounter.status in {"cancelled", "entered-in-error", "planned"}:
            issues.append(Issue("information", "status-not-used", encounter.status, encounter.address))
        elif start is not None and start > at:
            issues.append(Issue("information", "after-at", "begins after the moment of assessment", encounter.address))
        else:
            found.append(Stay(encounter, start, end))
    return found, issues


def documented(known: Iterable[Stay], conditions: Iterable[Condition], at: datetime) -> tuple[str, ...]:
    """Addresses of completed encounters of the last 12 months that carry coded diagnoses.

    With one of them, a chronic disease that is not recorded is absent; without one, it is unknown.
    """
    coded = {c.encounter.reference for c in conditions if c.code.coding and c.encounter.reference}
    names = {c.address for c in conditions if c.code.coding}
    return tuple(
        stay.encounter.address
        for stay in known
        if stay.encounter.status == "finished"
        and (last := stay.end or stay.start) is not None
        and 0 <= days_between(last, at) <= _PROBLEMS_DAYS
        and (stay.encounter.address in coded or any(d.condition.reference in names for d in stay.encounter.diagnosis))
    )


def read_encounters(known: list[Stay], at: datetime, *, complete: bool) -> Reading:
    """Counts of unplanned care. Only a complete list of encounters can be counted; 0 needs at least one encounter."""
    reading = Reading()
    for stay in known:
        source = stay.encounter.hospitalization.admitSource
        nursing = source and any(c.system == ADMIT_SOURCE and c.code == "nursing" for c in source.coding)
        if nursing and stay.start and days_between(stay.start, at) <= 365:
            found = Finding("func_nursing_home", 1.0, "1", stay.start, (stay.encounter.address,), rule="admit source")
            reading.findings.append(found)
    if not complete or not known:
        return reading
    past = [s for s in known if s.start and s.end and s.end <= at and days_between(s.end, at) <= _WINDOW_DAYS]
    visits = [s for s in past if s.kind == "EMER"]
    admitted = [s for s in past if s.kind in {"IMP", "ACUTE"} and _unplanned(s, known)]
    reading.findings.append(_count("func_ed_visits_90d", float(len(visits)), visits, known, at))
    reading.findings.append(_count("func_inpatient_days_90d", min(90.0, _days(admitted, at)), admitted, known, at))
    return reading


def _unplanned(stay: Stay, known: list[Stay]) -> bool:
    """Admitted from an emergency department, or directly after an emergency contact."""
    source = stay.encounter.hospitalization.admitSource
    if source and any(c.system == ADMIT_SOURCE and c.code == "emd" for c in source.coding):
        return True
    day = timedelta(days=1)
    ends = [s.end or s.start for s in known if s.kind == "EMER"]
    return any(end is not None and stay.start is not None and -day <= stay.start - end <= day for end in ends)


def _days(admitted: list[Stay], at: datetime) -> float:
    first = at - timedelta(days=_WINDOW_DAYS)
    spans = ((max(s.start, first), s.end) for s in admitted if s.start and s.end)
    return float(round(sum(max(0.0, days_between(start, end)) for start, end in spans)))


def _count(key: str, value: float, counted: list[Stay], known: list[Stay], at: datetime) -> Finding:
    sources = tuple(s.encounter.address for s in counted or known[-1:])
    return Finding(key, value, "{count}" if "visits" in key else "d", at, sources, rule="counted over 90 days")
