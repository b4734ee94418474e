"""The demonstration charts as the catalogue reads them: what they were written to say, and no more."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest

from demo.charts.traps import TRAPS
from demo.patients import demo_patients
from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.record import PatientRecord, Retrieval, entries_of

TODAY = date(2026, 2, 28)
COMPLETE = (Retrieval("bundle", "bundle", "complete"),)


@cache
def read(patient: str, today: date = TODAY) -> EncodedPatient:
    return encode(_record(patient, today), catalogue().schema, datetime.combine(today, time(23, 59), UTC))


def _record(patient: str, today: date) -> PatientRecord:
    resources: Sequence[dict[str, Any]] = demo_patients(today)[patient]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    decoded = decode(json.dumps(bundle).encode())
    return PatientRecord(patient, entries_of(decoded.entries, scoped=False), retrieval=COMPLETE)


def value(patient: str, key: str) -> float | None:
    finding = read(patient).findings.get(key)
    return None if finding is None else finding.value


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (
            "demo-lung",
            {
                "entity_nsclc": 1,
                "stage_uicc_stage": 4,
                "stage_m1": 1,
                "stage_met_brain": 1,
                "func_ecog": 1,
                "func_ecog_change_90d": 1,
                "vital_weight_change_6mo": -8.333,
                "comorb_copd": 1,
                "comorb_diabetes": 0,
                "lab_hemoglobin_change_90d": -1.3,
                "ratio_nlr": 5.615,
                "path_adenocarcinoma": 1,
                "path_pdl1_tps": 60,
                "bca_vat_sat_ratio": 0.667,
                "bca_thoracic_muscle_bone_ratio": 2.867,
                "gene_kras": 1,
                "gene_stk11": 1,
                "gene_egfr": 0,
                "gene_tmb": 9.8,
            },
        ),
        (
            "demo-colorectal",
            {
                "entity_colon": 1,
                "stage_uicc_stage": 3,
                "stage_m1": 0,
                "stage_met_liver": 0,
                "path_colon_right_sided": 1,
                "path_nodes_positive": 2,
                "path_residual_status": 0,
                "path_tumour_size": 42,
                "lab_hemoglobin": 11.602,  # 7.2 mmol/l
                "lab_platelets": 388,  # Gpt/l as text only
                "lab_crp": 9,  # 0.9 mg/dl
                "lab_alt": 22.8,  # 0.38 µkat/l
                "comorb_mi": 1,
                "comorb_diabetes": 1,
                "gene_kras": 1,
            },
        ),
        (
            "demo-breast",
            {
                "entity_breast": 1,
                "stage_uicc_stage": 1,
                "stage_grade": 2,
                "path_er": 95,
                "path_pr": 60,
                "path_her2": 1,
                "path_ki67": 18,
                "path_nodes_positive": 0,
                "path_tumour_size": 18,
                "lab_neutrophils_abs": 3.538,  # 58 % of 6.1
                "func_smoking_status": 0,
                "comorb_depression": 1,
                "gene_germline_pathogenic": 0,  # a variant of uncertain significance
            },
        ),
    ],
)
def test_what_a_chart_says(patient: str, expected: dict[str, float]) -> None:
    """Codes, units and dates of a rich chart arrive as the values that its author meant."""
    found = {key: value(patient, key) for key in expected}
    assert found == {key: pytest.approx(number, rel=1e-3) for key, number in expected.items()}
    assert len(read(patient).findings) > 100


def test_what_was_given_and_measured() -> None:
    """The treated chart has an operation, two lines of treatment, a drug at home, and what a CT measured."""
    expected = {
        "entity_urothelial": 1,
        "stage_uicc_stage": 3,  # at diagnosis; the metastases came later
        "stage_m1": 1,
        "tx_prior_surgery": 1,
        "tx_chemo_platinum": 1,
        "tx_ici": 1,
        "tx_prior_regimens": 2,
        "med_opioid": 1,
        "bca_l3_skeletal_muscle_index": 38.5,
        "img_recist_sum": 118,
        "organ_lvef": 57,
    }
    assert {key: value("demo-treated", key) for key in expected} == expected


def test_what_the_emergency_says() -> None:
    """At noon: the first vital signs since the arrival, the newest at the bedside, old laboratory values marked."""
    noon = datetime.combine(TODAY, time(12), UTC)
    encoded = encode(_record("demo-emergency", TODAY), catalogue().schema, noon)
    expected = {
        "entity_nsclc": 1, "stage_m1": 1, "comorb_copd": 1, "func_ecog": 2, "func_adl_dependencies": 1,
        "vital_heart_rate": 122, "vital_resp_rate": 28, "vital_map": 70, "vital_temperature": 38.778, "vital_spo2": 88,
        "vital_oxygen_flow": 0, "func_gcs": 14, "lab_lactate": 3.1, "lab_pf_ratio": 221.43, "lab_albumin": 2.7,
    }  # fmt: skip
    found = {key: encoded.findings[key].value for key in expected}
    assert found == {key: pytest.approx(number, rel=1e-3) for key, number in expected.items()}
    assert {key for key, f in encoded.findings.items() if f.flags} == {"lab_albumin", "lab_ldh", "lab_alp"}
    assert encoded.unplanned_since == noon - timedelta(hours=2)
    assert "comorb_pneumonia" not in encoded.findings
    bedside = encoded.bedside
    newest = (bedside.pulse, bedside.spo2, bedside.oxygen, bedside.consciousness)
    assert [reading and reading.value for reading in newest] == [114, 93, 1, 15]


def test_what_must_not_count() -> None:
    """Withdrawn, haemolysed, suspected, ruled out, past and refuted statements leave no trace in the values."""
    assert value("demo-lung", "lab_potassium") == 4.3
    assert value("demo-lung", "comorb_pulm_embolism") is None  # suspected: neither there nor absent
    assert value("demo-colorectal", "lab_ldh") == pytest.approx(198)
    assert value("demo-colorectal", "comorb_cerebrovascular") is None  # suspected
    assert value("demo-breast", "comorb_copd") == 0
    assert value("demo-no-cancer", "comorb_prior_malignancy") == 0


@pytest.mark.parametrize(
    ("patient", "state"),
    [
        ("demo-lung", "one"),
        ("demo-colorectal", "one"),
        ("demo-breast", "one"),
        ("demo-sparse", "one"),
        ("demo-no-cancer", "none"),
        ("demo-two-primaries", "several"),
        ("demo-emergency", "one"),
    ],
)
def test_how_many_tumours(patient: str, state: str) -> None:
    """Each chart has the number of active tumours that it was written for."""
    assert read(patient).tumours.state == state


def test_the_sparse_chart_is_too_sparse() -> None:
    """Besides age and entity, fewer than five things are known of the patient with the sparse chart."""
    known = {key for key in read("demo-sparse").findings if not key.startswith("entity_")}
    assert len(known - {"demo_age_at_baseline"}) < 5


@pytest.mark.parametrize("patient", demo_patients(TODAY))
def test_no_free_text_gets_through(patient: str) -> None:
    """Nothing that was read, and no issue, repeats a word of what staff wrote freely."""
    said = repr((read(patient).findings, read(patient).issues))
    assert not [trap for trap in TRAPS if trap in said]
    assert not [word for word in ("script", "Bronchial", "Mammakarzinom") if word in said]


@pytest.mark.parametrize("today", [date(2026, 2, 1), date(2025, 12, 31), date(2024, 3, 1)])
def test_the_day_does_not_matter(today: date) -> None:
    """A chart written for another day says the same on that day, to its last minute."""
    then = {key: finding.value for key, finding in read("demo-lung", today).findings.items()}
    assert then == {key: finding.value for key, finding in read("demo-lung").findings.items()}
