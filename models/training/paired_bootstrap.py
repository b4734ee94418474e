"""Harrell's C of several models on the same patients and the same bootstrap samples, all samples at once.

A sample is a weight per patient (how often it was drawn), so that C is a ratio of quadratic forms in the weights:
one matrix product per block of deaths serves every sample. The definition of a pair is that of `concordance`.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.training.evaluation_report import Interval, Ranking
from models.training.reference_groups import rounded

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Groups = NDArray[np.generic]

BLOCK = 2_000_000  # pairs that are held in memory at once


def bootstrap_weights(patients: int, bootstraps: int, seed: int) -> NDArray[np.float32]:
    """How often each patient was drawn, [n, 1 + B]; the first column is the cohort itself."""
    random = np.random.default_rng(seed)
    weights = np.ones((patients, 1 + bootstraps), dtype=np.float32)
    for sample in range(1, 1 + bootstraps):
        weights[:, sample] = np.bincount(random.integers(0, patients, patients), minlength=patients)
    return weights


def resampled_c(
    risks: Array, time: Array, event: Flags, entry: Array, group: Groups, weights: NDArray[np.float32]
) -> Array:
    """C of `risks` [n, M] over the pairs inside a group, [1 + B, M]; NaN in a sample without a comparable pair."""
    concordant, comparable = np.zeros((weights.shape[1], risks.shape[1])), np.zeros(weights.shape[1])
    for rows in _groups(group):
        dead = rows[event[rows]]
        for part in np.array_split(dead, len(dead) * len(rows) // BLOCK + 1):
            later = (time[rows] > time[part, None]) | ((time[rows] == time[part, None]) & ~event[rows])
            pairs = (later & (entry[rows] < time[part, None])).astype(np.float32)
            comparable += _weighed(pairs, weights[part], weights[rows])
            for model, risk in enumerate(risks.T):
                lower = (risk[rows] < risk[part, None]) + np.float32(0.5) * (risk[rows] == risk[part, None])
                concordant[:, model] += _weighed(pairs * lower, weights[part], weights[rows])
    return np.divide(
        concordant, comparable[:, None], out=np.full_like(concordant, np.nan), where=comparable[:, None] > 0
    )


def rankings(
    risk: Mapping[str, Array],
    outcome: tuple[Array, Flags, Array],
    fold: NDArray[np.intp],
    kind: NDArray[np.str_],
    weights: NDArray[np.float32],
) -> dict[str, Ranking]:
    """C of every model pooled and within a type, and under "a - b" the difference of each later one from the first.

    `outcome` is time, event, entry; `fold` and `kind` [n]: only patients of one fold, and of one type, are compared.
    A model is left out where there is no comparable pair.
    """
    names, columns = list(risk), np.stack(list(risk.values()), axis=1)
    _, within = np.unique(np.char.add(np.char.add(fold.astype(str), "\0"), kind), return_inverse=True)
    pooled, typed = (resampled_c(columns, *outcome, group, weights) for group in (fold, within))
    found = {name: _ranking(pooled[:, i], typed[:, i]) for i, name in enumerate(names)}
    for i, other in enumerate(names[1:], start=1):
        found[f"{names[0]} - {other}"] = _ranking(pooled[:, 0] - pooled[:, i], typed[:, 0] - typed[:, i])
    return {name: ranking for name, ranking in found.items() if ranking is not None}


def interval(samples: Array) -> Interval | None:
    """The estimate (first) with the 2.5 % and 97.5 % quantiles of its bootstrap; None where there is no estimate."""
    if np.isnan(samples[0]):
        return None
    rest = samples[1:][~np.isnan(samples[1:])]
    low, high = np.quantile(rest, [0.025, 0.975]) if len(rest) else (samples[0], samples[0])
    return Interval(rounded(samples[0]), rounded(low), rounded(high))


def _ranking(pooled: Array, within: Array) -> Ranking | None:
    estimate = interval(pooled)
    return None if estimate is None else Ranking(estimate, interval(within))


def _weighed(pairs: NDArray[np.float32], of_dead: NDArray[np.float32], of_all: NDArray[np.float32]) -> Array:
    return np.asarray(((pairs @ of_all).astype(np.float64) * of_dead).sum(axis=0))


def _groups(group: Groups) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(group == name) for name in np.unique(group)]
