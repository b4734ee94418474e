"""Since when a resource can have been known."""

from typing import Any

import msgspec
import pytest

from fhir_mappings.decoding import READ_TYPES
from fhir_mappings.history import History
from fhir_mappings.known_since import ALWAYS, known_since, last_day
from fhir_mappings.resources.r4 import AnyResource
from fhir_mappings.timing import written
from tests.unit.fhir_mappings.resources_of import Resource, patient, record, resource

DAY, LATER = "2020-01-10", "2020-01-17"
PERIOD = {"start": DAY, "end": LATER}


def known(*several: Resource) -> str:
    """When the last of them was known; "" where nothing says so."""
    moments = History(record(*several[-1:], *several[:-1])).moments(lambda one: one.id == several[-1]["id"])
    return written(moments[0]) if moments else ""


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        ("Observation", {"effectiveDateTime": DAY}, DAY),
        ("Observation", {"effectiveDateTime": DAY, "issued": "2020-01-17T08:00:00Z"}, "2020-01-17T08:00:00+00:00"),
        ("Observation", {"effectivePeriod": PERIOD}, LATER),
        ("Observation", {"issued": "2020-01-17T08:00:00Z"}, "2020-01-17T08:00:00+00:00"),
        ("Observation", {"effectiveDateTime": "2020-01"}, "2020-01-31"),
        ("Observation", {"effectiveDateTime": "2020"}, "2020-12-31"),
        ("Observation", {"effectiveDateTime": "soon"}, ""),
        ("Observation", {}, ""),
        ("Observation", {"meta": {"lastUpdated": "2020-01-17T08:00:00Z"}}, "2020-01-17T08:00:00+00:00"),
        ("Condition", {"onsetDateTime": "2015-03-01", "recordedDate": DAY}, DAY),
        ("Condition", {"onsetDateTime": "2015-03-01"}, "2015-03-01"),
        ("Condition", {"onsetPeriod": PERIOD}, DAY),
        ("Condition", {"onsetDateTime": LATER, "recordedDate": DAY}, LATER),
        ("Condition", {"onsetDateTime": "2020", "recordedDate": DAY}, DAY),
        ("Condition", {"onsetDateTime": "soon", "recordedDate": DAY}, DAY),
        ("Condition", {"onsetDateTime": "2015-03-01", "encounter": {"reference": "Encounter/e"}}, LATER),
        ("Condition", {"onsetDateTime": "2015-03-01", "encounter": {"reference": "Encounter/other"}}, "2015-03-01"),
        ("Condition", {"onsetDateTime": DAY, "recordedDate": "soon"}, ""),
        ("Condition", {}, ""),
        ("Encounter", {"period": PERIOD}, DAY),
        ("Encounter", {"period": {"end": LATER}}, LATER),
        ("Encounter", {}, ""),
        ("ImagingStudy", {"started": DAY}, DAY),
        ("Procedure", {"performedPeriod": PERIOD}, DAY),
        ("Procedure", {"performedDateTime": DAY}, DAY),
        ("Procedure", {}, ""),
        ("MedicationAdministration", {"effectivePeriod": PERIOD}, DAY),
        ("MedicationStatement", {"effectivePeriod": {"start": DAY}, "dateAsserted": LATER}, LATER),
        ("MedicationStatement", {"dateAsserted": LATER}, LATER),
        ("MedicationStatement", {}, ""),
        ("MedicationRequest", {"authoredOn": DAY}, DAY),
        ("MedicationRequest", {}, ""),
        ("List", {"date": DAY}, DAY),
        ("List", {}, ""),
        ("MolecularSequence", {}, ""),
        ("MolecularSequence", {"meta": {"lastUpdated": "2020-01-17T08:00:00Z"}}, "2020-01-17T08:00:00+00:00"),
    ],
)
def test_a_resource_is_known_from_the_latest_of_its_dates(kind: str, members: dict[str, Any], expected: str) -> None:
    """Without one it is known once it was last updated; without that too, never."""
    visit = resource("Encounter", id="e", period={"start": LATER})
    assert known(patient(), visit, resource(kind, id="it", **members)) == expected


def test_a_patient_is_always_known() -> None:
    """Age and sex are of no time."""
    assert History(record(patient())).moments(lambda _: True) == [ALWAYS]


def test_the_last_day_of_a_month() -> None:
    """In a leap year too; what is no date has none."""
    assert [written(day) for text in ("2020-02", "2021-02", "1999") if (day := last_day(text))] == [
        "2020-02-29", "2021-02-28", "1999-12-31",
    ]  # fmt: skip
    assert [last_day(text) for text in ("2020-13", "", "in May")] == [None, None, None]


def test_every_type_that_is_read_has_a_rule() -> None:
    """A type without one would never be known, and a cohort would lose it in silence."""
    dated: dict[str, dict[str, Any]] = {
        "Observation": {"effectiveDateTime": DAY}, "Condition": {"recordedDate": DAY}, "ImagingStudy": {"started": DAY},
        "Encounter": {"period": PERIOD}, "Procedure": {"performedDateTime": DAY}, "List": {"date": DAY},
        "MedicationAdministration": {"effectiveDateTime": DAY}, "MedicationRequest": {"authoredOn": DAY},
        "MedicationStatement": {"effectiveDateTime": DAY}, "Patient": {}, "Medication": {}, "Flag": {}, "Consent": {},
        "OperationOutcome": {}, "MolecularSequence": {"meta": {"lastUpdated": DAY}},
    }  # fmt: skip
    assert set(dated) == READ_TYPES
    for kind, members in dated.items():
        whole = msgspec.json.encode({"resourceType": kind, "id": "x"} | members)
        decoded = msgspec.json.decode(whole, type=AnyResource)
        assert known_since(decoded, lambda _: None) is not None, kind
