"""Predicted against observed survival at one horizon, in tenths of the patients by what was predicted."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort
from models.training.evaluation_report import CalibrationCurve, CalibrationPoint, Interval
from models.training.horizons import horizons_of
from models.training.reference_groups import rounded
from models.training.survival_scores import LEAST_AT_RISK

Array = NDArray[np.float64]

SHOWN: Mapping[str, int] = {"diagnosis": 24, "metastatic": 12, "survivor": 60, "acute": 180}  # months; acute: days
TENTHS = 10


def calibration_curve(survival: Array, cohort: Cohort) -> CalibrationCurve | None:
    """`survival` [n, grid of `horizons_of`] of the patients, at the horizon of their setting.

    None where there is no prediction, or where too few patients are at risk by then. Patients who came under
    observation only after time zero are left out, as in the Brier score.
    """
    horizons, shown = horizons_of(cohort.setting), SHOWN[str(cohort.setting[0])]
    predicted = survival[:, horizons.grid.index(shown)]
    day = shown * horizons.days_a_unit
    rows = np.flatnonzero(~np.isnan(predicted) & (cohort.entry == 0))
    if (cohort.time[rows] > day).sum() < LEAST_AT_RISK:
        return None
    order = rows[np.argsort(predicted[rows], kind="stable")]
    points = [
        CalibrationPoint(rounded(predicted[part].mean()), _observed(cohort.rows(part), day), len(part))
        for part in np.array_split(order, TENTHS)
    ]
    return CalibrationCurve(f"{shown} {horizons.unit}", points)


def _observed(cohort: Cohort, day: float) -> Interval:
    """Kaplan-Meier survival on `day` with Greenwood's 95 % limits on the plain scale, kept within 0 and 1."""
    days = np.unique(cohort.time[cohort.event & (cohort.time <= day)])
    at_risk = (cohort.time[None, :] >= days[:, None]).sum(axis=1)
    died = ((cohort.time[None, :] == days[:, None]) & cohort.event[None, :]).sum(axis=1)
    survival = float(np.prod(1 - died / at_risk))
    alive = at_risk - died
    variance = survival**2 * float((died / (at_risk * np.maximum(alive, 1)))[alive > 0].sum())
    half = 1.96 * float(np.sqrt(variance))
    return Interval(rounded(survival), rounded(max(0.0, survival - half)), rounded(min(1.0, survival + half)))
