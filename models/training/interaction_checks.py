"""Interactions that the network claims, confirmed or refuted by patients who did not train it.

For the strongest pairs of a cohort's leading inputs: does a Cox model of these patients, with both inputs and their
product, agree with the network on the sign? The paper checked its interactions on an external cohort in this way.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.predictor import Predictor
from models.setting import Network
from models.training.cohort import Cohort
from models.training.comparators import Comparators, inputs_of
from models.training.cox import RiskSets, coefficients
from models.training.evaluation_report import InteractionCheck, Interval
from models.training.reference_groups import rounded

Array = NDArray[np.float64]
Columns = Sequence[int]

LEADING = 12  # inputs whose 66 pairs are looked at
STRONGEST = 20  # pairs that are checked
SAMPLE = 1_000  # patients over whom a pair's mixed differences are taken
FEWEST_PATIENTS, FEWEST_DEATHS = 200, 50
FEWEST_OF_EITHER = 10  # patients on either side of a product that takes few values


def interaction_checks(
    network: Network, others: Comparators, cohort: Cohort, schema: FeatureSchema, seed: int = 0
) -> list[InteractionCheck]:
    """The strongest pairs first. `others` lend their scaling, which is the network's own."""
    inputs = inputs_of(others.scaling, schema)
    scaled = inputs.scaled(cohort.values, schema)
    places = {schema.index[key]: i for i, key in enumerate(inputs.keys)}
    claims = []
    for pair in combinations(_leading(network.predictor, cohort, schema), 2):
        rows = np.flatnonzero(~np.isnan(cohort.values[:, np.array(pair)]).any(axis=1))
        if len(rows) < FEWEST_PATIENTS or cohort.event[rows].sum() < FEWEST_DEATHS:
            continue
        x = scaled[rows][:, np.array([places[column] for column in pair])]
        claims.append((pair, rows, x, *_claimed(network.predictor, cohort.values[rows], pair, x, seed)))
    claims.sort(key=lambda claim: -claim[3])
    checks = [_check(schema, cohort, *claim) for claim in claims[:STRONGEST]]
    return [check for check in checks if check is not None]


def _leading(predictor: Predictor, cohort: Cohort, schema: FeatureSchema) -> list[int]:
    """The catalogue columns whose relevance varies most over the cohort, cancer types aside."""
    _, relevance = predictor.relevance(cohort.values)
    observed = ~np.isnan(cohort.values)
    counts = np.maximum(observed.sum(axis=0), 1)
    mean = relevance.sum(axis=0) / counts
    spread = np.where(observed, np.abs(relevance - mean), 0.0).sum(axis=0) / len(cohort)
    spread[schema.entity_columns] = 0.0
    return [int(column) for column in np.argsort(-spread)[:LEADING] if spread[column] > 0]


def _claimed(
    predictor: Predictor, values: NDArray[np.float32], pair: Columns, x: Array, seed: int
) -> tuple[float, float]:
    """Mean |mixed difference| of the pair, and its slope over the product of the centred inputs."""
    chosen = np.random.default_rng(seed).permutation(len(values))[:SAMPLE]
    rows, product = values[chosen], _product(x)[chosen]

    def without(*columns: int) -> Array:
        blanked = rows.copy()
        blanked[:, columns] = np.nan
        return predictor.risk(blanked).astype(np.float64)

    i, j = pair
    difference = without() - without(i) - without(j) + without(i, j)
    centred = product - product.mean()
    spread = float((centred**2).sum())
    slope = float((centred * (difference - difference.mean())).sum() / spread) if spread else 0.0
    return float(np.abs(difference).mean()), slope


def _product(x: Array) -> Array:
    return np.asarray(np.prod(x - x.mean(axis=0), axis=1))


def _check(
    schema: FeatureSchema,
    cohort: Cohort,
    pair: Columns,
    rows: NDArray[np.intp],
    x: Array,
    strength: float,
    slope: float,
) -> InteractionCheck | None:
    """What the outcome says of the product; None where hardly anybody has it."""
    product = _product(x)
    common = np.bincount(np.unique(product, return_inverse=True)[1]).max()
    if len(rows) - common < FEWEST_OF_EITHER:
        return None
    own = cohort.rows(rows)
    sets = RiskSets(own.entry, own.time, own.event, np.char.add(own.cohort, own.entity))
    beta, covariance = coefficients(np.column_stack([product, x]), sets)
    half = 1.96 * float(np.sqrt(covariance[0, 0]))
    found = Interval(rounded(beta[0]), rounded(beta[0] - half), rounded(beta[0] + half))
    return InteractionCheck(
        first=schema.keys[pair[0]],
        second=schema.keys[pair[1]],
        patients=len(rows),
        strength=rounded(strength),
        claimed=rounded(slope),
        observed=found,
        verdict=_verdict(slope, found),
    )


def _verdict(claimed: float, observed: Interval) -> Literal["confirmed", "refuted", "undecided"]:
    if observed.low <= 0 <= observed.high or not claimed:
        return "undecided"
    return "confirmed" if (observed.low > 0) == (claimed > 0) else "refuted"
