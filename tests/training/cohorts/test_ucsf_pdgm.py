"""UCSF-PDGM: second examinations, and results that say too little."""

from pathlib import Path

import pytest

from fhir_mappings.cohorts.ucsf_pdgm import DIAGNOSIS, GLIOBLASTOMA, idh
from tests.training.cohorts.source_files import build, known


def test_a_second_examination_is_not_a_second_patient(tmp_path: Path) -> None:
    """A row that repeats another in all but its number is left out; one that differs is a patient."""
    rows = [{"ID": "1", "Age at MRI": "36"}, {"ID": "2", "Age at MRI": "37"}, {"ID": "3", "Age at MRI": "36"}]
    built = build(tmp_path, "ucsf_pdgm", *rows, {"ID": "4", "OS": ""})
    assert built.cohort.patient_id.tolist() == ["1", "2"]
    assert built.excluded == {"second examination of a patient": 1, "no status or time": 1}


def test_only_the_wild_type_is_a_glioblastoma(tmp_path: Path) -> None:
    """The diagnosis of 2021 decides; all others are gliomas."""
    rows = [{"ID": "1", DIAGNOSIS: GLIOBLASTOMA}, {"ID": "2", DIAGNOSIS: "Astrocytoma, IDH-wildtype"}]
    assert build(tmp_path, "ucsf_pdgm", *rows).cohort.entity.tolist() == ["entity_glioblastoma", "entity_other_cns"]


@pytest.mark.parametrize(
    ("column", "key", "levels"),
    [
        ("MGMT status", "gene_mgmt_methylated", {"positive": 1, "negative": 0, "indeterminate": None}),
        ("1p/19q", "gene_1p19q_codeletion",
         {"co-deletion": 1, "Co-deletion": 1, "intact": 0, "relative co-deletion": None}),
        ("WHO CNS Grade", "stage_grade", {"2": 2, "4": 4, "": None}),
        ("Sex", "demo_sex_female", {"F": 1, "M": 0}),
    ],
)  # fmt: skip
def test_results(tmp_path: Path, column: str, key: str, levels: dict[str, int | None]) -> None:
    """Indeterminate and relative results are missing, not negative."""
    for cell, level in levels.items():
        assert known(build(tmp_path, "ucsf_pdgm", {column: cell})).get(key) == level, cell


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("wildtype", {"gene_idh1": 0, "gene_idh2": 0}),
        ("IDH1 p.R132H", {"gene_idh1": 1, "gene_idh2": 0}),
        ("IDH1 p.Arg132His", {"gene_idh1": 1, "gene_idh2": 0}),
        ("IDH2 p.R172K", {"gene_idh1": 0, "gene_idh2": 1}),
        ("IDH1 p.R100Q", {}),
        ("mutated (NOS)", {}),
        ("", {}),
    ],
)
def test_idh(cell: str, expected: dict[str, int]) -> None:
    """The gene rule decides; a mutation of an unnamed gene says nothing of either."""
    assert idh(cell) == expected
