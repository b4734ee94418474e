"""Harrell's C of several models on the same patients and the same bootstrap samples, and their paired differences."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort
from models.training.evaluation_report import Ranking
from models.training.resampling import PairSamples, draws, interval

Array = NDArray[np.float64]


def rankings(
    risk: Mapping[str, Array], cohort: Cohort, fold: NDArray[np.intp], seed: int, bootstraps: int
) -> dict[str, Ranking]:
    """C of every model pooled and within a type, and under "a - b" the difference of each later one from the first.

    `fold` [n]: only patients of one fold are compared. A model is left out where there is no comparable pair.
    """
    drawn = draws(len(cohort), bootstraps, seed)
    _, within = np.unique(np.char.add(np.char.add(fold.astype(str), "\0"), cohort.entity), return_inverse=True)
    pooled, typed = PairSamples(cohort, fold, drawn), PairSamples(cohort, within, drawn)
    samples = {name: (pooled.c(column), typed.c(column)) for name, column in risk.items()}
    first, *others = samples
    for other in others:
        ours, theirs = samples[first], samples[other]
        samples[f"{first} - {other}"] = ours[0] - theirs[0], ours[1] - theirs[1]
    found = {name: _ranking(*both) for name, both in samples.items()}
    return {name: ranking for name, ranking in found.items() if ranking is not None}


def _ranking(pooled: Array, within: Array) -> Ranking | None:
    estimate = interval(pooled)
    return None if estimate is None else Ranking(estimate, interval(within))
