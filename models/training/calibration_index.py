"""How far predicted probabilities of death are from what happened: observed/expected, and the ICI.

Integrated calibration index (Austin, Harrell, van Klaveren, Statist. Med. 2020): what happened is smoothed by a Cox
model on a restricted cubic spline of log(-log(1 - predicted)); the ICI is the mean of |predicted - smoothed|. Follow-up
ends at the horizon here, so that what comes later does not bend the curve.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.training.evaluation_report import HorizonCalibration
from models.training.reference_groups import rounded
from models.training.resampling import Draws, interval

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

KNOTS = (0.1, 0.5, 0.9)  # quantiles
SURE = 1e-6  # predictions are kept this far from 0 and 1
PENALTY = 1e-3  # keeps a column that says nothing at 0
STEPS = 20
CONVERGED = 1e-6


class _UpTo(msgspec.Struct, frozen=True):
    """Patients in order of time up to the horizon: `first` [G] is where the risk set of each death time begins."""

    order: NDArray[np.intp]
    first: NDArray[np.intp]
    death: Flags
    place: NDArray[np.intp]

    @classmethod
    def of(cls, time: Array, event: Flags, day: float) -> "_UpTo":
        ended = np.minimum(time, day)
        order = np.argsort(ended, kind="stable")
        death = (event & (time <= day))[order]
        times, place = np.unique(ended[order][death], return_inverse=True)
        return cls(order, np.searchsorted(ended[order], times), death, place)

    def deaths(self, weight: Array) -> Array:
        return np.bincount(self.place, weights=weight[self.death], minlength=len(self.first)).astype(np.float64)

    def at_risk(self, weights: Array) -> Array:
        """Sums over the risk sets, [G, ...]."""
        return np.cumsum(weights[::-1], axis=0)[::-1][self.first]


def calibration_at(predicted: Array, time: Array, event: Flags, day: float, drawn: Draws) -> HorizonCalibration:
    """Calibration of the probability of death by `day` [n] of patients who were observed from time zero on.

    `drawn` [n, 1 + B] are the resamples behind the intervals.
    """
    sets = _UpTo.of(time, event, day)
    predicted = np.clip(predicted, SURE, 1 - SURE)[sets.order]
    spline = standardised(restricted_cubic_spline(np.log(-np.log(1 - predicted))))
    columns = _with_products(spline)
    beta, rows = np.zeros(spline.shape[1]), []
    for weight in drawn[sets.order].T.astype(np.float64):
        beta, smoothed = _smoothed(columns, sets, weight, beta)
        expected, seen = float(weight @ predicted), float(weight.sum() * _dead(sets, weight))
        rows.append((seen / expected, float(weight @ np.abs(predicted - smoothed)) / weight.sum()))
    ratio, index = (interval(np.array(column)) for column in zip(*rows, strict=True))
    if ratio is None or index is None:
        raise ValueError("a prediction is missing")
    observed = _dead(sets, np.ones(len(predicted)))
    return HorizonCalibration(rounded(predicted.mean()), rounded(observed), ratio, index)


def restricted_cubic_spline(x: Array) -> Array:
    """[n] -> [n, 2] (Harrell's three knots: linear beyond the outer ones); [n, 1] where `x` has too few values."""
    low, middle, high = np.quantile(x, KNOTS)
    if not low < middle < high:
        return x[:, None]
    cubes = [np.maximum(x - knot, 0) ** 3 for knot in (low, middle, high)]
    bend = cubes[0] - (cubes[1] * (high - low) - cubes[2] * (middle - low)) / (high - middle)
    return np.column_stack([x, bend / (high - low) ** 2])


def standardised(columns: Array) -> Array:
    """Columns of mean 0 and spread 1, those that vary; a constant one says nothing and is all 0."""
    spread = columns.std(axis=0)
    return np.asarray((columns - columns.mean(axis=0)) / np.where(spread > SURE, spread, np.inf))


def _with_products(spline: Array) -> Array:
    """[n, K] -> [n, 1 + K + K * K]: what the sums over risk sets are made of."""
    products = (spline[:, :, None] * spline[:, None, :]).reshape(len(spline), -1)
    return np.column_stack([np.ones(len(spline)), spline, products])


def _smoothed(columns: Array, sets: _UpTo, weight: Array, beta: Array) -> tuple[Array, Array]:
    """Coefficients [K] of the Cox model with Breslow's ties, and the probability of death it gives each patient."""
    k, deaths = len(beta), sets.deaths(weight)
    spline = columns[:, 1 : k + 1]
    seen = weight[sets.death] @ spline[sets.death]
    for _ in range(STEPS):
        sums = sets.at_risk((weight * np.exp(spline @ beta))[:, None] * columns)
        sums = sums[:, 1:] / np.maximum(sums[:, :1], SURE)
        mean, square = sums[:, :k], sums[:, k:].reshape(-1, k, k)
        gradient = seen - deaths @ mean - PENALTY * beta
        curvature = np.tensordot(deaths, square - mean[:, :, None] * mean[:, None, :], 1) + PENALTY * np.eye(k)
        change = np.clip(np.linalg.solve(curvature, gradient), -1, 1)
        beta = beta + change
        if np.abs(change).max() < CONVERGED:
            break
    risk = np.exp(spline @ beta)
    hazard = float((deaths / np.maximum(sets.at_risk(weight * risk), SURE)).sum())
    return beta, 1 - np.exp(-hazard * risk)


def _dead(sets: _UpTo, weight: Array) -> float:
    """Share who have died by the horizon, Kaplan-Meier."""
    return float(1 - np.prod(1 - sets.deaths(weight) / np.maximum(sets.at_risk(weight), SURE)))
