"""Observed/expected and ICI on outcomes drawn from known probabilities."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.calibration_index import calibration_at, restricted_cubic_spline
from models.training.resampling import draws

Array = NDArray[np.float64]
DAY = 100.0
N = 4000


@pytest.fixture(scope="module")
def risk() -> Array:
    return np.random.default_rng(0).normal(0, 1, N)


@pytest.fixture(scope="module")
def truth(risk: Array) -> Array:
    """Probability of death by DAY under an exponential model."""
    return np.asarray(1 - np.exp(-0.005 * DAY * np.exp(risk)))


@pytest.fixture(scope="module")
def outcome(risk: Array) -> tuple[Array, NDArray[np.bool_]]:
    random = np.random.default_rng(1)
    death, end = random.exponential(200 * np.exp(-risk)), random.uniform(20, 400, N)
    return np.minimum(death, end), death < end


def test_true_probabilities_are_calibrated(truth: Array, outcome: tuple[Array, NDArray[np.bool_]]) -> None:
    """ICI near 0, observed/expected near 1 inside its interval, in spite of censoring."""
    found = calibration_at(truth, *outcome, DAY, draws(N, 20, 0))
    assert found.ici.value < 0.015
    assert found.ratio.low <= 1 <= found.ratio.high
    assert found.ratio.value == pytest.approx(found.observed / found.expected, abs=1e-4)


def test_a_distorted_prediction_has_its_distance_as_ici(truth: Array, outcome: tuple[Array, NDArray[np.bool_]]) -> None:
    """Half of every probability: twice as many die as expected, and the ICI is the mean distance to the truth."""
    found = calibration_at(truth / 2, *outcome, DAY, draws(N, 0, 0))
    assert found.ratio.value == pytest.approx(2, abs=0.1)
    assert found.ici.value == pytest.approx(np.abs(truth / 2 - truth).mean(), abs=0.02)


def test_the_index_sees_what_the_mean_hides(
    risk: Array, truth: Array, outcome: tuple[Array, NDArray[np.bool_]]
) -> None:
    """The risks reversed: as many deaths as expected, but of the wrong patients."""
    reversed_truth = 1 - np.exp(-0.005 * DAY * np.exp(-risk))
    found = calibration_at(reversed_truth, *outcome, DAY, draws(N, 0, 0))
    assert found.ratio.value == pytest.approx(1, abs=0.1)
    assert found.ici.value == pytest.approx(np.abs(reversed_truth - truth).mean(), abs=0.03)


def test_one_probability_for_all_is_compared_with_the_mean(outcome: tuple[Array, NDArray[np.bool_]]) -> None:
    """Without a spread there is nothing to smooth over."""
    found = calibration_at(np.full(N, 0.2), *outcome, DAY, draws(N, 0, 0))
    assert found.ici.value == pytest.approx(found.observed - 0.2, abs=0.01)


def test_the_spline_is_linear_beyond_its_outer_knots() -> None:
    """Second differences vanish there, and nowhere between."""
    x = np.linspace(-5, 5, 201)
    bend = np.diff(restricted_cubic_spline(x)[:, 1], 2)
    assert bend[:15] == pytest.approx(0, abs=1e-9)
    assert bend[-15:] == pytest.approx(0, abs=1e-9)
    assert np.all(bend[30:-30] > 0)
