"""METABRIC: which column is the stain, and which 0 is no value."""

from pathlib import Path

from tests.training.cohorts.source_files import build, known


def test_tumours_that_are_no_carcinoma_have_no_entity(tmp_path: Path) -> None:
    """Benign, phyllodes and in-situ tumours stay without a cancer type; no follow-up is left out."""
    kinds = ("IDC", "PHYL", "BENIGN", "DCIS", "")
    rows = [{"PATIENT_ID": str(n), "HISTOLOGICAL_SUBTYPE": kind} for n, kind in enumerate(kinds)]
    built = build(tmp_path, "metabric", *rows, {"PATIENT_ID": "9", "OS_DAYS": "", "OS_EVENT": ""})
    assert built.cohort.entity.tolist() == ["entity_breast", "", "", "", "entity_breast"]
    assert built.excluded == {"no status or time": 1}


def test_receptors(tmp_path: Path) -> None:
    """A mere positive is 50 % or level 2; ER comes from the stain, whatever the expression says."""
    row = {"ER_IHC": "neg", "ER_STATUS": "Positive", "PR_STATUS": "Positive", "HER2_STATUS": "Negative"}
    found = known(build(tmp_path, "metabric", row, also=("ER_STATUS",)))
    assert (found["path_er"], found["path_pr"], found["path_her2"]) == (0, 50, 0)
    assert known(build(tmp_path, "metabric", {"HER2_STATUS": "Positive"}))["path_her2"] == 2
    assert "path_er" not in known(build(tmp_path, "metabric", {"ER_STATUS": "Positive"}, also=("ER_STATUS",)))


def test_stage_0_is_not_known(tmp_path: Path) -> None:
    """The file writes 0 where the stage is missing; sex has no column and stays missing."""
    found = known(build(tmp_path, "metabric", {"TUMOR_STAGE": "0", "GRADE": "3", "AGE_AT_DIAGNOSIS": "75.65"}))
    assert found == {"stage_grade": 3, "demo_age_at_baseline": 75}
    assert known(build(tmp_path, "metabric", {"TUMOR_STAGE": "2"}))["stage_uicc_stage"] == 2


def test_a_small_panel_gives_no_mutational_burden(tmp_path: Path) -> None:
    """gene_tmb asks for 1 Mb, the panel has .76."""
    assert known(build(tmp_path, "metabric", {"TMB_NONSYNONYMOUS": "2.6"}, also=("TMB_NONSYNONYMOUS",))) == {}
