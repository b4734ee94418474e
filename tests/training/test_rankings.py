"""C by matrix products is C by counting pairs, and differences are paired."""

import msgspec
import numpy as np

from models.training.concordance import harrell
from models.training.rankings import rankings
from models.training.resampling import PairSamples, draws
from tests.unit.models.made_up import cohort


def test_it_is_harrells_c_of_the_drawn_patients() -> None:
    """With ties in risk and time, censoring, delayed entry and folds."""
    random = np.random.default_rng(0)
    n = 60
    time, entry = random.integers(2, 12, n).astype(float), random.integers(0, 2, n).astype(float)
    event, fold = random.random(n) < 0.6, random.integers(0, 3, n)
    risk = random.integers(0, 5, n).astype(float)
    patients, drawn = msgspec.structs.replace(cohort(n), time=time, entry=entry, event=event), draws(n, 3, seed=1)
    found = PairSamples(patients, fold, drawn).c(risk)
    for sample in range(4):
        rows = np.repeat(np.arange(n), drawn[:, sample].astype(int))
        assert np.isclose(found[sample], harrell(risk[rows], time[rows], event[rows], entry[rows], fold[rows]))


def test_differences_are_paired() -> None:
    """A model against itself is 0 with an interval of 0; one without comparable pairs inside types has no such C."""
    patients, risk = cohort(40), np.random.default_rng(0).random(40)
    alone = msgspec.structs.replace(patients, entity=np.arange(40).astype(str))
    found = rankings({"a": risk, "b": 2 * risk}, alone, np.zeros(40, int), 0, 5)
    difference = found["a - b"].pooled
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert found["a"].pooled.low < found["a"].pooled.high
    assert found["a"].within is None


def test_no_pair_no_estimate() -> None:
    """Nobody died: nothing to compare, and nothing is made up."""
    nobody = msgspec.structs.replace(cohort(5), event=np.zeros(5, dtype=bool))
    assert rankings({"a": np.arange(5.0)}, nobody, np.zeros(5, int), 0, 2) == {}
