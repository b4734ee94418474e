"""The newest moment that a record speaks of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.moment import latest
from tests.unit.fhir_mappings.resources_of import Resource, condition, measured, patient, record, reference


def sodium(when: str, **members: Any) -> Resource:
    return measured("2951-2", 140, "mmol/L", **({"effectiveDateTime": when} | members))


def moment(*resources: Resource) -> str | None:
    found = latest(record(*resources))
    return found.astimezone(UTC).isoformat() if found else None


def test_it_is_the_newest_time_of_an_observation() -> None:
    """Not of a diagnosis that was recorded later."""
    early, late = sodium("2019-03-01T08:00:00Z"), sodium("2020-03-01T08:00:00Z")
    diagnosis = condition("C34.1", onsetDateTime="2021-01-01", recordedDate="2021-01-01")
    assert moment(late, early, diagnosis) == "2020-03-01T08:00:00+00:00"


def test_without_an_observation_it_is_that_of_a_condition() -> None:
    """The later of onset and record; without either there is none."""
    diagnosis = condition("C34.1", onsetDateTime="2019-01-01T00:00:00Z", recordedDate="2019-02-01T00:00:00Z")
    assert moment(diagnosis) == "2019-02-01T00:00:00+00:00"
    assert moment() is None


def test_a_day_without_a_time_is_assessed_at_its_end() -> None:
    """So that what is timed within it counts."""
    assert moment(sodium("2020-03-01")) == "2020-03-01T23:59:59.999999+00:00"
    assert moment(sodium("2020-03-01"), sodium("2020-02-29T20:00:00Z")) == "2020-03-01T23:59:59.999999+00:00"


@pytest.mark.parametrize("death", ["2020-03-01T12:00:00Z", "2020-03-01", "2020-03"])
def test_it_lies_before_a_recorded_death(death: str) -> None:
    """And then the patient lives."""
    dead = patient(deceasedDateTime=death)
    results = [sodium("2020-02-27T08:00:00Z"), sodium("2020-04-05T08:00:00Z")]
    results.append(sodium(death))  # of the very moment
    found = latest(record(dead, *results))
    assert found == datetime(2020, 2, 27, 8, tzinfo=UTC)
    assert not encode(record(dead, *results), catalogue().schema, found).person.deceased


def test_the_end_of_a_day_lies_before_a_death_of_the_next_day() -> None:
    """A death on 2 March in Auckland begins on 1 March in Greenwich."""
    dead, result = patient(deceasedDateTime="2020-03-02"), sodium("2020-03-01")
    found = latest(record(dead, result))
    assert found is not None
    encoded = encode(record(dead, result), catalogue().schema, found)
    assert not encoded.person.deceased
    assert encoded.findings["lab_sodium"].value == 140


def test_what_is_in_error_or_of_somebody_else_has_no_time_that_counts() -> None:
    """A mistyped year would make everything stale."""
    wrong = sodium("2919-03-01", status="entered-in-error")
    foreign = sodium("2022-03-01", subject=reference("Patient/q"))
    assert moment(sodium("2020-03-01T08:00:00Z"), wrong, foreign) == "2020-03-01T08:00:00+00:00"
