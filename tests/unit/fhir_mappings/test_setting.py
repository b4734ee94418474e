"""Where in the course of the disease the patient stands."""

from datetime import datetime

import pytest

from fhir_mappings.setting import Setting, choose_setting
from tests.unit.fhir_mappings.resources_of import (
    AT,
    UICC,
    Resource,
    ago,
    coded,
    condition,
    encoded,
    given,
    histology,
    ordered,
    procedure,
    taken,
)

PROGRESSION = ("396432002", "271299001")
SNOMED = "http://snomed.info/sct"


def setting(*resources: Resource) -> Setting:
    return choose_setting(encoded(*resources), AT)


@pytest.mark.parametrize(("days", "rule"), [(1, "C"), (90, "C"), (91, "D"), (3000, "D")])
def test_a_diagnosis_of_the_last_90_days_is_new(days: float, rule: str) -> None:
    """Its clock starts with the diagnosis; an older one has none."""
    found = setting(condition("C34.1", days=days))
    assert (found.rule, found.network) == (rule, "diagnosis")
    assert found.time_zero == (datetime.fromisoformat(ago(days)) if rule == "C" else None)


def test_the_pathology_report_starts_the_clock() -> None:
    """Though the onset was put years back."""
    found = setting(condition("C34.1", days=900), histology("8140/3", days=20))
    assert (found.rule, found.time_zero) == ("C", datetime.fromisoformat(ago(20)))


def test_without_a_date_nothing_is_new() -> None:
    """Relative only."""
    assert setting(condition("C34.1", onsetDateTime=None, recordedDate=None)).rule == "D"
    assert setting().rule == "D"


def test_what_has_progressed_or_returned_is_not_new() -> None:
    """Progression, or metastasis more than six months after diagnosis."""
    new = condition("C34.1", days=60)
    worse = coded("97509-4", "271299001", SNOMED, days=5)
    assert setting(new, worse).rule == "D"
    old = [condition("C34.1", days=400), histology("8140/3", days=50), coded("21901-4", "M1", UICC, days=30)]
    assert setting(*old).rule == "D"


@pytest.mark.parametrize(("days", "rule"), [(90, "C"), (91, "D")])
@pytest.mark.parametrize("what", ["drug", "radiation", "operation"])
def test_a_patient_who_has_been_treated_for_90_days_is_not_new(what: str, days: float, rule: str) -> None:
    """The first treatment counts, whatever came later; the pathology report may be of a second specimen."""
    treatment = {
        "drug": [given("L01XA01", days), given("L01XA01", 3)],
        "radiation": [
            procedure("8-522.6", performedDateTime=None, performedPeriod={"start": ago(days), "end": ago(1)})
        ],
        "operation": [procedure("5-324.71", days=days)],
    }[what]
    assert setting(condition("C34.1", days=120), histology("8140/3", days=20), *treatment).rule == rule


def test_what_was_only_ordered_or_is_no_treatment_of_cancer_leaves_a_patient_new() -> None:
    """An order, an old opioid, an operation on another organ."""
    new = condition("C34.1", days=20)
    assert setting(new, ordered("L01XA01", 100), taken("N02AA01", 400), procedure("5-511.11", days=400)).rule == "C"


def test_a_diagnosis_of_this_year_counts_from_today_where_its_middle_is_to_come() -> None:
    """The clock never starts in the future."""
    found = setting(condition("C34.1", onsetDateTime="2024", recordedDate=None))
    assert found.rule == "C"
    assert found.time_zero is not None
    assert found.time_zero <= AT
