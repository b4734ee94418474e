"""Gradient-boosted Cox model: the comparator that finds thresholds and interactions without being told.

Newton boosting of Breslow's partial likelihood (Friedman, Ann. Statist. 2001; Ridgeway 1999 for the partial
likelihood) with regression trees on binned inputs. A patient's gradient is event - expected deaths; the diagonal of
the Hessian is taken as the expected deaths, which bounds it from above, so a step never overshoots.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.training.cox import RiskSets

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

BINS = 31  # of the observed values; one more holds the missing ones
MISSING = BINS


class BoostingRecipe(msgspec.Struct, frozen=True):
    """The same for every cohort. `least_expected` is the number of expected deaths that a leaf must hold."""

    seed: int = 0
    depth: int = 3
    shrinkage: float = 0.1
    subsample: float = 0.5
    penalty: float = 1.0
    least_expected: float = 5.0
    patience: int = 20
    longest: int = 300


class Tree(msgspec.Struct, frozen=True):
    """A full binary tree, nodes in level order: the children of node i are 2 i + 1 and 2 i + 2.

    A patient goes left where the bin of `feature` is at most `threshold`, and where it is missing if `missing_left`;
    a node that was not split sends everybody left (its threshold lies above all bins). `leaf` [2^depth] log-risk.
    """

    feature: Codes
    threshold: Codes
    missing_left: NDArray[np.bool_]
    leaf: Array

    def leaves(self, codes: Codes) -> Codes:
        """The leaf of each patient of `codes` [n, K], [n]."""
        node, every = np.zeros(len(codes), dtype=np.intp), np.arange(len(codes))
        for _ in range(len(self.feature).bit_length()):
            code = codes[every, self.feature[node]]
            missing = code == MISSING
            left = np.where(missing, self.missing_left[node], code <= self.threshold[node])
            node = 2 * node + 2 - left
        return node - len(self.feature)


class BoostedCox(msgspec.Struct, frozen=True):
    """`edges` between the bins of each input, and the trees that follow each other."""

    edges: tuple[Array, ...]
    trees: tuple[Tree, ...]

    def risk(self, columns: Array) -> Array:
        """Log-risk [n] of inputs [n, K] (NaN = missing)."""
        codes = _binned(columns, self.edges)
        total = np.zeros(len(codes))
        for tree in self.trees:
            total += tree.leaf[tree.leaves(codes)]
        return total


def fit_boosting(columns: Array, sets: RiskSets, rounds: int, recipe: BoostingRecipe) -> BoostedCox:
    """`rounds` trees on inputs [n, K] (NaN = missing) of the patients of `sets`."""
    edges = tuple(_edges(column) for column in columns.T)
    return BoostedCox(edges, tuple(islice(_trees(_binned(columns, edges), sets, recipe), rounds)))


def choose_rounds(
    columns: Array, sets: RiskSets, held_out: Array, held_out_sets: RiskSets, recipe: BoostingRecipe
) -> int:
    """After how many rounds, 0 … longest, other patients are predicted best (by their partial likelihood)."""
    edges = tuple(_edges(column) for column in columns.T)
    codes, others = _binned(columns, edges), _binned(held_out, edges)
    risk, best = np.zeros(len(others)), 0
    best_value = held_out_sets.log_likelihood(risk)
    for number, tree in enumerate(islice(_trees(codes, sets, recipe), recipe.longest), start=1):
        risk += tree.leaf[tree.leaves(others)]
        value = held_out_sets.log_likelihood(risk)
        if value > best_value:
            best, best_value = number, value
        if number - best >= recipe.patience:
            break
    return best


def _trees(codes: Codes, sets: RiskSets, recipe: BoostingRecipe) -> Iterator[Tree]:
    """One tree after another, each on a random half of the patients and on what the others left unexplained."""
    random, risk = np.random.default_rng(recipe.seed), np.zeros(len(codes))
    while True:
        gradient, hessian = _derivatives(risk, sets)
        drawn = np.flatnonzero(random.random(len(codes)) < recipe.subsample)
        tree = grow(codes[drawn], gradient[drawn], hessian[drawn], recipe)
        risk += tree.leaf[tree.leaves(codes)]
        yield tree


def grow(codes: Codes, gradient: Array, hessian: Array, recipe: BoostingRecipe) -> Tree:
    """One tree on binned inputs [n, K]: level by level, each node at the split that lowers the loss most."""
    inner = 2**recipe.depth - 1
    feature, threshold = np.zeros(inner, dtype=np.intp), np.full(inner, MISSING)
    missing_left = np.ones(inner, dtype=bool)
    flat = codes + np.arange(codes.shape[1]) * (BINS + 1)
    local = np.zeros(len(codes), dtype=np.intp)
    repeated = np.repeat(gradient, codes.shape[1]), np.repeat(hessian, codes.shape[1])
    every = np.arange(len(codes))
    for level in range(recipe.depth):
        width = 2**level
        cells = (flat + (local * (codes.shape[1] * (BINS + 1)))[:, None]).ravel()
        shape = width, codes.shape[1], BINS + 1
        sums = [np.bincount(cells, weights, np.prod(shape)).reshape(shape) for weights in repeated]
        here = slice(width - 1, 2 * width - 1)
        feature[here], threshold[here], missing_left[here] = _best_splits(sums[0], sums[1], recipe)
        node = local + width - 1
        code = codes[every, feature[node]]
        left = np.where(code == MISSING, missing_left[node], code <= threshold[node])
        local = 2 * local + 1 - left
    leaves = inner + 1
    step = np.bincount(local, gradient, leaves) / (np.bincount(local, hessian, leaves) + recipe.penalty)
    return Tree(feature, threshold, missing_left, recipe.shrinkage * step)


def _best_splits(gradient: Array, hessian: Array, recipe: BoostingRecipe) -> tuple[Codes, Codes, NDArray[np.bool_]]:
    """Feature, last bin on the left and the side of the missing, per node; sums come as [nodes, K, bins + 1]."""
    whole_g, whole_h = gradient[:, :1].sum(axis=2)[..., None], hessian[:, :1].sum(axis=2)[..., None]
    observed = np.cumsum(gradient[..., :-2], axis=2), np.cumsum(hessian[..., :-2], axis=2)
    gains = []
    for share in (1.0, 0.0):  # the missing on the left, on the right
        left_g, left_h = observed[0] + share * gradient[..., -1:], observed[1] + share * hessian[..., -1:]
        right_g, right_h = whole_g - left_g, whole_h - left_h
        gain = left_g**2 / (left_h + recipe.penalty) + right_g**2 / (right_h + recipe.penalty)
        allowed = np.minimum(left_h, right_h) >= recipe.least_expected
        gains.append(np.where(allowed, gain - whole_g**2 / (whole_h + recipe.penalty), 0.0))
    table = np.stack(gains, axis=1)
    place = table.reshape(len(table), -1).argmax(axis=1)
    side, feature, threshold = np.unravel_index(place, table.shape[1:])
    split = table.reshape(len(table), -1)[np.arange(len(table)), place] > 0
    return np.where(split, feature, 0), np.where(split, threshold, MISSING), np.where(split, side == 0, True)


def _derivatives(risk: Array, sets: RiskSets) -> tuple[Array, Array]:
    """Event - expected deaths, and the expected deaths, of each patient."""
    weight = np.exp(risk - risk.max())
    expected = weight * sets.exposure(sets.deaths / sets.at_risk(weight))
    return sets.event - expected, np.maximum(expected, 0.0)


def _edges(column: Array) -> Array:
    """Up to BINS - 1 edges between the distinct values, at equal steps of their distribution."""
    observed = column[~np.isnan(column)]
    values = np.unique(observed)
    if len(values) > BINS:
        values = np.unique(np.quantile(observed, np.linspace(0, 1, BINS), method="nearest"))
    return np.asarray((values[1:] + values[:-1]) / 2)


def _binned(columns: Array, edges: tuple[Array, ...]) -> Codes:
    """The bin of every value, MISSING for NaN, [n, K]."""
    codes = np.full(columns.shape, MISSING, dtype=np.intp)
    for i, own in enumerate(edges):
        observed = ~np.isnan(columns[:, i])
        codes[observed, i] = np.searchsorted(own, columns[observed, i], side="left")
    return codes
