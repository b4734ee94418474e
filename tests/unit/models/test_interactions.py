"""Interactions: the graph against mixed differences by brute force."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.features import FeatureVector
from models.network.fitted import FittedNetwork
from models.predictor import Predictor
from tests.unit.models.made_up import ENTITIES, PARAMETERS, cohort, graphs_of, in_float32, inputs, network, schema

CATALOGUE = schema()
COLUMNS = [CATALOGUE.index[key] for key in (*PARAMETERS, *ENTITIES, "lab_sodium")]  # the last has no weights
Values = NDArray[np.float32]


@pytest.fixture(scope="module")
def net() -> FittedNetwork:
    return in_float32(network(inputs(cohort(300))))


@pytest.fixture(scope="module")
def predictor(net: FittedNetwork) -> Predictor:
    return Predictor(graphs_of(net, CATALOGUE), CATALOGUE)


def by_brute_force(net: FittedNetwork, values: Values) -> NDArray[np.float64]:
    """Each pair's four patients through the whole network in float64; what is taken out is not known any more."""
    k = len(COLUMNS)
    left = np.tile(values, (k, k, 4, 1))  # whole, without i, without j, without both
    for a, column in enumerate(COLUMNS):
        left[a, :, [1, 3], column] = np.nan
        left[:, a, 2:, column] = np.nan
    risks = net.risk(net.inputs.pairs(left.reshape(-1, len(values)), CATALOGUE)).reshape(k, k, 4)
    mixed: NDArray[np.float64] = risks @ np.array([1, -1, -1, 1])
    return mixed * (1 - np.eye(k))


def test_interactions_are_the_mixed_differences(net: FittedNetwork, predictor: Predictor) -> None:
    """Within 2e-6 of float64 brute force, for patients of whom much and little is known; some are a tenth and more."""
    largest = 0.0
    for values in cohort(2, seed=7, missing=0.2).values:
        expected = by_brute_force(net, values)
        found = predictor.interactions(FeatureVector(values, CATALOGUE), COLUMNS)
        assert found.features.tolist() == COLUMNS
        assert found.values == pytest.approx(expected, abs=2e-6)
        largest = max(largest, float(np.abs(expected).max()))
    assert largest > 0.05


def test_what_is_not_known_interacts_with_nothing(predictor: Predictor) -> None:
    """Missing, without weights, a cancer type that the patient does not have, or the input itself: exactly 0."""
    for values in cohort(8, seed=8, missing=0.5).values:
        found = predictor.interactions(FeatureVector(values, CATALOGUE), COLUMNS).values
        absent = np.isnan(values[COLUMNS])
        absent[-1] = True  # no weights
        absent[len(PARAMETERS) : -1] = values[COLUMNS[len(PARAMETERS) : -1]] == 0
        assert not found[absent].any()
        assert not found[:, absent].any()
        assert not found.diagonal().any()
        assert np.array_equal(found, found.T)
        assert np.isfinite(found).all()


def test_a_feature_asked_for_twice_does_not_interact_with_itself(predictor: Predictor) -> None:
    """Any selection in any order is answered, also none."""
    vector = FeatureVector(cohort(1, seed=7, missing=0).values[0], CATALOGUE)
    age, stage = COLUMNS[0], COLUMNS[4]
    twice = predictor.interactions(vector, [stage, age, stage]).values
    assert twice[0, 2] == 0
    assert twice[0, 1] == twice[2, 1] == pytest.approx(predictor.interactions(vector, [age, stage]).values[0, 1])
    assert twice[0, 1] != 0
    assert predictor.interactions(vector, []).values.shape == (0, 0)


@pytest.mark.parametrize("column", [-1, 350])
def test_a_column_outside_of_the_catalogue_is_refused(predictor: Predictor, column: int) -> None:
    """A negative one would be counted from the end."""
    vector = FeatureVector(np.full(350, np.nan, dtype=np.float32), CATALOGUE)
    with pytest.raises(IndexError):
        predictor.interactions(vector, [0, column])


def test_a_network_without_hidden_layers_has_no_interactions(net: FittedNetwork) -> None:
    """A ridge is a sum: the skip path contributes exactly nothing."""
    ridge = FittedNetwork(net.inputs, net.skip, net.first, net.second, net.last * 0)
    vector = FeatureVector(cohort(1, seed=7, missing=0).values[0], CATALOGUE)
    assert not Predictor(graphs_of(ridge, CATALOGUE), CATALOGUE).interactions(vector, COLUMNS).values.any()
