"""NCCTG lung cancer and INSPIRE: small trials that serve evaluation."""

from pathlib import Path

import pytest

from tests.training.cohorts.source_files import build, known


def test_ncctg_lung(tmp_path: Path) -> None:
    """The physician's ECOG is read, not the patient's index; sex 2 is female, the histology assumed."""
    row = {"age": "74", "sex": "2", "ph.ecog": "1", "status": "1", "wt.loss": "15", "pat.karno": "100"}
    built = build(tmp_path, "ncctg_lung", row, also=("wt.loss", "pat.karno"))
    assert known(built) == {"demo_age_at_baseline": 74, "demo_sex_female": 1, "func_ecog": 1}
    assert (built.cohort.entity.tolist(), built.cohort.event.tolist()) == (["entity_nsclc"], [True])
    assert built.cohort.setting.tolist() == ["metastatic"]


def test_inspire(tmp_path: Path) -> None:
    """Months, completed years, target lesions in mm; PD-L1 and a logarithm of the burden are not read."""
    row = {"age": "62.9", "sex": "Female", "l_size": "140", "pdl1": "2", "tmb": "0.57", "os_time": "12"}
    built = build(tmp_path, "inspire", row, also=("pdl1", "tmb"))
    assert known(built) == {"demo_age_at_baseline": 62, "demo_sex_female": 1, "img_recist_sum": 140}
    assert built.cohort.time.tolist() == [365.25]


@pytest.mark.parametrize(
    ("group", "entity"),
    [("A", "entity_head_neck"), ("B", "entity_breast"), ("C", "entity_ovary"), ("D", "entity_melanoma"), ("E", "")],
)
def test_inspire_groups(tmp_path: Path, group: str, entity: str) -> None:
    """The fifth group is a mixture."""
    assert build(tmp_path, "inspire", {"cohort": group}).cohort.entity.tolist() == [entity]
