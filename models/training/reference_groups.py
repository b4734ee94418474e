"""What is typical: mean relevance per parameter, and how training patients of one cancer type spread around it."""

import numpy as np
from numpy.typing import NDArray

from models.manifest import ENTITY, SMALLEST_GROUP, Group, TypicalRelevance
from models.network.fitted import Inputs
from models.training.cohort import Cohort

QUANTILES = np.linspace(0, 1, 101)
DIGITS = 6  # significant digits of what is stored as text


def reference_groups(
    setting: str, inputs: Inputs, cohort: Cohort, scaled: NDArray[np.float64], relevance: NDArray[np.float64]
) -> dict[str, Group]:
    """The group of the setting and of every entity with at least 50 patients; `scaled`, `relevance` are [n, K]."""
    d = len(inputs.parameters)
    known = np.column_stack([~np.isnan(scaled[:, :d]), cohort.entity != ""])
    terms = np.column_stack([relevance[:, :d], relevance[:, d:].sum(axis=1)])
    keys = (*inputs.parameters, ENTITY)
    groups = {setting: _group(keys, terms, known, cohort.event)}
    for entity in np.unique(cohort.entity[cohort.entity != ""]):
        own = cohort.entity == entity
        if own.sum() >= SMALLEST_GROUP:
            groups[str(entity)] = _group(keys, terms[own], known[own], cohort.event[own])
    return groups


def _group(
    keys: tuple[str, ...], terms: NDArray[np.float64], known: NDArray[np.bool_], event: NDArray[np.bool_]
) -> Group:
    typical: dict[str, TypicalRelevance] = {}
    total = np.zeros(len(terms))
    for i, key in enumerate(keys):
        have = known[:, i]
        if have.sum() < SMALLEST_GROUP:
            continue
        mean = rounded(terms[have, i].mean())
        typical[key] = TypicalRelevance(mean, int(have.sum()), rounded(terms[have, i].std()))
        total += np.where(have, terms[:, i] - mean, 0.0)
    quantiles = tuple(rounded(q) for q in np.quantile(total, QUANTILES))
    return Group(len(terms), int(event.sum()), typical, quantiles)


def rounded(value: float) -> float:
    """Six significant digits: what a stored figure needs, and what a person can read."""
    return float(f"{float(value):.{DIGITS}g}")
