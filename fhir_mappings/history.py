"""A record as it stood at an earlier moment, as far as an export can show: for cohorts, whose outcome is the future.

A day without a time is that of the hospital: the next one is the future, though it has begun somewhere on Earth.

An export holds the last version of each resource. What was dated later is left out (`known_since`), and so is what a
later version may have written into an earlier resource: a death, the status of a diagnosis or of an order, the stage
inside a diagnosis, the end of a stay. An order that is active today is one of a living patient.
"""

from collections.abc import Callable
from datetime import datetime, time

import msgspec

from fhir_mappings.known_since import known_since, updated
from fhir_mappings.record import Entry, OwnResources, PatientRecord
from fhir_mappings.resources.datatypes import CodeableConcept, Period
from fhir_mappings.resources.r4 import AnyResource, Condition, Encounter, Patient
from fhir_mappings.resources.therapies import (
    List,
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
    Procedure,
)
from fhir_mappings.timing import in_order, instant, is_after

Choose = Callable[[AnyResource], bool]

_USED = frozenset({"active", "completed", "stopped", "on-hold"})
_BROKEN_OFF = frozenset({"stopped", "on-hold"})


class History:
    """One record, in the order in which its resources came to be known."""

    def __init__(self, record: PatientRecord) -> None:
        self.record = record
        self.own = OwnResources(record)
        began = {e.address: instant(e.period.start) for e in self.own.of(Encounter) if e.period.start}
        dated = [
            (known, entry)
            for entry in record.entries
            if (known := known_since(entry.resource, lambda name: began.get(self.own.address_of(name)))) is not None
        ]
        dated.sort(key=lambda pair: in_order(pair[0]))
        self._known = [known for known, _ in dated]
        self._entries = [entry for _, entry in dated]

    def at(self, at: datetime, which: Choose = lambda _: True) -> PatientRecord:
        """What was known at `at`, or of it what `which` chooses."""
        entries = tuple(
            _as_it_was(entry, at)
            for known, entry in zip(self._known, self._entries, strict=True)
            if not _is_later(known, at) and which(entry.resource)
        )
        return msgspec.structs.replace(self.record, entries=entries, unread=())

    def moments(self, which: Choose) -> list[datetime]:
        """When each resource that `which` chooses came to be known, in order."""
        return [known for known, entry in zip(self._known, self._entries, strict=True) if which(entry.resource)]


def _as_it_was(entry: Entry, at: datetime) -> Entry:
    """Without what may have been written after `at`. A resource that has not been changed since is left as it is."""
    resource = entry.resource
    if isinstance(resource, Patient):  # a death is the outcome, however it was written
        return msgspec.structs.replace(
            entry, resource=msgspec.structs.replace(resource, deceasedBoolean=None, deceasedDateTime="")
        )
    change = _EARLIER.get(type(resource))
    last = updated(resource)
    if change is None or (last is not None and not _is_later(last, at)):
        return entry
    return msgspec.structs.replace(entry, resource=change(resource, at))


def _is_over(text: str, at: datetime) -> bool:
    moment = instant(text, at) if text else None
    return moment is not None and not _is_later(moment, at)


def _is_later(moment: datetime, at: datetime) -> bool:
    """After `at`; where that is the end of a day, also what is dated to the next day in the hospital's own zone."""
    return is_after(moment, at) or (at.time() == time.max and moment.date() > at.date())


def _condition(condition: Condition, at: datetime) -> Condition:
    """An end counts if it has a date; the stage has none, and may be that of a progression."""
    abated = condition.abatementDateTime if _is_over(condition.abatementDateTime, at) else ""
    return msgspec.structs.replace(condition, clinicalStatus=CodeableConcept(), abatementDateTime=abated, stage=())


def _encounter(encounter: Encounter, at: datetime) -> Encounter:
    """One that ended later was going on; it proves what was documented at it once it is over."""
    if not encounter.period.end or _is_over(encounter.period.end, at):
        return encounter
    status = "in-progress" if encounter.status == "finished" else encounter.status
    return msgspec.structs.replace(encounter, status=status, period=Period(encounter.period.start))


def _order(order: MedicationRequest, _: datetime) -> MedicationRequest:
    return msgspec.structs.replace(order, status="active") if order.status in _USED else order


def _statement(statement: MedicationStatement, at: datetime) -> MedicationStatement:
    if statement.status not in _USED:
        return statement
    return msgspec.structs.replace(statement, status="active", effectivePeriod=_period(statement.effectivePeriod, at))


def _dose(dose: MedicationAdministration, at: datetime) -> MedicationAdministration:
    """An infusion that ended later, or without an end, was going on."""
    if dose.effectivePeriod is None or dose.status not in _USED | {"in-progress"}:
        return dose
    return msgspec.structs.replace(dose, status="in-progress", effectivePeriod=_period(dose.effectivePeriod, at))


def _procedure(procedure: Procedure, at: datetime) -> Procedure:
    """One that ended later was going on; of one without an end nobody knows when it ended."""
    period = procedure.performedPeriod
    if period is None or procedure.status not in {"in-progress", "completed"} | _BROKEN_OFF:
        return procedure
    if period.end and not _is_over(period.end, at):
        return msgspec.structs.replace(procedure, status="in-progress", performedPeriod=Period(period.start))
    is_open = procedure.status == "in-progress" and not period.end
    return msgspec.structs.replace(procedure, status="completed") if is_open else procedure


def _list(one: List, _: datetime) -> List:
    return msgspec.structs.replace(one, status="current") if one.status == "retired" else one


def _period(period: Period | None, at: datetime) -> Period | None:
    return Period(period.start) if period and period.end and not _is_over(period.end, at) else period


_EARLIER: dict[type, Callable[..., AnyResource]] = {
    Condition: _condition,
    Encounter: _encounter,
    MedicationRequest: _order,
    MedicationStatement: _statement,
    MedicationAdministration: _dose,
    Procedure: _procedure,
    List: _list,
}
