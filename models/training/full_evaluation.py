"""An evaluation with everything that the network is compared with."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.calibration_curve import calibration_curve
from models.training.evaluation import BOOTSTRAPS, evaluate
from models.training.evaluation_report import NETWORK, CohortEvaluation
from models.training.horizon_comparison import horizon_rows
from models.training.predictions import Predictions
from models.training.published import Published
from models.training.rivals import add_rivals
from models.training.score_comparison import comparator_rows

Array = NDArray[np.float64]


def evaluate_fully(
    predictions: Predictions,
    schema: FeatureSchema,
    seed: int = 0,
    bootstraps: int = BOOTSTRAPS,
    published: Sequence[Published] = (),
    limit: float | None = None,
) -> dict[str, CohortEvaluation]:
    """`evaluate`, and beside it boosting, clinical scores, logistic models, published predictions, calibration.

    The boosted Cox model is added to `predictions`. Raises ValueError for a cohort in which nobody died.
    """
    odds = add_rivals(predictions, schema, seed)
    scored = evaluate(predictions, schema, seed, bootstraps, limit)
    return {
        name: _with_comparisons(result, name, predictions, odds, published, schema, seed, bootstraps)
        for name, result in scored.items()
    }


def _with_comparisons(
    result: CohortEvaluation,
    name: str,
    predictions: Predictions,
    odds: Mapping[int, Array],
    published: Sequence[Published],
    schema: FeatureSchema,
    seed: int,
    bootstraps: int,
) -> CohortEvaluation:
    own = predictions.cohort.cohort == name
    cohort, fold = predictions.cohort.rows(own), predictions.fold[own]
    risk = {model: column[own] for model, column in predictions.risk.items()}
    by_day = {day: column[own] for day, column in odds.items()}
    survival = predictions.survival.get(NETWORK)
    return msgspec.structs.replace(
        result,
        comparators=comparator_rows(cohort, risk, fold, schema, seed, bootstraps),
        horizons=horizon_rows(cohort, risk, by_day, published, fold, seed, bootstraps),
        calibration_curve=None if survival is None else calibration_curve(survival[own], cohort),
    )
