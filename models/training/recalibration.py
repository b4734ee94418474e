"""Recalibration that is judged on patients it has not seen: slope and baseline come from the other folds."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.training.calibration import calibration_slope, cumulative_hazard
from models.training.cohort import Cohort
from models.training.cox import RiskSets
from models.training.folds import deal

Array = NDArray[np.float64]
FOLDS, HALVES = "the other folds", "the other half"


class Recalibrated(msgspec.Struct, frozen=True):
    """`risk` [n] is the log-risk times the slope, `survival` [n, days] what it means with the new baseline."""

    risk: Array
    survival: Array


def recalibration_folds(cohort: Cohort, fold: NDArray[np.intp], seed: int) -> tuple[NDArray[np.intp], str]:
    """The folds to cross-fit over; patients who were all predicted by one model are dealt into two halves."""
    if len(np.unique(fold)) > 1:
        return fold, FOLDS
    return deal(cohort, seed, 2), HALVES


def cross_fitted(risk: Array, cohort: Cohort, fold: NDArray[np.intp], days: Array) -> Recalibrated:
    """Recalibrate `risk` [n] of one cohort, each fold by the patients of the others; `days` [H] are the horizons.

    The slope is Cox's coefficient of the log-risk with one stratum a fold (each fold was predicted by a model of its
    own), the baseline Breslow's over these folds together. A fold's own outcomes are never used for it.
    """
    scaled, survival = np.empty(len(risk)), np.empty((len(risk), len(days)))
    for number in np.unique(fold):
        mine, others = fold == number, fold != number
        rows = cohort.rows(others)
        found = calibration_slope(risk[others], RiskSets(rows.entry, rows.time, rows.event, fold[others]))
        slope = 1.0 if found is None else found.value
        hazard = cumulative_hazard(slope * risk[others], rows, days)
        scaled[mine] = slope * risk[mine]
        survival[mine] = np.exp(-hazard[None, :] * np.exp(scaled[mine])[:, None])
    return Recalibrated(scaled, survival)
