"""Brier score of predicted survival at fixed horizons, weighted for censoring, and its integral."""

import numpy as np
from numpy.typing import NDArray

from models.training.concordance import censoring_survival
from models.training.horizons import LONG, Horizons

Array = NDArray[np.float64]

LEAST_AT_RISK = 50


def supported(time: Array, day: float) -> bool:
    """Whether enough patients are still under observation after `day` to say anything about it."""
    return int((time > day).sum()) >= LEAST_AT_RISK


def brier(survival: Array, time: Array, event: NDArray[np.bool_], day: float) -> float:
    """Brier score at `day` (Graf et al., Statist. Med. 1999) for predicted survival [n].

    NaN if too few are at risk, or if a patient has no prediction for that day.
    """
    if not supported(time, day):
        return float("nan")
    entry = np.zeros(len(time))
    censoring = censoring_survival(time, event, entry)
    at_day = float(censoring_survival(np.append(time, day), np.append(event, True), np.append(entry, 0.0))[-1])
    dead = event & (time <= day)
    alive = time > day
    terms = np.where(np.isnan(survival), np.nan, 0.0)
    terms[dead] = survival[dead] ** 2 / censoring[dead]
    terms[alive] = (1 - survival[alive]) ** 2 / at_day
    return float(terms.mean())


def brier_by_horizon(
    survival: Array, time: Array, event: NDArray[np.bool_], horizons: Horizons = LONG
) -> tuple[dict[str, float], float | None, str]:
    """Scores at the reported horizons, and their mean over time up to the last one that is supported (its label).

    `survival` [n, grid] are predictions at the grid of `horizons`. (None, "") where no horizon is supported.
    """
    scores = [brier(survival[:, i], time, event, day) for i, day in enumerate(horizons.grid_days)]
    columns = {label: horizons.column(label) for label in horizons.days}
    reported = {label: scores[i] for label, i in columns.items() if not np.isnan(scores[: i + 1]).any()}
    if not reported:
        return {}, None, ""
    last = max(reported, key=int)
    upto = columns[last] + 1
    times = np.array([0, *horizons.grid[:upto]], dtype=np.float64)
    integral = np.trapezoid(np.array([0.0, *scores[:upto]]), times) / times[-1]
    return reported, float(integral), last
