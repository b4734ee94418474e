"""Relevance says what the network does: it agrees with Shapley values, and it goes when the weights go."""

from math import factorial
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.manifest import Golden
from models.package import Package
from models.predictor import Predictor
from tests.unit.models.made_up import anyone, graphs_of, network, schema, wide_inputs

CATALOGUE = schema()
SHIPPED = Path(__file__).parents[2] / "models/packages/pan-cancer"
KNOWN = 9  # parameters of a patient, at most; 2 ** 10 coalitions with the cancer type
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def package() -> Package:
    return Package.load(SHIPPED, CATALOGUE)


def shapley(risks: Array) -> Array:
    """Exact Shapley values (1953) of n players from the worth of each of the 2^n coalitions; bit i: player i is in."""
    n = len(risks).bit_length() - 1
    coalitions = np.arange(len(risks))
    size = np.array([int(c).bit_count() for c in coalitions])
    values = np.zeros(n)
    for i in range(n):
        without = coalitions[(coalitions >> i) & 1 == 0]
        weight = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in size[without]])
        values[i] = weight @ (risks[without | (1 << i)] - risks[without])
    return values


def risks_of_coalitions(predictor: Predictor, values: NDArray[np.float32], players: NDArray[np.intp]) -> Array:
    """Risk with each subset of the players known and the others missing, [2^n]."""
    inside = (np.arange(2 ** len(players))[:, None] >> np.arange(len(players))) & 1
    rows = np.tile(values, (len(inside), 1))
    rows[:, players] = np.where(inside == 1, values[players], np.nan)
    return predictor.risk(rows).astype(float)


def deletion(risks: Array, ranking: Array) -> float:
    """How far the risk falls, on average over the steps, while the inputs go by descending `ranking`."""
    coalition, left = len(risks) - 1, []
    for i in np.argsort(-ranking):
        coalition &= ~(1 << int(i))
        left.append(risks[coalition])
    return float(risks[-1] - np.mean(left))


def sparse_patients(setting: str) -> list[NDArray[np.float32]]:
    """Made-up patients of the golden rows of whom ten inputs at most are left."""
    golden = msgspec.json.decode((SHIPPED / "golden.json").read_bytes(), type=Golden)
    random, found = np.random.default_rng(0), []
    for row in [row for row in golden.rows if row.setting == setting and row.values] * 2:
        parameters = [key for key in row.values if not CATALOGUE[key].is_entity]
        values = np.full(len(CATALOGUE), np.nan, dtype=np.float32)
        values[CATALOGUE.entity_columns] = 0
        left = random.choice(parameters, min(KNOWN, len(parameters)), replace=False)
        for key in [*left, *(row.values.keys() - set(parameters))]:
            values[CATALOGUE.index[key]] = row.values[key]
        found.append(values)
    return found


def test_shapley_values_of_a_game_on_paper() -> None:
    """Gloves: one left (player 0) and two right ones, a pair is worth 1; the left is worth 2/3, each right 1/6."""
    worth = np.array([0, 0, 0, 1, 0, 1, 0, 1], dtype=float)
    assert shapley(worth) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_relevance_agrees_with_shapley_on_the_shipped_networks(package: Package) -> None:
    """Correlation at least .95 on average, and the deletion curve at least 95 % of that by Shapley's own ranking.

    These patients are made up, and more extreme than real ones. On 60 patients of each anchor cohort the curves reached
    97.3 % (acute), 99.3 % (diagnosis), 99.6 % (survivor) and 99.8 % (metastatic), the correlations .969 to .992.
    """
    for setting, shown in package.networks.items():
        correlations, ours, theirs = [], 0.0, 0.0
        for values in sparse_patients(setting):
            relevance = shown.predictor.relevance(values[None, :])[1][0].astype(float)
            players = np.flatnonzero(relevance)
            risks = risks_of_coalitions(shown.predictor, values, players)
            exact = shapley(risks)
            assert exact.sum() == pytest.approx(relevance.sum(), abs=1e-5)
            correlations.append(np.corrcoef(exact, relevance[players])[0, 1])
            ours += deletion(risks, relevance[players])
            theirs += deletion(risks, exact)
        assert np.mean(correlations) >= 0.95, setting
        assert ours >= 0.95 * theirs > 0, setting


def ranks(values: Array) -> Array:
    return np.argsort(np.argsort(values)).astype(float)


def test_relevance_goes_with_the_weights() -> None:
    """After Adebayo et al. (2018): random weights of another draw leave no rank correlation of |relevance|."""
    of = wide_inputs(40)
    values = anyone(of, 20)

    def strength(seed: int) -> Array:
        graphs = graphs_of(network(of, seed), CATALOGUE)
        return np.abs(Predictor(graphs, CATALOGUE).relevance(values)[1]).astype(float)

    ours, others = strength(0), [strength(seed) for seed in range(1, 4)]
    found = [
        np.corrcoef(ranks(mine[mine > 0]), ranks(theirs[mine > 0]))[0, 1]
        for other in others
        for mine, theirs in zip(ours, other, strict=True)
    ]
    assert abs(np.mean(found)) < 0.1
