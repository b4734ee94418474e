"""Risks of every model for the patients of an evaluation: out of fold where they trained it, else by the package."""

import csv
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network.fitted import FittedNetwork, Inputs
from models.setting import Network
from models.training.calibration import cumulative_hazard
from models.training.cohort import Cohort
from models.training.comparators import Comparators, comparators
from models.training.evaluation_report import NETWORK
from models.training.fits import Fit
from models.training.folds import FOLDS, deal
from models.training.network_training import Progress, Recipe, block_of, train_network
from models.training.ridge import Table
from models.training.selection import select_inputs
from models.training.survival_scores import DAYS_A_MONTH, GRID

Array = NDArray[np.float64]
Score = Callable[[NDArray[np.float32]], Array]

EXTERNAL = -1


class Predictions(msgspec.Struct, frozen=True):
    """Log-risk [n] per model; `fold` [n], EXTERNAL where the patient did not train the package.

    `survival` [n, months of GRID] per model, NaN where no baseline of the cohort exists; `blanked` [n] is the network's
    log-risk without one block of inputs, NaN for patients of whom nothing in the block is known. `observed` counts, per
    modality, the parameters with weights that each patient has, `possible` those there are.
    """

    cohort: Cohort
    fold: NDArray[np.intp]
    risk: dict[str, Array]
    survival: dict[str, Array]
    blanked: dict[str, Array]
    observed: dict[str, Array]
    possible: dict[str, Array]


def out_of_fold(
    cohort: Cohort, schema: FeatureSchema, recipe: Recipe, progress: Progress, fit: Fit = train_network
) -> Predictions:
    """Train on four fifths, predict the rest, five times; everything that is learned is learned anew in each fold."""
    fold = deal(cohort, recipe.seed)
    found = _empty(cohort, fold)
    for number in range(FOLDS):
        train, test = cohort.rows(fold != number), cohort.rows(fold == number)
        inputs = select_inputs(train.rows(train.with_cancer), schema)
        table = Table.of(inputs, train, schema)
        trained = fit(table, schema, recipe, partial(_tell, progress, number))
        scores = _scores(trained.network, comparators(table, trained.ridge), schema)
        _fill(found, fold == number, inputs, scores, schema)
        _add_survival(found, fold == number, train, test, scores)
    return found


def by_fitted(network: FittedNetwork, others: Comparators, cohort: Cohort, schema: FeatureSchema) -> Predictions:
    """What a network that is not packed yet says of patients who did not train it."""
    found = _empty(cohort, np.full(len(cohort), EXTERNAL))
    _fill(found, np.ones(len(cohort), dtype=bool), network.inputs, _scores(network, others, schema), schema)
    return found


def external(network: Network, others: Comparators, cohort: Cohort, schema: FeatureSchema) -> Predictions:
    """What the package itself says of patients who did not train it."""
    found = _empty(cohort, np.full(len(cohort), EXTERNAL))
    trained = tuple(key for key in schema.keys if key in network.trained)
    parameters = tuple(key for key in trained if not schema[key].is_entity)
    inputs = Inputs(parameters, tuple(key for key in trained if schema[key].is_entity), {})
    scores = {NETWORK: partial(_by_package, network)} | _linear_scores(others, schema)
    _fill(found, np.ones(len(cohort), dtype=bool), inputs, scores, schema)
    return found


def write_predictions(path: Path, several: Iterable[Predictions]) -> None:
    """CSV patient_id, cohort, fold, model, risk (CONTRACTS.md); `fold` is `external` or the number of the fold."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("patient_id", "cohort", "fold", "model", "risk"))
        for predictions in several:
            for model, risk in predictions.risk.items():
                writer.writerows(_csv_rows(predictions, model, risk))


def _csv_rows(predictions: Predictions, model: str, risk: Array) -> Iterable[tuple[str, ...]]:
    columns = predictions.cohort.patient_id, predictions.cohort.cohort, predictions.fold, risk
    for patient, cohort, fold, value in zip(*columns, strict=True):
        yield str(patient), str(cohort), "external" if fold == EXTERNAL else str(fold), model, f"{value:.7g}"


def _tell(progress: Progress, fold: int, text: str) -> None:
    progress(f"fold {fold + 1}: {text}")


def _scores(network: FittedNetwork, others: Comparators, schema: FeatureSchema) -> dict[str, Score]:
    return {NETWORK: partial(_by_fitted, network, schema)} | _linear_scores(others, schema)


def _linear_scores(others: Comparators, schema: FeatureSchema) -> dict[str, Score]:
    return {name: partial(others.risk, name, schema) for name in others.weights}


def _by_fitted(network: FittedNetwork, schema: FeatureSchema, values: NDArray[np.float32]) -> Array:
    return network.risk(network.inputs.pairs(values, schema))


def _by_package(network: Network, values: NDArray[np.float32]) -> Array:
    return network.predictor.risk(values).astype(np.float64)


def _empty(cohort: Cohort, fold: NDArray[np.intp]) -> Predictions:
    return Predictions(cohort, fold, {}, {}, {}, {}, {})


def _column(found: dict[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    return found.setdefault(name, np.full(shape, np.nan))


def _fill(
    found: Predictions, rows: NDArray[np.bool_], inputs: Inputs, scores: dict[str, Score], schema: FeatureSchema
) -> None:
    """Risks, blanked risks and coverage of the patients in `rows`."""
    values, n = found.cohort.values[rows], (len(found.cohort),)
    for name, score in scores.items():
        _column(found.risk, name, n)[rows] = score(values)
    for block, columns in _columns_by(inputs, schema, block_of).items():
        without = values.copy()
        without[:, columns] = np.nan
        known = ~np.isnan(values[:, columns]).all(axis=1)
        blanked = np.where(known, scores[NETWORK](without), np.nan)
        _column(found.blanked, block, n)[rows] = blanked
    for modality, columns in _columns_by(inputs, schema, _modality).items():
        _column(found.observed, modality, n)[rows] = (~np.isnan(values[:, columns])).sum(axis=1)
        _column(found.possible, modality, n)[rows] = len(columns)


def _modality(key: str, schema: FeatureSchema) -> str:
    return str(schema[key].modality)


def _columns_by(
    inputs: Inputs, schema: FeatureSchema, name: Callable[[str, FeatureSchema], str]
) -> dict[str, NDArray[np.intp]]:
    """Catalogue columns of the parameters (without entities) by block or modality."""
    found: dict[str, list[int]] = {}
    for key in inputs.parameters:
        found.setdefault(name(key, schema), []).append(schema.index[key])
    return {block: np.array(columns) for block, columns in sorted(found.items())}


def _add_survival(
    found: Predictions, rows: NDArray[np.bool_], train: Cohort, test: Cohort, scores: dict[str, Score]
) -> None:
    """Predicted survival at the months of GRID, by the baseline of the same cohort among the training patients."""
    days = np.array(GRID) * DAYS_A_MONTH
    places = np.flatnonzero(rows)
    for model, score in scores.items():
        survival = _column(found.survival, model, (len(found.cohort), len(GRID)))
        train_risk, test_risk = score(train.values), score(test.values)
        for name in np.unique(test.cohort):
            own, mine = train.cohort == name, test.cohort == name
            hazard = cumulative_hazard(train_risk[own], train.rows(own), days)
            survival[places[mine]] = np.exp(-hazard[None, :] * np.exp(test_risk[mine])[:, None])
