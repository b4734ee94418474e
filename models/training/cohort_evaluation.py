"""Evaluates a package on a cohort file: out of fold where the cohort trained it, else as it is served."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from models.features import FeatureSchema
from models.package import COMPARATORS, Package
from models.setting import Network
from models.training.cohort import Cohort, CohortError
from models.training.comparators import Comparators
from models.training.evaluation import BOOTSTRAPS, evaluation_of
from models.training.evaluation_report import CohortEvaluation, Evaluation
from models.training.fits import Fit
from models.training.folds import RANDOM
from models.training.full_evaluation import evaluate_fully
from models.training.interaction_checks import interaction_checks
from models.training.network_training import Progress, Recipe, train_network
from models.training.predictions import EXTERNAL, Predictions, external, out_of_fold
from models.training.published import Published


def evaluate_package(
    package: Package,
    cohort: Cohort,
    schema: FeatureSchema,
    setting: str | None,
    progress: Progress,
    bootstraps: int = BOOTSTRAPS,
    fit: Fit = train_network,
    folds: str = RANDOM,
    published: Sequence[Published] = (),
) -> tuple[Evaluation, list[Predictions]]:
    """Scores by setting and cohort, and the predictions behind them.

    Each row is scored by the network of its setting (`setting` forces one). Cohorts that trained this network are
    predicted out of fold by its own recipe, refitted on the rows that are given; `folds` says who is predicted
    together. `published` predictions stand beside ours. Raises CohortError where nobody died, or where no cohort can be
    left out.
    """
    settings: dict[str, dict[str, CohortEvaluation]] = {}
    made = []
    for network, rows in rows_by_network(package, cohort, setting):
        try:
            for predictions in _predictions(package, network, rows, schema, progress, fit, folds):
                made.append(predictions)
                scored = evaluate_fully(
                    predictions, schema, bootstraps=bootstraps, published=published, limit=_limit(network, predictions)
                )
                scored = _with_checks(scored, package, network, predictions, schema)
                settings.setdefault(network.setting, {}).update(scored)
        except ValueError as error:
            raise CohortError(str(error)) from error
    return evaluation_of(settings, bootstraps), made


def read_comparators(path: Path) -> Mapping[str, Comparators]:
    """The linear models of a package by setting. The package has been verified before."""
    return msgspec.json.decode((path / COMPARATORS).read_bytes(), type=dict[str, Comparators])


def recipe_of(network: Network) -> Recipe:
    """The recipe that the network was trained by, from its manifest."""
    stated = network.manifest.recipe
    known = {name: stated[name] for name in Recipe.__struct_fields__ if name in stated}
    return msgspec.convert(known, Recipe, strict=False)


def rows_by_network(package: Package, cohort: Cohort, setting: str | None) -> Sequence[tuple[Network, Cohort]]:
    """The networks that score the rows, each with its own (`setting` forces one)."""
    if setting is not None:
        return [(package.network(setting), cohort)]
    networks = {name: package.network(name) for name in sorted(set(cohort.setting.tolist()))}
    used = {id(network): network for network in networks.values()}.values()
    return [
        (network, cohort.rows(np.isin(cohort.setting, [n for n, other in networks.items() if other is network])))
        for network in used
    ]


def _predictions(
    package: Package, network: Network, cohort: Cohort, schema: FeatureSchema, progress: Progress, fit: Fit, folds: str
) -> Sequence[Predictions]:
    trained_on = np.isin(cohort.cohort, [entry.name for entry in network.manifest.cohorts])
    made = []
    if trained_on.any():
        made.append(out_of_fold(cohort.rows(trained_on), schema, recipe_of(network), progress, fit, folds))
    if not trained_on.all():
        others = read_comparators(package.path)[network.setting]
        made.append(external(network, others, cohort.rows(~trained_on), schema))
    return made


def _limit(network: Network, predictions: Predictions) -> float | None:
    """That of the package, for patients whom the package itself scores."""
    known = network.manifest.applicability
    return known.limit if known is not None and (predictions.fold == EXTERNAL).all() else None


def _with_checks(
    scored: Mapping[str, CohortEvaluation],
    package: Package,
    network: Network,
    predictions: Predictions,
    schema: FeatureSchema,
) -> dict[str, CohortEvaluation]:
    """Cohorts that the package itself scored, with what they say of the interactions that it claims."""
    if not (predictions.fold == EXTERNAL).all():
        return dict(scored)
    others = read_comparators(package.path)[network.setting]
    return {
        name: msgspec.structs.replace(
            result,
            interactions=interaction_checks(
                network, others, predictions.cohort.rows(predictions.cohort.cohort == name), schema
            ),
        )
        for name, result in scored.items()
    }
