"""SUPPORT2: patients with and without cancer, gaps that look like values, a crosswalk."""

from pathlib import Path

import pytest

from fhir_mappings.cohorts.support2 import glasgow_of_coma_score
from tests.training.cohorts.source_files import build, known


def test_patients_without_cancer_are_a_stratum_without_an_entity(tmp_path: Path) -> None:
    """Everybody is written; only those with cancer have a stage, and an entity where their group is a tumour."""
    built = build(
        tmp_path,
        "support2",
        {"sno": "1", "ca": "metastatic", "dzgroup": "Lung Cancer"},
        {"sno": "2", "ca": "yes", "dzgroup": "Colon Cancer"},
        {"sno": "3", "ca": "yes", "dzgroup": "CHF"},
        {"sno": "4", "ca": "no", "dzgroup": "CHF"},
    )
    assert built.cohort.cohort.tolist() == ["support2", "support2", "support2", "support2_without_cancer"]
    assert built.cohort.entity.tolist() == ["entity_nsclc", "entity_colon", "", ""]
    assert [known(built, row).get("stage_m1") for row in range(4)] == [1, 0, 0, None]
    assert set(built.cohort.setting) == {"acute"}


def test_gaps_that_look_like_values_are_missing(tmp_path: Path) -> None:
    """A pulse, a breathing rate, a glucose of 0, a mean pressure below 25 and an albumin of 29 are no values."""
    gaps = {"hrt": "0", "resp": " 0", "meanbp": "20", "glucose": "0", "alb": "29"}
    built = build(tmp_path, "support2", gaps)
    assert built.cohort.out_of_range == {
        "vital_heart_rate": 1, "vital_resp_rate": 1, "vital_map": 1, "lab_glucose": 1, "lab_albumin": 1,
    }  # fmt: skip
    assert not known(built).keys() & {"vital_heart_rate", "vital_resp_rate", "vital_map", "lab_glucose", "lab_albumin"}


def test_values_in_their_units(tmp_path: Path) -> None:
    """Completed years, a pressure that is a mean already, leukocytes in thousands, a urine volume of a day."""
    row = {"age": "62.9", "sex": "female", "meanbp": "97.0", "wblc": "6.00", "urine": "1450", "temp": "36.1"}
    found = known(build(tmp_path, "support2", row))
    assert found["demo_age_at_baseline"] == 62
    assert found["demo_sex_female"] == 1
    assert (found["vital_map"], found["lab_wbc"], found["func_urine_output"]) == (97, 6, 1450)
    assert found["vital_temperature"] == pytest.approx(36.1)


def test_dependence_is_told_by_the_patient_else_by_another(tmp_path: Path) -> None:
    """`adlp` before `adls`, zero included; the imputed `adlsc` never."""
    rows = [{"adlp": "0", "adls": "5"}, {"adls": "5"}, {"adlsc": "3"}]
    numbered = [{"sno": str(number), **row} for number, row in enumerate(rows)]
    built = build(tmp_path, "support2", *numbered, also=("adlsc",))
    assert [known(built, row).get("func_adl_dependencies") for row in range(3)] == [0, 5, None]


def test_the_coma_score_runs_the_other_way() -> None:
    """0 is awake (15), 100 the deepest coma (3), and the order of the eleven values is kept."""
    crossed = [glasgow_of_coma_score(score) or 0 for score in (0, 9, 26, 37, 41, 44, 55, 61, 89, 94, 100)]
    assert (crossed[0], crossed[-1]) == (15, 3)
    assert crossed == sorted(crossed, reverse=True)
    assert glasgow_of_coma_score(None) is None
