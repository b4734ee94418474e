"""Scores predictions: discrimination, calibration, missing-data scenarios, subgroups, what removing a block does."""

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.abstention_effect import abstention_effect, applicability
from models.training.bars import bars_missed
from models.training.evaluation_report import (
    EXTERNAL_COHORT,
    NETWORK,
    Blanking,
    BorrowedCheck,
    CohortEvaluation,
    Evaluation,
    GammaDifference,
    Interval,
    KeyMarkers,
)
from models.training.folds import COHORT, RANDOM, SITE, knows_sites
from models.training.held_out import HeldOut
from models.training.key_markers import Deviations, markers_of, markers_per_patient, of_cohort
from models.training.model_scores import model_scores
from models.training.predictions import EXTERNAL, Predictions
from models.training.reference_groups import rounded
from models.training.resampling import interval
from models.training.scenario_scores import scenario_rows
from models.training.subgroups import subgroup_rows

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

BOOTSTRAPS = 200
FOLDS = {
    RANDOM: "out of fold",
    SITE: "out of fold by site",
    COHORT: "left out as a whole cohort",
}


NOTES = (
    (
        "Race is as each source states it, and no input: a word is not the same people in every cohort. Groups in "
        "which fewer than 20 died have no row: whether they are served as well is not known."
    ),
    "Dates are not in the cohort format: there are no folds by time.",
    "Intervals of the ICI are bootstrap percentiles, which run high where few died: some lie above the estimate.",
)


def evaluation_of(
    settings: dict[str, dict[str, CohortEvaluation]],
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
    borrowed: dict[str, dict[str, dict[str, BorrowedCheck]]] | None = None,
    gamma: dict[str, GammaDifference] | None = None,
) -> Evaluation:
    """The whole report: the scores, the bars they miss, and what nobody could look at."""
    return Evaluation(settings, bootstraps, seed, borrowed or {}, bars_missed(settings), NOTES, gamma or {})


def evaluate(
    predictions: Predictions,
    schema: FeatureSchema,
    seed: int = 0,
    bootstraps: int = BOOTSTRAPS,
    limit: float | None = None,
) -> dict[str, CohortEvaluation]:
    """One evaluation per cohort with cancer. Raises ValueError for a cohort in which nobody died.

    `limit` is the distance beyond which the package does not score; without one it is chosen on these patients.
    """
    names = sorted(set(predictions.cohort.cohort[predictions.cohort.with_cancer].tolist()))
    beyond = held_out_limit(predictions) if limit is None else limit
    return {name: _evaluate_cohort(predictions, name, schema, seed, bootstraps, beyond) for name in names}


def _evaluate_cohort(
    predictions: Predictions, name: str, schema: FeatureSchema, seed: int, bootstraps: int, limit: float
) -> CohortEvaluation:
    rows = np.flatnonzero(predictions.cohort.cohort == name)
    own = predictions.rows(rows)
    cohort = own.cohort
    if not cohort.event.any():
        raise ValueError(f"{name}: nobody died")
    held = HeldOut.of(own, seed, bootstraps)
    return CohortEvaluation(
        patients=len(cohort),
        deaths=int(cohort.event.sum()),
        entities=len(set(cohort.entity.tolist()) - {""}),
        folds=_folds(own),
        models={model: model_scores(held, model) for model in own.risk},
        differences={f"{NETWORK} - {other}": _difference(held, other) for other in own.risk if other != NETWORK},
        blanking=_blanking(own),
        coverage=_coverage(own),
        unit=held.horizons.unit,
        recalibrated_on=held.recalibrated_on,
        scenarios=scenario_rows(held),
        subgroups=subgroup_rows(held, schema),
        abstention=abstention_effect(own, own.risk[NETWORK], limit),
        key_markers=_key_markers(own, schema),
    )


def _key_markers(own: Predictions, schema: FeatureSchema) -> KeyMarkers | None:
    """Of the cohort and of its patients; None where nobody looked at the relevances."""
    if own.deviation is None:
        return None
    found = Deviations(markers_of(schema), own.deviation.astype(np.float64))
    return KeyMarkers(
        of_cohort(found), int(np.median(markers_per_patient(found))), int(found.absolute.any(axis=0).sum())
    )


def held_out_limit(predictions: Predictions) -> float:
    """The distance that 1 in 200 held-out patients with cancer pass; infinite where nobody looked at it."""
    known = predictions.cohort.with_cancer
    if predictions.distance is None or np.isnan(predictions.distance[known]).any():
        return float("inf")
    return applicability(predictions.distance[known]).limit


def _folds(own: Predictions) -> str:
    """Who was predicted together; a cohort that names no site has random folds whatever was asked for."""
    if (own.fold == EXTERNAL).all():
        return EXTERNAL_COHORT
    return FOLDS[RANDOM if own.kind == SITE and not knows_sites(own.cohort) else own.kind]


def _difference(everybody: HeldOut, other: str) -> dict[str, Interval]:
    """The network's C minus the other's, paired, on the patients whom both can score."""
    held = everybody.scored_by(NETWORK, other)
    risk = held.predictions.risk
    samples = held.both(risk[NETWORK]) - held.both(risk[other])
    named = {"pooled": interval(samples[:, 0]), "within": interval(samples[:, 1])}
    return {name: found for name, found in named.items() if found is not None}


def _blanking(own: Predictions) -> dict[str, Blanking]:
    found = {}
    for block, blanked in own.blanked.items():
        factor = blanked - own.risk[NETWORK]
        factor = factor[~np.isnan(factor)]
        if len(factor):
            mean, median = np.exp(factor.mean()), np.exp(np.median(factor))
            found[block] = Blanking(rounded(mean), rounded(median), len(factor))
    return found


def _coverage(own: Predictions) -> dict[str, float]:
    """Share of the parameters with weights that the patients have, per modality."""
    return {
        modality: rounded(np.nansum(observed) / np.nansum(own.possible[modality]))
        for modality, observed in own.observed.items()
        if np.nansum(own.possible[modality]) > 0
    }
