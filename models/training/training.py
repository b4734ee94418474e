"""Cohort in, trained setting and its evaluation out: what `oncohooks model train` runs."""

import msgspec
import numpy as np

from models.features import FeatureSchema
from models.manifest import Applicability, Setting, TrainingCohort
from models.network.applicability import with_usual
from models.position import MEASURED_LEVEL
from models.training.abstention_effect import applicability
from models.training.calibration import baselines, calibration_slope, shrunk, supported_horizons, survival_days
from models.training.cohort import Cohort
from models.training.comparators import comparators
from models.training.cox import RiskSets
from models.training.evaluation import BOOTSTRAPS
from models.training.evaluation_report import NETWORK, RIDGE, CohortEvaluation, GammaDifference, Interval
from models.training.fits import Fit
from models.training.full_evaluation import evaluate_fully
from models.training.lrp_gamma import gamma_difference
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
GAMMA_SAMPLE = 1_000  # patients whose explanations are compared under two rules
ANCHORS = {"diagnosis": "tcga", "metastatic": "msk_met", "survivor": "nhanes", "acute": "support2"}


class TrainedAndJudged(msgspec.Struct, frozen=True):
    """A trained setting, how it did out of fold by cohort, and the predictions behind that.

    `gamma`: how far the paper's rule of explanation is from the served one, on some of the training patients.
    """

    setting: TrainedSetting
    evaluations: dict[str, CohortEvaluation]
    predictions: Predictions
    gamma: GammaDifference


def train_setting(
    key: str,
    cohort: Cohort,
    schema: FeatureSchema,
    recipe: Recipe,
    progress: Progress,
    bootstraps: int = BOOTSTRAPS,
    fit: Fit = train_network,
) -> TrainedAndJudged:
    """Cross-validate, then train on everybody. Raises ValueError where nobody died or nothing can be trained.

    Where the network ranks worse than its ridge on any cohort, the ridge is what is trained: the same form, no epoch.
    """
    predictions = out_of_fold(cohort, schema, recipe, progress, fit)
    evaluations = evaluate_fully(predictions, schema, recipe.seed, bootstraps)
    if recipe.longest and any(worse_than_ridge(evaluation) for evaluation in evaluations.values()):
        ridge_only = msgspec.structs.replace(recipe, longest=0)
        return train_setting(key, cohort, schema, ridge_only, progress, bootstraps, fit)
    inputs = select_inputs(cohort.rows(cohort.with_cancer), schema)
    table = Table.of(inputs, cohort, schema)
    trained = fit(table, schema, recipe, lambda text: progress(f"all patients: {text}"))
    setting = _setting(key, table, trained, predictions, schema, recipe)
    looking = with_usual(trained.network, table.pairs[cohort.with_cancer])
    packed = TrainedSetting(key, looking, setting, comparators(table, trained.ridge))
    some = np.random.default_rng(recipe.seed).permutation(np.flatnonzero(cohort.with_cancer))[:GAMMA_SAMPLE]
    return TrainedAndJudged(packed, evaluations, predictions, gamma_difference(looking, table.pairs[some]))


def worse_than_ridge(evaluation: CohortEvaluation) -> bool:
    """Whether the 95 % interval of the paired difference in C to the ridge lies below 0, pooled or within type."""
    difference = evaluation.differences.get(f"{NETWORK} - {RIDGE}", {})
    return any(interval.high < 0 for interval in difference.values())


def _slope(predictions: Predictions) -> Interval:
    """The calibration slope out of fold of patients with cancer, a baseline per cohort and fold; 1 if there is none."""
    reference = predictions.cohort.with_cancer
    cohort, fold = predictions.cohort.rows(reference), predictions.fold[reference]
    sets = RiskSets(cohort.entry, cohort.time, cohort.event, np.char.add(cohort.cohort, fold.astype(str)))
    return calibration_slope(predictions.risk[NETWORK][reference], sets) or Interval(1.0, 1.0, 1.0)


def _setting(
    key: str, table: Table, trained: TrainedNetwork, predictions: Predictions, schema: FeatureSchema, recipe: Recipe
) -> Setting:
    """Slope and baselines come from patients who were predicted out of fold, all else from the network of all."""
    network, reference = trained.network, table.rows(table.cohort.with_cancer)
    cohort, judged = reference.cohort, predictions.cohort.with_cancer
    relevance = network.relevance(reference.pairs)
    estimated, days = _slope(predictions), survival_days(key)
    slope = shrunk(estimated)
    names = sorted(set(cohort.cohort.tolist()))
    return Setting(
        time_zero=TIME_ZERO[key],
        members=len(network.skip),
        trained=describe_inputs(table.inputs, cohort, schema),
        entities=_entities(cohort),
        slope=slope,
        slope_interval=(estimated.low, estimated.high),
        cohorts=tuple(_training_cohort(name, table.cohort) for name in sorted(set(table.cohort.cohort.tolist()))),
        groups=reference_groups(key, table.inputs, cohort, reference.scaled, relevance, schema),
        baselines=baselines(slope * predictions.risk[NETWORK][judged], predictions.cohort.rows(judged), days),
        anchor=ANCHORS[key] if ANCHORS[key] in names else names[0],
        recipe=_recipe(recipe, trained),
        form="network" if recipe.longest else "ridge",
        horizons=supported_horizons(cohort, days),
        interval_level=MEASURED_LEVEL,
        applicability=_applicability(predictions),
    )


def _applicability(predictions: Predictions) -> Applicability | None:
    held_out = predictions.cohort.with_cancer
    return None if predictions.distance is None else applicability(predictions.distance[held_out])


def _entities(cohort: Cohort) -> dict[str, tuple[int, int]]:
    """Patients and deaths of every cancer type that occurs."""
    return {
        name: (int((cohort.entity == name).sum()), int(cohort.event[cohort.entity == name].sum()))
        for name in sorted(set(cohort.entity.tolist()) - {""})
    }


def _training_cohort(name: str, cohort: Cohort) -> TrainingCohort:
    own = cohort.cohort == name
    deaths = int(cohort.event[own].sum())
    return TrainingCohort(name, int(own.sum()), deaths, **msgspec.structs.asdict(SOURCES.get(name, OWN)))


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
