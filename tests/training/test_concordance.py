"""Harrell's and Uno's C and the Brier score against definitions written out pair by pair."""

import numpy as np
import pytest

from models.training.concordance import censoring_survival, harrell, pair_counts, uno
from models.training.horizons import SHORT
from models.training.survival_scores import brier, brier_by_horizon


@pytest.mark.parametrize("seed", range(12))
def test_pairs_are_counted_as_one_by_one(seed: int) -> None:
    """Ties in time and risk, delayed entry, any size."""
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 90))
    entry = np.where(random.random(n) < 0.3, random.integers(1, 10, n), 0).astype(float)
    time = entry + random.integers(1, 15, n).astype(float)
    event, risk, weight = random.random(n) < 0.6, random.integers(0, 20, n).astype(float), random.random(n)
    concordant = comparable = 0.0
    for i in np.flatnonzero(event):
        later = ((time > time[i]) | ((time == time[i]) & ~event)) & (entry < time[i])
        comparable += weight[i] * later.sum()
        concordant += weight[i] * ((risk[later] < risk[i]).sum() + 0.5 * (risk[later] == risk[i]).sum())
    assert pair_counts(risk, time, event, entry, weight) == pytest.approx((concordant, comparable))


def test_perfect_reversed_and_constant_risks() -> None:
    """1, 0 and one half."""
    time, event, entry = np.arange(1.0, 9), np.ones(8, dtype=bool), np.zeros(8)
    assert harrell(-time, time, event, entry) == 1
    assert harrell(time, time, event, entry) == 0
    assert harrell(np.zeros(8), time, event, entry) == 0.5
    assert np.isnan(harrell(-time, time, ~event, entry))


def test_within_a_type_only_its_own_pairs_count() -> None:
    """A risk that only knows the type is at one half there, however well it ranks all patients."""
    time, event, entry = np.arange(1.0, 9), np.ones(8, dtype=bool), np.zeros(8)
    kind = np.repeat(["bad", "good"], 4)
    risk = np.where(kind == "bad", 1.0, 0.0)
    assert harrell(risk, time, event, entry) > 0.75
    assert harrell(risk, time, event, entry, kind) == 0.5


def test_uno_equals_harrell_without_censoring() -> None:
    """All weights are 1 then, and deaths after the horizon do not count."""
    random = np.random.default_rng(0)
    time, risk = random.permutation(np.arange(1.0, 51)), random.normal(size=50)
    event, entry = np.ones(50, dtype=bool), np.zeros(50)
    censoring = censoring_survival(time, event, entry)
    assert censoring == pytest.approx(np.ones(50))
    assert uno(risk, time, event, entry, 99, censoring) == pytest.approx(harrell(risk, time, event, entry))
    early = harrell(risk, time, event & (time <= 20), entry)
    assert uno(risk, time, event, entry, 20, censoring) == pytest.approx(early)


def test_censoring_survival_is_kaplan_meier_of_the_censored() -> None:
    """Just before each time: 1, 1, 3/4, 3/4, 3/8."""
    time, event = np.array([1.0, 2, 3, 4, 5]), np.array([True, False, True, False, True])
    assert censoring_survival(time, event, np.zeros(5)) == pytest.approx([1, 1, 3 / 4, 3 / 4, 3 / 8])


def test_brier_score_without_censoring_is_the_mean_square() -> None:
    """Whoever is alive should have had 1, whoever died 0."""
    time, event = np.repeat([10.0, 1000.0], 60), np.ones(120, dtype=bool)
    assert brier(np.repeat([0.0, 1.0], 60), time, event, 100) == 0
    assert brier(np.full(120, 0.5), time, event, 100) == pytest.approx(0.25)
    assert np.isnan(brier(np.full(120, 0.5), time, event, 2000))


def test_a_horizon_with_too_few_patients_is_left_out() -> None:
    """No score, and the integral ends at the last horizon that enough patients reached."""
    random = np.random.default_rng(1)
    time, event = random.uniform(1, 800, 300), random.random(300) < 0.7
    half = np.full((300, 10), 0.5)
    scores, integral, until = brier_by_horizon(half, time, event)
    assert (set(scores), until) == ({"6", "12"}, "12")
    expected = (scores["6"] / 2 + (scores["6"] + scores["12"]) / 2) / 2
    assert integral == pytest.approx(expected)
    long, total, last = brier_by_horizon(half, time + 2000, event)
    assert (set(long), last) == ({"6", "12", "24", "60"}, "60")
    assert total == pytest.approx(np.mean([0.125, *[0.25] * 9]))
    assert brier_by_horizon(half, time / 800, event) == ({}, None, "")
    days, _, upto = brier_by_horizon(half, time, event, SHORT)
    assert (set(days), upto) == ({"30", "90", "180"}, "180")
