"""A recalibration is judged on patients whose outcomes it has not seen."""

import msgspec
import numpy as np
import pytest

from models.training.recalibration import FOLDS, HALVES, cross_fitted, recalibration_folds
from tests.unit.models.made_up import cohort

DAYS = np.array([200.0, 500.0])
TABLE = cohort(300)
AGE = np.random.default_rng(1).normal(size=300)
FOLD = np.arange(300) % 5


def test_a_fold_does_not_see_its_own_outcomes() -> None:
    """Other outcomes in one fold change the predictions of all the others, and none of its own."""
    before = cross_fitted(AGE, TABLE, FOLD, DAYS)
    mine = FOLD == 2
    changed = msgspec.structs.replace(
        TABLE, time=np.where(mine, 1.0 + np.arange(300), TABLE.time), event=TABLE.event ^ mine
    )
    after = cross_fitted(AGE, changed, FOLD, DAYS)
    assert np.array_equal(before.risk[mine], after.risk[mine])
    assert np.array_equal(before.survival[mine], after.survival[mine])
    for other in (0, 1, 3, 4):
        assert not np.allclose(before.survival[other == FOLD], after.survival[other == FOLD])


def test_what_was_exaggerated_is_drawn_together() -> None:
    """Ten times a risk gives the same recalibrated predictions as the risk itself."""
    stage = np.where(TABLE.entity == "entity_nsclc", 1.0, 0.0) + 0.1 * AGE
    once, tenfold = (cross_fitted(factor * stage, TABLE, FOLD, DAYS) for factor in (1, 10))
    assert tenfold.survival == pytest.approx(once.survival, abs=1e-4)
    assert tenfold.risk == pytest.approx(once.risk, abs=1e-4)


def test_patients_of_one_model_are_dealt_into_halves() -> None:
    """An external cohort is recalibrated on one half for the other; folds are kept where there are some."""
    halves, how = recalibration_folds(TABLE, np.full(300, -1), seed=0)
    assert (np.bincount(halves).tolist(), how) == ([150, 150], HALVES)
    kept, how = recalibration_folds(TABLE, FOLD, seed=0)
    assert how == FOLDS
    assert kept is FOLD
