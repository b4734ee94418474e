"""Which of several findings stands for a parameter."""

from datetime import timedelta
from typing import Any

import pytest

from fhir_mappings.choosing import choose
from fhir_mappings.concepts import SNOMED, catalogue
from fhir_mappings.finding import Finding
from fhir_mappings.windows import Windows
from tests.unit.fhir_mappings.resources_of import (
    AT,
    CLINICAL,
    UICC,
    Resource,
    coded,
    codes,
    concept,
    condition,
    finding,
    histology,
    measured,
    observation,
    value,
)

LUNG = "C34.1"


def found(key: str, number: float, days: float | None, rank: int = 3, source: str = "a") -> Finding:
    when = None if days is None else AT - timedelta(days=days)
    return Finding(key, number, "", when, (f"Observation/{source}",), rank=rank, original=number)


def chosen(key: str, *findings: Finding, diagnosed: float | None = None) -> float | None:
    since = None if diagnosed is None else AT - timedelta(days=diagnosed)
    choice = choose(catalogue().schema[key], findings, Windows(AT), since)
    return choice.finding.value if choice.finding else None


# The windows as the clinical review names them, in days before the assessment.
@pytest.mark.parametrize(
    ("key", "number", "window"),
    [
        ("lab_hemoglobin", 13, 30),
        ("lab_crp", 5, 30),
        ("lab_cea", 5, 60),
        ("lab_psa", 5, 60),
        ("lab_tsh", 2, 180),
        ("lab_hba1c", 6, 180),
        ("vital_sbp", 120, 7),
        ("vital_heart_rate", 80, 7),
        ("vital_weight", 70, 30),
        ("func_ecog", 1, 30),
        ("stage_disease_status", 1, 120),
        ("bca_l3_muscle_hu", 30, 60),
    ],
)
def test_a_value_counts_within_its_window(key: str, number: float, window: float) -> None:
    """To the last day, and not a day longer; without a date not at all."""
    assert chosen(key, found(key, number, window)) == number
    assert chosen(key, found(key, number, window + 0.01)) is None
    assert chosen(key, found(key, number, None)) is None


@pytest.mark.parametrize("key", ["vital_height", "func_smoking_status", "path_ki67", "gene_kras", "gene_tmb"])
def test_some_values_count_at_any_age(key: str) -> None:
    """Height, smoking, tissue and genes."""
    assert chosen(key, found(key, 1, 5000)) == chosen(key, found(key, 1, None)) == 1


def test_a_date_without_a_time_counts_by_the_day() -> None:
    """The thirtieth day before is within 30 days at noon."""
    assert value("lab_sodium", measured("2951-2", 140, "mmol/L", effectiveDateTime="2024-04-20")) == 140
    assert value("lab_sodium", measured("2951-2", 140, "mmol/L", effectiveDateTime="2024-04-19")) is None


def test_the_latest_wins_then_the_rank_then_the_value_then_the_name() -> None:
    """So that no order of the record can matter."""
    key = "lab_sodium"
    assert chosen(key, found(key, 150, 3, rank=5), found(key, 140, 2, rank=1)) == 140
    assert chosen(key, found(key, 150, 2, rank=1), found(key, 140, 2, rank=3)) == 140
    first, second = found(key, 140, 2, source="a"), found(key, 140, 2, source="b")
    for pair in ((first, second), (second, first)):
        choice = choose(catalogue().schema[key], pair, Windows(AT), None)
        assert choice.finding is second
        assert choice.history == (first, second)


def test_two_values_of_a_day_that_differ_by_more_than_a_fifth_are_told() -> None:
    """The later stands."""
    morning, evening = measured("2951-2", 110, "mmol/L", 1.3), measured("2951-2", 140, "mmol/L", 1.1)
    assert value("lab_sodium", morning, evening) == 140
    assert "same-day-conflict" in codes(morning, evening)
    close, day_before = measured("2951-2", 112, "mmol/L", 1.3), measured("2951-2", 110, "mmol/L", 2.1)
    assert "same-day-conflict" not in codes(close, evening)
    assert "same-day-conflict" not in codes(day_before, evening)


def test_the_worse_of_two_performance_grades_of_a_day_counts() -> None:
    """ECOG 2 in the morning, 1 in the evening, 3 the day before."""
    grades = [observation("89247-1", valueInteger=grade, days=days) for grade, days in ((2, 1.3), (1, 1.1), (3, 2.2))]
    assert value("func_ecog", *grades) == value("func_ecog", *reversed(grades)) == 2
    karnofsky = observation("89243-0", valueInteger=50, days=1.2)
    assert value("func_ecog", *grades, karnofsky) == 3


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("266919005",), 0),
        (("449868002", "266919005"), 1),
        (("8517006", "266919005"), 1),
        (("266919005", "449868002"), 2),
    ],
)
def test_never_after_smoking_counts_as_former(answers: tuple[str, ...], expected: float) -> None:
    """Nobody un-smokes; `answers` from old to new."""
    said = [coded("72166-2", answer, SNOMED, days=100 - 10 * n) for n, answer in enumerate(answers)]
    assert value("func_smoking_status", *said) == expected


@pytest.mark.parametrize(("after", "expected"), [(-31, None), (-30, 2), (0, 2), (120, 2), (121, None)])
def test_the_initial_stage_is_of_30_days_before_to_120_days_after_diagnosis(
    after: float, expected: float | None
) -> None:
    """Counted from the diagnosis of the scored tumour."""
    diagnosed = condition(LUNG, days=300)
    stage = coded("21908-9", "II", UICC, days=300 - after)
    assert value("stage_uicc_stage", diagnosed, stage) == expected


def test_a_stage_without_a_known_diagnosis_date_is_taken() -> None:
    """There is nothing to count from."""
    undated = condition(LUNG, onsetDateTime=None, recordedDate=None)
    assert value("stage_uicc_stage", undated, coded("21908-9", "II", UICC, days=900)) == 2


def test_pathology_decides_when_the_tumour_was_diagnosed() -> None:
    """The report came first."""
    early = [condition(LUNG, days=100), histology("8140/3", days=300)]
    assert value("stage_uicc_stage", *early, coded("21908-9", "II", UICC, days=170)) is None


def m_category(answer: str, days: float, **members: Any) -> Resource:
    return coded("21901-4", answer, UICC, days, **members)


@pytest.mark.parametrize(("days", "expected"), [(1, 0), (90, 0), (91, None)])
def test_m0_counts_for_90_days(days: float, expected: float | None) -> None:
    """Then nobody knows any more; what metastases may have come since."""
    assert value("stage_m1", m_category("M0", days)) == expected
    assert value("stage_met_liver", m_category("M0", days)) == expected
    assert value("stage_n_met_sites", m_category("M0", days)) == expected


def test_an_undated_m0_does_not_count() -> None:
    """It may be years old; an undated M1 stays M1."""
    assert value("stage_m1", m_category("M0", 1, effectiveDateTime=None)) is None
    assert value("stage_m1", m_category("M1", 1, effectiveDateTime=None)) == 1


def test_m1_once_stated_stays() -> None:
    """A later M0, as pM0 of the operated primary, does not take it back."""
    assert value("stage_m1", m_category("M1", 2000), m_category("M0", 5)) == 1
    assert value("stage_m1", m_category("pM0", 5)) == 0


def test_a_confirmed_metastasis_states_m1() -> None:
    """Whatever the M category says; its first statement gives the date."""
    assert value("stage_m1", condition("C78.7", days=50), m_category("M0", 5)) == 1
    dated = finding("stage_m1", condition("C78.7", days=500, id="c"), m_category("M1", 5))
    assert dated.sources == ("Condition/c",)
    assert finding("stage_m1", condition("C78.7", days=5), m_category("M1", 500, id="m")).sources == ("Observation/m",)


def test_a_resolved_metastasis_leaves_m1() -> None:
    """Ever is ever."""
    gone = condition("C78.7", clinicalStatus=concept("resolved", CLINICAL))
    assert value("stage_m1", gone, m_category("M0", 5)) == 1


def test_another_site_is_not_absent_beside_one_metastasis() -> None:
    """Only M0 clears the sites."""
    assert value("stage_met_lung", condition("C78.7")) is None
    assert value("stage_n_met_sites", condition("C78.7")) is None
