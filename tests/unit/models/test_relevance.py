"""Relevance: against a net computed by hand, a slow textbook oracle, and integrated gradients.

The oracles know neither the graphs nor the matrix form: they go unit by unit, or only ask for risks.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork, Inputs
from models.network.scaling import Scaling
from models.predictor import Predictor
from tests.unit.models.made_up import (
    PARAMETERS,
    anyone,
    cohort,
    graphs_of,
    in_float32,
    inputs,
    network,
    schema,
    wide_inputs,
)

CATALOGUE = schema()
Array = NDArray[np.float64]


def lrp_of_one_patient(net: FittedNetwork, pairs: Array) -> Array:
    """LRP-0 as the textbook has it (Montavon et al. 2019, eq. 10.1), layer by layer, unit by unit, in loops: [P]."""
    relevance = np.zeros(len(pairs))
    for skip, first, second, last in zip(net.skip, net.first, net.second, net.last, strict=True):
        hidden_1 = np.maximum([sum(w * a for w, a in zip(row, pairs, strict=True)) for row in first], 0)
        hidden_2 = np.maximum([sum(w * a for w, a in zip(row, hidden_1, strict=True)) for row in second], 0)
        on_2 = hidden_2 * last
        on_1 = _back(hidden_1, second, hidden_2, on_2)
        relevance += pairs * skip + _back(pairs, first, hidden_1, on_1)
    return relevance / len(net.skip)


def _back(lower: Array, weights: Array, upper: Array, relevance: Array) -> Array:
    """R_i = sum over j of a_i w_ji / z_j * R_j; a unit that did not fire has none to give."""
    found = np.zeros(len(lower))
    for j, z in enumerate(upper):
        if z > 0:
            for i, a in enumerate(lower):
                found[i] += a * weights[j, i] / z * relevance[j]
    return found


def gradient(net: FittedNetwork, pairs: Array) -> Array:
    """Numerical gradient of the risk, [P], by central differences in steps that no kink can notice."""
    step = 1e-7
    up, down = np.eye(len(pairs)) * step + pairs, pairs - np.eye(len(pairs)) * step
    return np.asarray((net.risk(up) - net.risk(down)) / (2 * step))


@pytest.fixture(scope="module")
def net() -> FittedNetwork:
    return network(inputs(cohort(300)))


@pytest.fixture(scope="module")
def patients(net: FittedNetwork) -> Array:
    return net.inputs.pairs(cohort(12, seed=5).values, schema())


def test_a_net_computed_by_hand() -> None:
    """One parameter at .25 and one entity through two units a layer: every figure can be followed on paper."""
    scaling = {
        "lab_hemoglobin": Scaling("quantile", (8.0, 16.0), (0.0, 1.0)),
        "entity_colon": Scaling("one-hot", (0.0, 1.0), (0.0, 1.0)),
    }
    net = FittedNetwork(
        inputs=Inputs(("lab_hemoglobin",), ("entity_colon",), scaling),
        skip=np.array([[1.0, 0.5, -1.0]]),
        first=np.array([[[2.0, 1.0, 0.0], [0.0, -1.0, 0.0]]]),
        second=np.array([[[1.0, 0.0], [-1.0, 1.0]]]),
        last=np.array([[2.0, 5.0]]),
    )
    catalogue = schema()
    values = np.full((1, len(catalogue)), np.nan, dtype=np.float32)
    values[0, catalogue.index["lab_hemoglobin"]] = 10.0
    values[:, catalogue.entity_columns] = 0
    values[0, catalogue.index["entity_colon"]] = 1
    pairs = net.inputs.pairs(values, catalogue)
    assert pairs[0] == pytest.approx([0.25, 1.0, 0.75])
    # Linear: .25 + .5 - .75 = 0. Hidden: (1.5, 0) -> (1.5, 0) -> 3; of these 3, haemoglobin .5 * 2 and colon 1 * 2.
    assert net.risk(pairs) == pytest.approx([3.0])
    assert net.relevance(pairs)[0] == pytest.approx([0.25 - 0.75 + 1.0, 0.5 + 2.0])


def test_relevance_equals_the_textbook_oracle(net: FittedNetwork, patients: Array) -> None:
    """Gradient times input is LRP-0, to the last digits of float64."""
    slow = np.array([lrp_of_one_patient(net, pairs) for pairs in patients])
    assert net.relevance(patients) == pytest.approx(net.inputs.per_input(slow), abs=1e-12)


def small(parameters: tuple[str, ...] = PARAMETERS) -> Inputs:
    return inputs(cohort(300), parameters)


@pytest.mark.parametrize(
    ("of", "members", "units"),
    [(small(), 5, (64, 32)), (small(("lab_cea", "gene_kras")), 1, (5, 3)), (wide_inputs(40), 2, (12, 24))],
    ids=["as trained", "one small member", "many inputs, wider second layer"],
)
def test_the_graph_equals_the_textbook_oracle(of: Inputs, members: int, units: tuple[int, int]) -> None:
    """Single precision costs at most 1e-6 of log-risk per parameter; others have exactly 0."""
    net = in_float32(network(of, 3, members, units))
    values = anyone(of, 4)
    slow = [lrp_of_one_patient(net, pairs) for pairs in of.pairs(values, CATALOGUE)]
    expected = np.zeros((len(values), len(CATALOGUE)))
    expected[:, of.columns(CATALOGUE)] = of.per_input(np.array(slow))
    _, relevance = Predictor(graphs_of(net, CATALOGUE), CATALOGUE).relevance(values)
    assert np.abs(relevance - expected).max() <= 1e-6
    assert np.array_equal(relevance != 0, expected != 0)


def test_relevance_equals_integrated_gradients_from_the_unknown_patient(net: FittedNetwork, patients: Array) -> None:
    """The mean gradient of 50 steps on the straight path from "nothing known", times the inputs (Sundararajan 2017)."""
    for pairs in patients[:2]:
        steps = (np.arange(50) + 0.5) / 50
        path = np.mean([gradient(net, pairs * share) for share in steps], axis=0)
        assert net.relevance(pairs[None, :])[0] == pytest.approx(net.inputs.per_input(path * pairs), abs=1e-6)


def test_relevances_sum_to_the_risk(net: FittedNetwork, patients: Array) -> None:
    """Nothing is lost and nothing invented."""
    assert net.relevance(patients).sum(axis=1) == pytest.approx(net.risk(patients), abs=1e-12)


def test_members_average_to_the_risk(net: FittedNetwork, patients: Array) -> None:
    """The risk is the mean of the ensemble."""
    assert net.members(patients).mean(axis=1) == pytest.approx(net.risk(patients))
