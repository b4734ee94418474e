"""C of many resamples at once against C of each resample."""

import msgspec
import numpy as np
import pytest

from models.training.concordance import harrell
from models.training.resampling import PairSamples, draws, interval
from tests.unit.models.made_up import cohort


@pytest.mark.parametrize("delayed", [False, True])
def test_weighted_pairs_are_the_pairs_of_the_resample(delayed: bool) -> None:
    """Ties in time and risk, groups and delayed entry included; the first column is the cohort itself."""
    random, table = np.random.default_rng(4), cohort(150)
    time = np.ceil(table.time / 200)
    entry = np.where(random.random(150) < 0.3, time - 1, 0.0) if delayed else np.zeros(150)
    table = msgspec.structs.replace(table, time=time, entry=entry)
    group, risk = random.integers(0, 3, 150), random.integers(0, 12, 150).astype(float)
    found = PairSamples(table, group, draws(150, 4, seed=7)).c(risk)
    same = np.random.default_rng(7)
    for value, rows in zip(found, [np.arange(150), *(same.integers(0, 150, 150) for _ in range(4))], strict=True):
        part = table.rows(rows)
        assert value == pytest.approx(harrell(risk[rows], part.time, part.event, part.entry, group[rows]))


def test_an_interval_needs_an_estimate() -> None:
    """No estimate, no interval; a sample without a comparable pair is left out of it."""
    assert interval(np.array([np.nan, 1.0])) is None
    found = interval(np.array([0.5, np.nan, 0.4, 0.6]))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.405, 0.595))
