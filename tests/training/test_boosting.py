"""Boosted Cox: one split by hand, the missing, where it stops, and what a linear model cannot find."""

import msgspec
import numpy as np

from models.training.boosting import MISSING, BoostingRecipe, choose_rounds, fit_boosting, grow
from models.training.cox import RiskSets, ridge_cox

STUMP = BoostingRecipe(depth=1, subsample=1.0, shrinkage=1.0, penalty=1e-9, least_expected=0.1)


def sets_of(time: np.ndarray, event: np.ndarray) -> RiskSets:
    return RiskSets(np.zeros(len(time)), time, event, np.zeros(len(time)))


def test_a_stump_by_hand() -> None:
    """Four patients die one after the other: the early two are split off; a leaf is (deaths - expected) / expected."""
    time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4, dtype=bool)
    model = fit_boosting(np.array([[1.0], [1.0], [0.0], [0.0]]), sets_of(time, event), 1, STUMP)
    expected = np.cumsum([1 / 4, 1 / 3, 1 / 2, 1])  # deaths before or at each time over those at risk
    early, late = 2 / expected[:2].sum() - 1, 2 / expected[2:].sum() - 1
    assert np.allclose(model.risk(np.array([[1.0], [0.0], [0.7], [-9.0]])), [early, late, early, late])


def test_the_split_is_the_best_of_all() -> None:
    """Against every threshold of every input, tried one by one."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 8, (60, 3))
    gradient, hessian = random.normal(size=60), random.random(60) + 0.1
    tree = grow(codes, gradient, hessian, STUMP)
    gains = {
        (k, b): sum(gradient[side].sum() ** 2 / hessian[side].sum() for side in (left, ~left))
        for k in range(3)
        for b in range(7)
        for left in [codes[:, k] <= b]
        if min(hessian[left].sum(), hessian[~left].sum()) >= STUMP.least_expected
    }
    assert (tree.feature[0], tree.threshold[0]) == max(gains, key=lambda split: gains[split])


def test_the_missing_go_to_the_side_that_they_resemble() -> None:
    """Patients without the value who die like those with a high one follow them, and the other way round."""
    codes = np.repeat([0, 1, MISSING], 20)[:, None]
    for missing, left in ((1.0, False), (-1.0, True)):
        gradient = np.repeat([-1.0, 1.0, missing], 20)
        tree = grow(codes, gradient, np.ones(60), STUMP)
        assert (tree.threshold[0], bool(tree.missing_left[0])) == (0, left)


def test_a_leaf_needs_expected_deaths() -> None:
    """Where no side would hold enough of them nobody is split off."""
    recipe = msgspec.structs.replace(STUMP, least_expected=40.0)
    tree = grow(np.repeat([0, 1], 30)[:, None], np.repeat([-1.0, 1.0], 30), np.ones(60), recipe)
    assert tree.leaves(np.array([[0], [1], [MISSING]])).tolist() == [0, 0, 0]


def test_it_finds_an_interaction_that_ridge_cannot() -> None:
    """Two switches that matter only together, and oppose each other: a linear model sees nothing of them."""
    random = np.random.default_rng(1)
    columns = random.integers(0, 2, (600, 3)).astype(float)
    truth = 1.5 * (columns[:, 0] != columns[:, 1])
    sets = sets_of(random.exponential(np.exp(-truth)), np.ones(600, dtype=bool))
    risk = fit_boosting(columns, sets, 40, BoostingRecipe()).risk(columns)
    centred = columns - columns.mean(axis=0)
    linear = centred @ ridge_cox(centred, sets, np.ones(3))
    assert np.corrcoef(risk, truth)[0, 1] > 0.95
    assert abs(np.corrcoef(linear, truth)[0, 1]) < 0.3


def test_noise_is_not_boosted_for_long() -> None:
    """Rounds are counted where other patients are predicted best: many for a signal, hardly any for none."""
    random = np.random.default_rng(2)
    columns = random.random((400, 3))
    rounds = []
    for effect in (0.0, 3.0):
        time = random.exponential(np.exp(-effect * columns[:, 0]))
        train, test = (sets_of(time[half], np.ones(200, dtype=bool)) for half in (slice(200), slice(200, None)))
        rounds.append(choose_rounds(columns[:200], train, columns[200:], test, BoostingRecipe(longest=40)))
    assert rounds[0] <= 5
    assert rounds[1] >= 15
