"""NHANES: survivors at an examination, with answers of a questionnaire."""

from pathlib import Path

import pytest

from tests.training.cohorts.source_files import build, known


def test_the_clock_starts_at_the_examination(tmp_path: Path) -> None:
    """Months become days, a death in the first month counts, the years since the diagnosis are an input."""
    built = build(
        tmp_path,
        "nhanes",
        {"SEQN": "1", "PERMTH_EXM": "12", "YEARS_SINCE_DX": "7"},
        {"SEQN": "2", "PERMTH_EXM": "0", "MORTSTAT": "1", "YEARS_SINCE_DX": "51"},
        {"SEQN": "3", "PERMTH_EXM": "", "MORTSTAT": "1"},
        {"SEQN": "4", "YEARS_SINCE_DX_MIN": "9"},
        also=("YEARS_SINCE_DX_MIN",),
    )
    assert built.cohort.time.tolist() == [365.25, 0.5, 304.375]
    assert built.cohort.entry.tolist() == [0, 0, 0]
    assert [known(built, row).get("stage_months_since_diagnosis") for row in range(3)] == [84, None, None]
    assert built.excluded == {"no status or time": 1}
    assert set(built.cohort.setting) == {"survivor"}


@pytest.mark.parametrize(
    ("told", "entity"),
    [("larynx", "entity_head_neck"), ("uterus", "entity_endometrium"), ("bladder", "entity_urothelial"),
     ("lung", "entity_nsclc"), ("gallbladder", "entity_biliary"), ("bone", ""), ("liver", ""), ("brain", ""),
     ("leukemia", ""), ("other", "")],
)  # fmt: skip
def test_cancer_types_as_told(tmp_path: Path, told: str, entity: str) -> None:
    """A site names its usual tumour; bone is mostly metastases, liver and brain need histology, blood is not scored."""
    assert build(tmp_path, "nhanes", {"CANCER": told}).cohort.entity.tolist() == [entity]


def test_creatinine_is_the_calibrated_one(tmp_path: Path) -> None:
    """Two cycles of LBXSCR are not calibrated."""
    row = {"LBXSCR": "0.6", "LBXSCR_cal": "0.75"}
    assert known(build(tmp_path, "nhanes", row, also=("LBXSCR",)))["lab_creatinine"] == pytest.approx(0.75)


def test_leukocytes_of_a_leukaemia_are_kept(tmp_path: Path) -> None:
    """400 thousand are a disease and no error; derived values follow from their parts."""
    row = {"LBXWBCSI": "400", "LBDNENO": "6", "LBDLYMNO": "2", "BPXSY_mean": "120", "BPXDI_mean": "60"}
    found = known(build(tmp_path, "nhanes", row))
    assert (found["lab_wbc"], found["ratio_nlr"], found["vital_map"]) == (400, 3, 80)


def test_testosterone_is_a_marker_of_prostate_cancer_only(tmp_path: Path) -> None:
    """A woman's and another man's testosterone are not read."""
    cases = [("prostate", "1"), ("colon", "1"), ("prostate", "2")]
    rows = [{"SEQN": c + s, "CANCER": c, "RIAGENDR": s, "LBXTST": "30"} for c, s in cases]
    built = build(tmp_path, "nhanes", *rows)
    assert [known(built, row).get("lab_testosterone") for row in range(3)] == [30, None, None]


def test_soluble_receptor_is_no_transferrin(tmp_path: Path) -> None:
    """LBXTFR is mg/L of another molecule."""
    assert "lab_transferrin" not in known(build(tmp_path, "nhanes", {"LBXTFR": "3.1"}, also=("LBXTFR",)))


@pytest.mark.parametrize(
    ("column", "key", "levels"),
    [
        ("DIQ010", "comorb_diabetes", {"1": 1, "2": 0, "3": 0, "9": None, "": None}),
        ("MCQ160B", "comorb_chf", {"1": 1, "2": 0, "9": None}),
        ("RA", "comorb_connective_tissue", {"1": 1, "0": 0, "": None}),
        ("SMOKING", "func_smoking_status", {"0": 0, "1": 1, "2": 2, "": None}),
        ("RX_diuretic", "med_diuretic", {"1": 1, "0": 0, "": None}),
        ("RIAGENDR", "demo_sex_female", {"1": 0, "2": 1}),
    ],
)
def test_answers(tmp_path: Path, column: str, key: str, levels: dict[str, int | None]) -> None:
    """Yes, no, and everything else missing: a cycle that did not ask has no drug-free people."""
    for answer, level in levels.items():
        assert known(build(tmp_path, "nhanes", {column: answer})).get(key) == level, answer


@pytest.mark.parametrize(
    ("answers", "level"), [("1222", 1), ("2222", 0), ("2   ", 0), ("   1", 1), ("9999", None), ("    ", None)]
)
def test_lung_disease_is_any_of_four_answers(tmp_path: Path, answers: str, level: int | None) -> None:
    """Emphysema, bronchitis, COPD or asthma; nobody asked is missing."""
    row = dict(zip(("MCQ160G", "MCQ160K", "MCQ160O", "MCQ010"), (a.strip() for a in answers), strict=True))
    assert known(build(tmp_path, "nhanes", row)).get("comorb_copd") == level


@pytest.mark.parametrize(("cancers", "other", "level"), [("1", "", 0), ("2", "65", 1), ("2", "64", 0), ("2", "", None)])
def test_other_cancers_of_the_last_five_years(tmp_path: Path, cancers: str, other: str, level: int | None) -> None:
    """One cancer is no other one; a second of unknown age may be recent or not."""
    row = {"RIDAGEYR": "70", "N_CANCERS": cancers, "OTHER_CANCER_AGE": other}
    assert known(build(tmp_path, "nhanes", row)).get("comorb_prior_malignancy") == level
