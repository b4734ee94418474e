"""Three cohorts of hepatocellular carcinoma: units, codes, and outcomes of three kinds."""

from pathlib import Path

import pytest

from tests.training.cohorts.source_files import build, known


def test_sysucc_zeros(tmp_path: Path) -> None:
    """A lesion of 0 mm is not measured, a time of 0 days is real, an age of 12 is out of range."""
    row = {"Largest.Diameter.of.Hepatic.Lesions": "0", "Age": "12", "AFP": "121000", "Distant.Metastasis": "1"}
    built = build(tmp_path, "hcc_sysucc", {**row, "Status_of_death": "1", "OStime_day": "0"})
    assert known(built) == {"lab_afp": 121_000, "stage_m1": 1}
    assert (built.cohort.time.tolist(), built.cohort.event.tolist()) == ([0.5], [True])
    assert built.cohort.out_of_range == {"demo_age_at_baseline": 1}
    measured = build(tmp_path, "hcc_sysucc", {"Largest.Diameter.of.Hepatic.Lesions": "50"})
    assert known(measured) == {"img_largest_lesion": 50}


def test_coimbra_knows_one_year_only(tmp_path: Path) -> None:
    """Alive at one year is censored there, dead is dead there; patients are numbered by their rows."""
    built = build(tmp_path, "hcc_coimbra", {"lives_1y": "1"}, {"lives_1y": "0"}, {"lives_1y": ""})
    assert built.cohort.time.tolist() == [365, 365]
    assert built.cohort.event.tolist() == [False, True]
    assert built.cohort.patient_id.tolist() == ["1", "2"]
    assert built.excluded == {"no status or time": 1}


def test_coimbra_units(tmp_path: Path) -> None:
    """Albumin is in g/dL whatever the code book says; the largest lesion comes in cm, cells per litre."""
    row = {"Albumin": "3.4", "Major_Dim": "3.5", "Leucocytes_G_L": "4.9", "Total_Bil": "2.1", "Gender": "0"}
    found = known(build(tmp_path, "hcc_coimbra", row))
    assert found.pop("ratio_albi") == pytest.approx(-1.864, abs=1e-3)
    assert found == pytest.approx(
        {"lab_albumin": 3.4, "img_largest_lesion": 35, "lab_wbc": 4.9, "lab_bilirubin_total": 2.1,
         "demo_sex_female": 1},
        rel=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "key", "level"),
    [
        ({"Ascites": "1"}, "comorb_ascites", 0),
        ({"Ascites": "2"}, "comorb_ascites", 1),
        ({"Ascites": "3"}, "comorb_ascites", 1),
        ({"Varices": "0", "PHT": "1"}, "comorb_liver_severe", 1),
        ({"Varices": "", "PHT": "0"}, "comorb_liver_severe", 0),
        ({"Varices": "", "PHT": ""}, "comorb_liver_severe", None),
        ({"PS": "2"}, "func_ecog", 2),
        ({"Smoking": "1", "Packs_year": "15"}, "func_pack_years", None),
        ({"Smoking": "0"}, "func_smoking_status", None),
    ],
)
def test_coimbra_codes(tmp_path: Path, cells: dict[str, str], key: str, level: int | None) -> None:
    """1 is no ascites; packs a year are no pack-years, and a smoking without former smokers is none."""
    built = build(tmp_path, "hcc_coimbra", cells, also=("Smoking", "Packs_year"))
    assert known(built).get(key) == level


def test_tace_seg(tmp_path: Path) -> None:
    """Weeks, the mean of the readers who measured, the roman numeral of the stage, cm."""
    row = {
        "OS": "25.5", "TNM": "Stage-IIIB", "1_RECIST_BL": "103.7", "2_RECIST_BL": "", "3_RECIST_BL": "106.3",
        "Tr_Size": "0.8", "Sex": "2",
    }  # fmt: skip
    built = build(tmp_path, "hcc_tace_seg", row)
    assert built.cohort.time.tolist() == [178.5]
    assert built.cohort.setting.tolist() == ["metastatic"]
    assert known(built) == pytest.approx(
        {"stage_uicc_stage": 3, "img_recist_sum": 105, "img_largest_lesion": 8, "demo_sex_female": 1}, rel=1e-6
    )
    assert "img_recist_sum" not in known(build(tmp_path, "hcc_tace_seg"))


@pytest.mark.parametrize(
    ("text", "level"),
    [("Well differentiated", 1), ("Moderately differentiated", 2), ("Poorly differentiated", 3),
     ("Moderately-poorly differentiated", 3), ("NOT STATED", None), ("No biopsy", None)],
)  # fmt: skip
def test_tace_seg_grades(tmp_path: Path, text: str, level: int | None) -> None:
    """The higher of two grades counts; no biopsy is no grade."""
    assert known(build(tmp_path, "hcc_tace_seg", {"Pathology": text})).get("stage_grade") == level
