"""Centred ridge Cox: the linear model that the network starts from, and that it has to beat.

A parameter contributes beta * (x - mean of the observed x), and nothing where it is missing, so having been measured
does not score. On the pairs (x, 1 - x) that is w = beta * (1 - mean), v = -beta * mean.
"""

from collections.abc import Collection, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.network.fitted import Inputs
from models.training.cohort import Cohort
from models.training.cox import RiskSets, ridge_cox

Array = NDArray[np.float64]

STRENGTHS = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0)  # from strong to weak, each starts where the last ended
GENETICS = (1.0, 10.0, 100.0, 1000.0)  # what the strength of genetics is multiplied with


class Table(msgspec.Struct, frozen=True):
    """A cohort in the columns of the network: `scaled` [n, K] (NaN = missing), `pairs` [n, P], and its outcome."""

    inputs: Inputs
    scaled: Array
    pairs: Array
    cohort: Cohort

    @classmethod
    def of(cls, inputs: Inputs, cohort: Cohort, schema: FeatureSchema) -> "Table":
        return cls(inputs, inputs.scaled(cohort.values, schema), inputs.pairs(cohort.values, schema), cohort)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Which parameters each patient has, [n, D]."""
        return ~np.isnan(self.scaled[:, : len(self.inputs.parameters)])

    def rows(self, which: NDArray[np.bool_]) -> "Table":
        return Table(self.inputs, self.scaled[which], self.pairs[which], self.cohort.rows(which))

    def only_entities(self) -> "Table":
        """The same patients, of whom nothing is known but the cancer type."""
        return self.only(())

    def only(self, parameters: Collection[str]) -> "Table":
        """The same patients, of whom nothing is known but the cancer type and `parameters` (those with weights)."""
        kept = tuple(key for key in self.inputs.parameters if key in parameters)
        keys = (*kept, *self.inputs.entities)
        inputs = Inputs(kept, self.inputs.entities, {key: self.inputs.scaling[key] for key in keys})
        columns = [self.inputs.keys.index(key) for key in keys]
        complements = [len(self.inputs.keys) + column for column in columns[: len(kept)]]
        return Table(inputs, self.scaled[:, columns], self.pairs[:, columns + complements], self.cohort)

    def risk_sets(self) -> RiskSets:
        """Strata are the cohorts: their time zeros and baselines differ."""
        return RiskSets(self.cohort.entry, self.cohort.time, self.cohort.event, self.cohort.cohort)


class CentredRidge(msgspec.Struct, frozen=True):
    """`beta` [K] per scaled input, `mean` [K] of what was observed in training, `strength` [K] of the penalty."""

    inputs: Inputs
    beta: Array
    mean: Array
    strength: Array

    def pair_weights(self) -> Array:
        """Weights on the pairs, [P]: exactly the same log-risk. Entities get beta minus its weighted mean."""
        d = len(self.inputs.parameters)
        beta, mean = self.beta[:d], self.mean[:d]
        entities = self.beta[d:] - (self.beta[d:] * self.mean[d:]).sum()
        return np.concatenate([beta * (1 - mean), entities, -beta * mean])

    def risk(self, table: Table) -> Array:
        return np.asarray(table.pairs @ self.pair_weights())

    def by_parameter(self) -> dict[str, tuple[float, float]]:
        """Weights of x and 1 - x per input; an entity has the first only."""
        weights = self.pair_weights()
        complements = np.concatenate([weights[len(self.inputs.keys) :], np.zeros(len(self.inputs.entities))])
        return {key: (float(weights[i]), float(complements[i])) for i, key in enumerate(self.inputs.keys)}


def design(table: Table, mean: Array) -> Array:
    """Centred columns [n, K], 0 where missing; a patient whose entity has no weights is 0 in all of them."""
    d = len(table.inputs.parameters)
    centred = np.nan_to_num(table.scaled - mean)
    entity = np.nan_to_num(table.scaled[:, d:])
    centred[:, d:] = np.where(entity.any(axis=1, keepdims=True), entity - mean[d:], 0.0)
    return np.asarray(centred)


def means(table: Table) -> Array:
    """Mean of the observed scaled values of patients with cancer, [K].

    For entities it is their share among the patients whose entity has weights.
    """
    d = len(table.inputs.parameters)
    scaled = table.scaled[table.cohort.with_cancer]
    observed = ~np.isnan(scaled)
    mean = np.where(observed, scaled, 0.0).sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
    entity = np.nan_to_num(scaled[:, d:])
    mean[d:] = entity.sum(axis=0) / max(1.0, entity.sum())
    return np.asarray(mean)


def fit_ridge(table: Table, strength: Array, start: Array | None = None) -> CentredRidge:
    """Fit with the given penalty per input [K]."""
    mean = means(table)
    beta = ridge_cox(design(table, mean), table.risk_sets(), strength, start)
    return CentredRidge(table.inputs, beta, mean, strength)


def choose_strength(table: Table, fold: NDArray[np.intp], genetics: NDArray[np.bool_]) -> Array:
    """The penalty per input [K] that predicts the left-out folds best (sum of their partial log-likelihoods).

    `genetics` [K] marks the inputs whose penalty has a multiplier of its own: with one common strength the many gene
    columns cost more than they give.
    """
    total: dict[tuple[float, float], float] = {}
    for left_out in np.unique(fold):
        for pair, likelihood in _left_out(table, fold == left_out, genetics).items():
            total[pair] = total.get(pair, 0.0) + likelihood
    strength, multiplier = max(total, key=lambda pair: total[pair])
    return _penalty(strength, multiplier, genetics)


def _left_out(table: Table, out: NDArray[np.bool_], genetics: NDArray[np.bool_]) -> Mapping[tuple[float, float], float]:
    train, test = table.rows(~out), table.rows(out)
    mean = means(train)
    columns, sets = design(train, mean), train.risk_sets()
    test_columns, test_sets = design(test, mean), test.risk_sets()
    found = {}
    for multiplier in GENETICS if genetics.any() else GENETICS[:1]:
        beta = None
        for strength in STRENGTHS:
            beta = ridge_cox(columns, sets, _penalty(strength, multiplier, genetics), beta)
            found[strength, multiplier] = test_sets.log_likelihood(test_columns @ beta)
    return found


def _penalty(strength: float, multiplier: float, genetics: NDArray[np.bool_]) -> Array:
    return np.where(genetics, strength * multiplier, strength)
