"""The supplement of MSK-MET: ten studies with their own words, and dates that may lie in the future."""

from pathlib import Path

import pytest

from fhir_mappings.cohorts.msk_met import build_msk_met
from tests.training.cohorts.source_files import SCHEMA, known, write_msk_met


def told(folder: Path, cells: dict[str, str], patient: dict[str, str] | None = None) -> dict[str, float]:
    """What one row of the supplement adds to a patient."""
    return known(build_msk_met(write_msk_met(folder, [patient or {}], supplement=[cells]), SCHEMA))


@pytest.mark.parametrize(
    ("cells", "key", "value"),
    [
        ({"ER_PCT_PRIMARY": "70", "ER_STATUS_PRIMARY": "Positive"}, "path_er", 70),
        ({"ER_PCT_PRIMARY": "1 (weak intensity)"}, "path_er", 1),
        ({"ER_PCT_PRIMARY": ">60"}, "path_er", 60),
        ({"ER_PCT_PRIMARY": "Not Available", "ER_STATUS_PRIMARY": "Positive"}, "path_er", 50),
        ({"ER_PCT_PRIMARY": "Not Available", "ER_STATUS_PRIMARY": "Unk/ND", "ER_STATUS": "Negative"}, "path_er", 0),
        ({"PR_PCT_PRIMARY": "Not Available", "PR_STATUS_PRIMARY": "Unk/ND"}, "path_pr", None),
        ({"HER2_IHC_VALUE_PRIMARY": "0+", "OVERALL_HER2_STATUS": "Negative"}, "path_her2", 0),
        ({"HER2_IHC_VALUE_PRIMARY": "1+ (focal)"}, "path_her2", 1),
        ({"HER2_IHC_VALUE_PRIMARY": "0-1+"}, "path_her2", 1),
        ({"HER2_IHC_VALUE_PRIMARY": "1+ (3+ outside)"}, "path_her2", 1),
        ({"HER2_IHC_VALUE_PRIMARY": "2+", "HER2_FISH_STATUS": "Negative"}, "path_her2", 1),
        ({"HER2_IHC_VALUE_PRIMARY": "2+", "HER2_FISH_STATUS": "Positive"}, "path_her2", 2),
        ({"HER2_IHC_VALUE_PRIMARY": "2+", "HER2_FISH_STATUS": "Equivocal"}, "path_her2", None),
        ({"HER2_IHC_VALUE_PRIMARY": "Not Available", "OVERALL_HER2_STATUS": "Negative"}, "path_her2", 0),
        ({"EGC_HER2": "POS", "EGC_HER2_IHC": "IHC 3+"}, "path_her2", 2),
        ({"EGC_HER2": "NEG", "EGC_HER2_IHC": "IHC 2+"}, "path_her2", 1),
        ({"EGC_HER2": "NEG"}, "path_her2", 0),
        ({"STAGE_BREAST": "IIIC"}, "stage_uicc_stage", 3),
        ({"STAGE_EGC": "T3N1"}, "stage_uicc_stage", None),
        ({"STAGE_LUNG": "IA L,IV R"}, "stage_uicc_stage", None),
        ({"STAGE_4_DX": "Yes"}, "stage_uicc_stage", 4),
        ({"STAGE_4_DX": "No"}, "stage_uicc_stage", None),
        ({"OVERALL_TUMOR_GRADE": "II  Intermediate Grade (Moderately Differentiated)"}, "stage_grade", 2),
        ({"OVERALL_TUMOR_GRADE": "Unknown"}, "stage_grade", None),
        ({"IHC_RESULT": "MMR-D", "CRC_MSI_STATUS": "MSS"}, "gene_msi_high", 1),
        ({"IHC_RESULT": "MMR-P"}, "gene_msi_high", 0),
        ({"CRC_MSI_STATUS": "Inconclusive"}, "gene_msi_high", None),
        ({"PRAD_MSI_TYPE": "Stable"}, "gene_msi_high", 0),
        ({"PRAD_MSI_TYPE": "Indeterminate"}, "gene_msi_high", None),
        ({"BIOPSY_GLEASON_SCORE": "4+3", "CLINICAL_GLEASON": "9"}, "path_gleason_isup", 3),
        ({"BIOPSY_GLEASON_SCORE": "<7"}, "path_gleason_isup", 1),
        ({"CLINICAL_GLEASON": "9"}, "path_gleason_isup", 5),
        ({"CLINICAL_GLEASON": "7"}, "path_gleason_isup", None),
        ({"PDL1_SCORE": "80"}, "path_pdl1_tps", 80),
        ({"LINES_OF_TX_PRIOR_IMPACT": "2"}, "tx_prior_regimens", 2),
        ({"CRC_PRIMARY_SITE": "Hepatic Flexure"}, "path_colon_right_sided", 1),
        ({"CRC_PRIMARY_SITE": "Left Colon"}, "path_colon_right_sided", 0),
        ({"CRC_PRIMARY_SITE": "Colon"}, "path_colon_right_sided", None),
        ({"PRIMARY_TUMOR_LOCATION": "Left"}, "path_colon_right_sided", None),
    ],
)
def test_words(tmp_path: Path, cells: dict[str, str], key: str, value: float | None) -> None:
    """Each study's words, the undecided ones missing; "left" counts the rectum and is not read."""
    assert told(tmp_path, cells).get(key) == value


def test_months_since_diagnosis(tmp_path: Path) -> None:
    """Both are months of age; a biopsy some days before the diagnosis is 0 months."""
    both = {"INVASIVE_CARCINOMA_DX_TIME": "444.8", "NGS_SAMPLE_COLLECTION_TIME": "445.3"}
    assert told(tmp_path, both)["stage_months_since_diagnosis"] == pytest.approx(0.5)
    before = {"INVASIVE_CARCINOMA_DX_TIME": "445", "NGS_SAMPLE_COLLECTION_TIME": "444.8"}
    assert told(tmp_path, before)["stage_months_since_diagnosis"] == 0


SITES = {"METASTASES_SITE_FIRST_LIVER": "1", "METASTASES_SITE_FIRST_LUNG": "0", "TIME_TO_METASTASIS_MONTHS": "7"}


def test_first_sites_count_only_if_known_at_sequencing(tmp_path: Path) -> None:
    """A metastasis found after sequencing (-1,366 months in one row) is the future, one without a date unknown."""
    assert told(tmp_path, {**SITES, "TIME_FROM_MET_DX_SEQUENCING": "3"}) == {
        "stage_m1": 1, "stage_met_liver": 1, "stage_met_lung": 0, "stage_metachronous": 1,
    }  # fmt: skip
    assert told(tmp_path, {**SITES, "TIME_FROM_MET_DX_SEQUENCING": "-1366"}) == {}
    assert told(tmp_path, SITES) == {}


def test_a_dated_metastasis_beats_the_silence_of_the_main_table(tmp_path: Path) -> None:
    """No patient is M0 and has a metastasis of the liver."""
    silent = {"AGE_AT_SEQUENCING": "60"}
    found = told(tmp_path, {**SITES, "TIME_FROM_MET_DX_SEQUENCING": "3"}, silent)
    assert (found["stage_m1"], found["stage_met_liver"]) == (1, 1)
    assert told(tmp_path, SITES, silent)["stage_met_liver"] == 0


@pytest.mark.parametrize(("months", "level"), [("6", 0), ("6.5", 1), ("0", 0)])
def test_metachronous_is_later_than_six_months(tmp_path: Path, months: str, level: int) -> None:
    """Up to six months after the diagnosis a metastasis is synchronous."""
    cells = {"TIME_FROM_MET_DX_SEQUENCING": "0", "TIME_TO_METASTASIS_MONTHS": months}
    assert told(tmp_path, cells)["stage_metachronous"] == level


def test_a_recurrence_after_sequencing_is_the_future(tmp_path: Path) -> None:
    """The course of a patient without metastasis at sequencing is not read."""
    course = {"DENOVO_METASTATSIS": "Metastatic recurrence"}
    metastatic = {"AGE_AT_SEQUENCING": "60", "AGE_AT_EVIDENCE_OF_METS": "59"}
    assert told(tmp_path, course, metastatic)["stage_metachronous"] == 1
    assert "stage_metachronous" not in told(tmp_path, course, {"AGE_AT_SEQUENCING": "60"})
