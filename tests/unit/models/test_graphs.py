"""The ONNX graphs: what the contract says of them, and that they compute what training computed."""

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from models.network.fitted import FittedNetwork
from models.network.graphs import explain_graph, members_graph, score_graph
from models.network.interaction_graph import interact_graph
from models.predictor import Predictor
from tests.unit.models.made_up import anyone, cohort, graphs_of, inputs, network, schema, wide_inputs

CATALOGUE = schema()
MAKERS = {"score": score_graph, "explain": explain_graph, "members": members_graph, "interact": interact_graph}
Values = NDArray[np.float32]


@pytest.fixture(scope="module")
def net() -> FittedNetwork:
    return network(inputs(cohort(300)))


@pytest.fixture(scope="module")
def graphs(net: FittedNetwork) -> dict[str, bytes]:
    return {name: make(net, CATALOGUE) for name, make in MAKERS.items()}


@pytest.fixture(scope="module")
def predictor(graphs: dict[str, bytes]) -> Predictor:
    return Predictor(graphs, CATALOGUE)


def patients(missing: float) -> Values:
    return cohort(200, seed=3, missing=missing).values


FLOAT32, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
Shape = list[str | int]
MANY = {"values": (FLOAT32, ["N", 350])}


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("score", MANY, {"risk": ["N"]}),
        ("explain", MANY, {"risk": ["N"], "relevance": ["N", 350]}),
        ("members", MANY, {"members": ["N", 5], "distance": ["N"]}),
        ("interact", {"values": (FLOAT32, [1, 350]), "features": (INT64, ["K"])}, {"interaction": ["K", "K"]}),
    ],
)
def test_inputs_and_outputs_are_those_of_the_contract(
    graphs: dict[str, bytes], name: str, inputs: dict[str, tuple[int, Shape]], outputs: dict[str, Shape]
) -> None:
    """The named inputs and outputs and no others, float32 but for the columns, opset 18, nothing kept outside."""
    model = onnx.load_from_string(graphs[name])
    onnx.checker.check_model(model, full_check=True)

    def kind(entry: onnx.ValueInfoProto) -> tuple[int, Shape]:
        tensor = entry.type.tensor_type
        return tensor.elem_type, [d.dim_param or d.dim_value for d in tensor.shape.dim]

    assert [(entry.name, kind(entry)) for entry in model.graph.input] == list(inputs.items())
    assert {entry.name: kind(entry) for entry in model.graph.output} == {k: (FLOAT32, v) for k, v in outputs.items()}
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
    assert not any(tensor.external_data for tensor in model.graph.initializer)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.9])
def test_the_graphs_compute_what_training_computes(net: FittedNetwork, predictor: Predictor, missing: float) -> None:
    """Risk, members and relevance agree with float64 to what float32 can hold."""
    values = patients(missing)
    pairs = net.inputs.pairs(values, CATALOGUE)
    risk, relevance = predictor.relevance(values)
    assert risk == pytest.approx(net.risk(pairs), abs=1e-5)
    assert predictor.risk(values) == pytest.approx(risk, abs=1e-6)
    assert predictor.members(values) == pytest.approx(net.members(pairs), abs=1e-5)
    assert relevance[:, net.inputs.columns(CATALOGUE)] == pytest.approx(net.relevance(pairs), abs=1e-5)


def test_relevance_sums_to_the_risk_and_missing_has_exactly_none() -> None:
    """For 10,000 patients, 0 to 100 % missing, the sum holds to 1e-5; missing or without weights is exactly 0."""
    of = wide_inputs(12)
    predictor = Predictor(graphs_of(network(of), CATALOGUE), CATALOGUE)
    values = np.concatenate([anyone(of, 1000, missing, seed) for seed, missing in enumerate(np.linspace(0, 1, 10))])
    risk, relevance = predictor.relevance(values)
    assert np.abs(relevance.sum(axis=1) - risk).max() <= 1e-5
    assert np.abs(predictor.risk(values) - risk).max() <= 1e-5
    assert not relevance[np.isnan(values)].any()
    assert not relevance[:, CATALOGUE.entity_columns][values[:, CATALOGUE.entity_columns] == 0].any()
    assert not relevance[:, np.setdiff1d(np.arange(350), of.columns(CATALOGUE))].any()


def test_nothing_known_is_exactly_zero(predictor: Predictor) -> None:
    """The patient of whom nothing is known is the origin of the scale."""
    nothing = np.full((2, 350), np.nan, dtype=np.float32)
    risk, relevance = predictor.relevance(nothing)
    assert risk.tolist() == [0, 0]
    assert not relevance.any()
    assert predictor.risk(nothing).tolist() == [0, 0]
    assert not predictor.members(nothing).any()


def test_an_untrained_parameter_changes_nothing(predictor: Predictor) -> None:
    """A value without weights leaves risk and relevance as they are, to the last bit."""
    values = patients(0.2)
    more = values.copy()
    more[:, CATALOGUE.index["lab_sodium"]] = 131
    assert np.array_equal(predictor.relevance(values)[1], predictor.relevance(more)[1])


def test_values_out_of_range_are_clipped_inside_the_graph(net: FittedNetwork, predictor: Predictor) -> None:
    """A haemoglobin of 100, or infinitely much, counts as the highest of training."""
    values = patients(0.2)[:3]
    column = CATALOGUE.index["lab_hemoglobin"]
    values[:, column] = [net.inputs.scaling["lab_hemoglobin"].knots[1], 100, np.inf]
    values[:, np.arange(350) != column] = values[0, np.arange(350) != column]
    assert len(set(predictor.risk(values).tolist())) == 1


def test_one_patient_and_many_get_the_same_answer(predictor: Predictor) -> None:
    """The batch size does not matter."""
    values = patients(0.3)
    alone = np.concatenate([predictor.risk(row[None, :]) for row in values[:5]])
    assert predictor.risk(values)[:5] == pytest.approx(alone, abs=1e-6)


def test_the_graph_is_the_same_bytes_each_time(net: FittedNetwork, graphs: dict[str, bytes]) -> None:
    """Two builds of one network cannot be told apart, so their digests agree."""
    assert explain_graph(net, CATALOGUE) == graphs["explain"]


def test_a_network_without_skewed_parameters_builds_too() -> None:
    """The rank branch of the graph is optional."""
    few = network(inputs(cohort(300), ("stage_uicc_stage",)))
    graphs = {name: make(few, CATALOGUE) for name, make in MAKERS.items()}
    values = patients(0.3)
    expected = few.risk(few.inputs.pairs(values, CATALOGUE))
    assert Predictor(graphs, CATALOGUE).risk(values) == pytest.approx(expected, abs=1e-5)
