"""Calibration of the spread: the Cox slope of a log-risk, and Breslow's baseline that goes with it."""

import numpy as np
from numpy.typing import NDArray

from models.manifest import Baseline
from models.training.cohort import Cohort
from models.training.cox import RiskSets
from models.training.evaluation_report import Interval
from models.training.reference_groups import rounded

Array = NDArray[np.float64]

STEPS = 100  # of a stored baseline
FLAT = 1e-6  # information below which no slope can be told
SUPPORTED_AT_RISK = 50  # a horizon needs as many patients still at risk


def calibration_slope(risk: Array, sets: RiskSets) -> Interval | None:
    """The coefficient of `risk` in a stratified Cox model, with its 95 % Wald interval.

    1 means that differences in log-risk come true, less than 1 that they are exaggerated. None where the risk does not
    vary inside the strata.
    """
    centred, slope = risk - risk.mean(), 1.0
    curvature = 0.0
    for _ in range(25):
        weight = np.exp(slope * centred)
        sums, first, second = (sets.at_risk(weight * centred**power) for power in range(3))
        gradient = centred[sets.event].sum() - (sets.deaths * first / sums).sum()
        curvature = float((sets.deaths * (second / sums - (first / sums) ** 2)).sum())
        if curvature < FLAT:
            return None
        change = float(np.clip(gradient / curvature, -1, 1))
        slope += change
        if abs(change) < 1e-8:
            break
    half = 1.96 / np.sqrt(curvature)
    return Interval(rounded(slope), rounded(slope - half), rounded(slope + half))


def baselines(risk: Array, cohort: Cohort) -> dict[str, Baseline]:
    """Breslow's cumulative baseline hazard of each cohort, thinned to STEPS days. `risk` [n] is the network's."""
    found = {}
    for name in np.unique(cohort.cohort):
        own = cohort.cohort == name
        rows = cohort.rows(own)
        sets = RiskSets(rows.entry, rows.time, rows.event, rows.cohort)
        hazard = np.cumsum(sets.hazard(risk[own]))
        kept = np.unique(np.linspace(0, len(hazard) - 1, STEPS).round().astype(int))
        found[str(name)] = Baseline(
            days=tuple(map(float, sets.death_time[kept])),
            hazard=tuple(rounded(step) for step in hazard[kept]),
            supported_days=_supported(rows.entry, rows.time),
        )
    return found


def cumulative_hazard(risk: Array, cohort: Cohort, days: Array) -> Array:
    """Breslow's cumulative baseline hazard of one cohort at `days` [H], fitted to the patients of `cohort`."""
    sets = RiskSets(cohort.entry, cohort.time, cohort.event, cohort.cohort)
    hazard = np.concatenate([[0.0], np.cumsum(sets.hazard(risk))])
    return np.asarray(hazard[np.searchsorted(sets.death_time, days, side="right")])


def _supported(entry: Array, time: Array) -> float:
    """The last day on which at least SUPPORTED_AT_RISK patients are still under observation; 0 if there is none."""
    days = np.sort(time)[::-1]
    at_risk = np.arange(1, len(days) + 1) - np.array([(entry >= day).sum() for day in days])
    enough = days[at_risk >= SUPPORTED_AT_RISK]
    return float(enough.max(initial=0.0))
