"""When a patient was seen, and when the patient died."""

from datetime import UTC, datetime

import pytest

from fhir_mappings.follow_up import FollowUp, follow_up
from fhir_mappings.record import OwnResources
from fhir_mappings.timing import instant, is_after, written
from tests.unit.fhir_mappings.resources_of import Resource, concept, patient, record, resource

UNTIL = datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)
DAYS = {"start": "2024-03-01", "end": "2024-03-04"}
LAB = {"status": "final", "code": concept("1751-7")}


def lab(day: str, **members: object) -> Resource:
    return resource("Observation", **(LAB | {"effectiveDateTime": day} | members))


def of(*resources: Resource) -> FollowUp:
    return follow_up(OwnResources(record(*resources)), UNTIL)


def last(*resources: Resource) -> str:
    moment = of(*resources).last
    return written(moment) if moment else ""


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        ("Encounter", {"status": "finished", "period": {"start": "2024-03-01", "end": "2024-03-09"}}, "2024-03-09"),
        ("Encounter", {"status": "in-progress", "period": {"start": "2024-03-01"}}, "2024-03-01"),
        ("Encounter", {"status": "in-progress", "period": {"start": "2024-03-01", "end": "2025-02-01"}}, "2024-03-01"),
        ("Encounter", {"status": "planned", "period": {"start": "2024-03-01"}}, ""),
        ("Observation", LAB | {"effectiveDateTime": "2024-03-01", "issued": "2024-04-01T08:00:00Z"}, "2024-03-01"),
        ("Observation", LAB | {"status": "registered", "effectiveDateTime": "2024-03-01"}, ""),
        ("Observation", LAB | {"issued": "2024-04-01T08:00:00Z"}, ""),
        ("Observation", LAB | {"effectiveDateTime": "2024-03"}, ""),
        ("Observation", LAB | {"effectiveDateTime": "2025-01-01"}, ""),
        ("Procedure", {"status": "completed", "performedPeriod": DAYS}, "2024-03-04"),
        ("Procedure", {"status": "not-done", "performedDateTime": "2024-03-01"}, ""),
        ("MedicationAdministration", {"status": "completed", "effectiveDateTime": "2024-03-01"}, "2024-03-01"),
        ("ImagingStudy", {"status": "available", "started": "2024-03-01"}, "2024-03-01"),
        ("ImagingStudy", {"status": "cancelled", "started": "2024-03-01"}, ""),
        ("Condition", {"recordedDate": "2024-03-01", "meta": {"lastUpdated": "2024-03-02T00:00:00Z"}}, ""),
        ("MedicationStatement", {"status": "active", "effectiveDateTime": "2024-03-01"}, ""),
        ("MedicationRequest", {"status": "active", "intent": "order", "authoredOn": "2024-03-01"}, ""),
        ("List", {"status": "current", "date": "2024-03-01"}, ""),
    ],
)  # fmt: skip
def test_a_contact_needs_a_living_patient(kind: str, members: dict[str, object], expected: str) -> None:
    """No planned date, no date of a clerk, nothing after the end of the export."""
    assert last(resource(kind, **members)) == expected


@pytest.mark.parametrize(
    ("members", "dead", "death"),
    [
        ({}, False, ""),
        ({"deceasedBoolean": False}, False, ""),
        ({"deceasedBoolean": True}, True, ""),
        ({"deceasedDateTime": "2024-06-05"}, True, "2024-06-05"),
        ({"deceasedDateTime": "2024-06-05T10:00:00Z"}, True, "2024-06-05T10:00:00+00:00"),
        ({"deceasedDateTime": "2024-06"}, True, "2024-06-15"),
        ({"deceasedDateTime": "2024-05"}, True, "2024-05-20"),
        ({"deceasedDateTime": "2024"}, True, ""),
        ({"deceasedDateTime": "in May"}, True, ""),
        ({"deceasedDateTime": "2025-01-05"}, False, ""),
        ({"deceasedDateTime": "2025"}, False, ""),
    ],
)
def test_a_death_has_a_date_or_none(members: dict[str, object], dead: bool, death: str) -> None:
    """A month is its middle, or the last contact in it; a year alone is no date; after the end none has been."""
    found = of(patient(**members), lab("2024-05-20"))
    assert (found.dead, written(found.death) if found.death else "") == (dead, death)


def test_nobody_is_seen_after_the_death() -> None:
    """What is dated later was written by somebody else."""
    assert last(patient(deceasedDateTime="2024-06-05"), lab("2024-05-20"), lab("2024-07-01")) == "2024-05-20"
    assert last(patient(deceasedDateTime="2024-06"), lab("2024-06-28"), lab("2024-07-01")) == "2024-06-28"


def test_a_procedure_is_no_first_contact() -> None:
    """An operation of long ago is told by the patient."""
    operation = resource("Procedure", status="completed", performedDateTime="1999-01-01")
    found = of(operation, lab("2024-05-20"), lab("2024-06-20"))
    assert written(found.first or UNTIL) == "2024-05-20"
    assert of(operation).first is None
    assert of().last is None


@pytest.mark.parametrize(
    ("moment", "after"),
    [("2024-05-20", False), ("2024-05-21", True), ("2024-05-20T13:00:00Z", True), ("2024-05-20T11:00:00Z", False)],
)
def test_a_day_is_after_a_moment_from_the_next_day_on(moment: str, after: bool) -> None:
    """On the same day nobody knows."""
    stated = instant(moment)
    assert stated is not None
    assert is_after(stated, datetime(2024, 5, 20, 12, tzinfo=UTC)) is after
