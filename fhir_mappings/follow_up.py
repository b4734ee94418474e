"""What a record says of the outcome: when the patient was seen, and a death.

A contact is what needs a living patient in the hospital: an encounter, a measurement, a procedure, a dose, imaging.
Diagnoses, statements, orders and lists are none, for they are written without the patient too; `issued` and
`meta.lastUpdated` are the dates of clerks.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from fhir_mappings.known_since import last_day
from fhir_mappings.readers.encounters import HAPPENED
from fhir_mappings.readers.usable import STATUS_RANK
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.datatypes import Period
from fhir_mappings.resources.r4 import Encounter, ImagingStudy, Observation, Patient
from fhir_mappings.resources.therapies import MedicationAdministration, Procedure
from fhir_mappings.timing import days_between, in_order, instant, is_after

_DONE = frozenset({"in-progress", "completed", "stopped", "on-hold"})  # of Procedure and MedicationAdministration
_NOT_IMAGED = frozenset({"registered", "cancelled", "entered-in-error", "unknown", ""})
_MONTH, _YEAR = 7, 4  # characters of a partial date
_Span = tuple[datetime, datetime]


class FollowUp(msgspec.Struct, frozen=True):
    """`contacts` in order, none after the death. `death`: when, if it is dated; `dead`: whether there was one."""

    contacts: tuple[datetime, ...]
    presences: tuple[datetime, ...]
    dead: bool
    death: datetime | None

    @property
    def first(self) -> datetime | None:
        """When the patient was first here. A procedure may be history, told by the patient."""
        return self.presences[0] if self.presences else None

    @property
    def last(self) -> datetime | None:
        return self.contacts[-1] if self.contacts else None


def follow_up(own: OwnResources, until: datetime) -> FollowUp:
    """Contacts and death up to `until`; a death after it has not happened. A death of a year alone has no date."""
    dead, span = _death(own.of(Patient), until)
    presences = [moment for moment in _presences(own, until) if _is_alive(moment, span)]
    procedures = [moment for moment in _procedures(own, until) if _is_alive(moment, span)]
    contacts = sorted([*presences, *procedures], key=in_order)
    return FollowUp(
        contacts=tuple(contacts),
        presences=tuple(sorted(presences, key=in_order)),
        dead=dead,
        death=_day_of(span, contacts) if span else None,
    )


def _death(patients: list[Patient], until: datetime) -> tuple[bool, _Span | None]:
    """Whether the patient is dead by `until`, and between which days, if it is told to the month at least."""
    for patient in patients:
        text = patient.deceasedDateTime
        first = instant(f"{text}-01" if len(text) == _MONTH else f"{text}-01-01" if len(text) == _YEAR else text)
        last = last_day(text)
        if first is not None and last is not None:
            if is_after(first, until):
                return False, None
            return True, None if len(text) == _YEAR else (first, last)
        if text or patient.deceasedBoolean:
            return True, None
    return False, None


def _day_of(span: _Span, contacts: Sequence[datetime]) -> datetime:
    """The day of a death; of a month its middle, or the last contact where that was later."""
    first, last = span
    if first == last:
        return first
    middle = first.replace(day=15)
    return max([middle, *contacts[-1:]], key=in_order)


def _is_alive(moment: datetime, span: _Span | None) -> bool:
    return span is None or days_between(moment, span[1]) >= 0


def _presences(own: OwnResources, until: datetime) -> Iterator[datetime]:
    for encounter in own.of(Encounter):
        if encounter.status in HAPPENED:
            yield from _of_period(encounter.period, until)
    for observation in own.of(Observation):
        if observation.status in STATUS_RANK:
            yield from _of_day(observation.effectiveDateTime or observation.effectiveInstant, until)
            yield from _of_period(observation.effectivePeriod, until)
    for dose in own.of(MedicationAdministration):
        if dose.status in _DONE:
            yield from _of_day(dose.effectiveDateTime, until)
            yield from _of_period(dose.effectivePeriod, until)
    for study in own.of(ImagingStudy):
        if study.status not in _NOT_IMAGED:
            yield from _of_day(study.started, until)


def _procedures(own: OwnResources, until: datetime) -> Iterator[datetime]:
    for procedure in own.of(Procedure):
        if procedure.status in _DONE:
            yield from _of_day(procedure.performedDateTime, until)
            yield from _of_period(procedure.performedPeriod, until)


def _of_period(period: Period | None, until: datetime) -> Iterator[datetime]:
    """Its start and its end; an end that is still to come shows nobody alive."""
    if period is not None:
        yield from _of_day(period.start, until)
        yield from _of_day(period.end, until)


def _of_day(text: str, until: datetime) -> Iterator[datetime]:
    """A month or a year shows the patient alive on no day that is known."""
    moment = instant(text) if len(text) > _MONTH else None
    if moment is not None and not is_after(moment, until):
        yield moment
