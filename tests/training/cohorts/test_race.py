"""Race as each source states it, in the words of the format; it reaches no input."""

from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts import msk_met, tcga
from fhir_mappings.cohorts.builder import BuiltCohort
from models.training.race import RACES
from tests.training.cohorts.source_files import SCHEMA, build, sample, write_msk_met, write_tcga


def of(folder: Path, name: str, cell: str) -> BuiltCohort:
    """A cohort of one patient whose source says `cell`."""
    if name == "tcga":
        return tcga.build_tcga(write_tcga(folder, [sample("TCGA-AA-0001", race=cell)]), SCHEMA)
    if name == "msk_met":
        return msk_met.build_msk_met(write_msk_met(folder, [{"RACE": cell}]), SCHEMA)
    return build(folder, name, {{"nhanes": "RIDRETH1", "support2": "race"}[name]: cell})


@pytest.mark.parametrize(
    ("name", "cell", "race"),
    [
        ("tcga", "Black Or African American", "black"),
        ("tcga", "Native Hawaiian Or Other Pacific Islander", "pacific_islander"),
        ("tcga", "[Not Evaluated]", ""),
        ("tcga", "[Unknown]", ""),
        ("msk_met", "Asian-far east/indian subcont", "asian"),
        ("msk_met", "Native american-am ind/alaska", "american_indian"),
        ("msk_met", "Other", "other"),
        ("msk_met", "Pt refused to answer", ""),
        ("msk_met", "No value entered", ""),
        ("msk_met", "Unknown", ""),
        ("nhanes", "1", "hispanic"),
        ("nhanes", "2", "hispanic"),
        ("nhanes", "3", "white"),
        ("nhanes", "5", "other"),
        ("support2", "hispanic", "hispanic"),
        ("support2", "white", "white"),
        ("support2", "", ""),
    ],
)
def test_race_as_the_source_states_it(tmp_path: Path, name: str, cell: str, race: str) -> None:
    """Its words become those of the format; refused, not asked and unknown are missing."""
    assert of(tmp_path, name, cell).cohort.race.tolist() == [race]


def test_a_source_without_race_has_none(tmp_path: Path) -> None:
    """It is not guessed from a country."""
    assert build(tmp_path, "hcc_sysucc").cohort.race.tolist() == [""]


def test_race_is_no_parameter(tmp_path: Path) -> None:
    """No key of the catalogue names it, and the 350 values of a patient are the same whatever it is."""
    assert not [key for key in SCHEMA.keys if "race" in key.split("_") or "ethnic" in key or key in RACES]
    assert len(SCHEMA) == 350
    rows = [of(tmp_path / cell, "support2", cell).cohort for cell in ("white", "black")]
    assert np.array_equal(rows[0].values, rows[1].values, equal_nan=True)
