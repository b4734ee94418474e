"""The network as ONNX graphs: scaling, missing values and pairs inside, so that a server cannot differ from training.

Separate graphs over the same weights, because onnxruntime computes every output of a graph whether it is asked for or
not: `score` (risk), `explain` (risk and relevance), `members` (each member's risk), and `interact` in
interaction_graph.py. Opset 18, ordinary operators, any batch size, no external data.
"""

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.features import FeatureSchema
from models.network.fitted import FittedNetwork, HiddenSpread
from models.network.scaling import Scaling

OPSET = 18
IR_VERSION = 9  # of onnx 1.14; older runtimes read it too

Input = tuple[int, list[str | int]]  # element type and shape


class Builder:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def floats(self, name: str, value: NDArray[np.floating]) -> str:
        return self.constant(name, np.asarray(value, dtype=np.float32))

    def shape(self, *sizes: int) -> str:
        return self.constant("shape_" + "_".join(map(str, sizes)), np.array(sizes, dtype=np.int64))

    def add(self, operator: str, *inputs: str, name: str, **attributes: int | list[int]) -> str:
        node = helper.make_node(operator, list(inputs), [name], name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def model(self, name: str, inputs: dict[str, Input], outputs: dict[str, list[str | int]]) -> bytes:
        """The checked model; the `outputs` are float32 of these shapes.

        Raises onnx.checker.ValidationError if it is not sound.
        """
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(entry, kind, shape) for entry, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(entry, TensorProto.FLOAT, shape) for entry, shape in outputs.items()],
            list(self.constants.values()),
        )
        model = helper.make_model(
            graph,
            producer_name="oncohooks",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


class Forward(msgspec.Struct, frozen=True):
    """Names of the tensors that the backward pass needs; hidden layers are [M, N, units]."""

    pairs: str
    first: str
    second: str


def score_graph(network: FittedNetwork, schema: FeatureSchema) -> bytes:
    """`values` [N, 350] -> `risk` [N]."""
    build = Builder()
    _risk(build, network, _forward(build, network, schema))
    return build.model("score", _patients(schema), {"risk": ["N"]})


def explain_graph(network: FittedNetwork, schema: FeatureSchema) -> bytes:
    """`values` [N, 350] -> `risk` [N], `relevance` [N, 350] (LRP-0; zero for missing and untrained parameters).

    The risk is the sum of the relevances, which in exact arithmetic it is anyway: in float32 the two ways round apart.
    """
    build = Builder()
    forward = _forward(build, network, schema)
    relevance = _relevance(build, network, schema, forward)
    build.add("ReduceSum", relevance, build.shape(1), name="risk", keepdims=0)
    return build.model("explain", _patients(schema), {"risk": ["N"], "relevance": ["N", len(schema)]})


def members_graph(network: FittedNetwork, schema: FeatureSchema) -> bytes:
    """`values` [N, 350] -> `members` [N, M], the log-risk of each member, and `distance` [N] (applicability.py)."""
    build = Builder()
    forward = _forward(build, network, schema)
    last = build.floats("last_of_members", network.last[:, :, None])
    active = build.add("Relu", forward.second, name="second_active")
    hidden = build.add("MatMul", active, last, name="hidden_members")
    hidden = build.add("Squeeze", hidden, build.shape(2), name="hidden_members_flat")
    hidden = build.add("Transpose", hidden, name="hidden_members_by_patient", perm=[1, 0])
    skip = build.floats("skip_of_members", network.skip)
    linear = build.add("Gemm", forward.pairs, skip, name="linear_members", transB=1)
    build.add("Add", linear, hidden, name="members")
    _distance(build, network, active)
    return build.model("members", _patients(schema), {"members": ["N", len(network.skip)], "distance": ["N"]})


def _distance(build: Builder, network: FittedNetwork, active: str) -> str:
    """Root mean squared standard score of the last hidden layer's units, over units and members."""
    units = network.last.shape
    usual = network.usual or HiddenSpread(np.zeros(units), np.zeros(units))
    centred = build.add("Sub", active, build.floats("usual_mean", usual.mean[:, None, :]), name="centred_active")
    precision = build.floats("usual_precision", usual.precision[:, None, :])
    score = build.add("Mul", centred, precision, name="standard_scores")
    squared = build.add("Mul", score, score, name="squared_scores")
    mean = build.add("ReduceMean", squared, build.shape(0, 2), name="mean_squared_score", keepdims=0)
    return build.add("Sqrt", mean, name="distance")


def _patients(schema: FeatureSchema) -> dict[str, Input]:
    return {"values": (TensorProto.FLOAT, ["N", len(schema)])}


def _forward(build: Builder, network: FittedNetwork, schema: FeatureSchema) -> Forward:
    members, units, width = network.first.shape
    pairs = pairs_of(build, network, schema)
    first = build.floats("first", network.first.reshape(members * units, width))
    before = build.add("Gemm", pairs, first, name="first_flat", transB=1)
    before = build.add("Reshape", before, build.shape(-1, members, units), name="first_by_patient")
    before = build.add("Transpose", before, name="first_before", perm=[1, 0, 2])
    active = build.add("Relu", before, name="first_active")
    second = build.floats("second", network.second.transpose(0, 2, 1))
    return Forward(pairs, before, build.add("MatMul", active, second, name="second_before"))


def _risk(build: Builder, network: FittedNetwork, forward: Forward) -> str:
    active = build.add("Relu", forward.second, name="second_active")
    hidden = build.add("Mul", active, _last(build, network), name="hidden_terms")
    hidden = build.add("ReduceSum", hidden, build.shape(0, 2), name="hidden_risk", keepdims=0)
    linear = build.add("Gemm", forward.pairs, _skip(build, network), name="linear_column", transB=1)
    linear = build.add("Squeeze", linear, build.shape(1), name="linear_risk")
    return build.add("Add", linear, hidden, name="risk")


def _skip(build: Builder, network: FittedNetwork) -> str:
    """The mean skip weights of the members, [1, P]."""
    return build.floats("skip", network.skip.mean(axis=0)[None, :])


def _last(build: Builder, network: FittedNetwork) -> str:
    """The last weights, already divided by the number of members, [M, 1, units]."""
    return build.floats("last", network.last[:, None, :] / len(network.last))


def _relevance(build: Builder, network: FittedNetwork, schema: FeatureSchema, forward: Forward) -> str:
    """Backward through the units that fired, times the pairs, scattered to the catalogue's columns."""
    members, units, _ = network.first.shape
    backward = build.add("Mul", _fired(build, forward.second, "second"), _last(build, network), name="back_last")
    transposed = build.add("Transpose", "second", name="second_transposed", perm=[0, 2, 1])
    backward = build.add("MatMul", backward, transposed, name="back_second")
    backward = build.add("Mul", backward, _fired(build, forward.first, "first"), name="back_first")
    backward = build.add("Transpose", backward, name="back_by_patient", perm=[1, 0, 2])
    backward = build.add("Reshape", backward, build.shape(-1, members * units), name="back_flat")
    gradient = build.add("Gemm", backward, "first", _skip(build, network), name="gradient")
    pairs = build.add("Mul", forward.pairs, gradient, name="relevance_of_pairs")
    return _scatter(build, network, schema, pairs)


def _fired(build: Builder, before: str, layer: str) -> str:
    positive = build.add("Greater", before, build.floats("zero", np.zeros(())), name=f"{layer}_positive")
    return build.add("Cast", positive, name=f"{layer}_fired", to=TensorProto.FLOAT)


def _scatter(build: Builder, network: FittedNetwork, schema: FeatureSchema, pairs: str) -> str:
    """Add the halves of each pair and put the sums where the catalogue has them; a spare zero column fills the rest."""
    d, k = len(network.inputs.parameters), len(network.inputs.keys)
    halves = {}
    for name, start, stop in (("values", 0, d), ("entities", d, k), ("complements", k, k + d)):
        ends = build.shape(start), build.shape(stop), build.shape(1)
        halves[name] = build.add("Slice", pairs, *ends, name=f"relevance_of_{name}")
    both = build.add("Add", halves["values"], halves["complements"], name="relevance_of_parameters")
    first_column = build.shape(0), build.shape(1), build.shape(1)
    nothing = build.add("Slice", "observed", *first_column, name="first_observed")
    nothing = build.add("Mul", nothing, build.floats("zero", np.zeros(())), name="nothing")
    joined = build.add("Concat", both, halves["entities"], nothing, name="relevance_compact", axis=1)
    places = np.full(len(schema), k, dtype=np.int64)
    places[network.inputs.columns(schema)] = np.arange(k)
    return build.add("Gather", joined, build.constant("places", places), name="relevance", axis=1)


def pairs_of(build: Builder, network: FittedNetwork, schema: FeatureSchema) -> str:
    """Gather the trained columns, scale them, and set both halves of what is missing to zero."""
    inputs = network.inputs
    columns = build.constant("trained_columns", inputs.columns(schema).astype(np.int64))
    raw = build.add("Gather", "values", columns, name="trained_values", axis=1)
    missing = build.add("IsNaN", raw, name="missing")
    observed = build.add("Cast", build.add("Not", missing, name="known"), name="observed", to=TensorProto.FLOAT)
    zero = build.floats("zero", np.zeros(()))
    filled = build.add("Where", missing, zero, raw, name="filled")
    scaled = _scaled(build, [inputs.scaling[key] for key in inputs.keys], filled)
    x = build.add("Mul", scaled, observed, name="x")
    rest = build.add("Sub", observed, x, name="one_minus_x")  # observed - x, so that both halves add up to exactly 1
    ends = build.shape(0), build.shape(len(inputs.parameters)), build.shape(1)
    rest = build.add("Slice", rest, *ends, name="complements")
    return build.add("Concat", x, rest, name="pairs", axis=1)


def _scaled(build: Builder, scalings: list[Scaling], filled: str) -> str:
    """All columns by their outer knots; the skewed ones again by their ranks, put in their places."""
    low = np.array([scaling.knots[0] for scaling in scalings], dtype=np.float32)
    high = np.array([scaling.knots[-1] for scaling in scalings], dtype=np.float32)
    shifted = build.add("Sub", filled, build.floats("low", low[None, :]), name="shifted")
    width = (high.astype(np.float64) - low)[None, :]
    linear = _clipped(build, build.add("Div", shifted, build.floats("width", width), name="stretched"), "linear")
    skewed = [i for i, scaling in enumerate(scalings) if scaling.method == "rank"]
    if not skewed:
        return linear
    ranks = _ranks(build, [scalings[i] for i in skewed], skewed, filled)
    both = build.add("Concat", linear, ranks, name="linear_and_ranks", axis=1)
    places = np.arange(len(scalings))
    places[skewed] = len(scalings) + np.arange(len(skewed))
    return build.add("Gather", both, build.constant("scaled_places", places.astype(np.int64)), name="scaled", axis=1)


def _ranks(build: Builder, scalings: list[Scaling], columns: list[int], filled: str) -> str:
    """Piecewise linear: the share of every segment that lies below the value, times the segment's height."""
    segments = max(len(scaling.knots) for scaling in scalings) - 1
    start = np.zeros((1, len(scalings), segments))
    width = np.ones_like(start)
    height = np.zeros_like(start)
    for i, scaling in enumerate(scalings):
        n = len(scaling.knots) - 1
        start[0, i, :n] = scaling.knots[:-1]
        width[0, i, :n] = np.diff(scaling.knots)
        height[0, i, :n] = np.diff(scaling.heights)
    values = build.add("Gather", filled, build.constant("skewed", np.array(columns)), name="skewed_values", axis=1)
    values = build.add("Unsqueeze", values, build.shape(2), name="skewed_column")
    above = build.add("Sub", values, build.floats("segment_start", start), name="above_start")
    share = build.add("Div", above, build.floats("segment_width", width), name="share_of_segment")
    part = build.add("Mul", _clipped(build, share, "segment"), build.floats("segment_height", height), name="parts")
    total = build.add("ReduceSum", part, build.shape(2), name="climbed", keepdims=0)
    base = np.array([[scaling.heights[0] for scaling in scalings]])
    return build.add("Add", total, build.floats("rank_base", base), name="ranks")


def _clipped(build: Builder, tensor: str, name: str) -> str:
    bounds = build.floats("zero", np.zeros(())), build.floats("one", np.ones(()))
    return build.add("Clip", tensor, *bounds, name=f"{name}_clipped")
