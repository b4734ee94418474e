"""Who is predicted together."""

import msgspec
import numpy as np
import pytest

from models.training.folds import deal, fold_by, knows_sites, site_of
from tests.unit.models.made_up import cohort

SITES = ("AA", "B2", "CC", "DD", "EE", "FF", "GG")


def test_a_site_is_known_where_the_barcode_names_it() -> None:
    """The second field of a TCGA barcode; other cohorts do not say."""
    assert site_of("tcga", "TCGA-02-0001") == "02"
    assert site_of("tcga", "TCGA-A1-A0SB") == "A1"
    assert site_of("tcga", "P0001") is None
    assert site_of("hancock", "TCGA-02-0001") is None
    assert not knows_sites(cohort(20))


def test_site_folds_never_split_a_site() -> None:
    """Each of seven sites of unequal size lies in one fold, the folds are balanced, all others are dealt."""
    site = np.repeat(SITES, [80, 60, 50, 40, 30, 20, 20])
    ids = np.array([f"TCGA-{name}-{i:04}" for i, name in enumerate(site)])
    names = np.full(400, "elsewhere")
    names[:300] = "tcga"
    table = msgspec.structs.replace(cohort(400), cohort=names, patient_id=np.append(ids, [f"P{i}" for i in range(100)]))
    fold = fold_by("site", table, 0)
    assert all(len(set(fold[:300][site == name].tolist())) == 1 for name in SITES)
    assert np.bincount(fold[:300], minlength=5).tolist() == pytest.approx([60, 60, 60, 60, 60], abs=20)
    assert np.array_equal(fold[300:], deal(table, 0)[300:])


def test_cohort_folds_never_split_a_cohort() -> None:
    """One fold a cohort; a cohort that would leave nobody with cancer to train on is named."""
    names = np.array(["a", "b", "c"])[np.arange(90) % 3]
    fold = fold_by("cohort", msgspec.structs.replace(cohort(90), cohort=names), 0)
    assert len(set(fold.tolist())) == 3
    assert all(len(set(fold[names == name].tolist())) == 1 for name in "abc")
    with_others = np.where(names == "a", "a", "a_without_cancer")
    with pytest.raises(ValueError, match="a is the only cohort"):
        fold_by("cohort", msgspec.structs.replace(cohort(90), cohort=with_others), 0)
