"""MSK-MET: the clock starts at sequencing, three studies tell the cancer type, and two of them hold placeholders."""

from pathlib import Path

import pytest

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.msk_met import build_msk_met
from fhir_mappings.cohorts.oncotree import MORPHOLOGY
from fhir_mappings.cohorts.source_tables import SourceError
from fhir_mappings.histology import histology_flags
from tests.training.cohorts.source_files import SCHEMA, Rows, known, write_msk_met


def built(folder: Path, patient: dict[str, str] | None = None, samples: Rows = ()) -> BuiltCohort:
    return build_msk_met(write_msk_met(folder, [patient or {}], samples), SCHEMA)


@pytest.mark.parametrize(
    ("metastasis", "m1", "months"),
    [("58.5", 1, 24), ("60.5", 1, 0), ("60.55", 1, 0), ("60.56", 0, None), ("63", 0, None), ("", 0, None)],
)
def test_metastasis_counts_only_if_known_at_sequencing(
    tmp_path: Path, metastasis: str, m1: int, months: float | None
) -> None:
    """What is dated later than sequencing is the future; ages are rounded, so half a tenth of a year is the same."""
    row = {"AGE_AT_SEQUENCING": "60.5", "AGE_AT_EVIDENCE_OF_METS": metastasis}
    found = known(built(tmp_path, row))
    assert found["demo_age_at_baseline"] == 60
    assert found["stage_m1"] == m1
    assert found.get("stage_months_since_m1") == (None if months is None else pytest.approx(months))


def test_without_an_age_at_sequencing_nothing_is_known_of_metastasis(tmp_path: Path) -> None:
    """A date of metastasis alone does not tell whether it came before."""
    assert "stage_m1" not in known(built(tmp_path, {"AGE_AT_EVIDENCE_OF_METS": "60"}))


def test_outcome(tmp_path: Path) -> None:
    """Months from sequencing; a time of 0 is half a day; a patient without a time is left out."""
    rows = [
        {"PATIENT_ID": "A", "OS_MONTHS": "2", "OS_STATUS": "1:DECEASED"},
        {"PATIENT_ID": "B", "OS_MONTHS": "0"},
        {"PATIENT_ID": "C", "OS_MONTHS": ""},
    ]
    cohort = build_msk_met(write_msk_met(tmp_path, rows), SCHEMA)
    assert cohort.cohort.time.tolist() == [60.875, 0.5]
    assert cohort.cohort.event.tolist() == [True, False]
    assert cohort.excluded == {"no status or time": 1}
    assert set(cohort.cohort.setting) == {"metastatic"}


@pytest.mark.parametrize(
    ("samples", "entity"),
    [
        ([("msk_impact_2017", "READ", "Colorectal Cancer"), ("msk_ch_2023", "COAD", "")], "entity_rectum"),
        ([("msk_ch_2023", "COAD", "Colorectal Cancer"), ("msk_ch_2020", "CAIS", "")], "entity_colon"),
        ([("msk_impact_2017", "COADREAD", "Colorectal Cancer"), ("msk_ch_2023", "READ", "")], "entity_rectum"),
        ([("msk_ch_2020", "ALUCA", "Non-Small Cell Lung Cancer")], "entity_nsclc"),
        ([("msk_ch_2020", "CAIS", "Colorectal Cancer")], ""),
        ([("msk_ch_2020", "ACRM", "Melanoma"), ("msk_ch_2023", "UM", "Melanoma")], "entity_uveal_melanoma"),
        ([], ""),
    ],
)
def test_cancer_types(tmp_path: Path, samples: list[tuple[str, str, str]], entity: str) -> None:
    """The code of 2017, else of 2023, else the type; the code of 2020 is a placeholder: not every lung is carcinoid."""
    rows = [{"STUDY": study, "ONCOTREE_CODE": code, "CANCER_TYPE": kind} for study, code, kind in samples]
    assert built(tmp_path, samples=rows).cohort.entity.tolist() == [entity]


def test_histology_comes_from_the_code_and_never_from_the_placeholder(tmp_path: Path) -> None:
    """CANCER_TYPE_DETAILED of 2020 calls every lung cancer a carcinoid."""
    placeholder = {
        "STUDY": "msk_ch_2020", "ONCOTREE_CODE": "ALUCA", "CANCER_TYPE": "Non-Small Cell Lung Cancer",
        "CANCER_TYPE_DETAILED": "Atypical Lung Carcinoid",
    }  # fmt: skip
    assert not any(key.startswith("path_") for key in known(built(tmp_path, samples=[placeholder])))
    squamous = {"STUDY": "msk_ch_2023", "ONCOTREE_CODE": "LUSC", "CANCER_TYPE": "Non-Small Cell Lung Cancer"}
    found = known(built(tmp_path, samples=[placeholder, squamous]))
    assert (found["path_squamous"], found["path_neuroendocrine_diff"]) == (1, 0)


def test_codes_that_leave_the_cells_open_have_no_morphology() -> None:
    """Non-small cell lung cancer is no statement of "no adenocarcinoma"; in-situ and borderline codes never match."""
    assert not MORPHOLOGY.keys() & {"NSCLC", "GBC", "CUP", "MIXED", "CAIS", "DCIS", "CCBOV", "SBOV", "ROCY"}
    assert all(histology_flags(morphology) for morphology in MORPHOLOGY.values())
    assert histology_flags(MORPHOLOGY["LUAD"])["path_adenocarcinoma"] == 1
    assert histology_flags(MORPHOLOGY["SCLC"])["path_neuroendocrine_diff"] == 1


@pytest.mark.parametrize(
    ("sample", "key", "level"),
    [
        ({"CANCER_TYPE": "Colorectal Cancer", "PRIMARY_SITE": "Cecum"}, "path_colon_right_sided", 1),
        ({"CANCER_TYPE": "Colorectal Cancer", "PRIMARY_SITE": "Rectum"}, "path_colon_right_sided", 0),
        ({"CANCER_TYPE": "Colorectal Cancer", "PRIMARY_SITE": "Colorectal NOS"}, "path_colon_right_sided", None),
        ({"CANCER_TYPE": "Anal Cancer", "PRIMARY_SITE": "Rectum"}, "path_colon_right_sided", None),
        ({"ONCOTREE_CODE": "HNSC", "PRIMARY_SITE": "Tonsil"}, "path_oropharynx", 1),
        ({"ONCOTREE_CODE": "HNSC", "PRIMARY_SITE": "Larynx"}, "path_oropharynx", 0),
        ({"ONCOTREE_CODE": "HNSC", "PRIMARY_SITE": "Tongue"}, "path_oropharynx", None),
        ({"ONCOTREE_CODE": "OPHSC", "PRIMARY_SITE": "Tongue"}, "path_oropharynx", 1),
        ({"ONCOTREE_CODE": "OCSC", "PRIMARY_SITE": "Tongue"}, "path_oropharynx", 0),
        ({"ONCOTREE_CODE": "OPHSC", "PRIMARY_SITE": ""}, "path_oropharynx", None),
    ],
)
def test_subsites(tmp_path: Path, sample: dict[str, str], key: str, level: int | None) -> None:
    """By the primary site of 2017; a tongue is base or mobile part, which only the code tells."""
    assert known(built(tmp_path, samples=[sample])).get(key) == level


def test_mutational_burden_of_the_best_sample(tmp_path: Path) -> None:
    """The 2017 study before that of 2020, an empty cell before neither."""
    samples = [
        {"STUDY": "msk_ch_2020", "SAMPLE_ID": "P-0000001-N01", "TMB_NONSYNONYMOUS": "9"},
        {"TMB_NONSYNONYMOUS": "3.3"},
    ]
    assert known(built(tmp_path, samples=samples))["gene_tmb"] == pytest.approx(3.3)
    assert known(built(tmp_path, samples=[samples[0], {}]))["gene_tmb"] == 9


def test_faults_of_the_files_are_named(tmp_path: Path) -> None:
    """An unknown study, a patient who stands twice: file, row and column."""
    with pytest.raises(SourceError, match=r"^data_clinical_sample\.tsv\.gz: row 2: STUDY is not one of"):
        built(tmp_path, samples=[{"STUDY": "msk_2031"}])
    with pytest.raises(SourceError, match=r"^data_clinical_patient\.txt\.gz: row 3: PATIENT_ID stands twice$"):
        build_msk_met(write_msk_met(tmp_path, [{}, {}]), SCHEMA)
