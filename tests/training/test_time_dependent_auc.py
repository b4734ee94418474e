"""The AUC at a horizon against its definition, written out pair by pair."""

import numpy as np
import pytest

from models.training.concordance import censoring_survival
from models.training.time_dependent_auc import auc


@pytest.mark.parametrize("seed", range(8))
def test_cases_and_controls_are_compared_one_by_one(seed: int) -> None:
    """Weights, ties, groups and delayed entry included."""
    random = np.random.default_rng(seed)
    n = int(random.integers(20, 80))
    entry = np.where(random.random(n) < 0.3, random.integers(1, 10, n), 0).astype(float)
    time = entry + random.integers(1, 15, n).astype(float)
    event, risk, group = random.random(n) < 0.6, random.integers(0, 9, n).astype(float), random.integers(0, 2, n)
    censoring = censoring_survival(time, event, entry)
    won = total = 0.0
    for i in np.flatnonzero(event & (time <= 8) & (censoring > 0)):
        for j in np.flatnonzero((time > 8) & (group == group[i])):
            if entry[j] < time[i]:
                total += 1 / censoring[i]
                won += ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])) / censoring[i]
    assert auc(risk, time, event, entry, 8, censoring, group) == pytest.approx(won / total)


def test_perfect_reversed_and_constant_risks() -> None:
    """1, 0 and one half; none where nobody has died by the horizon."""
    time, event, entry = np.arange(1.0, 9), np.ones(8, dtype=bool), np.zeros(8)
    censoring = np.ones(8)
    assert auc(-time, time, event, entry, 4, censoring) == 1
    assert auc(time, time, event, entry, 4, censoring) == 0
    assert auc(np.zeros(8), time, event, entry, 4, censoring) == 0.5
    assert np.isnan(auc(time, time, event, entry, 0.5, censoring))


def test_who_dies_when_before_the_horizon_does_not_matter() -> None:
    """Cases are not compared with each other, unlike in a C-index."""
    time, event, entry = np.array([1.0, 2, 3, 50, 60]), np.ones(5, dtype=bool), np.zeros(5)
    for risk in ([3, 2, 1, 0, 0], [1, 2, 3, 0, 0]):
        assert auc(np.array(risk, dtype=float), time, event, entry, 10, np.ones(5)) == 1
