"""Being measured must not score: a parameter's mean relevance is taken out of its skip weights, exactly."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork

Array = NDArray[np.floating]


def recentred(network: FittedNetwork, pairs: Array, observed: NDArray[np.bool_]) -> FittedNetwork:
    """The same ensemble with every input's mean relevance over `pairs` [n, P] at 0; `observed` is [n, D].

    Since x + (1 - x) = 1, taking c from both weights of a pair takes c from the relevance of whoever has the parameter,
    and nothing from the others. Every entity loses the mean over the patients whose entity has weights. Risk and
    relevance change alike: their sum stays exact.
    """
    d = len(network.inputs.parameters)
    relevance = network.relevance(pairs)
    parameters = relevance[:, :d].sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
    entities = len(network.inputs.entities)
    entity = relevance[:, d:].sum() / max(1.0, float(pairs[:, d : d + entities].sum()))
    shift = np.concatenate([parameters, np.full(entities, entity), parameters])
    return msgspec.structs.replace(network, skip=network.skip - shift)
