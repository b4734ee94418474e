"""Columns that know the future, or a score of somebody else: a value in them changes nothing."""

from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.hancock import build_hancock
from fhir_mappings.cohorts.msk_met import build_msk_met
from tests.training.cohorts.source_files import MSK, SCHEMA, build, known, write_hancock, write_msk_met

SUPPORT2 = (
    "surv2m", "surv6m", "prg2m", "prg6m", "sps", "aps", "avtisst", "dnr", "dnrday", "hday", "slos", "hospdead",
    "charges", "totcst", "totmcst", "sfdm2", "adlsc",
)  # fmt: skip
NHANES = (
    "UCOD_LEADING", "CYCLE", "WTMEC2YR", "SDMVPSU", "SDMVSTRA", "LBXTFR", "SSCA153", "PHQ9", "HUQ010", "WHD020",
    "WHD050", "RX_endocrine", "RX_hydrocodone", "MCQ160C", "MCQ160D", "BMXWAIST", "LBXSCK",
)  # fmt: skip
LEAKS = {
    "support2": {**dict.fromkeys(SUPPORT2, "1"), "dnr": "dnr after sadm", "sfdm2": "<2 mo. follow-up"},
    "nhanes": {**dict.fromkeys(NHANES, "1"), "CYCLE": "1999-2000"},
    "metabric": {
        "NPI": "6.04", "INTCLUST": "4ER+", "CLAUDIN_SUBTYPE": "LumA", "THREEGENE": "ER-/HER2-",
        "ER_STATUS": "Positive", "TMB_NONSYNONYMOUS": "2.6",
    },
    "hcc_sysucc": {"Child_pugh_score": "6", "Vascular.Invasion": "1", "Amount.of.Hepatic.Lesions": "3", "YEAR": "2007"},
    "hcc_coimbra": {"Smoking": "1", "Packs_year": "15"},
    "hcc_tace_seg": {
        "CLIP": "Stage_3", "CLIP_Score": "Stage_3", "Okuda": "Stage I", "BCLC": "Stage-C", "chemotherapy": "Cisplatin",
        "PS_bclc_0_0_1-2_1_3-4_3": "1", "CPS": "A",
    },
    "ucsf_pdgm": {"EOR": "GTR", "MGMT index": "13"},
    "ncctg_lung": {"wt.loss": "15", "pat.karno": "90", "meal.cal": "1175"},
    "inspire": {"pdl1": "2", "tmb": "0.57", "baseline_ctdna": "113.8"},
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_leaking_column_changes_nothing(tmp_path: Path, name: str) -> None:
    """Whatever these columns say, the row of the patient is the same."""
    leaks = LEAKS[name]
    silent = build(tmp_path, name, also=tuple(leaks)).cohort
    telling = build(tmp_path, name, leaks, also=tuple(leaks)).cohort
    assert np.array_equal(silent.values, telling.values, equal_nan=True)
    assert (silent.time.tolist(), silent.event.tolist()) == (telling.time.tolist(), telling.event.tolist())


def test_hancock_recurrences_change_nothing(tmp_path: Path) -> None:
    """Recurrence lies after the diagnosis."""
    target = {"patient_id": "001", "survival_status": "living", "days_to_last_information": "900"}
    later = {**target, "recurrence": "yes", "days_to_recurrence": "90"}
    rows = [known(build_hancock(write_hancock(tmp_path, targets=[row]), SCHEMA)) for row in (target, later)]
    assert rows[0] == rows[1]


def test_msk_met_ages_of_death_and_contact_change_nothing(tmp_path: Path) -> None:
    """They are the outcome; surgery is not read either."""
    leaks = {"AGE_AT_DEATH": "61", "AGE_AT_LAST_CONTACT": "61", "AGE_AT_SURGERY": "55"}
    rows = [{"PATIENT_ID": MSK, "AGE_AT_SEQUENCING": "60.5", **more} for more in ({}, leaks)]
    found = [known(build_msk_met(write_msk_met(tmp_path, [row]), SCHEMA)) for row in rows]
    assert found[0] == found[1]
