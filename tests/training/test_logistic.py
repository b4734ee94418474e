"""Ridge logistic regression against optima known otherwise, and who has an outcome at a horizon."""

import math

import msgspec
import numpy as np
import pytest

from models.training.logistic import known_at, logistic_risk, ridge_logistic
from models.training.ridge import Table
from models.training.selection import select_inputs
from tests.unit.models.made_up import cohort, schema


def test_without_penalty_a_switch_is_its_log_odds_ratio() -> None:
    """Two groups with 3 of 10 and 6 of 8 dead: intercept and slope in closed form."""
    switch = np.repeat([0.0, 1.0], [10, 8])
    dead = np.concatenate([np.arange(10) < 3, np.arange(8) < 6])
    beta = ridge_logistic(np.column_stack([switch, np.ones(18)]), dead, np.zeros(2))
    assert beta[1] == pytest.approx(math.log(3 / 7))
    assert beta[0] == pytest.approx(math.log(6 / 2) - math.log(3 / 7))


def test_with_penalty_it_is_the_best_point_of_a_grid() -> None:
    """Brute force over slope and intercept to three digits."""
    random = np.random.default_rng(0)
    x = random.normal(size=40)
    dead = random.random(40) < 1 / (1 + np.exp(-2 * x))
    beta = ridge_logistic(np.column_stack([x, np.ones(40)]), dead, np.array([2.0, 0.0]))
    slope, intercept = np.meshgrid(np.linspace(0, 3, 301), np.linspace(-1, 1, 201), indexing="ij")
    odds = slope[..., None] * x + intercept[..., None]
    value = np.where(dead, odds, 0).sum(axis=2) - np.logaddexp(0, odds).sum(axis=2) - slope**2
    best = np.unravel_index(value.argmax(), value.shape)
    assert beta == pytest.approx([slope[best], intercept[best]], abs=0.006)


def test_who_has_an_outcome() -> None:
    """Dead by the day or seen after it; lost before it, or under observation only later, is no outcome."""
    patients = msgspec.structs.replace(
        cohort(5),
        time=np.array([10.0, 30.0, 20.0, 31.0, 40.0]),
        event=np.array([True, True, False, False, True]),
        entry=np.array([0.0, 0.0, 0.0, 0.0, 5.0]),
    )
    known, dead = known_at(patients, 30)
    assert known.tolist() == [True, True, False, True, False]
    assert dead[known].tolist() == [True, True, False]


def test_it_ranks_patients_that_it_was_not_fitted_on() -> None:
    """By age and stage, as the made-up deaths do; where hardly anybody died it says nothing."""
    catalogue, patients = schema(), cohort(400)
    table = Table.of(select_inputs(patients, catalogue), patients, catalogue)
    train, test = table.rows(np.arange(400) < 300), table.rows(np.arange(400) >= 300)
    odds = logistic_risk(train, test, 700, seed=0)
    known, dead = known_at(test.cohort, 700)
    assert odds[known & dead].mean() > odds[known & ~dead].mean() + 0.5
    assert np.isnan(logistic_risk(train, test, 1, seed=0)).all()
