"""Ridge logistic regression per horizon: dead by that day or not, on the inputs of the centred ridge Cox.

A horizon has its own slopes, where Cox's hold at all times. Patients who left observation before the horizon have no
outcome there and are left out.
"""

import numpy as np
from numpy.typing import NDArray

from models.training.cohort import Cohort
from models.training.folds import deal
from models.training.ridge import STRENGTHS, Table, design, means

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

MAXIMAL_STEPS = 30
CONVERGED = 1e-9
FREE = 1e-4  # what keeps the intercept of a cohort finite in which everybody, or nobody, died


def known_at(cohort: Cohort, days: float) -> tuple[Flags, Flags]:
    """Who has an outcome on `days` [n], and who of them is dead [n].

    Those who died by that day or were seen after it; not those who came under observation only after time zero, since
    they could not have died before.
    """
    dead = cohort.event & (cohort.time <= days)
    return (dead | (cohort.time > days)) & (cohort.entry == 0), dead


def ridge_logistic(columns: Array, dead: Flags, penalty: Array) -> Array:
    """Coefficients [K] that maximise the log-likelihood - sum(penalty * beta^2) / 2, by Newton's method."""
    beta = np.zeros(columns.shape[1])
    value = _penalised(columns, dead, penalty, beta)
    for _ in range(MAXIMAL_STEPS):
        probability = _logistic(columns @ beta)
        gradient = columns.T @ (dead - probability) - penalty * beta
        curvature = (columns * (probability * (1 - probability))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        reached = _penalised(columns, dead, penalty, beta + step)
        while reached < value and np.abs(step).max() > CONVERGED:
            step = step / 2
            reached = _penalised(columns, dead, penalty, beta + step)
        beta, gained, value = beta + step, reached - value, max(value, reached)
        if gained <= CONVERGED * abs(value):
            break
    return np.asarray(beta)


def logistic_risk(train: Table, test: Table, days: float, seed: int) -> Array:
    """The log-odds of death by `days` of the patients of `test` [n]: fitted on `train`, strength by inner folds.

    Each cohort has its own intercept, which moves none of its patients past another and is left out of the answer.
    """
    known, dead = known_at(train.cohort, days)
    rows, dead = train.rows(known), dead[known]
    fold = deal(rows.cohort, seed)
    strength = max(STRENGTHS, key=lambda tried: _left_out(rows, dead, fold, tried))
    mean = means(rows)
    return np.asarray(design(test, mean) @ _fit(rows, dead, mean, strength)[: len(mean)])


def _left_out(table: Table, dead: Flags, fold: NDArray[np.intp], strength: float) -> float:
    """Log-likelihood of each fold by the others."""
    total = 0.0
    for number in np.unique(fold):
        out = fold == number
        train, test = table.rows(~out), table.rows(out)
        mean = means(train)
        beta = _fit(train, dead[~out], mean, strength, table.cohort.cohort)
        columns = np.column_stack([design(test, mean), _intercepts(test.cohort, table.cohort.cohort)])
        total += _log_likelihood(columns @ beta, dead[out])
    return total


def _fit(
    table: Table, dead: Flags, mean: Array, strength: float, cohorts: NDArray[np.str_] | None = None
) -> Array:
    intercepts = _intercepts(table.cohort, table.cohort.cohort if cohorts is None else cohorts)
    columns = np.column_stack([design(table, mean), intercepts])
    penalty = np.concatenate([np.full(len(mean), strength), np.full(intercepts.shape[1], FREE)])
    return ridge_logistic(columns, dead, penalty)


def _intercepts(cohort: Cohort, cohorts: NDArray[np.str_]) -> Array:
    return (cohort.cohort[:, None] == np.unique(cohorts)).astype(np.float64)


def _penalised(columns: Array, dead: Flags, penalty: Array, beta: Array) -> float:
    return _log_likelihood(columns @ beta, dead) - float((penalty * beta**2).sum()) / 2


def _log_likelihood(odds: Array, dead: Flags) -> float:
    return float(np.where(dead, odds, 0.0).sum() - np.logaddexp(0, odds).sum())


def _logistic(odds: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -odds)))
