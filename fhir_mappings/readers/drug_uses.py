"""MedicationAdministration, -Statement, -Request -> that a drug was given, taken or ordered, and from when until when.

What was not done, refused, only planned or proposed, entered in error or dated later is no use, and an issue says so.
"""

from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import Catalogue
from fhir_mappings.finding import Issue, Severity
from fhir_mappings.readers.drugs import Drug, drug_of, is_local
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.datatypes import Period
from fhir_mappings.resources.therapies import (
    Dosage,
    DrugRecord,
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
)
from fhir_mappings.timing import days_between, in_order, instant

Kind = Literal["given", "taken", "ordered"]

# R4 value sets of the three `status` elements; "stopped" and "on-hold" mean that some of it took place.
_GIVEN = frozenset({"in-progress", "on-hold", "completed", "stopped"})
_TAKEN = frozenset({"active", "on-hold", "completed", "stopped"})
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_RANK = {"given": 3, "taken": 1, "ordered": 0}  # a Procedure is 2
_LONGEST_WINDOW_DAYS = 180.0  # of the medication parameters
_DOUBT = frozenset({"modifier-unknown", "date-unreadable", "status-unknown"})


_Times = tuple[str, str]  # first and last, as written


class DrugUse(msgspec.Struct, frozen=True):
    """One record of a drug in use.

    `until` is the last moment, not after the assessment, at which the record shows it in use (None: it ended, and
    nobody says when). `ongoing`: it says that the use goes on.
    """

    address: str
    kind: Kind
    drug: Drug
    start: datetime | None
    until: datetime | None
    ongoing: bool

    @property
    def rank(self) -> int:
        return _RANK[self.kind]

    @property
    def last(self) -> datetime | None:
        """The newest moment of which a dose is known."""
        return self.until or self.start


class DrugUses(msgspec.Struct):
    """`undecided`: parameters of drugs of which the record does not say whether they were used.

    `unnamed`: whether the drug of some use cannot be told, so that it could be any; `unnamed_now`: of a use that may
    be a present one.
    """

    known: list[DrugUse] = msgspec.field(default_factory=list)
    undecided: set[str] = msgspec.field(default_factory=set)
    unnamed: bool = False
    unnamed_now: bool = False
    issues: list[Issue] = msgspec.field(default_factory=list)


def drug_uses(own: OwnResources, source: Catalogue, at: datetime) -> DrugUses:
    """All of a record, sorted by what they may be used for at `at`."""
    found = DrugUses()
    records: list[DrugRecord] = [
        *own.of(MedicationAdministration),
        *own.of(MedicationStatement),
        *own.of(MedicationRequest),
    ]
    for record in records:
        drug = drug_of(record, own, source)
        reason = _unusable(record) or _untimely(record, at)
        if reason is not None:
            severity: Severity = "warning" if reason[0] in {"modifier-unknown", "date-unreadable"} else "information"
            found.issues.append(Issue(severity, *reason, record.address))
            if reason[0] in _DOUBT:
                found.undecided |= drug.keys
                _note_unnamed(found, drug, None, at)
            continue
        use = _use(record, drug, at)
        if drug.known:
            found.known.append(use)
        elif not drug.identified:
            found.issues.append(Issue("information", "code-unknown", "no known code of a drug", record.address))
        _note_unnamed(found, drug, use, at)
    return found


def _note_unnamed(found: DrugUses, drug: Drug, use: DrugUse | None, at: datetime) -> None:
    """A use of some drug or other; None where not even that is sure."""
    if drug.identified or drug.known:
        return
    found.unnamed |= use is None or use.kind != "ordered"
    last = use.last if use and not use.ongoing else None
    found.unnamed_now |= last is None or days_between(last, at) <= _LONGEST_WINDOW_DAYS


def dosages(record: DrugRecord) -> tuple[Dosage, ...]:
    if isinstance(record, MedicationAdministration):
        return (record.dosage,) if record.dosage else ()
    return record.dosageInstruction if isinstance(record, MedicationRequest) else record.dosage


def may_be_use(record: DrugRecord) -> bool:
    """Whether a record says that a drug was used, or leaves it open: then it matters which."""
    reason = _unusable(record)
    return reason is None or reason[0] in _DOUBT


def _unusable(record: DrugRecord) -> tuple[str, str] | None:  # noqa: PLR0911 - one line a reason
    if record.modifierExtension:
        return "modifier-unknown", "a modifierExtension that may change the meaning"
    if is_local(dosages(record)):
        return "route-local", "given where it acts, not to the whole body"
    if record.status in {"unknown", ""}:
        return "status-unknown", "whether it took place is not stated"
    if isinstance(record, MedicationRequest):
        return _no_order(record)
    if record.status in {"not-done", "not-taken"}:
        return "not-done", record.status
    if record.status == "intended":
        return "only-planned", "intended"
    used = _GIVEN if isinstance(record, MedicationAdministration) else _TAKEN
    return None if record.status in used else ("status-not-used", _said(record.status))


def _no_order(record: MedicationRequest) -> tuple[str, str] | None:
    if record.doNotPerform:
        return "not-done", "doNotPerform"
    if record.intent not in _ORDERS or record.status == "draft":
        return "only-planned", "a plan, proposal, option or draft"
    return None if record.status == "active" else ("status-not-used", _said(record.status))


def _said(status: str) -> str:
    known = {"entered-in-error", "cancelled", "completed", "stopped", "on-hold"}
    return status if status in known else "a status that FHIR does not define"


def _untimely(record: DrugRecord, at: datetime) -> tuple[str, str] | None:
    start, end = _texts(record)
    said = ""
    if isinstance(record, MedicationRequest):
        said = record.authoredOn
    elif isinstance(record, MedicationStatement) and not (start or end):
        said = record.dateAsserted
    read = [instant(text, at) for text in (start, end, said) if text]
    if None in read:
        return "date-unreadable", "a date that is none"
    begun = [instant(text, at) for text in (start, said) if text]
    if any(moment and moment > at for moment in begun):
        return "after-at", "dated after the moment of assessment"
    return None


def _texts(record: DrugRecord) -> _Times:
    """When the use began and ended, as written; an order without a period began when it was written."""
    if isinstance(record, MedicationRequest):
        bounds = _bounds(record)
        events = _events(record)
        if bounds is None and events:
            return min(events), max(events)
        return (bounds.start if bounds else "") or record.authoredOn, bounds.end if bounds else ""
    if record.effectivePeriod:
        return record.effectivePeriod.start, record.effectivePeriod.end
    given = isinstance(record, MedicationAdministration)
    return record.effectiveDateTime, record.effectiveDateTime if given else ""


def _bounds(record: MedicationRequest) -> Period | None:
    """From the first start to the last end of its dosages; open where one of them is."""
    periods = [d.timing.repeat.boundsPeriod for d in record.dosageInstruction if d.timing and d.timing.repeat]
    stated = [period for period in periods if period]
    if not stated:
        return None
    ends = [period.end for period in stated]
    return Period(min(period.start for period in stated), max(ends) if all(ends) else "")


def _events(record: MedicationRequest) -> list[str]:
    return [text for dosage in record.dosageInstruction if dosage.timing for text in dosage.timing.event]


def _use(record: DrugRecord, drug: Drug, at: datetime) -> DrugUse:
    kind: Kind = (
        "given"
        if isinstance(record, MedicationAdministration)
        else "taken"
        if isinstance(record, MedicationStatement)
        else "ordered"
    )
    texts = _texts(record)
    start, end = instant(texts[0], at), instant(texts[1], at)
    ongoing = record.status in {"active", "in-progress"} and (end is None or end >= at)
    until = end
    if end is None and ongoing:
        until = at if _is_open(record) else _newest(start, _asserted(record, at))
    elif end is None and not _is_open(record):
        until = start
    return DrugUse(record.address, kind, drug, start, min(until, at) if until else None, ongoing)


def _is_open(record: DrugRecord) -> bool:
    """Whether it states a period without an end, which is a period that goes on."""
    if isinstance(record, MedicationRequest):
        bounds = _bounds(record)
        return bounds is not None and not bounds.end
    return record.effectivePeriod is not None


def _asserted(record: DrugRecord, at: datetime) -> datetime | None:
    """When somebody last said so, if that was before the assessment."""
    text = record.dateAsserted if isinstance(record, MedicationStatement) else ""
    moment = instant(text, at)
    return moment if moment and moment <= at else None


def _newest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), key=in_order, default=None)
