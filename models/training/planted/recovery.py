"""What a trained network found of a planted truth, as shares and slopes that a wrong truth does not reach."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import ENTITY
from models.network.fitted import FittedNetwork
from models.position import ensemble_half_width
from models.training.key_markers import Deviations, deviations, of_cohort
from models.training.mixed_differences import PairStrength, mixed_differences
from models.training.planted.planting import PlantedCohort, acting, interaction
from models.training.planted.truth import Truth
from models.training.ridge import Table

Array = NDArray[np.float64]

STRONGEST = 20  # interactions among which the planted pairs are looked for


def found_effects(network: FittedNetwork, table: Table) -> dict[str, float]:
    """The slope of each parameter's relevance over its scaled value, among those who have it: an estimated effect."""
    relevance = network.relevance(table.pairs)
    found = {}
    for i, key in enumerate(network.inputs.parameters):
        x, have = table.scaled[:, i], ~np.isnan(table.scaled[:, i])
        centred = x[have] - x[have].mean()
        spread = float((centred**2).sum())
        found[key] = float((relevance[have, i] * centred).sum() / spread) if spread else 0.0
    return found


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's; no ties are expected."""
    first, second = (np.argsort(np.argsort(values)) for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


def recovered_pairs(strongest: Sequence[PairStrength], truth: Truth) -> float:
    """Share of the planted pairs among the STRONGEST interactions."""
    top = {pair.keys for pair in strongest[:STRONGEST]}
    return sum(pair.keys in top for pair in truth.pairs) / len(truth.pairs)


def pair_precision(strongest: Sequence[PairStrength], truth: Truth) -> float:
    """Share of the strongest interactions, as many as there are planted pairs, that were planted."""
    planted = {pair.keys for pair in truth.pairs}
    return sum(pair.keys in planted for pair in strongest[: len(planted)]) / len(planted)


def pair_sizes(network: FittedNetwork, table: Table, planted: PlantedCohort, schema: FeatureSchema) -> list[float]:
    """How much of each planted interaction is found: the slope of found over planted where both are known.

    1 is all of it, 0 nothing. A network shrinks: it may have the shape of an interaction and little of its size.
    """
    sizes = []
    for pair in planted.truth.pairs:
        found = mixed_differences(network, table.pairs, (pair.first, pair.second))[:, 0, 1]
        real = interaction(planted.cohort.values, pair, schema)
        known = real != 0
        sizes.append(float((found * real)[known].sum() / max((real[known] ** 2).sum(), 1e-12)))
    return sizes


def network_deviations(network: FittedNetwork, table: Table, schema: FeatureSchema) -> Deviations:
    """|relevance - typical| in the catalogue's columns; typical is the mean among those who have the parameter."""
    relevance = np.zeros((len(table.pairs), len(schema)))
    relevance[:, network.inputs.columns(schema)] = network.relevance(table.pairs)
    return _around_mean(relevance, ~np.isnan(table.cohort.values), schema)


def true_deviations(planted: PlantedCohort, schema: FeatureSchema) -> Deviations:
    """The same for what really acts."""
    return _around_mean(planted.contribution, ~np.isnan(planted.cohort.values), schema)


def _around_mean(relevance: Array, observed: NDArray[np.bool_], schema: FeatureSchema) -> Deviations:
    counts = np.maximum(observed.sum(axis=0), 1)
    typical = np.where(observed, relevance, 0.0).sum(axis=0) / counts
    entities = relevance[:, schema.entity_columns].sum(axis=1)
    known = entities != 0
    typical[schema.entity_columns] = entities[known].mean() if known.any() else 0.0
    return deviations(relevance, observed, typical, schema)


def marker_precision(markers: Collection[str], truth: Truth) -> float:
    """Share of the key markers that do anything."""
    return len(_acting(truth).intersection(markers)) / max(1, len(markers))


def ranked_precision(found: Deviations, truth: Truth) -> float:
    """Share of the strongest markers, as many as act, that act: the order alone, wherever key markers end."""
    strength, acts = found.by_marker(), _acting(truth)
    strongest = sorted(strength, key=lambda key: -strength[key])[: len(acts)]
    return marker_precision(strongest, truth)


def marker_recall(markers: Collection[str], real: Deviations) -> float:
    """Share of the true key markers that are among those found."""
    wanted = set(of_cohort(real))
    return len(wanted.intersection(markers)) / max(1, len(wanted))


def _acting(truth: Truth) -> set[str]:
    return {*acting(truth), ENTITY}


def null_strength(found: Deviations, parameters: Collection[str], truth: Truth) -> float:
    """How much a parameter that does nothing moves the log-risk, as a share of what one that acts does; means of both.

    `parameters` are those with weights. 0 where every one of them acts.
    """
    strength, acts = found.by_marker(), set(acting(truth))
    null = [strength[key] for key in parameters if key not in acts]
    real = [strength[key] for key in parameters if key in acts]
    return float(np.mean(null) / np.mean(real)) if null else 0.0


def measured_level(members: NDArray[np.floating], true_risk: Array) -> float:
    """How often the ensemble's interval, nominally 90 %, holds the true log-risk.

    `members` [n, M] and `true_risk` [n] are of patients who did not train the network. A log-risk is known up to a
    constant only: both are measured from their means over these patients.
    """
    risk = members.mean(axis=1)
    error = (risk - risk.mean()) - (true_risk - true_risk.mean())
    return float((np.abs(error) <= ensemble_half_width(members)).mean())
