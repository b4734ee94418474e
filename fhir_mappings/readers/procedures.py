"""Procedure -> operations on the tumour, radiotherapy, radionuclides, transfusions, courses of treatment, care level.

Only the codes of the catalogue count: a biopsy, a stent or the marking of a site is none of them, whatever category or
reason the Procedure states.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from fhir_mappings.concepts import OPS, Catalogue, Concept, canonical
from fhir_mappings.finding import Finding, Issue, Reading, Severity
from fhir_mappings.readers.regimens import KEY as REGIMENS
from fhir_mappings.record import Resolve
from fhir_mappings.resources.therapies import Procedure
from fhir_mappings.timing import instant

SURGERY = "tx_prior_surgery"
CARE_LEVEL = "func_care_level"
_LOCAL_TREATMENT = frozenset({SURGERY, "tx_prior_radiotherapy", "tx_radioligand"})
_RANK = 2
_DONE = frozenset({"completed", "in-progress"})
_BEGUN = frozenset({"stopped", "on-hold"})  # some of it took place: enough for a course, not for a resection


class Tumours(msgspec.Struct, frozen=True):
    """What an operation may be on: parameters (entities, metastatic sites) that are 1, and their Conditions."""

    keys: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()


class Done(msgspec.Struct, frozen=True):
    """A procedure that took place, from its start to its end as far as they are known."""

    procedure: Procedure
    known: tuple[Concept, ...]
    start: datetime | None
    end: datetime | None

    @property
    def address(self) -> str:
        return self.procedure.address


class Procedures(msgspec.Struct):
    """What the procedures of a record say.

    `courses`: systemic treatment of which only the kind is told. `begun`: starts of local treatment of a cancer.
    `unnamed`: some procedure could be any.
    """

    reading: Reading = msgspec.field(default_factory=Reading)
    courses: list[Done] = msgspec.field(default_factory=list)
    begun: list[datetime] = msgspec.field(default_factory=list)
    undecided: set[str] = msgspec.field(default_factory=set)
    unnamed: bool = False


def read_procedures(
    several: Iterable[Procedure], tumours: Tumours, source: Catalogue, at: datetime, address_of: Resolve
) -> Procedures:
    """All procedures of a record. `tumours` says which operation was one on the tumour."""
    found = Procedures()
    for procedure in several:
        known = _known(procedure, source)
        reason = _unusable(procedure, at)
        if reason is None and not known:
            reason = "code-unknown", "no known code of a procedure"
            found.unnamed |= not _is_named(procedure)
        if reason is not None:
            severity: Severity = "warning" if reason[0] in {"modifier-unknown", "date-unreadable"} else "information"
            found.reading.issues.append(Issue(severity, *reason, procedure.address))
            if reason[0] in {"modifier-unknown", "date-unreadable", "status-unknown"}:
                found.undecided |= {concept.key for concept in known}
                found.unnamed |= not (known or _is_named(procedure))
            continue
        _read(Done(procedure, known, *_times(procedure, at)), found, tumours, source, address_of)
    return found


def _read(done: Done, found: Procedures, tumours: Tumours, source: Catalogue, address_of: Resolve) -> None:
    for concept in done.known:
        if concept.key == REGIMENS:
            found.courses.append(done)
            continue
        if concept.key == SURGERY and (issue := _no_resection(done, concept, tumours, address_of)):
            found.reading.issues.append(issue)
            found.undecided.add(SURGERY)
            continue
        feature = source.schema[concept.key]
        if feature.window_days is not None and done.end is None:
            text = f"{feature.key}: counts only within {feature.window_days:g} days"
            found.reading.issues.append(Issue("information", "undated", text, done.address))
            found.undecided.add(feature.key)
            continue
        if feature.key in _LOCAL_TREATMENT and done.start:
            found.begun.append(done.start)
        value = concept.level if concept.level is not None else 1.0
        found.reading.findings.append(
            Finding(feature.key, value, feature.unit, done.end, (done.address,), rule="procedure done", rank=_RANK)
        )


def _no_resection(done: Done, concept: Concept, tumours: Tumours, address_of: Resolve) -> Issue | None:
    """Why an operation is none on the tumour: broken off, or on an organ in which no tumour of the record is."""
    if done.procedure.status in _BEGUN:
        return Issue("information", "not-done", f"{SURGERY}: broken off", done.address)
    reasons = {address_of(reason.reference) for reason in done.procedure.reasonReference}
    if reasons & tumours.conditions or tumours.keys & set(concept.requires.split()):
        return None
    return Issue("information", "organ-differs", f"{SURGERY}: no tumour of that organ is recorded", done.address)


def _known(procedure: Procedure, source: Catalogue) -> tuple[Concept, ...]:
    """One meaning for each parameter, of the first coding that has it."""
    found: dict[str, Concept] = {}
    for coding in procedure.code.coding:
        for concept in source.lookup(coding.system, coding.code):
            feature = source.schema[concept.key]
            is_asked = feature.missing_rule == "complete_history" or concept.key == CARE_LEVEL
            if is_asked and (concept.level is not None or concept.key == REGIMENS):
                found.setdefault(concept.key, concept)
    return tuple(found[key] for key in sorted(found))


def _is_named(procedure: Procedure) -> bool:
    """Whether OPS says what it was, so that it is surely nothing else."""
    return any(canonical(coding.system) == OPS for coding in procedure.code.coding)


def _unusable(procedure: Procedure, at: datetime) -> tuple[str, str] | None:  # noqa: PLR0911 - one line a reason
    if procedure.modifierExtension:
        return "modifier-unknown", "a modifierExtension that may change the meaning"
    if procedure.status == "not-done":
        return "not-done", "not-done"
    if procedure.status == "preparation":
        return "only-planned", "preparation"
    if procedure.status in {"unknown", ""}:
        return "status-unknown", "whether it took place is not stated"
    if procedure.status not in _DONE | _BEGUN:
        is_error = procedure.status == "entered-in-error"
        return "status-not-used", "entered-in-error" if is_error else "a status that FHIR does not define"
    texts = _texts(procedure)
    if any(text and instant(text, at) is None for text in texts):
        return "date-unreadable", "a date that is none"
    begun = instant(texts[0] or texts[1], at)
    return ("after-at", "dated after the moment of assessment") if begun and begun > at else None


def _texts(procedure: Procedure) -> tuple[str, str]:
    period = procedure.performedPeriod
    return (period.start, period.end) if period else (procedure.performedDateTime, procedure.performedDateTime)


def _times(procedure: Procedure, at: datetime) -> tuple[datetime | None, datetime | None]:
    """Start and end, the end not after the assessment; what is going on has got as far as that."""
    start, end = (instant(text, at) for text in _texts(procedure))
    if end is None:
        end = at if procedure.status == "in-progress" and start else start
    return start or end, min(end, at) if end else None
