"""Patient -> age, sex, death."""

from typing import Any

import pytest

from fhir_mappings.decoding import decode
from fhir_mappings.readers.patients import Person, read_patient
from fhir_mappings.resources.r4 import Patient
from tests.unit.fhir_mappings.resources_of import AT, Resource, bundle, codes, finding, patient, value


def person(**members: Any) -> Person:
    [entry] = decode(bundle(patient(**members))).entries
    assert isinstance(entry.resource, Patient)
    return read_patient(entry.resource, AT)[0]


@pytest.mark.parametrize(
    ("birth", "age"),
    [("1960-05-20", 64), ("1960-05-21", 63), ("1960-05", 64), ("1960", 63), ("2006-05-20", 18), ("1914-05-21", 109)],
)
def test_age_is_in_completed_years(birth: str, age: int) -> None:
    """On the birthday a year is complete; a partial date counts from its middle."""
    assert person(birthDate=birth).age == age
    assert value("demo_age_at_baseline", patient(birthDate=birth)) == age


def test_a_minor_has_an_age_and_no_age_parameter() -> None:
    """Under 18 nothing is scored."""
    assert person(birthDate="2006-05-21").age == 17
    assert value("demo_age_at_baseline", patient(birthDate="2006-05-21")) is None


@pytest.mark.parametrize("birth", ["1900-01-01", "2024-05-22", "2024-06"])
def test_an_age_that_no_patient_has_is_not_used(birth: str) -> None:
    """Above 110, or not born yet."""
    assert person(birthDate=birth).age is None
    assert "implausible" in codes(patient(birthDate=birth))


def test_a_birth_date_that_is_none_is_an_issue() -> None:
    """Nothing is guessed from it."""
    assert person(birthDate="unknown").age is None
    assert "date-unreadable" in codes(patient(birthDate="unknown"))


@pytest.mark.parametrize(
    ("gender", "female"), [("female", 1), ("male", 0), ("other", None), ("unknown", None), ("", None)]
)
def test_sex_is_the_administrative_gender_where_it_is_one_of_two(gender: str, female: int | None) -> None:
    """Other and unknown are missing, not 0."""
    assert value("demo_sex_female", patient(gender=gender)) == female
    assert person(gender=gender).female is (None if female is None else bool(female))


def test_age_and_sex_name_the_patient_as_their_source() -> None:
    """Patient/p."""
    assert finding("demo_age_at_baseline", patient()).sources == ("Patient/p",)


@pytest.mark.parametrize(
    ("members", "dead"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2024-05-20T11:59:00Z"}, True),
        ({"deceasedDateTime": "2024-05-20T12:01:00Z"}, False),
        ({"deceasedDateTime": "2024-05-20"}, True),
        ({"deceasedDateTime": "2024-05-23"}, False),
        ({"deceasedDateTime": "2024-05"}, True),
        ({"deceasedDateTime": "2024"}, True),
        ({"deceasedDateTime": "2023"}, True),
        ({"deceasedDateTime": "2025"}, False),
        ({"deceasedDateTime": "some time ago"}, True),
    ],
)
def test_a_death_counts_once_it_has_happened(members: Resource, dead: bool) -> None:
    """One dated later has not happened yet; one without a readable date, or of this very year, has."""
    assert person(**members).deceased is dead


def test_the_borders_of_age_are_110_years_and_birth() -> None:
    """Both are possible."""
    assert person(birthDate="1914-05-20").age == 110
    assert person(birthDate="1913-05-20").age is None
    assert person(birthDate="2024-05-20").age == 0
    assert person(deceasedDateTime="2024-05-20T12:00:00Z").deceased
