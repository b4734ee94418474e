"""Risks of every model for the patients of an evaluation: out of fold where they trained it, else by the package."""

import csv
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network.applicability import distance, with_usual
from models.network.fitted import FittedNetwork, Inputs
from models.setting import Network
from models.training.blocks import block_of
from models.training.calibration import cumulative_hazard
from models.training.cohort import Cohort
from models.training.comparators import Comparators, comparators
from models.training.evaluation_report import NETWORK, RIDGE
from models.training.fits import Fit
from models.training.folds import RANDOM, fold_by
from models.training.horizons import GRID_POINTS, horizons_of
from models.training.key_markers import deviations, markers_of
from models.training.network_training import Progress, Recipe, train_network
from models.training.ridge import Table
from models.training.scenarios import blanked, thinned_out
from models.training.selection import select_inputs

Array = NDArray[np.float64]
Score = Callable[[NDArray[np.float32]], Array]

EXTERNAL = -1
SEED = 0  # of what the scenarios remove


class Predictions(msgspec.Struct, frozen=True):
    """Log-risk [n] per model; `fold` [n], EXTERNAL where the patient did not train the package.

    `survival` [n, grid of `horizons_of`] per model, NaN where there is no baseline; `blanked` [n] is the network's
    log-risk without one block of inputs, NaN for patients of whom nothing in the block is known. `observed` counts, per
    modality, the parameters with weights that each patient has, `possible` those there are. `kind` says how the folds
    were made; `scenarios` are log-risks [n] with inputs blanked, by scenario and model.

    `distance` [n, 2] is that from the training patients, of the whole picture and with a random share of its inputs
    missing. `deviation` [n, markers] is |relevance - typical| of the network for the markers of
    `key_markers.markers_of`; typical is the mean of the training patients, 0 by the centring.
    """

    cohort: Cohort
    fold: NDArray[np.intp]
    risk: dict[str, Array]
    survival: dict[str, Array]
    blanked: dict[str, Array]
    observed: dict[str, Array]
    possible: dict[str, Array]
    kind: str = RANDOM
    scenarios: dict[str, dict[str, Array]] = {}
    distance: Array | None = None
    deviation: NDArray[np.float32] | None = None

    def rows(self, which: NDArray[np.intp]) -> "Predictions":
        """The predictions of some patients."""
        parts = {
            name: {key: column[which] for key, column in getattr(self, name).items()}
            for name in ("risk", "survival", "blanked", "observed", "possible")
        }
        scenarios = {
            name: {model: risk[which] for model, risk in by_model.items()} for name, by_model in self.scenarios.items()
        }
        return Predictions(
            self.cohort.rows(which),
            self.fold[which],
            **parts,
            kind=self.kind,
            scenarios=scenarios,
            distance=None if self.distance is None else self.distance[which],
            deviation=None if self.deviation is None else self.deviation[which],
        )


def out_of_fold(
    cohort: Cohort,
    schema: FeatureSchema,
    recipe: Recipe,
    progress: Progress,
    fit: Fit = train_network,
    kind: str = RANDOM,
) -> Predictions:
    """Train on all folds but one, predict that one; everything that is learned is learned anew in each fold."""
    fold = fold_by(kind, cohort, recipe.seed)
    distances = np.full((len(cohort), 2), np.nan)
    thinned = thinned_out(cohort.values, schema, SEED)
    deviation = np.zeros((len(cohort), len(markers_of(schema))), dtype=np.float32)
    found = msgspec.structs.replace(_empty(cohort, fold, kind), distance=distances, deviation=deviation)
    for number in np.unique(fold):
        train, test = cohort.rows(fold != number), cohort.rows(fold == number)
        inputs = select_inputs(train.rows(train.with_cancer), schema)
        table = Table.of(inputs, train, schema)
        trained = fit(table, schema, recipe, partial(_tell, progress, number))
        scores = _scores(trained.network, comparators(table, trained.ridge), schema)
        _fill(found, fold == number, inputs, scores, schema)
        _add_survival(found, fold == number, train, test, scores)
        looking = with_usual(trained.network, table.pairs[train.with_cancer])
        pairs = inputs.pairs(test.values, schema)
        distances[fold == number, 0] = distance(looking, pairs)
        distances[fold == number, 1] = distance(looking, inputs.pairs(thinned[fold == number], schema))
        relevance = np.zeros(test.values.shape)
        relevance[:, inputs.columns(schema)] = trained.network.relevance(pairs)
        deviation[fold == number] = _deviation(relevance, test, schema)
    return found


def by_fitted(network: FittedNetwork, others: Comparators, cohort: Cohort, schema: FeatureSchema) -> Predictions:
    """What a network that is not packed yet says of patients who did not train it."""
    found = _empty(cohort, np.full(len(cohort), EXTERNAL))
    _fill(found, np.ones(len(cohort), dtype=bool), network.inputs, _scores(network, others, schema), schema)
    return found


def external(network: Network, others: Comparators, cohort: Cohort, schema: FeatureSchema) -> Predictions:
    """What the package itself says of patients who did not train it."""
    pictures = cohort.values, thinned_out(cohort.values, schema, SEED)
    distances = np.stack([network.predictor.distance(values).astype(np.float64) for values in pictures], axis=1)
    _, relevance = network.predictor.relevance(cohort.values)
    found = msgspec.structs.replace(
        _empty(cohort, np.full(len(cohort), EXTERNAL)),
        distance=distances,
        deviation=_deviation(relevance, cohort, schema),
    )
    trained = tuple(key for key in schema.keys if key in network.trained)
    parameters = tuple(key for key in trained if not schema[key].is_entity)
    inputs = Inputs(parameters, tuple(key for key in trained if schema[key].is_entity), {})
    scores = {NETWORK: partial(_by_package, network)} | _linear_scores(others, schema)
    _fill(found, np.ones(len(cohort), dtype=bool), inputs, scores, schema)
    _add_served_survival(found, network)
    return found


def _deviation(relevance: NDArray[np.floating], cohort: Cohort, schema: FeatureSchema) -> NDArray[np.float32]:
    found = deviations(relevance, ~np.isnan(cohort.values), np.zeros(len(schema)), schema)
    return found.absolute.astype(np.float32)


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


def _empty(cohort: Cohort, fold: NDArray[np.intp], kind: str = RANDOM) -> Predictions:
    return Predictions(cohort, fold, {}, {}, {}, {}, {}, kind, {})


def _column(found: dict[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    return found.setdefault(name, np.full(shape, np.nan))


def _fill(
    found: Predictions, rows: NDArray[np.bool_], inputs: Inputs, scores: dict[str, Score], schema: FeatureSchema
) -> None:
    """Risks, blanked risks and coverage of the patients in `rows`."""
    values, n = found.cohort.values[rows], (len(found.cohort),)
    for name, score in scores.items():
        _column(found.risk, name, n)[rows] = score(values)
    for scenario, part in blanked(found.cohort.values, schema, SEED).items():
        for name in (NETWORK, RIDGE):
            _column(found.scenarios.setdefault(scenario, {}), name, n)[rows] = scores[name](part[rows])
    for block, columns in _columns_by(inputs, schema, block_of).items():
        without = values.copy()
        without[:, columns] = np.nan
        known = ~np.isnan(values[:, columns]).all(axis=1)
        _column(found.blanked, block, n)[rows] = np.where(known, scores[NETWORK](without), np.nan)
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
    """Predicted survival at the grid of times, by the baseline of the same cohort among the training patients."""
    places = np.flatnonzero(rows)
    for model, score in scores.items():
        survival = _column(found.survival, model, (len(found.cohort), GRID_POINTS))
        train_risk, test_risk = score(train.values), score(test.values)
        for name in np.intersect1d(test.cohort, train.cohort):  # a cohort that was left out has no baseline
            own, mine = train.cohort == name, test.cohort == name
            days = horizons_of(found.cohort.setting[found.cohort.cohort == name]).grid_days
            hazard = cumulative_hazard(train_risk[own], train.rows(own), days)
            survival[places[mine]] = np.exp(-hazard[None, :] * np.exp(test_risk[mine])[:, None])


def _add_served_survival(found: Predictions, network: Network) -> None:
    """By the baseline of the setting's anchor cohort, as far as that is supported: what the package would say."""
    baseline = network.manifest.baselines[network.manifest.anchor]
    hazard = np.array([0.0, *baseline.hazard])
    survival = _column(found.survival, NETWORK, (len(found.cohort), GRID_POINTS))
    for name in np.unique(found.cohort.cohort):
        mine = found.cohort.cohort == name
        days = horizons_of(found.cohort.setting[mine]).grid_days
        reached = hazard[np.searchsorted(baseline.days, days, side="right")]
        known = np.where(days <= baseline.supported_days, reached, np.nan)
        survival[mine] = np.exp(-known[None, :] * np.exp(network.slope * found.risk[NETWORK][mine])[:, None])
