"""Cohort in, trained setting and its evaluation out: what `oncohooks model train` runs."""

import numpy as np

from models.features import FeatureSchema
from models.manifest import Setting, TrainingCohort
from models.training.calibration import baselines, calibration_slope
from models.training.cohort import Cohort
from models.training.comparators import comparators
from models.training.cox import RiskSets
from models.training.evaluation import BOOTSTRAPS
from models.training.evaluation_report import NETWORK, CohortEvaluation, Interval
from models.training.full_evaluation import evaluate_fully
from models.training.network_training import Progress, Recipe, TrainedNetwork, train_network
from models.training.packaging import TrainedSetting
from models.training.predictions import Predictions, out_of_fold
from models.training.reference_groups import reference_groups, rounded
from models.training.ridge import Table
from models.training.selection import describe_inputs, select_inputs
from models.training.sources import OWN, SOURCES

TIME_ZERO = {
    "diagnosis": "diagnosis of the cancer",
    "metastatic": "sequencing of a metastatic cancer",
    "survivor": "examination of a person with a history of cancer",
    "acute": "third day of an acute hospital stay",
}
ANCHORS = {"diagnosis": "tcga", "metastatic": "msk_met", "survivor": "nhanes", "acute": "support2"}


def train_setting(
    key: str,
    cohort: Cohort,
    schema: FeatureSchema,
    recipe: Recipe,
    progress: Progress,
    bootstraps: int = BOOTSTRAPS,
) -> tuple[TrainedSetting, dict[str, CohortEvaluation]]:
    """Cross-validate, then train on everybody. Raises ValueError where nobody died or nothing can be trained."""
    predictions = out_of_fold(cohort, schema, recipe, progress)
    evaluations = evaluate_fully(predictions, schema, recipe.seed, bootstraps)
    inputs = select_inputs(cohort, schema)
    table = Table.of(inputs, cohort, schema)
    trained = train_network(table, schema, recipe, lambda text: progress(f"all patients: {text}"))
    setting = _setting(key, table, trained, _slope(predictions), schema, recipe)
    return TrainedSetting(key, trained.network, setting, comparators(table, trained.ridge)), evaluations


def _slope(predictions: Predictions) -> Interval:
    """The calibration slope of the out-of-fold log-risk, a baseline per cohort and fold; 1 where there is none."""
    cohort = predictions.cohort
    stratum = np.char.add(cohort.cohort, predictions.fold.astype(str))
    sets = RiskSets(cohort.entry, cohort.time, cohort.event, stratum)
    return calibration_slope(predictions.risk[NETWORK], sets) or Interval(1.0, 1.0, 1.0)


def _setting(
    key: str, table: Table, trained: TrainedNetwork, slope: Interval, schema: FeatureSchema, recipe: Recipe
) -> Setting:
    cohort, network = table.cohort, trained.network
    risk, relevance = network.risk(table.pairs), network.relevance(table.pairs)
    names = sorted(set(cohort.cohort.tolist()))
    return Setting(
        time_zero=TIME_ZERO[key],
        members=len(network.skip),
        trained=describe_inputs(table.inputs, cohort, schema),
        entities=_entities(cohort),
        slope=slope.value,
        slope_interval=(slope.low, slope.high),
        cohorts=tuple(_training_cohort(name, cohort) for name in names),
        groups=reference_groups(key, table.inputs, cohort, table.scaled, relevance),
        baselines=baselines(risk, cohort),
        anchor=ANCHORS[key] if ANCHORS[key] in names else names[0],
        recipe=_recipe(recipe, trained),
    )


def _entities(cohort: Cohort) -> dict[str, tuple[int, int]]:
    """Patients and deaths of every cancer type that occurs."""
    return {
        name: (int((cohort.entity == name).sum()), int(cohort.event[cohort.entity == name].sum()))
        for name in sorted(set(cohort.entity.tolist()) - {""})
    }


def _training_cohort(name: str, cohort: Cohort) -> TrainingCohort:
    own = cohort.cohort == name
    source = SOURCES.get(name, OWN)
    return TrainingCohort(
        name, int(own.sum()), int(cohort.event[own].sum()), source.source, source.licence, source.attribution
    )


def _recipe(recipe: Recipe, trained: TrainedNetwork) -> dict[str, float]:
    """Every setting of the training, and what it arrived at: enough to repeat it."""
    stated = {name: float(getattr(recipe, name)) for name in recipe.__struct_fields__}
    strengths = np.unique(trained.ridge.strength)
    return stated | {
        "stopped_at_epoch": float(trained.epoch),
        "gain_over_ridge": rounded(trained.gain),
        "ridge_strength": float(strengths.min()),
        "ridge_strength_genetics": float(strengths.max()),
    }
