"""The network in plain numpy, float64: what training yields and what the ONNX graphs are made from.

    g = s · pairs + w3 · relu(W2 · relu(W1 · pairs))          no biases

`pairs` holds (x, 1 - x) of every observed parameter and the one-hot entity without complement; what is not observed
is (0, 0). The network is positively homogeneous, so gradient x input redistributes g completely: that is LRP-0
(Montavon et al. 2019) and equals integrated gradients from the patient of whom nothing is known.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network.scaling import Scaling

Array = NDArray[np.float64]
Floats = NDArray[np.floating]


class Inputs(msgspec.Struct, frozen=True):
    """Which parameters have weights, and how they are scaled. D parameters, E entities, K = D + E, P = 2 D + E pairs.

    The columns of `pairs` are: D scaled values, E entities, D complements.
    """

    parameters: tuple[str, ...]
    entities: tuple[str, ...]
    scaling: Mapping[str, Scaling]

    @property
    def keys(self) -> tuple[str, ...]:
        return self.parameters + self.entities

    def columns(self, schema: FeatureSchema) -> NDArray[np.intp]:
        """Where the K inputs stand in the catalogue."""
        return np.array([schema.index[key] for key in self.keys], dtype=np.intp)

    def scaled(self, values: NDArray[np.floating], schema: FeatureSchema) -> Array:
        """Canonical `values` [N, 350] -> [N, K] in [0, 1], NaN where not observed."""
        columns = [self.scaling[key](values[:, schema.index[key]]) for key in self.keys]
        return np.stack(columns, axis=1) if columns else np.empty((len(values), 0))

    def pairs(self, values: NDArray[np.floating], schema: FeatureSchema) -> Array:
        """Canonical `values` [N, 350] -> [N, P]."""
        scaled = self.scaled(values, schema)
        observed = ~np.isnan(scaled)
        x = np.where(observed, scaled, 0.0)
        complement = np.where(observed, 1.0 - x, 0.0)
        return np.concatenate([x, complement[:, : len(self.parameters)]], axis=1)

    def per_input(self, per_pair: Floats) -> Array:
        """Sum what belongs to the two halves of a pair: [..., P] -> [..., K]."""
        inputs = per_pair[..., : len(self.keys)].astype(np.float64)
        inputs[..., : len(self.parameters)] += per_pair[..., len(self.keys) :]
        return inputs


class HiddenSpread(msgspec.Struct, frozen=True):
    """Mean activation and 1 / standard deviation of every unit of the last hidden layer, [M, 32] each.

    A unit that never varied in training has 0 for the second and says nothing.
    """

    mean: Array
    precision: Array


class FittedNetwork(msgspec.Struct, frozen=True):
    """An ensemble of M members: `skip` [M, P], `first` [M, 64, P], `second` [M, 32, 64], `last` [M, 32].

    `usual` is what its last hidden layer does for training patients, where that was looked at (applicability.py).
    Computes in the precision of weights and pairs and answers in float64.
    """

    inputs: Inputs
    skip: Floats
    first: Floats
    second: Floats
    last: Floats
    usual: HiddenSpread | None = None

    def members(self, pairs: Floats) -> Array:
        """Log-risk of every member, [N, M]."""
        hidden = np.maximum(pairs @ self.first.transpose(0, 2, 1), 0)
        hidden = np.maximum(hidden @ self.second.transpose(0, 2, 1), 0)
        return (pairs @ self.skip.T + (hidden @ self.last[:, :, None])[:, :, 0].T).astype(np.float64)

    def last_hidden(self, pairs: Floats) -> Array:
        """Activations of the last hidden layer of every member, [M, N, 32]."""
        hidden = np.maximum(pairs @ self.first.transpose(0, 2, 1), 0)
        return np.maximum(hidden @ self.second.transpose(0, 2, 1), 0).astype(np.float64)

    def risk(self, pairs: Floats) -> Array:
        """Log-risk, the mean of the members, [N]."""
        return np.asarray(self.members(pairs).mean(axis=1))

    def relevance(self, pairs: Floats) -> Array:
        """LRP-0 of the mean log-risk per input, [N, K]."""
        before = pairs @ self.first.transpose(0, 2, 1)
        after = np.maximum(before, 0) @ self.second.transpose(0, 2, 1)
        backward = ((after > 0) * self.last[:, None, :]) @ self.second * (before > 0)
        gradient = (backward @ self.first).sum(axis=0) + self.skip.sum(axis=0)
        return self.inputs.per_input(pairs * gradient / len(self.skip))
