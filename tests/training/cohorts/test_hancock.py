"""HANCOCK: label codes are no levels."""

from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.hancock import build_hancock
from fhir_mappings.concepts import catalogue
from fhir_mappings.histology import FLAGS
from tests.training.cohorts.source_files import Rows, write_hancock

SCHEMA = catalogue().schema
ALIVE = {"patient_id": "001", "survival_status": "living", "days_to_last_information": "2258"}


def built(folder: Path, **tables: dict[str, str]) -> BuiltCohort:
    """One living patient, with one row in each of the given tables."""
    rows: dict[str, Rows] = {name: [{"patient_id": "001", **cells}] for name, cells in tables.items()}
    return build_hancock(write_hancock(folder, **{"targets": [ALIVE], **rows}), SCHEMA)


def value(cohort: BuiltCohort, key: str) -> float:
    return float(cohort.cohort.values[0, SCHEMA.index[key]])


@pytest.mark.parametrize(
    ("table", "column", "key", "levels"),
    [
        ("clinical", "smoking_status", "func_smoking_status", {"0": 1, "1": 0, "2": 2, "3": None}),
        ("clinical", "sex", "demo_sex_female", {"0": 0, "1": 1}),
        ("clinical", "primarily_metastasis", "stage_m1", {"0.0": 0, "1.0": 1, "": None}),
        (
            "pathological",
            "pT_stage",
            "stage_t_category",
            {"0": None, "1": None, "2": 1, "3": 1, "4": 1, "5": 2, "6": 3, "7": 4, "8": 4},
        ),
        (
            "pathological",
            "pN_stage",
            "stage_n_category",
            {"0": None, "1": 0, "2": 1, "3": 1, "4": 2, "5": 2, "6": 2, "7": 2, "8": 3, "9": 3},
        ),
        ("pathological", "grading", "stage_grade", {"0": 1, "1": 2, "2": 3, "3": None}),
        ("pathological", "hpv_association_p16", "path_p16_hpv", {"0": 0, "1": None, "2": 1}),
        ("pathological", "primary_tumor_site", "path_oropharynx", {"0": None, "1": 0, "2": 0, "3": 0, "4": 1}),
        ("pathological", "resection_status", "path_residual_status", {"0": 0, "1": 1, "2": 2, "3": None}),
        ("pathological", "resection_status_carcinoma_in_situ", "path_residual_cis", {"0": 0, "1": 0, "2": 1}),
        ("pathological", "perinodal_invasion", "path_extranodal_extension", {"0.0": 0, "1.0": 1, "": None}),
    ],
)
def test_label_codes(tmp_path: Path, table: str, column: str, key: str, levels: dict[str, int | None]) -> None:
    """Every code of the encoder, the unknown ones missing: smoking 0 is "former", pN 0 is NX."""
    for code, level in levels.items():
        found = value(built(tmp_path, **{table: {column: code}}), key)
        assert np.isnan(found) if level is None else found == level, code


def test_outcome_entity_and_what_is_not_read(tmp_path: Path) -> None:
    """Squamous carcinoma of head and neck at diagnosis; recurrences are the future and stay outside."""
    targets = [
        ALIVE,
        {**ALIVE, "patient_id": "002", "survival_status": "deceased", "recurrence": "yes", "days_to_recurrence": "9"},
        {**ALIVE, "patient_id": "003", "survival_status": ""},
    ]
    cohort = build_hancock(write_hancock(tmp_path, targets=targets), SCHEMA)
    assert cohort.excluded == {"no status or time": 1}
    assert cohort.cohort.event.tolist() == [False, True]
    assert set(cohort.cohort.entity) == {"entity_head_neck"}
    known = {key for key in SCHEMA.keys if not np.isnan(cohort.cohort.values[1, SCHEMA.index[key]])}
    assert known - set(SCHEMA.entities) == set(FLAGS)


def test_blood_is_a_block_that_may_be_missing(tmp_path: Path) -> None:
    """Granulocytes are the neutrophils and give the ratio; a patient without a row has none of it."""
    blood = {
        "Granulocytes [#/volume] in Blood": "6",
        "Lymphocytes [#/volume] in Blood": "2",
        "Hemoglobin [Mass/volume] in Blood": "14.5",
    }
    with_blood, without = built(tmp_path, blood=blood), built(tmp_path)
    assert value(with_blood, "lab_neutrophils_abs") == 6
    assert value(with_blood, "ratio_nlr") == 3
    assert value(with_blood, "lab_hemoglobin") == 14.5
    assert np.isnan(value(without, "lab_hemoglobin"))
