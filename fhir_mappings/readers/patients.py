"""Patient -> age, sex, death."""

from datetime import UTC, datetime

import msgspec

from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.formulas import completed_years
from fhir_mappings.resources.r4 import Patient
from fhir_mappings.timing import day, instant

_SEX = {"female": 1.0, "male": 0.0}


class Person(msgspec.Struct, frozen=True):
    """What decides whether a patient is scored at all. `age` in completed years at the moment of assessment.

    `replaced`: the record was merged into another one, which holds what is known now.
    """

    age: int | None = None
    female: bool | None = None
    deceased: bool = False
    replaced: bool = False


def deceased(patient: Patient, at: datetime) -> bool:
    """A death counts once it has happened: one recorded for later has not, one without a date counts at any time."""
    if patient.deceasedDateTime:
        moment = instant(patient.deceasedDateTime, at)
        return moment is None or moment <= at
    return patient.deceasedBoolean is True


def read_patient(patient: Patient, at: datetime) -> tuple[Person, Reading]:
    """Age and sex as findings. A partial date of birth counts from its middle."""
    reading = Reading()
    source = (patient.address,)
    birth = day(patient.birthDate) if patient.birthDate else None
    if patient.birthDate and birth is None:
        reading.issues.append(Issue("warning", "date-unreadable", "the date of birth is no date", patient.address))
    age = completed_years(birth, at.astimezone(UTC).date()) if birth else None
    if age is not None and not 0 <= age <= 110:
        reading.issues.append(Issue("warning", "implausible", "demo_age_at_baseline: no possible age", patient.address))
        age = None
    if age is not None and age >= 18:
        reading.findings.append(
            Finding(
                "demo_age_at_baseline", float(age), "a", None, source, rule="completed years since Patient.birthDate"
            )
        )
    sex = _SEX.get(patient.gender)
    if sex is not None:
        reading.findings.append(Finding("demo_sex_female", sex, "1", None, source, rule="Patient.gender"))
    replaced = any(link.type_ == "replaced-by" for link in patient.link)
    if replaced:
        reading.issues.append(Issue("error", "record-replaced", "merged into another record", patient.address))
    elif patient.active is False:
        reading.issues.append(Issue("warning", "record-inactive", "marked as not in use", patient.address))
    return Person(age, None if sex is None else sex == 1.0, deceased(patient, at), replaced), reading
