"""Linear models on the network's own inputs, packed with it: evaluating a new cohort needs no training data."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network.fitted import Inputs
from models.network.scaling import Scaling
from models.training.borrowing import BorrowedTerms
from models.training.evaluation_report import RIDGE, STAGE_ONLY, TYPE_ONLY
from models.training.ridge import CentredRidge, Table, fit_ridge

FEW_INPUTS_STRENGTH = 1.0
STAGE = ("stage_uicc_stage", "stage_m1")
Array = NDArray[np.float64]


class Comparators(msgspec.Struct, frozen=True):
    """`weights` per model and input, for x and 1 - x (an entity has the first only); `scaling` per input."""

    scaling: Mapping[str, Scaling]
    weights: Mapping[str, Mapping[str, tuple[float, float]]]

    def risk(self, name: str, schema: FeatureSchema, values: NDArray[np.float32]) -> Array:
        """Log-risk [N] by the model `name` for canonical values [N, 350]."""
        inputs = inputs_of(self.scaling, schema)
        return np.asarray(inputs.pairs(values, schema) @ _pair_weights(inputs, self.weights[name]))


def inputs_of(scaling: Mapping[str, Scaling], schema: FeatureSchema) -> Inputs:
    parameters = tuple(key for key in scaling if not schema[key].is_entity)
    return Inputs(parameters, tuple(key for key in scaling if schema[key].is_entity), scaling)


def comparators(table: Table, ridge: CentredRidge) -> Comparators:
    """The centred ridge on all inputs, and models that know nothing but the cancer type, or type, stage group and M1.

    The one by stage is left out where no stage has weights: it would be the one by type.
    """
    weights = {RIDGE: ridge.by_parameter(), TYPE_ONLY: _few(table.only_entities())}
    by_stage = table.only(STAGE)
    if by_stage.inputs.parameters:
        weights[STAGE_ONLY] = _few(by_stage)
    return Comparators(dict(table.inputs.scaling), weights)


def with_terms(own: Comparators, terms: BorrowedTerms) -> Comparators:
    """The ridge with the same borrowed terms as the network: compared models know the same."""
    scaling = {key: terms.ridge.inputs.scaling[key] for key in terms.keys}
    weights = {**own.weights, RIDGE: {**own.weights[RIDGE], **terms.pair_weights}}
    return Comparators({**own.scaling, **scaling}, weights)


def _few(table: Table) -> Mapping[str, tuple[float, float]]:
    return fit_ridge(table, np.full(len(table.inputs.keys), FEW_INPUTS_STRENGTH)).by_parameter()


def _pair_weights(inputs: Inputs, weights: Mapping[str, tuple[float, float]]) -> Array:
    nothing = (0.0, 0.0)
    both = np.array([weights.get(key, nothing) for key in inputs.keys]).reshape(-1, 2)
    return np.concatenate([both[:, 0], both[: len(inputs.parameters), 1]])
