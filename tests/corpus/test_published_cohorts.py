"""The published cohorts themselves: how many patients and deaths have which parameter.

The figures are those of the cohorts' description; where a test says otherwise, it says why.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS
from tests.corpus.built_cohorts import SCHEMA, built, counts, positives

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def tcga(corpus: Path) -> BuiltCohort:
    return built(corpus, "tcga")


@pytest.fixture(scope="module")
def hancock(corpus: Path) -> BuiltCohort:
    return built(corpus, "hancock")


@pytest.fixture(scope="module")
def msk_met(corpus: Path) -> BuiltCohort:
    return built(corpus, "msk_met")


def test_tcga_has_its_patients_and_deaths(tcga: BuiltCohort) -> None:
    """10,725 patients with solid tumours, 3,417 deaths, 31 study names in 27 entities; melanomas enter late."""
    assert (len(tcga.cohort), int(tcga.cohort.event.sum())) == (10_725, 3_417)
    assert len(set(tcga.cohort.entity)) == 27
    assert sum(tcga.excluded.values()) == 11_081 - 10_725
    assert set(tcga.cohort.entity[tcga.cohort.entry > 0]) == {"entity_melanoma"}
    assert (tcga.cohort.entry > 30).sum() == 299


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("func_ecog", (1235, 560)),
        ("vital_bmi", (2641, 721)),
        ("func_smoking_status", (2862, 1040)),
        ("func_pack_years", (2442, 870)),
        ("stage_t_category", (7748, 2174)),
        ("stage_n_category", (6945, 1979)),
        ("stage_m1", (6418, 1835)),
        ("stage_grade", (5035, 2106)),
        ("path_er", (1041, 142)),
        ("path_her2", (953, 104)),
        ("path_gleason_isup", (498, 10)),
        ("path_nodes_examined", (4259, 1039)),
        ("path_nodes_positive", (3928, 943)),
        ("path_tumour_size", (973, 224)),
        ("path_breslow", (351, 171)),
        ("path_ulceration", (312, 151)),
        ("path_residual_status", (4105, 1107)),
        ("path_p16_hpv", (43, 7)),
        ("path_colon_right_sided", (619, 127)),
        ("lab_cea", (398, 67)),
        ("lab_ldh", (114, 4)),
        ("lab_inr", (236, 66)),
        ("lab_albumin", (317, 106)),
        ("lab_creatinine", (382, 147)),
        ("comorb_diabetes", (246, 113)),
        ("gene_kras", (8652, 2510)),
        ("gene_erbb2", (520, 194)),
        ("gene_tert", (328, 104)),
        ("gene_mgmt_methylated", (924, 434)),
        ("path_ebv", (413, 158)),
    ],
)
def test_tcga_parameters(tcga: BuiltCohort, key: str, expected: tuple[int, int]) -> None:
    """Patients and deaths per parameter are those of the cohort's description."""
    assert counts(tcga, key) == expected


def test_tcga_genes(tcga: BuiltCohort) -> None:
    """The gene rule finds what the catalogue counts."""
    found = {gene: positives(tcga, f"gene_{gene}") for gene in ("egfr", "met", "rb1", "apc", "fbxw7", "erbb2", "idh1")}
    assert found == {"egfr": 60, "met": 8, "rb1": 288, "apc": 475, "fbxw7": 253, "erbb2": 93, "idh1": 442}


def test_hancock_has_its_patients_and_deaths(hancock: BuiltCohort) -> None:
    """763 patients, 213 deaths, nobody left out."""
    assert (len(hancock.cohort), int(hancock.cohort.event.sum())) == (763, 213)
    assert hancock.excluded == {}


@pytest.mark.parametrize(
    ("key", "patients"),
    [
        ("lab_wbc", 692),
        ("lab_mpv", 692),
        ("ratio_nlr", 692),
        ("path_p16_hpv", 332),
        ("path_cd3_density", 688),
        ("path_cd8_density", 714),
        ("path_invasion_depth", 626),
        ("func_smoking_status", 747),
        ("stage_m1", 739),
    ],
)
def test_hancock_parameters(hancock: BuiltCohort, key: str, patients: int) -> None:
    """Patients per parameter are those of the cohort's description."""
    assert counts(hancock, key)[0] == patients


@pytest.mark.parametrize(
    ("name", "rows", "excluded"),
    [
        ("support2", (9105, 6201), {}),
        ("nhanes", (3790, 1407), {}),
        ("metabric", (1980, 1143), {"no status or time": 529}),
        ("hcc_sysucc", (2360, 1346), {}),
        ("hcc_coimbra", (165, 63), {}),
        ("hcc_tace_seg", (105, 93), {}),
        ("ncctg_lung", (228, 165), {}),
        ("inspire", (94, 64), {}),
        ("msk_met", (25_659, 10_168), {"no status or time": 116}),
        # The description counts 500 / 250: the six second examinations (three deaths) with the first ones.
        ("ucsf_pdgm", (494, 247), {"no status or time": 1, "second examination of a patient": 6}),
    ],
)
def test_rows_deaths_and_exclusions(name: str, rows: tuple[int, int], excluded: dict[str, int], corpus: Path) -> None:
    """Everybody with a status and a time is in, and the others are counted by reason."""
    found = built(corpus, name)
    assert (len(found.cohort), int(found.cohort.event.sum())) == rows
    assert found.excluded == excluded


def test_every_value_is_plausible_and_every_time_positive(corpus: Path) -> None:
    """No cohort holds a value outside of its parameter's range, nor a patient who is not at risk for a while."""
    low = np.array([feature.low for feature in SCHEMA.features])
    high = np.array([feature.high for feature in SCHEMA.features])
    for name in PUBLIC_COHORTS:
        cohort = built(corpus, name).cohort
        assert not ((cohort.values < low - 1e-6) | (cohort.values > high * (1 + 1e-6))).any(), name
        assert (cohort.time > cohort.entry).all(), name
        assert len(set(cohort.patient_id)) == len(cohort), name


def test_support2_with_and_without_cancer(corpus: Path) -> None:
    """3,110 patients with cancer, 2,611 deaths; 908 lung and 512 colon cancers; the rest a stratum of its own."""
    cohort = built(corpus, "support2").cohort
    cancer = cohort.cohort == "support2"
    assert (int(cancer.sum()), int(cohort.event[cancer].sum())) == (3110, 2611)
    assert set(cohort.cohort[~cancer]) == {"support2_without_cancer"}
    assert set(cohort.entity[~cancer]) == {""}
    assert ((cohort.entity == "entity_nsclc").sum(), (cohort.entity == "entity_colon").sum()) == (908, 512)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tcga", {"": 1286, "white": 7848, "black": 901, "asian": 650, "american_indian": 27, "pacific_islander": 13}),
        ("msk_met", {"": 1467, "white": 20_181, "asian": 1777, "black": 1593, "other": 596, "american_indian": 34,
                     "pacific_islander": 11}),
        ("nhanes", {"white": 2369, "black": 676, "hispanic": 543, "other": 202}),
        ("support2", {"": 42, "white": 7191, "black": 1391, "hispanic": 290, "other": 112, "asian": 79}),
        ("hancock", {"": 763}),
    ],
)  # fmt: skip
def test_race(corpus: Path, name: str, expected: dict[str, int]) -> None:
    """Patients by race as the source states it."""
    assert Counter(built(corpus, name).cohort.race.tolist()) == expected


@pytest.mark.parametrize(
    ("key", "patients"),
    [("func_adl_dependencies", 2327), ("func_urine_output", 1441), ("func_gcs", 3110), ("lab_ph_blood", 2040),
     ("lab_pf_ratio", 2018), ("comorb_count", 3110), ("stage_m1", 3110), ("vital_temperature", 3110)],
)  # fmt: skip
def test_support2_parameters(corpus: Path, key: str, patients: int) -> None:
    """Patients with cancer who have a parameter."""
    assert counts(built(corpus, "support2"), key, "support2")[0] == patients


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("func_smoking_status", 3337), ("func_pack_years", 3167), ("lab_wbc", 3493), ("ratio_nlr", 3478),
        ("lab_ldh", 2991), ("lab_albumin", 3401), ("lab_crp", 2724), ("lab_hba1c", 3484), ("lab_ferritin", 794),
        ("lab_fibrinogen", 504), ("lab_tsh", 841), ("lab_urine_albumin_creatinine", 3203), ("lab_testosterone", 213),
        ("lab_ca125", 163), ("comorb_prior_malignancy", 3789), ("comorb_hiv", 596), ("med_opioid", 3300),
        ("stage_months_since_diagnosis", 3148), ("vital_weight", 3697), ("vital_map", 3594), ("comorb_copd", 3790),
    ],
)  # fmt: skip
def test_nhanes_parameters(corpus: Path, key: str, expected: int) -> None:
    """Patients who have a parameter."""
    assert counts(built(corpus, "nhanes"), key)[0] == expected


def test_nhanes_is_a_cohort_of_survivors(corpus: Path) -> None:
    """111 other cancers of the last five years, 932 lung diseases, 479 without a cancer type that is scored."""
    nhanes = built(corpus, "nhanes")
    assert (positives(nhanes, "comorb_prior_malignancy"), positives(nhanes, "comorb_copd")) == (111, 932)
    assert int((nhanes.cohort.entity == "").sum()) == 479


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("metabric", "path_er", (1936, 1124)),
        ("metabric", "path_her2", (1979, 1142)),
        ("metabric", "stage_grade", (1892, 1086)),
        ("metabric", "path_tumour_size", (1954, 1127)),
        ("metabric", "path_nodes_positive", (1904, 1103)),
        ("metabric", "stage_uicc_stage", (1453, 820)),
        ("hcc_sysucc", "img_largest_lesion", (2359, 1345)),
        ("hcc_sysucc", "demo_age_at_baseline", (2352, 1339)),
        ("hcc_coimbra", "func_ecog", (165, 63)),
        ("hcc_coimbra", "comorb_liver_severe", (155, 61)),
        ("hcc_coimbra", "comorb_ascites", (163, 63)),
        ("hcc_coimbra", "img_largest_lesion", (145, 54)),
        ("hcc_coimbra", "lab_ferritin", (84, 40)),
        ("hcc_tace_seg", "img_recist_sum", (99, 88)),
        ("hcc_tace_seg", "img_largest_lesion", (53, 48)),
        ("hcc_tace_seg", "stage_grade", (83, 73)),
        # 415 / 234, 403, 469 and 500 of the description, less the six second examinations.
        ("ucsf_pdgm", "gene_mgmt_methylated", (409, 231)),
        ("ucsf_pdgm", "gene_1p19q_codeletion", (397, 195)),
        ("ucsf_pdgm", "gene_idh1", (463, 245)),
        ("ucsf_pdgm", "stage_grade", (494, 247)),
        ("ncctg_lung", "func_ecog", (227, 164)),
        ("inspire", "img_recist_sum", (94, 64)),
    ],
)
def test_parameters_of_the_smaller_cohorts(corpus: Path, name: str, key: str, expected: tuple[int, int]) -> None:
    """Patients and deaths per parameter."""
    assert counts(built(corpus, name), key) == expected


def test_positives_of_the_smaller_cohorts(corpus: Path) -> None:
    """Metastases, co-deletions and mutated genes are as rare as described."""
    assert positives(built(corpus, "hcc_sysucc"), "stage_m1") == 28
    assert positives(built(corpus, "hcc_tace_seg"), "stage_m1") == 7
    assert positives(built(corpus, "hcc_coimbra"), "comorb_hiv") == 3
    glioma = built(corpus, "ucsf_pdgm")
    genes = ("gene_idh1", "gene_idh2", "gene_1p19q_codeletion")
    assert [positives(glioma, key) for key in genes] == [70, 2, 9]
    # 373 glioblastomas in the description: all six second examinations are of glioblastoma.
    assert ((glioma.cohort.entity == "entity_glioblastoma").sum(), len(glioma.cohort)) == (367, 367 + 127)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("stage_m1", (25_512, 10_115)),
        ("gene_kras", (4439, 2623)),
        ("gene_tert", (4439, 2623)),
        ("gene_ret", (4439, 2623)),
        ("gene_tmb", (10_494, 5665)),
        ("gene_msi_high", (5053, 1617)),
        ("path_er", (1476, 657)),
        ("path_pr", (1476, 657)),
        ("stage_grade", (1349, 589)),
        ("tx_prior_regimens", (816, 588)),
        ("path_gleason_isup", (461, 160)),
        ("path_pdl1_tps", (79, 59)),
        ("stage_months_since_diagnosis", (1476, 657)),
        ("path_colon_right_sided", (1003, 529)),
        # 3,613: one patient has stage I on the left and IV on the right side.
        ("stage_uicc_stage", (3612, 2035)),
        # 1,730 / 875: three negative in-situ hybridisations without a stain are read.
        ("path_her2", (1733, 878)),
        # 1,300 / 671: 34 recurrences without a metastasis at sequencing are the future.
        ("stage_metachronous", (1266, 665)),
        # 122: the tongue and the palate may be oropharynx or not.
        ("path_oropharynx", (109, 87)),
        # 18,158: nine ages that differ by exactly .05 years are the same time, as for stage_m1.
        ("stage_months_since_m1", (18_168, 9013)),
        # 24,421: the description does not list the codes that it counts.
        ("path_adenocarcinoma", (24_689, 9848)),
        # 25,659 tested; a rearrangement that may not keep the kinase leaves the gene missing.
        ("gene_alk", (25_647, 10_168)),
        ("gene_ros1", (25_642, 10_164)),
        ("gene_ntrk", (25_648, 10_166)),
        ("gene_fgfr2", (25_650, 10_164)),
    ],
)
def test_msk_met_parameters(msk_met: BuiltCohort, key: str, expected: tuple[int, int]) -> None:
    """Patients and deaths per parameter."""
    assert counts(msk_met, key) == expected


def test_msk_met_metastases(msk_met: BuiltCohort) -> None:
    """18,169 metastases known at sequencing, and 26 that only the supplement dates before it.

    The description counts 18,159: there a difference of exactly .05 years counts or not as it is rounded in binary.
    First sites are known of 892 patients with colorectal cancer; the others have them from M0.
    """
    cohort = msk_met.cohort
    assert positives(msk_met, "stage_m1") == 18_169 + 26
    metastatic = cohort.values[:, SCHEMA.index["stage_m1"]] == 1
    undated = np.isnan(cohort.values[:, SCHEMA.index["stage_m1"]])
    liver = ~np.isnan(cohort.values[:, SCHEMA.index["stage_met_liver"]])
    assert int((liver & (metastatic | undated)).sum()) == 892
    sites = ("liver", "lung", "peritoneum", "bone", "brain")
    assert [positives(msk_met, f"stage_met_{site}") for site in sites] == [659, 160, 136, 14, 5]


def test_msk_met_entities(msk_met: BuiltCohort) -> None:
    """Cancer types of patients with a known outcome; entities.csv counts the 116 without one as well."""
    entity = msk_met.cohort.entity
    found = {name: int((entity == f"entity_{name}").sum()) for name in ("nsclc", "sclc", "breast", "colon", "rectum")}
    assert found == {"nsclc": 4595, "sclc": 311, "breast": 2589, "colon": 2494, "rectum": 713}
    assert int((entity == "").sum()) == 1042


def test_msk_met_genes(msk_met: BuiltCohort) -> None:
    """Positives of the genes. 188, 106, 82 and 102 patients have any rearrangement in ALK, ROS1, NTRK and FGFR2."""
    keys = ("kras", "braf", "pik3ca", "esr1", "tert", "ret", "alk", "ros1", "ntrk", "fgfr2")
    assert {key: positives(msk_met, f"gene_{key}") for key in keys} == {
        "kras": 1104, "braf": 125, "pik3ca": 472, "esr1": 85, "tert": 186, "ret": 15, "alk": 170, "ros1": 79,
        "ntrk": 58, "fgfr2": 88,
    }  # fmt: skip
