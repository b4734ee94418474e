"""Models that need training data of their own and are not packed: boosted Cox, and a logistic model per horizon.

Both are fitted in the folds of the network, on the inputs that the network selects there.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.boosting import BoostingRecipe, choose_rounds, fit_boosting
from models.training.comparators import FEW_INPUTS_STRENGTH
from models.training.evaluation_report import BOOSTED
from models.training.folds import deal
from models.training.logistic import logistic_risk
from models.training.predictions import EXTERNAL, Predictions
from models.training.ridge import CentredRidge, Table, fit_ridge
from models.training.selection import select_inputs

Array = NDArray[np.float64]

HORIZON_DAYS: Mapping[str, tuple[int, ...]] = {"acute": (30, 60, 90, 180)}
TENTHS = 10  # of the training patients, one tells how long to boost


def add_rivals(predictions: Predictions, schema: FeatureSchema, seed: int) -> dict[int, Array]:
    """Put the boosted Cox model's risk beside the others; the log-odds [n] of the logistic model by horizon.

    Out of fold; patients who did not train the package get neither.
    """
    fold = predictions.fold
    if (fold == EXTERNAL).all():
        return {}
    predictions.risk[BOOSTED] = np.full(len(fold), np.nan)
    odds = {day: np.full(len(fold), np.nan) for day in _days(predictions)}
    for number in np.unique(fold):
        train_rows, test_rows = fold != number, fold == number
        inputs = select_inputs(predictions.cohort.rows(train_rows & predictions.cohort.with_cancer), schema)
        table = Table.of(inputs, predictions.cohort, schema)
        train, test = table.rows(train_rows), table.rows(test_rows)
        predictions.risk[BOOSTED][test_rows] = boosted_risk(train, test, seed)
        for day, column in odds.items():
            column[test_rows] = _odds_by_cohort(train, test, day, seed)
    return odds


def _odds_by_cohort(train: Table, test: Table, day: int, seed: int) -> Array:
    """Each cohort by a model of its own: the slopes of in-patients without cancer are not theirs with cancer."""
    odds = np.full(len(test.cohort), np.nan)
    for name in np.unique(test.cohort.cohort):
        own, mine = train.cohort.cohort == name, test.cohort.cohort == name
        odds[mine] = logistic_risk(train.rows(own), test.rows(mine), day, seed)
    return odds


def boosted_risk(train: Table, test: Table, seed: int) -> Array:
    """Log-risk [n] of the patients of `test`: rounds chosen on a tenth of `train`, then fitted on all of it."""
    recipe = BoostingRecipe(seed=seed)
    out = deal(train.cohort, seed, TENTHS) == 0
    by_type = fit_ridge(train.only_entities(), np.full(len(train.inputs.entities), FEW_INPUTS_STRENGTH))
    columns = _columns(train, by_type)
    most, rest = train.rows(~out), train.rows(out)
    rounds = choose_rounds(columns[~out], most.risk_sets(), columns[out], rest.risk_sets(), recipe)
    return fit_boosting(columns, train.risk_sets(), rounds, recipe).risk(_columns(test, by_type))


def _columns(table: Table, by_type: CentredRidge) -> Array:
    """The scaled parameters, and the cancer types in the order of their risk: a tree splits them anywhere at once."""
    d = len(table.inputs.parameters)
    known = np.nan_to_num(table.scaled[:, d:]).any(axis=1)
    order = np.where(known, by_type.risk(table.only_entities()), np.nan)
    return np.column_stack([table.scaled[:, :d], order])


def _days(predictions: Predictions) -> Sequence[int]:
    settings = sorted(set(predictions.cohort.setting.tolist()))
    return sorted({day for setting in settings for day in HORIZON_DAYS.get(setting, ())})
