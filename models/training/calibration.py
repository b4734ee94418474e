"""Calibration: the Cox slope of a log-risk, Breslow's baseline that goes with it, and how far that one carries."""

from collections.abc import Iterable, Mapping

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
SUPPORTED_DEATHS = 100  # ... and as many deaths before it
HORIZONS: Mapping[str, tuple[int, ...]] = {"acute": (30, 90, 180)}  # days, by setting
_HORIZONS = (180, 365, 730, 1825)  # of the other settings
_PRIOR_MEAN, _PRIOR_SPREAD = 1.0, 0.1  # of a calibration slope
_WALD = 1.96


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
    half = _WALD / np.sqrt(curvature)
    return Interval(rounded(slope), rounded(slope - half), rounded(slope + half))


def shrunk(slope: Interval) -> float:
    """The slope that is served: the posterior mean under a normal prior with mean 1 and standard deviation 0.1.

    The estimate counts by its Wald interval. Few deaths leave it near 1, many leave it as it is; without an interval
    (a slope that could not be told) it is kept.
    """
    error = (slope.high - slope.low) / (2 * _WALD)
    if error <= 0:
        return slope.value
    stated, prior = error**-2, _PRIOR_SPREAD**-2
    return rounded((stated * slope.value + prior * _PRIOR_MEAN) / (stated + prior))


def survival_days(setting: str) -> tuple[int, ...]:
    """The days for which survival is asked for in a setting."""
    return HORIZONS.get(setting, _HORIZONS)


def baselines(risk: Array, cohort: Cohort, days: Iterable[int] = ()) -> dict[str, Baseline]:
    """Breslow's cumulative baseline hazard of each cohort, thinned to STEPS days and those next to `days`.

    `risk` [n] is the calibrated log-risk b g of patients who did not train the network (out of fold).
    """
    found = {}
    for name in np.unique(cohort.cohort):
        own = cohort.cohort == name
        rows = cohort.rows(own)
        sets = RiskSets(rows.entry, rows.time, rows.event, rows.cohort)
        hazard = np.cumsum(sets.hazard(risk[own]))
        kept = _thinned(sets.death_time, days)
        found[str(name)] = Baseline(
            days=tuple(map(float, sets.death_time[kept])),
            hazard=tuple(rounded(step) for step in hazard[kept]),
            supported_days=_supported(rows.entry, rows.time),
        )
    return found


def _thinned(death_time: Array, days: Iterable[int]) -> NDArray[np.intp]:
    """Places of evenly many steps, and of the last step up to each of `days` and the one behind it."""
    last = len(death_time) - 1
    evenly = np.linspace(0, last, STEPS).round().astype(np.intp)
    behind = np.searchsorted(death_time, np.array(list(days), dtype=np.float64), side="right")
    return np.unique(np.concatenate([evenly, np.clip(np.concatenate([behind - 1, behind]), 0, last)]))


def supported_horizons(cohort: Cohort, days: Iterable[int]) -> dict[str, tuple[int, ...]]:
    """Per entity the `days` at which at least 50 are still at risk and before which at least 100 have died."""
    found = {}
    for entity in sorted(set(cohort.entity.tolist()) - {""}):
        own = cohort.rows(cohort.entity == entity)
        kept = tuple(
            day for day in days
            if ((own.entry < day) & (own.time >= day)).sum() >= SUPPORTED_AT_RISK
            and (own.event & (own.time < day)).sum() >= SUPPORTED_DEATHS
        )  # fmt: skip
        if kept:
            found[str(entity)] = kept
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
