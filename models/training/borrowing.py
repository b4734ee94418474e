"""Borrowed terms: what a setting's own cohorts do not measure, learned where it is measured.

A laboratory value, vital sign or performance status that a setting has no weights for takes its centred linear term
from one ridge Cox over the cohorts of the other stable settings, in strata, adjusted for age, sex, cancer type, stage
and metastasis. It goes on the skip path only: it never interacts, and by its centring having been measured does not
score.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import Feature, FeatureSchema
from models.manifest import TrainedInput, TypicalRelevance
from models.network.fitted import FittedNetwork, Inputs
from models.training.cohort import Cohort
from models.training.folds import FOLDS, deal
from models.training.reference_groups import rounded
from models.training.ridge import CentredRidge, Table, choose_strength, fit_ridge
from models.training.selection import describe_inputs, select_inputs

Array = NDArray[np.float64]

BORROWERS = ("diagnosis", "metastatic")  # acute values mean something else: in support2 the terms hurt (slope .05)
STABLE = ("diagnosis", "metastatic", "survivor")
ADJUSTED_FOR = ("demo_age_at_baseline", "demo_sex_female", "stage_uicc_stage", "stage_m1")
LABORATORY, VITALS, PERFORMANCE = BLOCKS = ("laboratory", "vitals", "performance")


def lending_block(feature: Feature) -> str | None:
    """The block in which a parameter can be lent; None where it cannot."""
    if feature.modality == LABORATORY:
        return LABORATORY
    if feature.key.startswith("vital_"):
        return VITALS
    return PERFORMANCE if feature.key == "func_ecog" else None


class BorrowedTerms(msgspec.Struct, frozen=True):
    """`ridge` is that of the lenders; `keys` are the parameters whose terms are lent, `lenders` the patients."""

    ridge: CentredRidge
    keys: tuple[str, ...]
    lenders: Table

    @property
    def pair_weights(self) -> Mapping[str, tuple[float, float]]:
        """Weights of x and of 1 - x, by parameter."""
        weights = self.ridge.by_parameter()
        return {key: weights[key] for key in self.keys}

    def log_risk(self, values: NDArray[np.float32], schema: FeatureSchema) -> Array:
        """The sum of the terms, [N], 0 for whoever has none of the parameters."""
        inputs = Inputs(self.keys, (), {key: self.ridge.inputs.scaling[key] for key in self.keys})
        weights = np.array([self.pair_weights[key] for key in self.keys]).reshape(-1, 2)
        return np.asarray(inputs.pairs(values, schema) @ weights.T.ravel())

    def only(self, keys: tuple[str, ...]) -> "BorrowedTerms":
        return msgspec.structs.replace(self, keys=keys)

    def described(self, schema: FeatureSchema) -> dict[str, TrainedInput]:
        """What the manifest says of each, with the cohorts that lent it."""
        inputs = describe_inputs(self.lenders.inputs, self.lenders.cohort, schema)
        return {key: msgspec.structs.replace(inputs[key], borrowed_from=self._cohorts(key)) for key in self.keys}

    def typical(self) -> dict[str, TypicalRelevance]:
        """Mean and spread of each term among the lenders who have it: the mean is 0 by the centring."""
        found = {}
        for key in self.keys:
            i = self.ridge.inputs.keys.index(key)
            known = self.lenders.scaled[~np.isnan(self.lenders.scaled[:, i]), i]
            spread = abs(self.ridge.beta[i]) * known.std()
            found[key] = TypicalRelevance(0.0, len(known), rounded(spread))
        return found

    def _cohorts(self, key: str) -> tuple[str, ...]:
        known = ~np.isnan(self.lenders.scaled[:, self.ridge.inputs.keys.index(key)])
        return tuple(sorted(set(self.lenders.cohort.cohort[known].tolist())))


def borrow(own: frozenset[str], lenders: Cohort, schema: FeatureSchema, seed: int = 0) -> BorrowedTerms | None:
    """Learn the terms of what `own` lacks from the patients of `lenders`; None where they have nothing to lend."""
    wanted = [f.key for f in schema.features if lending_block(f) and f.key not in own]
    columns = [schema.index[key] for key in wanted]
    rows = lenders.rows(np.flatnonzero((~np.isnan(lenders.values[:, columns])).any(axis=1)))
    if not rows.event.any():
        return None
    selected = select_inputs(rows, schema)
    keys = tuple(key for key in selected.parameters if key in wanted)
    if not keys:
        return None
    parameters = tuple(key for key in selected.parameters if key in keys or key in ADJUSTED_FOR)
    scaling = {key: selected.scaling[key] for key in (*parameters, *selected.entities)}
    table = Table.of(Inputs(parameters, selected.entities, scaling), rows, schema)
    strength = choose_strength(table, deal(rows, seed + 1, FOLDS), np.zeros(len(table.inputs.keys), dtype=bool))
    return BorrowedTerms(fit_ridge(table, strength), keys, table)


def with_borrowed(network: FittedNetwork, terms: BorrowedTerms) -> FittedNetwork:
    """The same network with the terms on the skip path of every member; its hidden layers do not see them."""
    own, keys = network.inputs, terms.keys
    scaling = {**own.scaling, **{key: terms.ridge.inputs.scaling[key] for key in keys}}
    weights = np.array([terms.pair_weights[key] for key in keys]).reshape(-1, 2)
    skip = [np.tile(column, (len(network.skip), 1)) for column in weights.T]
    unseen = np.zeros((*network.first.shape[:2], len(keys)))
    return FittedNetwork(
        Inputs(own.parameters + keys, own.entities, scaling),
        _inserted(own, network.skip, skip[0], skip[1]),
        _inserted(own, network.first, unseen, unseen),
        network.second,
        network.last,
        network.usual,
    )


def _inserted(own: Inputs, weights: NDArray[np.floating], values: Array, complements: Array) -> Array:
    """Columns of further parameters, put where the layout of pairs has them: values, entities, complements."""
    d = len(own.parameters)
    return np.concatenate([weights[..., :d], values, weights[..., d:], complements], axis=-1)
