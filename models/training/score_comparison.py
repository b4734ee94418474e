"""The network against each clinical score, and against all of them together, on the patients who have the score."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network.fitted import Inputs
from models.training.clinical_scores import CLINICAL_SCORES
from models.training.cohort import Cohort
from models.training.evaluation_report import NETWORK, RIDGE, ComparatorRow
from models.training.folds import deal
from models.training.predictions import EXTERNAL
from models.training.rankings import rankings
from models.training.ridge import Table, choose_strength, design, fit_ridge

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_PATIENTS, LEAST_DEATHS = 50, 10  # who have a score, for it to be compared
ALL, ALL_LABEL = "all-comparators", "all comparators (linear)"


def comparator_rows(
    cohort: Cohort,
    risk: Mapping[str, Array],
    fold: NDArray[np.intp],
    schema: FeatureSchema,
    seed: int,
    bootstraps: int,
) -> list[ComparatorRow]:
    """One row per score, then the linear model of all that are available; `risk` holds the network's [n] and others'.

    `fold` [n]: only patients of one fold are compared. A cohort that did not train the package has no folds: there the
    linear model is cross-fitted in folds of its own (which favours it: it alone learns from this cohort).
    """
    scores = {score.key: score.risk(cohort, schema) for score in CLINICAL_SCORES}
    rows = [_row(s.key, s.label, scores[s.key], cohort, risk, fold, seed, bootstraps) for s in CLINICAL_SCORES]
    available = {row.key: scores[row.key] for row in rows if row.comparator is not None}
    inner = deal(cohort, seed) if (fold == EXTERNAL).all() else fold
    together = _all_together(cohort, available, inner, seed)
    return [*rows, _row(ALL, ALL_LABEL, together, cohort, risk, inner, seed, bootstraps)]


def enough(cohort: Cohort, have: Flags) -> bool:
    """Whether a model that these patients have can be compared."""
    return int(have.sum()) >= LEAST_PATIENTS and int(cohort.event[have].sum()) >= LEAST_DEATHS


def _row(
    key: str,
    label: str,
    score: Array,
    cohort: Cohort,
    risk: Mapping[str, Array],
    fold: NDArray[np.intp],
    seed: int,
    bootstraps: int,
) -> ComparatorRow:
    have = ~np.isnan(score)
    patients, deaths = int(have.sum()), int(cohort.event[have].sum())
    if not enough(cohort, have):
        return ComparatorRow(key, label, patients, deaths)
    compared = {NETWORK: risk[NETWORK][have], key: score[have]}
    if RIDGE in risk:
        compared[RIDGE] = risk[RIDGE][have]
    found = rankings(compared, cohort.rows(have), fold[have], seed, bootstraps)
    return ComparatorRow(
        key,
        label,
        patients,
        deaths,
        found.get(key),
        found.get(NETWORK),
        found.get(RIDGE),
        found.get(f"{NETWORK} - {key}"),
    )


def _all_together(cohort: Cohort, scores: Mapping[str, Array], fold: NDArray[np.intp], seed: int) -> Array:
    """Centred ridge Cox on the scores, each patient predicted by the other folds; NaN for those who have no score."""
    risk = np.full(len(cohort), np.nan)
    if not scores:
        return risk
    columns = np.stack(list(scores.values()), axis=1)
    some = ~np.isnan(columns).all(axis=1)
    for number in np.unique(fold):
        train, test = some & (fold != number), some & (fold == number)
        if enough(cohort, train):
            risk[test] = _linear(cohort, tuple(scores), columns, train, test, seed)
    return risk


def _linear(cohort: Cohort, keys: tuple[str, ...], columns: Array, train: Flags, test: Flags, seed: int) -> Array:
    low, high = np.nanquantile(columns[train], [0.01, 0.99], axis=0)
    scaled = np.clip((columns - low) / np.where(high > low, high - low, 1.0), 0, 1)
    table = Table(Inputs(keys, (), {}), scaled, np.empty((len(cohort), 0)), cohort)
    known = table.rows(train)
    strength = choose_strength(known, deal(known.cohort, seed), np.zeros(len(keys), dtype=bool))
    fitted = fit_ridge(known, strength)
    return np.asarray(design(table.rows(test), fitted.mean) @ fitted.beta)
