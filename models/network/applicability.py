"""How unlike the training patients a patient is, by what the network makes of the inputs: its last hidden layer."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork

Array = NDArray[np.float64]


class HiddenSpread(msgspec.Struct, frozen=True):
    """Mean activation and 1 / standard deviation of every unit of the last hidden layer, [M, 32] each.

    A unit that never varied in training has 0 for the second and says nothing.
    """

    mean: Array
    precision: Array


def hidden_spread(network: FittedNetwork, pairs: NDArray[np.floating]) -> HiddenSpread:
    """What is usual among the patients of `pairs` [N, P]."""
    active = network.last_hidden(pairs)
    spread = active.std(axis=1)
    precision = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    return HiddenSpread(active.mean(axis=1), precision)


def distance(network: FittedNetwork, usual: HiddenSpread, pairs: NDArray[np.floating]) -> Array:
    """Root mean squared standard score over all units and members, [N]: about 1 for a usual patient."""
    scores = (network.last_hidden(pairs) - usual.mean[:, None, :]) * usual.precision[:, None, :]
    return np.asarray(np.sqrt((scores**2).mean(axis=(0, 2))))
