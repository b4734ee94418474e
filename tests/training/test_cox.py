"""Partial likelihood, ridge and baseline against sums written out patient by patient."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.calibration import calibration_slope, cumulative_hazard
from models.training.cox import RiskSets, ridge_cox
from tests.unit.models.made_up import cohort

Array = NDArray[np.float64]


class Patients:
    """Tied times, two strata, a third of the patients with delayed entry."""

    def __init__(self, seed: int, n: int = 150) -> None:
        random = np.random.default_rng(seed)
        self.design = random.normal(size=(n, 4))
        self.stratum = random.integers(0, 2, n)
        self.entry = np.where(random.random(n) < 0.3, random.integers(1, 9, n), 0).astype(np.float64)
        self.time = self.entry + np.ceil(random.exponential(np.exp(-self.design[:, 0])) * 9)
        self.event = random.random(n) < 0.6
        self.sets = RiskSets(self.entry, self.time, self.event, self.stratum)

    def at_risk(self, i: int | np.intp) -> NDArray[np.bool_]:
        at = self.time[i]
        return np.asarray((self.stratum == self.stratum[i]) & (self.time >= at) & (self.entry < at))

    def log_likelihood(self, risk: Array) -> float:
        deaths = np.flatnonzero(self.event)
        return float(sum(risk[i] - np.log(np.exp(risk[self.at_risk(i)]).sum()) for i in deaths))


@pytest.mark.parametrize("seed", range(4))
def test_the_likelihood_is_the_sum_over_deaths(seed: int) -> None:
    """Strata, ties and delayed entry included."""
    patients = Patients(seed)
    risk = patients.design @ np.array([0.5, -1, 0.2, 2])
    assert patients.sets.log_likelihood(risk) == pytest.approx(patients.log_likelihood(risk))
    assert patients.sets.log_likelihood(risk + 700) == pytest.approx(patients.log_likelihood(risk))


def test_ridge_stands_where_the_penalised_likelihood_is_level() -> None:
    """No direction improves it, and a stronger penalty pulls to zero."""
    patients, strength = Patients(7), np.array([1.0, 3.0, 10.0, 30.0])
    beta = ridge_cox(patients.design, patients.sets, strength)

    def value(at: Array) -> float:
        return patients.log_likelihood(patients.design @ at) - float((strength * at**2).sum()) / 2

    slopes = [(value(beta + step) - value(beta - step)) / 2e-4 for step in np.eye(4) * 1e-4]
    assert slopes == pytest.approx([0, 0, 0, 0], abs=1e-3)
    assert np.abs(ridge_cox(patients.design, patients.sets, strength * 1e6)).max() < 1e-3
    assert ridge_cox(patients.design, patients.sets, strength, np.full(4, 2.0)) == pytest.approx(beta, abs=1e-4)


def test_exposure_adds_what_happened_while_at_risk() -> None:
    """Each patient collects the hazard of the death times in (entry, time] of the own stratum."""
    patients = Patients(3)
    hazard = patients.sets.hazard(np.zeros(150))
    expected = np.zeros(150)
    for stratum, time, step in zip(patients.sets.death_stratum, patients.sets.death_time, hazard, strict=True):
        expected += step * ((patients.stratum == stratum) & (patients.entry < time) & (patients.time >= time))
    assert patients.sets.exposure(hazard) == pytest.approx(expected)
    assert expected.sum() == pytest.approx(patients.event.sum())


def test_the_slope_tells_how_much_a_risk_exaggerates() -> None:
    """Twice the right log-risk has half the slope; a constant one has none."""
    patients = Patients(5)
    beta = ridge_cox(patients.design, patients.sets, np.full(4, 1e-6))
    right = calibration_slope(patients.design @ beta, patients.sets)
    double = calibration_slope(patients.design @ beta * 2, patients.sets)
    assert right is not None
    assert double is not None
    assert (right.value, double.value) == pytest.approx((1, 0.5), abs=1e-3)
    assert right.low < 1 < right.high
    assert calibration_slope(np.ones(150), patients.sets) is None


def test_the_baseline_is_nelson_aalen_where_nobody_differs() -> None:
    """With log-risks of 0 the cumulative hazard is deaths over patients at risk, added up."""
    table = cohort(100)
    days = np.quantile(table.time, [0.0, 0.4, 0.8])
    found = cumulative_hazard(np.zeros(100), table, days - 0.5)
    for day, hazard in zip(days - 0.5, found, strict=True):
        deaths = table.time[table.event & (table.time <= day)]
        assert hazard == pytest.approx(sum(1 / (table.time >= at).sum() for at in deaths))
