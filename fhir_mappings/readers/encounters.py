"""Encounter -> were problems documented, unplanned hospital days, emergency visits, nursing home."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.conditions import Diagnosis
from fhir_mappings.record import Resolve
from fhir_mappings.resources.r4 import Encounter
from fhir_mappings.timing import days_between, instant

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ADMIT_SOURCE = "http://terminology.hl7.org/CodeSystem/admit-source"
_WINDOW_DAYS = 90.0
PROBLEMS_DAYS = 365.0
_IN_HOSPITAL = frozenset({"IMP", "ACUTE"})
_STAYING = _IN_HOSPITAL | {"NONAC"}
_GOING_ON = frozenset({"arrived", "triaged", "in-progress", "onleave", "on-hold"})
_LONGEST_EMERGENCY, _LONGEST_STAY = 3.0, 180.0  # days after which a contact without an end was not closed
_NOT_HAPPENED = frozenset({"cancelled", "entered-in-error", "planned"})
HAPPENED = frozenset(
    {"arrived", "triaged", "in-progress", "onleave", "finished"} | {"on-hold", "discharged", "discontinued"}  # R4, R5
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


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
        period = encounter.period
        start, end = instant(period.start, at), instant(period.end, at)
        if encounter.status not in HAPPENED:
            said = encounter.status if encounter.status in _NOT_HAPPENED else "no known status"
            issues.append(Issue("information", "status-not-used", said, encounter.address))
        elif (period.start and start is None) or (period.end and end is None):
            issues.append(Issue("warning", "date-unreadable", "a date that is none", encounter.address))
        elif start is not None and start > at:
            issues.append(Issue("information", "after-at", "begins after the moment of assessment", encounter.address))
        else:
            found.append(Stay(encounter, start, end))
    return found, issues


def is_decided(encounter: Encounter) -> bool:
    """Whether the status says that it took place, or that it did not."""
    return encounter.status in HAPPENED | _NOT_HAPPENED


class Documented(msgspec.Struct, frozen=True, gc=False):
    """A completed encounter that carries a coded, confirmed diagnosis, and its age in days at the assessment."""

    address: str
    age: float


def documented(
    known: Iterable[Stay], diagnoses: Iterable[Diagnosis], at: datetime, address_of: Resolve
) -> tuple[Documented, ...]:
    """Those of the last 12 months.

    With one of them, a chronic disease that is not recorded is absent; without one, it is unknown. Of an acute one the
    same holds inside its window: a visit of last summer does not say that there is no pneumonia now.
    """
    coded = {d.address: d.condition for d in diagnoses if d.confirmed and d.condition.code.coding}
    visited = {address_of(c.encounter.reference) for c in coded.values() if c.encounter.reference}
    return tuple(
        Documented(stay.encounter.address, days_between(last, at))
        for stay in known
        if stay.encounter.status == "finished"
        and (last := stay.end or stay.start) is not None
        and last <= at
        and days_between(last, at) <= PROBLEMS_DAYS
        and (
            stay.encounter.address in visited
            or any(address_of(named.condition.reference) in coded for named in stay.encounter.diagnosis)
        )
    )


def unplanned_since(known: Iterable[Stay], at: datetime) -> datetime | None:
    """Since when the patient has been in hospital unplanned at the moment of assessment; None who is not.

    An emergency contact, or a stay that follows one or came from an emergency department. One without an end is still
    going on, unless it was forgotten: nobody stays in an emergency department for days.
    """
    every = list(known)
    going_on = [stay for stay in every if _is_open(stay, at)]
    admitted = [stay for stay in going_on if stay.kind in _STAYING]
    emergencies = _days_of_emergencies(every) if admitted else {}
    unplanned = [stay for stay in admitted if _unplanned(stay, emergencies)]
    starts = [stay.start for stay in going_on if stay.kind == "EMER"] + [stay.start for stay in unplanned]
    return min((start for start in starts if start), default=None)


def _is_open(stay: Stay, at: datetime) -> bool:
    if stay.start is None:
        return False
    if stay.end is not None:
        return stay.end >= at
    longest = _LONGEST_EMERGENCY if stay.kind == "EMER" else _LONGEST_STAY
    return stay.encounter.status in _GOING_ON and days_between(stay.start, at) <= longest


def read_encounters(known: list[Stay], at: datetime, *, complete: bool) -> Reading:
    """Counts of unplanned care. Only a complete list of encounters can be counted; 0 needs at least one encounter.

    A stay that may or may not lie in the window leaves the count of its kind missing.
    """
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
    emergencies = _days_of_emergencies(known)
    admitted = [s for s in past if s.kind in _IN_HOSPITAL and _unplanned(s, emergencies)]
    undecided = {s.kind for s in known if _may_count(s, at)}
    if "EMER" not in undecided:
        reading.findings.append(_count("func_ed_visits_90d", float(len(visits)), visits, known, at))
    if not undecided & _IN_HOSPITAL:
        reading.findings.append(_count("func_inpatient_days_90d", min(90.0, _days(admitted, at)), admitted, known, at))
    return reading


def _may_count(stay: Stay, at: datetime) -> bool:
    """It is over, and without its missing date nobody can tell whether it belongs to the last 90 days."""
    moment = stay.end or stay.start
    is_dated = stay.start is not None and stay.end is not None
    is_recent = moment is None or days_between(moment, at) <= _WINDOW_DAYS
    return stay.encounter.status == "finished" and not is_dated and is_recent


def _days_of_emergencies(known: list[Stay]) -> Mapping[date, list[datetime]]:
    """When emergency contacts ended, by calendar day: a chart may hold thousands."""
    by_day: dict[date, list[datetime]] = {}
    for stay in known:
        end = stay.end or stay.start
        if stay.kind == "EMER" and end:
            by_day.setdefault(end.date(), []).append(end)
    return by_day


def _unplanned(stay: Stay, emergencies: Mapping[date, list[datetime]]) -> bool:
    """Admitted from an emergency department, or directly after an emergency contact."""
    source = stay.encounter.hospitalization.admitSource
    if source and any(c.system == ADMIT_SOURCE and c.code == "emd" for c in source.coding):
        return True
    if stay.start is None:
        return False
    around = (stay.start.date() + timedelta(days=days) for days in range(-2, 3))  # days differ between zones
    ends = (end for day in around for end in emergencies.get(day, ()))
    return any(-1 <= days_between(end, stay.start) <= 1 for end in ends)


def _days(admitted: list[Stay], at: datetime) -> float:
    """Days of all stays, those before the window not counted, nor a day that two of them share counted twice."""
    first = at - timedelta(days=_WINDOW_DAYS)
    spans = sorted((max(s.start, first), s.end) for s in admitted if s.start and s.end)
    total, reached = 0.0, first
    for start, end in spans:
        total += max(0.0, days_between(max(start, reached), end))
        reached = max(reached, end)
    return float(round(total))


def _count(key: str, value: float, counted: list[Stay], known: list[Stay], at: datetime) -> Finding:
    newest = max(known, key=lambda s: (s.start or s.end or _LONG_AGO, s.encounter.address))
    sources = tuple(s.encounter.address for s in counted) or (newest.encounter.address,)
    return Finding(key, value, "{count}" if "visits" in key else "d", at, sources, rule="counted over 90 days")
