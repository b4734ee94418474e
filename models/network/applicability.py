"""How unlike the training patients a patient is, by what the network makes of the inputs: its last hidden layer."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork, HiddenSpread

Array = NDArray[np.float64]

# of a unit, as a share of the mean over its layer: one that hardly ever fired must not decide alone
LEAST_SPREAD = 0.5


def with_usual(network: FittedNetwork, pairs: NDArray[np.floating]) -> FittedNetwork:
    """The same network, which now knows what is usual among the patients of `pairs` [N, P]."""
    active = network.last_hidden(pairs)
    spread = active.std(axis=1)
    floor = LEAST_SPREAD * spread.mean(axis=1, keepdims=True)
    precision = np.divide(1.0, np.maximum(spread, floor), out=np.zeros_like(spread), where=spread > 0)
    return msgspec.structs.replace(network, usual=HiddenSpread(active.mean(axis=1), precision))


def distance(network: FittedNetwork, pairs: NDArray[np.floating]) -> Array:
    """Root mean squared standard score over all units and members, [N]: about 1 for a usual patient.

    0 for a network that does not know what is usual.
    """
    if network.usual is None:
        return np.zeros(len(pairs))
    mean, precision = network.usual.mean, network.usual.precision
    scores = (network.last_hidden(pairs) - mean[:, None, :]) * precision[:, None, :]
    return np.asarray(np.sqrt((scores**2).mean(axis=(0, 2))))
