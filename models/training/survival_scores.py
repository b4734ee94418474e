"""Brier score of predicted survival at fixed horizons, weighted for censoring, and its integral."""

import numpy as np
from numpy.typing import NDArray

from models.training.concordance import censoring_survival

Array = NDArray[np.float64]

DAYS_A_MONTH = 30.4375
HORIZONS = (6, 12, 24, 60)  # months that are reported
GRID = tuple(range(6, 61, 6))  # months over which the integral runs
LEAST_AT_RISK = 50


def brier(survival: Array, time: Array, event: NDArray[np.bool_], day: float) -> float:
    """Brier score at `day` (Graf et al., Statist. Med. 1999) for predicted survival [n]; NaN if too few are at risk."""
    if (time > day).sum() < LEAST_AT_RISK:
        return float("nan")
    entry = np.zeros(len(time))
    censoring = censoring_survival(time, event, entry)
    at_day = float(censoring_survival(np.append(time, day), np.append(event, True), np.append(entry, 0.0))[-1])
    dead = event & (time <= day)
    alive = time > day
    terms = np.zeros(len(time))
    terms[dead] = survival[dead] ** 2 / censoring[dead]
    terms[alive] = (1 - survival[alive]) ** 2 / at_day
    return float(terms.mean())


def brier_by_month(survival: Array, time: Array, event: NDArray[np.bool_]) -> tuple[dict[str, float], float | None]:
    """Scores at HORIZONS and the mean over 0-60 months (None where a month of GRID has too few at risk).

    `survival` [n, len(GRID)] are predictions at the months of GRID.
    """
    scores = [brier(survival[:, i], time, event, month * DAYS_A_MONTH) for i, month in enumerate(GRID)]
    reported = {str(m): score for m, score in zip(GRID, scores, strict=True) if m in HORIZONS and not np.isnan(score)}
    if np.isnan(scores).any():
        return reported, None
    months = np.array([0, *GRID], dtype=np.float64)
    integral = np.trapezoid(np.array([0.0, *scores]), months) / months[-1]
    return reported, float(integral)
