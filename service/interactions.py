"""Pairs of inputs that say together more or less than each says alone, for whoever asks."""

import msgspec
import numpy as np

from models.features import FeatureVector
from models.predictor import Attribution
from models.setting import Network


class Interaction(msgspec.Struct, frozen=True, gc=False):
    """`value`: log-risk of two inputs together beyond the sum of what each adds alone; `features` in catalogue order.

    An association, as a relevance is.
    """

    features: tuple[str, str]
    value: float


def interactions(
    vector: FeatureVector, attribution: Attribution, network: Network, entity: str | None
) -> tuple[Interaction, ...]:
    """The pairs of the twenty most telling inputs that interact at all, strongest first, ties by key."""
    found = network.interactions(vector, attribution, entity)
    order = np.argsort(found.features)
    keys = [vector.schema.keys[column] for column in found.features[order]]
    values = found.values[np.ix_(order, order)]
    pairs = [
        Interaction((keys[i], keys[j]), value)
        for i, j in zip(*np.triu_indices(len(keys), 1), strict=True)
        if (value := round(float(values[i, j]), 7))
    ]
    return tuple(sorted(pairs, key=lambda pair: (-abs(pair.value), pair.features)))
