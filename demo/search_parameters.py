"""The search parameters of the embedded endpoint: which a type has, and what each finds in a resource (FHIR R4, 3.1.1).

Only what a client of this service may ask for. A name that is not here is refused, as HAPI does it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

Resource = dict[str, Any]


class Parameter(NamedTuple):
    """Where the values stand: dotted paths; a list on the way is every one of its members."""

    kind: Literal["token", "date", "patient"]
    paths: tuple[str, ...]


class Interval(NamedTuple):
    """A FHIR date: a day is 24 hours long, a year 365 days. The end is not part of it."""

    start: datetime
    end: datetime


def _token(*paths: str) -> Parameter:
    return Parameter("token", paths)


def _date(*paths: str) -> Parameter:
    return Parameter("date", paths)


_SUBJECT = Parameter("patient", ("subject",))
_OF_SUBJECT = {"patient": _SUBJECT, "subject": _SUBJECT}
_CODED = {"code": _token("code"), "status": _token("status")}
_MEDICATION = {**_OF_SUBJECT, "code": _token("medicationCodeableConcept"), "status": _token("status")}
_DOSE = ("effectiveDateTime", "effectivePeriod")

PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "Patient": {"identifier": _token("identifier"), "gender": _token("gender"), "birthdate": _date("birthDate")},
    "Condition": {
        **_OF_SUBJECT,
        "code": _token("code"),
        "category": _token("category"),
        "clinical-status": _token("clinicalStatus"),
        "verification-status": _token("verificationStatus"),
        "onset-date": _date("onsetDateTime", "onsetPeriod"),
        "recorded-date": _date("recordedDate"),
    },
    "Observation": {
        **_OF_SUBJECT,
        **_CODED,
        "category": _token("category"),
        "component-code": _token("component.code"),
        "combo-code": _token("code", "component.code"),
        "date": _date("effectiveDateTime", "effectivePeriod", "effectiveInstant"),
    },
    "Encounter": {
        **_OF_SUBJECT,
        "class": _token("class"),
        "type": _token("type"),
        "status": _token("status"),
        "date": _date("period"),
    },
    "ImagingStudy": {
        **_OF_SUBJECT,
        "status": _token("status"),
        "modality": _token("series.modality"),
        "started": _date("started"),
    },
    # R4 has no `subject`, `gene` or `date` here.
    "MolecularSequence": {"patient": Parameter("patient", ("patient",)), "type": _token("type")},
    "DiagnosticReport": {
        **_OF_SUBJECT,
        **_CODED,
        "category": _token("category"),
        "date": _date("effectiveDateTime", "effectivePeriod"),
    },
    "Procedure": {**_OF_SUBJECT, **_CODED, "date": _date("performedDateTime", "performedPeriod")},
    "Flag": _OF_SUBJECT,
    "Consent": {"patient": Parameter("patient", ("patient",)), "status": _token("status")},
    "Specimen": {**_OF_SUBJECT, "type": _token("type")},
    "List": {**_OF_SUBJECT, **_CODED, "date": _date("date")},
    "MedicationAdministration": {**_MEDICATION, "effective-time": _date(*_DOSE)},
    "MedicationRequest": {**_MEDICATION, "authoredon": _date("authoredOn")},
    "MedicationStatement": {**_MEDICATION, "effective": _date(*_DOSE)},
}

# What `_include` may bring along: the member that holds the reference.
INCLUDES: Mapping[str, str] = {
    f"{kind}:medication": "medicationReference" for kind in PARAMETERS if kind.startswith("Medication")
}


def tokens(resource: Resource, parameter: Parameter) -> frozenset[str]:
    """Every way in which a code may be asked for: `code`, `system|code`, `system|`, and `|code` without a system."""
    found: set[str] = set()
    for value in _values(resource, parameter):
        for system, code in _codes(value):
            found |= {code, f"{system}|{code}"}
            if system:
                found.add(f"{system}|")
    return frozenset(found)


def dates(resource: Resource, parameter: Parameter) -> tuple[Interval, ...]:
    return tuple(_interval_of(value) for value in _values(resource, parameter))


def patient_ids(resource: Resource) -> frozenset[str]:
    """Whose compartment a resource is in; a reference to another server's patient is in none."""
    names = (_PATIENT.fullmatch(resource[member].get("reference", "")) for member in _OWNERS if member in resource)
    return frozenset(name[1] for name in names if name)


_OWNERS = ("subject", "patient")
_PATIENT = re.compile(r"Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


def _values(resource: Resource, parameter: Parameter) -> Iterator[Any]:
    for path in parameter.paths:
        reached: list[Any] = [resource]
        for step in path.split("."):
            members = (value[step] for value in reached if step in value)
            reached = [one for value in members for one in (value if isinstance(value, list) else [value])]
        yield from reached


def _codes(value: Any) -> Iterator[tuple[str, str]]:
    """System and code of a CodeableConcept, a Coding, an Identifier or a bare code."""
    if isinstance(value, str):
        yield "", value
        return
    for coding in value.get("coding", [value]):
        code = coding.get("code", coding.get("value"))
        if code:
            yield coding.get("system", ""), code


_ALWAYS = Interval(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def _interval_of(value: Any) -> Interval:
    """The time of a date, a dateTime or a Period; a Period without an end goes on."""
    if isinstance(value, str):
        return interval(value)
    start = interval(value["start"]).start if "start" in value else _ALWAYS.start
    return Interval(start, interval(value["end"]).end if "end" in value else _ALWAYS.end)


_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def interval(text: str) -> Interval:
    """The time that a FHIR date or dateTime covers. Raises ValueError where it is neither."""
    match = _DATE.fullmatch(text)
    if match is None:
        moment = datetime.fromisoformat(text)
        start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        return Interval(start, start + timedelta(seconds=1))
    year, month, day = (int(part) if part else None for part in match.groups())
    start = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
    if day:
        return Interval(start, start + timedelta(days=1))
    if month:
        return Interval(start, (start + timedelta(days=31)).replace(day=1))
    return Interval(start, start.replace(year=start.year + 1))
