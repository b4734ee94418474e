"""Which parameters act together in a cohort: exact mixed differences, from the package's own graph.

I_ij = g(x) - g(x without i) - g(x without j) + g(x without both), in log-risk; 0 where either is missing, and 0 for
every pair of a model without interactions. The graph answers in float32; differences are taken in float64.
"""

from collections.abc import Sequence
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import ENTITY
from models.predictor import Predictor
from models.training.report.markers import label_of

Values = NDArray[np.float32]

PATIENTS, FEATURES = 500, 20
AT_ONCE = 16  # patients whose blanked copies are scored in one call
NOISE = 1e-5  # a mean below this is float32, not the network


class Interaction(msgspec.Struct, frozen=True):
    """Mean |I| and mean I over the sampled patients, and how many of them have both."""

    labels: tuple[str, str]
    strength: float
    mean: float
    patients: int


def interactions(
    predictor: Predictor, values: Values, leading: Sequence[str], schema: FeatureSchema, seed: int = 0
) -> list[Interaction]:
    """All pairs of the first FEATURES of `leading` over at most PATIENTS of `values` [n, 350], the strongest first."""
    keys = leading[:FEATURES]
    drawn = np.random.default_rng(seed).permutation(len(values))[:PATIENTS]
    sample = values[np.sort(drawn)]
    columns = [schema.entity_columns if key == ENTITY else np.array([schema.index[key]]) for key in keys]
    pairs = list(combinations(range(len(keys)), 2))
    if not pairs or not len(sample):
        return []
    parts = [_differences(predictor, sample[i : i + AT_ONCE], columns, pairs) for i in range(0, len(sample), AT_ONCE)]
    each = np.concatenate(parts)
    known = np.stack([~np.isnan(sample[:, own]).all(axis=1) for own in columns], axis=1)
    found = [
        Interaction(
            (label_of(keys[i], schema), label_of(keys[j], schema)),
            float(np.abs(each[:, p]).mean()),
            float(each[:, p].mean()),
            int((known[:, i] & known[:, j]).sum()),
        )
        for p, (i, j) in enumerate(pairs)
    ]
    return sorted((entry for entry in found if entry.strength > NOISE), key=lambda entry: -entry.strength)


def _differences(
    predictor: Predictor, values: Values, columns: Sequence[NDArray[np.intp]], pairs: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Mixed differences of every patient and pair, [n, pairs]: one call for all blanked copies."""
    removed = [(), *((i,) for i in range(len(columns))), *pairs]
    copies = np.repeat(values[:, None], len(removed), axis=1)
    for place, without in enumerate(removed):
        for i in without:
            copies[:, place, columns[i]] = np.nan
    risk = predictor.risk(copies.reshape(-1, values.shape[1])).astype(np.float64).reshape(len(values), -1)
    one = np.array(pairs) + 1
    return risk[:, :1] - risk[:, one[:, 0]] - risk[:, one[:, 1]] + risk[:, 1 + len(columns) :]
