"""Folds that look alike: patients of one cohort, cancer type and outcome are dealt out in turn."""

import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort

FOLDS = 5


def deal(cohort: Cohort, seed: int, folds: int = FOLDS) -> NDArray[np.intp]:
    """The fold of each patient, 0 … folds - 1."""
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(cohort))
    order = shuffled[np.lexsort((cohort.event[shuffled], cohort.entity[shuffled], cohort.cohort[shuffled]))]
    fold = np.empty(len(cohort), dtype=np.intp)
    fold[order] = np.arange(len(cohort)) % folds
    return fold
