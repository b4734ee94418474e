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
FREE = 1e-6  # the intercept is as good as unpenalised
LEAST_OF_EITHER = 10  # dead and alive


def known_at(cohort: Cohort, days: float) -> tuple[Flags, Flags]:
    """Who has an outcome on `days` [n], and who of them is dead [n].

    Those who died by that day or were seen after it; not those who came under observation only after time zero, since
    they could not have died before.
    """
    dead = cohort.event & (cohort.time <= days)
    return (dead | (cohort.time > days)) & (cohort.entry == 0), dead


def ridge_logistic(columns: Array, dead: Flags, penalty: Array, start: Array | None = None) -> Array:
    """Coefficients [K] that maximise the log-likelihood - sum(penalty * beta^2) / 2, by Newton's method."""
    beta = np.zeros(columns.shape[1]) if start is None else start
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

    Both are of one cohort. NaN where too few of `train` are dead, or alive, on that day.
    """
    known, dead = known_at(train.cohort, days)
    rows, dead = train.rows(known), dead[known]
    if min(dead.sum(), (~dead).sum()) < LEAST_OF_EITHER:
        return np.full(len(test.cohort), np.nan)
    fold, total = deal(rows.cohort, seed), np.zeros(len(STRENGTHS))
    for number in np.unique(fold):
        total += _left_out(rows, dead, fold == number)
    mean = means(rows)
    beta = ridge_logistic(_columns(rows, mean), dead, _penalty(len(mean), STRENGTHS[int(total.argmax())]))
    return np.asarray(_columns(test, mean) @ beta)


def _left_out(table: Table, dead: Flags, out: Flags) -> Array:
    """Log-likelihood of the patients in `out` by the others, for each of STRENGTHS, each started at the last."""
    train, test = table.rows(~out), table.rows(out)
    mean = means(train)
    columns, test_columns = _columns(train, mean), _columns(test, mean)
    beta, found = None, []
    for strength in STRENGTHS:
        beta = ridge_logistic(columns, dead[~out], _penalty(len(mean), strength), beta)
        found.append(_log_likelihood(test_columns @ beta, dead[out]))
    return np.array(found)


def _columns(table: Table, mean: Array) -> Array:
    """The centred inputs and an intercept."""
    return np.column_stack([design(table, mean), np.ones(len(table.cohort))])


def _penalty(inputs: int, strength: float) -> Array:
    return np.append(np.full(inputs, strength), FREE)


def _penalised(columns: Array, dead: Flags, penalty: Array, beta: Array) -> float:
    return _log_likelihood(columns @ beta, dead) - float((penalty * beta**2).sum()) / 2


def _log_likelihood(odds: Array, dead: Flags) -> float:
    return float(np.where(dead, odds, 0.0).sum() - np.logaddexp(0, odds).sum())


def _logistic(odds: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -odds)))
