"""Whether an Observation is read at all, and when it was true."""

from datetime import datetime
from typing import Any

import pytest

from fhir_mappings.concepts import SNOMED
from fhir_mappings.decoding import decode
from fhir_mappings.readers.usable import effective, hours_of
from fhir_mappings.resources.r4 import Observation
from tests.unit.fhir_mappings.resources_of import (
    Resource,
    ago,
    bundle,
    codes,
    concept,
    finding,
    issues,
    measured,
    reference,
    value,
)

POTASSIUM, SODIUM = "lab_potassium", "lab_sodium"
HAEMOLYSED, LIPAEMIC = "118128002", "118127007"


def sodium(result: float = 140, days: float = 1, **members: Any) -> Resource:
    return measured("2951-2", result, "mmol/L", days, **members)


def potassium(**members: Any) -> Resource:
    return measured("2823-3", 4.2, "mmol/L", **members)


def quality(code: str) -> Resource:
    """The modifier extension of the German laboratory profile."""
    return {"modifierExtension": [{"url": "urn:quality", "valueCodeableConcept": concept(code, SNOMED)}]}


def decoded(**members: Any) -> Observation:
    entry = decode(bundle(sodium(**members))).entries[0].resource
    assert isinstance(entry, Observation)
    return entry


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error", "unknown", "", "finall", "FINAL"])
def test_a_result_that_does_not_stand_is_not_used(status: str) -> None:
    """Only final, amended, corrected and preliminary ones are."""
    assert value(SODIUM, sodium(status=status)) is None
    assert "status-not-used" in codes(sodium(status=status))


def test_the_status_of_a_record_is_not_echoed() -> None:
    """Free text in it may be anything."""
    assert [i.diagnostics for i in issues(sodium(status="Mrs. Doe"))] == ["no status"]


def test_a_preliminary_result_serves_and_is_marked() -> None:
    """Until the final one of the same time is there."""
    first = sodium(130, status="preliminary")
    assert finding(SODIUM, first).flags == ("preliminary",)
    assert finding(SODIUM, first, sodium(140)).flags == ()
    assert value(SODIUM, first, sodium(140)) == 140


@pytest.mark.parametrize("status", ["amended", "corrected"])
def test_an_amended_result_replaces_the_final_one_of_the_same_time(status: str) -> None:
    """Whichever of them is listed first, and whichever is higher."""
    right, wrong = sodium(135, status=status), sodium(140)
    assert value(SODIUM, right, wrong) == value(SODIUM, wrong, right) == 135


def test_the_latest_stands_by_its_time_not_by_its_place() -> None:
    """List order means nothing."""
    older, newer = sodium(130, days=5), sodium(140, days=2)
    assert value(SODIUM, older, newer) == value(SODIUM, newer, older) == 140


def test_a_later_day_without_a_time_is_newer_than_a_timed_day_before() -> None:
    """Half of a hospital's results have dates only."""
    dated = sodium(150, effectiveDateTime="2024-05-18")
    timed = sodium(140, effectiveDateTime="2024-05-17T22:00:00+02:00")
    assert value(SODIUM, dated, timed) == 150


@pytest.mark.parametrize(
    "members",
    [
        {"effectiveDateTime": ago(-0.01)},
        {"effectiveDateTime": "2024-05-22"},
        {"effectiveDateTime": "2024-06"},
        {"effectiveDateTime": None, "effectivePeriod": {"start": ago(1), "end": ago(-1)}},
        {"effectiveDateTime": None, "issued": ago(-1)},
        {"effectiveDateTime": None, "effectiveInstant": ago(-1)},
        {"effectiveDateTime": "2024-05-20T11:00:00-03:00"},
    ],
)
def test_what_is_dated_after_the_assessment_is_not_used(members: Resource) -> None:
    """Not even by an hour, in any zone."""
    assert value(SODIUM, sodium(**members)) is None
    assert "after-at" in codes(sodium(**members))


@pytest.mark.parametrize("text", ["2024-05-20", "2024-05", "2024", "2024-05-20T13:00:00+02:00"])
def test_a_date_of_today_is_used(text: str) -> None:
    """A result of today, of this month or of this year is not of the future."""
    assert value("vital_height", measured("8302-2", 170, "cm", effectiveDateTime=text)) == 170


def test_a_date_that_is_none_is_an_issue_and_no_missing_date() -> None:
    """A height counts at any age, but not from a year that does not exist."""
    broken = measured("8302-2", 170, "cm", effectiveDateTime="9999999999-01-01")
    assert value("vital_height", broken) is None
    assert "date-unreadable" in codes(broken)
    assert value("vital_height", measured("8302-2", 170, "cm", effectiveDateTime=None)) == 170


def test_the_time_is_that_of_the_patient_before_that_of_the_report() -> None:
    """Effective time, its instant, the end of its period, when it was issued."""
    period = {"start": ago(4), "end": ago(3)}
    assert effective(decoded(effectivePeriod=period, issued=ago(1), days=2)) == datetime.fromisoformat(ago(2))
    assert effective(decoded(effectiveDateTime=None, effectivePeriod=period)) == datetime.fromisoformat(ago(3))
    assert effective(decoded(effectiveDateTime=None, effectivePeriod={"start": ago(4)})) == datetime.fromisoformat(
        ago(4)
    )
    assert effective(decoded(effectiveDateTime=None, issued=ago(1))) == datetime.fromisoformat(ago(1))
    assert effective(decoded(effectiveDateTime=None)) is None


def test_the_length_of_a_period_is_known_from_both_ends() -> None:
    """In hours."""
    assert hours_of(decoded(effectivePeriod={"start": ago(2), "end": ago(1)})) == pytest.approx(24)
    assert hours_of(decoded(effectivePeriod={"start": ago(2)})) is None
    assert hours_of(decoded()) is None


def test_a_haemolysed_sample_spoils_what_haemolysis_changes() -> None:
    """Potassium, LDH, NSE; not sodium."""
    assert value(POTASSIUM, potassium(**quality(HAEMOLYSED))) is None
    assert "haemolysed" in codes(potassium(**quality(HAEMOLYSED)))
    assert value(SODIUM, sodium(**quality(HAEMOLYSED))) == 140
    assert value(POTASSIUM, potassium(**quality(LIPAEMIC))) == 4.2


@pytest.mark.parametrize(
    "extension",
    [
        {"url": "urn:unheard-of"},
        {"url": "urn:quality", "valueCodeableConcept": concept("281275000", SNOMED)},
        {"url": "urn:quality", "valueCoding": {"code": "negated"}},
    ],
)
def test_an_unknown_modifier_is_not_ignored(extension: Resource) -> None:
    """It may mean that there is no result."""
    unknown = sodium(modifierExtension=[extension])
    assert value(SODIUM, unknown) is None
    assert "modifier-unknown" in codes(unknown)


@pytest.mark.parametrize(
    "focus",
    [
        "Patient/fetus",
        "RelatedPerson/donor",
        "Device/pump",
        "Group/g",
        "https://h.example/fhir/Patient/fetus/_history/1",
    ],
)
def test_a_result_about_someone_else_in_the_patients_chart_is_not_used(focus: str) -> None:
    """The heart rate of a fetus is filed with its mother."""
    other = measured("8867-4", 150, "/min", focus=[reference(focus)])
    assert value("vital_heart_rate", other) is None
    assert "about-someone-else" in codes(other)


@pytest.mark.parametrize("focus", ["Condition/c", "Patient/p", "Specimen/s"])
def test_a_focus_on_a_diagnosis_or_on_the_patient_is_no_one_else(focus: str) -> None:
    """MCODE points from a result to the cancer."""
    assert value(SODIUM, sodium(focus=[reference(focus)])) == 140
