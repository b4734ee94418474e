"""Interactions by their definition, in float64: the slow way that every faster one has to agree with.

I_ij = g(x) - g(x without i) - g(x without j) + g(x without i and j), where "without" means not measured. It is 0 where
either is missing, and for every pair in a model that only adds up.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork, Inputs

Array = NDArray[np.float64]

FEWEST = 20  # patients who have both of a pair, else its mean says nothing


class PairStrength(msgspec.Struct, frozen=True):
    """Mean |I| of a pair among the `patients` who have both, in log-risk units."""

    first: str
    second: str
    strength: float
    patients: int

    @property
    def keys(self) -> frozenset[str]:
        return frozenset((self.first, self.second))


def mixed_differences(network: FittedNetwork, pairs: Array, keys: tuple[str, ...]) -> Array:
    """I between parameters `keys` [K] for patients `pairs` [N, P]: [N, K, K], symmetric, zero diagonal."""
    columns = [_halves(network.inputs, key) for key in keys]
    whole, singly = network.risk(pairs), [network.risk(_without(pairs, halves)) for halves in columns]
    found = np.zeros((len(pairs), len(keys), len(keys)))
    for i, first in enumerate(columns):
        without = _without(pairs, first)
        for j in range(i):
            # only those who have both can have any
            rows = pairs[:, first].any(axis=1) & pairs[:, columns[j]].any(axis=1)
            neither = network.risk(_without(without[rows], columns[j]))
            found[rows, i, j] = found[rows, j, i] = whole[rows] - singly[i][rows] - singly[j][rows] + neither
    return found


def strongest_pairs(network: FittedNetwork, pairs: Array, keys: tuple[str, ...]) -> list[PairStrength]:
    """Pairs of `keys` by mean |I| over the patients who have both (FEWEST at least), the strongest first."""
    differences = np.abs(mixed_differences(network, pairs, keys))
    observed = np.stack([pairs[:, _halves(network.inputs, key)].any(axis=1) for key in keys], axis=1)
    both = observed.T.astype(np.float64) @ observed
    strength = differences.sum(axis=0) / np.maximum(both, 1)
    found = [
        PairStrength(keys[j], keys[i], float(strength[i, j]), int(both[i, j]))
        for i in range(len(keys))
        for j in range(i)
        if both[i, j] >= FEWEST
    ]
    return sorted(found, key=lambda pair: -pair.strength)


def most_relevant(network: FittedNetwork, pairs: Array, count: int) -> tuple[str, ...]:
    """The parameters (without entities) with the largest mean |relevance| over all patients."""
    mean = np.abs(network.relevance(pairs)).mean(axis=0)[: len(network.inputs.parameters)]
    return tuple(network.inputs.parameters[i] for i in np.argsort(-mean)[:count])


def _halves(inputs: Inputs, key: str) -> list[int]:
    place = inputs.parameters.index(key)
    return [place, len(inputs.keys) + place]


def _without(pairs: Array, columns: list[int]) -> Array:
    changed = pairs.copy()
    changed[:, columns] = 0.0
    return changed
