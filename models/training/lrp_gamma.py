"""LRP with the generalised gamma rule, as the paper used it: for reports beside the served LRP-0, never served.

Every weight that pushes a unit's pre-activation z the way it went counts 1 + gamma times (Montavon et al. 2019, here
for units of either sign; Keyl et al., Nature Cancer 2025, take gamma = 0.01):

    R_i = sum over j of a_i w'_ji / (sum over k of a_k w'_jk) R_j,   w' = w + gamma w+ (z_j > 0), w + gamma w- (z_j < 0)

Inputs and hidden activations are never negative here, so of the rule's four terms two are left.
"""

import numpy as np
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork
from models.training.evaluation_report import GammaDifference
from models.training.reference_groups import rounded

Array = NDArray[np.float64]
GAMMA = 0.01
FEWEST = 3  # inputs of a patient, below which ranks say nothing


def gamma_relevance(network: FittedNetwork, pairs: Array, gamma: float = GAMMA) -> Array:
    """Relevance per input, the mean of the members', [N, K]; `pairs` [N, P] in float64; sums to the mean log-risk."""
    total = np.zeros_like(pairs)
    for skip, first, second, last in zip(network.skip, network.first, network.second, network.last, strict=True):
        hidden = np.maximum(pairs @ first.T, 0)
        inner = np.maximum(hidden @ second.T, 0)
        direct, of_inner = _of_output(pairs, inner, skip, last, gamma)
        of_hidden = _back(hidden, second, of_inner, gamma)
        total += direct + _back(pairs, first, of_hidden, gamma)
    return network.inputs.per_input(total / len(network.skip))


def gamma_difference(network: FittedNetwork, pairs: Array, gamma: float = GAMMA) -> GammaDifference:
    """Compare with the served rule over the patients `pairs` [N, P]."""
    served, other = network.relevance(pairs), gamma_relevance(network, pairs, gamma)
    ranked = [
        np.corrcoef(_ranks(ours[known]), _ranks(theirs[known]))[0, 1]
        for ours, theirs in zip(served, other, strict=True)
        if (known := (ours != 0) | (theirs != 0)).sum() >= FEWEST
    ]
    correlation = rounded(float(np.mean(ranked))) if ranked else None
    whole = np.abs(served).sum()
    relative = np.abs(served - other).sum() / whole if whole else 0.0
    return GammaDifference(gamma, len(pairs), correlation, rounded(float(relative)))


def _of_output(pairs: Array, inner: Array, skip: Array, last: Array, gamma: float) -> tuple[Array, Array]:
    """The log-risk shared out among the pairs [N, P] and the units of the second layer [N, units]."""
    risk = (pairs @ skip + inner @ last)[:, None]
    favoured = [np.where(risk > 0, np.maximum(w, 0), np.minimum(w, 0)) for w in (skip, last)]
    direct, of_inner = pairs * (skip + gamma * favoured[0]), inner * (last + gamma * favoured[1])
    share = _shared(risk, (direct.sum(axis=1) + of_inner.sum(axis=1))[:, None])
    return direct * share, of_inner * share


def _back(lower: Array, weights: Array, relevance: Array, gamma: float) -> Array:
    """Relevance of rectified units [N, upper], 0 where they did not fire -> that of the layer below [N, lower]."""
    favoured = weights + gamma * np.maximum(weights, 0)
    return np.asarray(lower * (_shared(relevance, lower @ favoured.T) @ favoured))


def _shared(relevance: Array, total: Array) -> Array:
    return np.divide(relevance, total, out=np.zeros_like(total), where=total != 0)


def _ranks(values: Array) -> Array:
    return np.argsort(np.argsort(values)).astype(np.float64)
