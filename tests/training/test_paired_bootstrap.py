"""C by matrix products is C by counting pairs, for the cohort and for every bootstrap sample."""

import numpy as np

from models.training.concordance import harrell
from models.training.paired_bootstrap import bootstrap_weights, rankings, resampled_c


def test_it_is_harrells_c_of_the_drawn_patients() -> None:
    """With ties in risk and time, censoring, delayed entry and folds."""
    random = np.random.default_rng(0)
    n = 60
    time, entry = random.integers(2, 12, n).astype(float), random.integers(0, 2, n).astype(float)
    event, fold = random.random(n) < 0.6, random.integers(0, 3, n)
    risks = random.integers(0, 5, (n, 2)).astype(float)
    weights = bootstrap_weights(n, 3, seed=1)
    found = resampled_c(risks, time, event, entry, fold, weights)
    for sample in range(4):
        drawn = np.repeat(np.arange(n), weights[:, sample].astype(int))
        for model in range(2):
            counted = harrell(risks[drawn, model], time[drawn], event[drawn], entry[drawn], fold[drawn])
            assert np.isclose(found[sample, model], counted)


def test_differences_are_paired() -> None:
    """A model against itself is 0 with an interval of 0; one without comparable pairs inside types has no such C."""
    random = np.random.default_rng(0)
    risk, time = random.random(40), random.random(40)
    outcome = time, np.ones(40, dtype=bool), np.zeros(40)
    alone = np.arange(40).astype(str)
    found = rankings({"a": risk, "b": 2 * risk}, outcome, np.zeros(40, int), alone, bootstrap_weights(40, 5, 0))
    difference = found["a - b"].pooled
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert found["a"].pooled.low < found["a"].pooled.high
    assert found["a"].within is None


def test_no_pair_no_estimate() -> None:
    """Nobody died: nothing to compare, and nothing is made up."""
    nobody = np.ones(5), np.zeros(5, dtype=bool), np.zeros(5)
    found = rankings({"a": np.arange(5.0)}, nobody, np.zeros(5, int), np.full(5, ""), bootstrap_weights(5, 2, 0))
    assert found == {}
