"""Where in the course of the disease the patient stands."""

from datetime import datetime

import pytest

from fhir_mappings.setting import Setting, choose_setting
from tests.unit.fhir_mappings.resources_of import AT, UICC, Resource, ago, coded, condition, encoded, histology

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


def test_a_diagnosis_of_this_year_counts_from_today_where_its_middle_is_to_come() -> None:
    """The clock never starts in the future."""
    found = setting(condition("C34.1", onsetDateTime="2024", recordedDate=None))
    assert found.rule == "C"
    assert found.time_zero is not None
    assert found.time_zero <= AT
