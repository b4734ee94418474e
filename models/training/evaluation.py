"""Scores predictions: discrimination with bootstrap intervals, calibration, what removing a block does, coverage."""

import numpy as np
from numpy.typing import NDArray

from models.training.calibration import calibration_slope
from models.training.cohort import Cohort
from models.training.concordance import censoring_survival, harrell, uno
from models.training.cox import RiskSets
from models.training.evaluation_report import (
    BOOSTED,
    NETWORK,
    RIDGE,
    STAGE_ONLY,
    TYPE_ONLY,
    Blanking,
    CohortEvaluation,
    Interval,
    ModelScores,
)
from models.training.predictions import EXTERNAL, Predictions
from models.training.reference_groups import rounded
from models.training.survival_scores import DAYS_A_MONTH, HORIZONS, brier_by_month

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

BOOTSTRAPS = 200
PAIRS = ((NETWORK, RIDGE), (NETWORK, TYPE_ONLY), (NETWORK, STAGE_ONLY), (NETWORK, BOOSTED))


def evaluate(predictions: Predictions, seed: int = 0, bootstraps: int = BOOTSTRAPS) -> dict[str, CohortEvaluation]:
    """One evaluation per cohort. Raises ValueError for a cohort in which nobody died."""
    names = sorted(set(predictions.cohort.cohort.tolist()))
    return {name: _evaluate_cohort(predictions, name, seed, bootstraps) for name in names}


def _evaluate_cohort(predictions: Predictions, name: str, seed: int, bootstraps: int) -> CohortEvaluation:
    rows = np.flatnonzero(predictions.cohort.cohort == name)
    cohort = predictions.cohort.rows(rows)
    if not cohort.event.any():
        raise ValueError(f"{name}: nobody died")
    risk = {model: values[rows] for model, values in predictions.risk.items()}
    samples = _resampled(cohort, predictions.fold[rows], risk, seed, bootstraps)
    return CohortEvaluation(
        patients=len(cohort),
        deaths=int(cohort.event.sum()),
        entities=len(set(cohort.entity.tolist()) - {""}),
        folds="external" if (predictions.fold[rows] == EXTERNAL).all() else "out of fold",
        models={model: _scores(cohort, risk[model], samples[model], predictions, rows, model) for model in risk},
        differences={
            f"{one} - {other}": _difference(samples[one], samples[other])
            for one, other in PAIRS
            if {one, other} <= risk.keys()
        },
        blanking=_blanking(predictions, rows),
        coverage=_coverage(predictions, rows),
    )


def _resampled(cohort: Cohort, fold: Rows, risk: dict[str, Array], seed: int, bootstraps: int) -> dict[str, Array]:
    """Pooled and within-type C of every model on the cohort and on the same bootstrap samples, [1 + B, 2].

    Patients of different folds were scored by different models: only pairs inside a fold are compared. (Across folds a
    type-only model, which must be at .5 within a type, falls to .48: each fold's offset knows what was left out.)
    """
    _, kind = np.unique(cohort.entity, return_inverse=True)
    fold_and_type = fold * (kind.max() + 1) + kind
    random = np.random.default_rng(seed)
    n = len(cohort)
    samples = [np.arange(n), *(random.integers(0, n, n) for _ in range(bootstraps))]
    return {
        model: np.array([_both(cohort, fold, fold_and_type, values, rows) for rows in samples])
        for model, values in risk.items()
    }


def _both(cohort: Cohort, fold: Rows, fold_and_type: Rows, risk: Array, rows: Rows) -> tuple[float, float]:
    columns = risk[rows], cohort.time[rows], cohort.event[rows], cohort.entry[rows]
    return harrell(*columns, group=fold[rows]), harrell(*columns, group=fold_and_type[rows])


def _interval(samples: Array) -> Interval | None:
    """The estimate (first) with the 2.5 % and 97.5 % quantiles of its bootstrap."""
    if np.isnan(samples[0]):
        return None
    low, high = np.nanquantile(samples[1:], [0.025, 0.975]) if len(samples) > 1 else (samples[0], samples[0])
    return Interval(rounded(samples[0]), rounded(low), rounded(high))


def _difference(one: Array, other: Array) -> dict[str, Interval]:
    named = {"pooled": _interval(one[:, 0] - other[:, 0]), "within": _interval(one[:, 1] - other[:, 1])}
    return {name: interval for name, interval in named.items() if interval is not None}


def _scores(
    cohort: Cohort, risk: Array, samples: Array, predictions: Predictions, rows: Rows, model: str
) -> ModelScores:
    pooled = _interval(samples[:, 0])
    if pooled is None:
        raise ValueError("no comparable pair of patients")
    censoring = censoring_survival(cohort.time, cohort.event, cohort.entry)
    columns = risk, cohort.time, cohort.event, cohort.entry
    fold = predictions.fold[rows]
    by_month = {str(month): uno(*columns, month * DAYS_A_MONTH, censoring, fold) for month in HORIZONS}
    brier, integrated = _brier(predictions, rows, model)
    sets = RiskSets(cohort.entry, cohort.time, cohort.event, fold)
    return ModelScores(
        pooled=pooled,
        within=_interval(samples[:, 1]),
        uno={month: rounded(value) for month, value in by_month.items() if not np.isnan(value)},
        brier={month: rounded(value) for month, value in brier.items()},
        integrated_brier=None if integrated is None else rounded(integrated),
        slope=calibration_slope(risk, sets),
    )


def _brier(predictions: Predictions, rows: Rows, model: str) -> tuple[dict[str, float], float | None]:
    """Of patients who were under observation from time zero on; none without a baseline of the cohort."""
    if model not in predictions.survival:
        return {}, None
    rows = rows[predictions.cohort.entry[rows] == 0]
    survival = predictions.survival[model][rows]
    return brier_by_month(survival, predictions.cohort.time[rows], predictions.cohort.event[rows])


def _blanking(predictions: Predictions, rows: Rows) -> dict[str, Blanking]:
    found = {}
    for block, blanked in predictions.blanked.items():
        factor = (blanked - predictions.risk[NETWORK])[rows]
        factor = factor[~np.isnan(factor)]
        if len(factor):
            mean, median = np.exp(factor.mean()), np.exp(np.median(factor))
            found[block] = Blanking(rounded(mean), rounded(median), len(factor))
    return found


def _coverage(predictions: Predictions, rows: Rows) -> dict[str, float]:
    """Share of the parameters with weights that the patients have, per modality."""
    return {
        modality: rounded(np.nansum(observed[rows]) / np.nansum(predictions.possible[modality][rows]))
        for modality, observed in predictions.observed.items()
        if np.nansum(predictions.possible[modality][rows]) > 0
    }
