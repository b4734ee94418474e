"""How unlike the training patients a patient is: the graph agrees with numpy, and what is strange lies far away."""

import msgspec
import numpy as np
import pytest

from models.manifest import Applicability
from models.network.applicability import distance, with_usual
from models.network.fitted import FittedNetwork
from models.predictor import Predictor
from models.setting import Network
from tests.unit.models.made_up import cohort, graphs_of, in_float32, inputs, network, schema, trained_setting

CATALOGUE = schema()


@pytest.fixture(scope="module")
def looking() -> FittedNetwork:
    patients = cohort(600, missing=0.1)
    net = network(inputs(patients))
    return in_float32(with_usual(net, net.inputs.pairs(patients.values, CATALOGUE)))


def test_the_graph_says_what_numpy_says(looking: FittedNetwork) -> None:
    """On patients with much and with little missing."""
    values = np.concatenate([cohort(50, seed=1).values, cohort(50, seed=2, missing=0.9).values])
    expected = distance(looking, looking.inputs.pairs(values, CATALOGUE))
    found = Predictor(graphs_of(looking, CATALOGUE), CATALOGUE).distance(values)
    assert found == pytest.approx(expected, rel=1e-5)


def test_usual_patients_are_near_and_others_farther() -> None:
    """Those who trained lie around 1; to a network that saw only the young, the old are unusual."""
    patients = cohort(600, missing=0.0)
    young = patients.values[:, CATALOGUE.index["demo_age_at_baseline"]] < 45
    net = network(inputs(patients))
    pairs = net.inputs.pairs(patients.values, CATALOGUE)
    found = distance(with_usual(net, pairs[young]), pairs)
    assert np.median(found[young]) == pytest.approx(1, abs=0.2)
    assert np.median(found[~young]) > 1.2 * np.median(found[young])
    everybody = distance(with_usual(net, pairs), pairs)
    assert np.median(everybody[~young]) == pytest.approx(1, abs=0.2)


def test_a_unit_that_hardly_ever_fired_does_not_decide() -> None:
    """Its spread counts as half of the mean of its layer: what fires it once is not a hundred times unusual."""
    patients = cohort(600, missing=0.0)
    net = network(inputs(patients))
    pairs = net.inputs.pairs(patients.values, CATALOGUE)
    usual = with_usual(net, pairs).usual
    assert usual is not None
    spread = net.last_hidden(pairs).std(axis=1)
    assert (1 / usual.precision[spread > 0]).min() >= 0.5 * spread.mean(axis=1).min() * (1 - 1e-9)
    assert usual.precision[spread == 0].sum() == 0


def test_a_network_that_never_looked_knows_no_distance(looking: FittedNetwork) -> None:
    """0, and not a number that looks like a usual patient."""
    blind = msgspec.structs.replace(looking, usual=None)
    values = cohort(5).values
    assert not distance(blind, blind.inputs.pairs(values, CATALOGUE)).any()
    assert not Predictor(graphs_of(blind, CATALOGUE), CATALOGUE).distance(values).any()


def test_the_limit_of_the_manifest_decides(looking: FittedNetwork) -> None:
    """Beyond it a patient is unusual; the quantile says how many held-out patients lie nearer."""
    known = Applicability((0.0, 1.0, 2.0), limit=1.5, false_alarms=0.005)
    manifest = msgspec.structs.replace(trained_setting().setting, applicability=known)
    shown = Network("diagnosis", manifest, Predictor(graphs_of(looking, CATALOGUE), CATALOGUE), CATALOGUE)
    assert (shown.is_unusual(1.5), shown.is_unusual(1.51)) == (False, True)
    assert [shown.distance_quantile(d) for d in (0.0, 0.5, 2.0, 9.0)] == [0.0, 0.25, 1.0, 1.0]
    nothing = Network("diagnosis", msgspec.structs.replace(manifest, applicability=None), shown.predictor, CATALOGUE)
    assert nothing.distance_quantile(9.0) is None
    assert not nothing.is_unusual(9.0)
