"""The published cohorts themselves: how many patients and deaths have which parameter."""

from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.hancock import build_hancock
from fhir_mappings.cohorts.tcga import build_tcga
from fhir_mappings.concepts import catalogue

SCHEMA = catalogue().schema
pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def tcga(corpus: Path) -> BuiltCohort:
    return build_tcga(corpus / "cohorts/tcga", SCHEMA)


@pytest.fixture(scope="module")
def hancock(corpus: Path) -> BuiltCohort:
    return build_hancock(corpus / "cohorts/hancock", SCHEMA)


def counts(built: BuiltCohort, key: str) -> tuple[int, int]:
    known = ~np.isnan(built.cohort.values[:, SCHEMA.index[key]])
    return int(known.sum()), int(built.cohort.event[known].sum())


def positives(built: BuiltCohort, key: str) -> int:
    return int((built.cohort.values[:, SCHEMA.index[key]] == 1).sum())


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
