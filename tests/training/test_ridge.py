"""Centred ridge: the linear start of the network."""

import numpy as np
import pytest

from models.training.folds import deal
from models.training.ridge import Table, choose_strength, design, fit_ridge, means
from models.training.selection import select_inputs
from tests.unit.models.made_up import cohort, schema

CATALOGUE = schema()


@pytest.fixture(scope="module")
def table() -> Table:
    patients = cohort(500)
    return Table.of(select_inputs(patients, CATALOGUE), patients, CATALOGUE)


def test_pair_weights_say_the_same_as_the_centred_columns(table: Table) -> None:
    """With w = beta (1 - m) and v = -beta m the log-risk is equal for every patient, missing values included."""
    ridge = fit_ridge(table, np.full(len(table.inputs.keys), 3.0))
    assert ridge.risk(table) == pytest.approx(design(table, ridge.mean) @ ridge.beta)


def test_being_measured_does_not_score(table: Table) -> None:
    """Over the training patients who have it, a parameter's contribution is 0 on average; so is the entity's."""
    ridge = fit_ridge(table, np.full(len(table.inputs.keys), 3.0))
    contribution = table.inputs.per_input(table.pairs * ridge.pair_weights())
    d = len(table.inputs.parameters)
    assert contribution[:, :d].sum(axis=0) == pytest.approx(np.zeros(d), abs=1e-9)
    assert contribution[:, d:].sum() == pytest.approx(0, abs=1e-9)


def test_known_effects_are_found(table: Table) -> None:
    """Age, stage and lung cancer were made to kill, KRAS was not."""
    weights = fit_ridge(table, np.full(len(table.inputs.keys), 3.0)).by_parameter()
    beta = {key: x - complement for key, (x, complement) in weights.items()}
    assert beta["demo_age_at_baseline"] > 1
    assert beta["stage_uicc_stage"] > 1
    assert weights["entity_nsclc"][0] > weights["entity_colon"][0] + 0.3
    assert abs(beta["gene_kras"]) < 0.4


def test_genetics_may_get_a_strength_of_its_own(table: Table) -> None:
    """A gene that says nothing is held down harder than age and stage."""
    genetics = np.array([key.startswith("gene_") for key in table.inputs.keys])
    strength = choose_strength(table, deal(table.cohort, 1), genetics)
    assert len(set(strength[~genetics].tolist())) == 1
    assert strength[genetics].min() >= strength[~genetics].max()


def test_means_are_those_of_the_observed(table: Table) -> None:
    """Missing values do not pull the mean; entities have their shares."""
    d = len(table.inputs.parameters)
    assert means(table)[:d] == pytest.approx(np.nanmean(table.scaled[:, :d], axis=0))
    assert means(table)[d:].sum() == pytest.approx(1)


def test_a_table_of_types_knows_nothing_else(table: Table) -> None:
    """The type-only comparator sees the entity and no parameter."""
    types = table.only_entities()
    assert types.inputs.parameters == ()
    assert types.pairs.shape == (500, 3)
