"""The `interact` graph: how much two inputs of one patient say together beyond what each says alone.

    I_ij = g(x) - g(x without i) - g(x without j) + g(x without i and j)

Taking an input out lowers the first pre-activation by that input's own term, so all K + K * K patients without one or
two inputs cost one subtraction each and a pass through the small second layer. The skip path is additive: it has none.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from onnx import TensorProto

from models.features import FeatureSchema
from models.network.fitted import FittedNetwork
from models.network.graphs import Builder, Input, pairs_of


class Terms(msgspec.Struct, frozen=True):
    """Names of tensors: what each asked-for input adds to the first layer, [M, 1, K, units]; if it is known, [1, K]."""

    added: str
    known: str


def interact_graph(network: FittedNetwork, schema: FeatureSchema) -> bytes:
    """`values` [1, 350], `features` [K] (catalogue columns) -> `interaction` [K, K], symmetric, zero diagonal.

    A feature that is missing or has no weights, and an entity that the patient does not have, interacts with nothing:
    exactly 0.
    """
    build = Builder()
    pairs = pairs_of(build, network, schema)
    first = build.floats("first", network.first.transpose(0, 2, 1)[:, None])
    whole = build.add("MatMul", pairs, first, name="whole_before")  # [M, 1, 1, units]
    terms = _terms(build, network, schema, pairs)
    one_less = build.add("Sub", whole, terms.added, name="one_less_before")
    column = build.add("Transpose", one_less, name="one_less_column", perm=[0, 2, 1, 3])
    two_less = build.add("Sub", column, terms.added, name="two_less_before")  # [M, K, K, units]
    mixed = _mixed(build, network, whole, one_less, two_less)
    _symmetric(build, mixed, terms.known)
    inputs: dict[str, Input] = {
        "values": (TensorProto.FLOAT, [1, len(schema)]),
        "features": (TensorProto.INT64, ["K"]),
    }
    return build.model("interact", inputs, {"interaction": ["K", "K"]})


def _terms(build: Builder, network: FittedNetwork, schema: FeatureSchema, pairs: str) -> Terms:
    """Both halves of each asked-for pair through the first layer; what has no weights counts as not known."""
    columns = network.inputs.columns(schema)
    d, k = len(network.inputs.parameters), len(network.inputs.keys)
    value, value_added = _half(build, "value", pairs, dict(zip(columns, range(k), strict=True)), len(schema))
    rest = dict(zip(columns[:d], range(k, k + d), strict=True))
    complement, complement_added = _half(build, "complement", pairs, rest, len(schema))
    share = build.add("Add", value, complement, name="asked_share")  # x + (1 - x) = 1 where known, else 0
    known = build.add("Greater", share, _zero(build), name="asked_known")
    return Terms(build.add("Add", value_added, complement_added, name="added"), known)


def _half(build: Builder, name: str, pairs: str, places: Mapping[int, int], width: int) -> tuple[str, str]:
    """One half of each asked-for pair, [1, K], and what it adds, [M, 1, K, units]; `places`: column -> pair."""
    place, exists = np.zeros(width, dtype=np.int64), np.zeros(width)
    for column, pair in places.items():
        place[column], exists[column] = pair, 1
    there = build.add("Gather", build.constant(f"{name}_place", place), "features", name=f"{name}_of_asked")
    mask = build.add("Gather", build.floats(f"{name}_exists", exists), "features", name=f"{name}_has_weights")
    half = build.add("Gather", pairs, there, name=f"{name}_gathered", axis=1)
    half = build.add("Mul", half, mask, name=f"{name}_half")
    weights = build.add("Gather", "first", there, name=f"{name}_weights", axis=2)
    column_of_halves = build.add("Transpose", half, name=f"{name}_half_column", perm=[1, 0])
    return half, build.add("Mul", weights, column_of_halves, name=f"{name}_added")


def _mixed(build: Builder, network: FittedNetwork, whole: str, one_less: str, two_less: str) -> str:
    """Mixed difference of the hidden part of the mean risk, [K, K]."""
    all_there, without_one = _hidden_risk(build, network, whole), _hidden_risk(build, network, one_less)
    lost = build.add("Sub", all_there, without_one, name="lost")  # [1, K]: g(x) - g(x without j)
    column = build.add("Transpose", without_one, name="one_less_risk_column", perm=[1, 0])
    still = build.add("Sub", column, _hidden_risk(build, network, two_less), name="lost_after_another")
    return build.add("Sub", lost, still, name="mixed")


def _hidden_risk(build: Builder, network: FittedNetwork, before: str) -> str:
    """First pre-activations [M, rows, columns, units] -> [rows, columns]."""
    second = build.floats("second", network.second.transpose(0, 2, 1)[:, None])
    last = build.floats("last", network.last[:, None, :, None] / len(network.last))
    hidden = build.add("Relu", before, name=f"{before}_active")
    hidden = build.add("MatMul", hidden, second, name=f"{before}_second")
    hidden = build.add("Relu", hidden, name=f"{before}_second_active")
    members = build.add("MatMul", hidden, last, name=f"{before}_of_members")
    return build.add("ReduceSum", members, build.shape(0, 3), name=f"{before}_risk", keepdims=0)


def _symmetric(build: Builder, mixed: str, known: str) -> str:
    """The mean of both orders, which differ by rounding; 0 for a feature with itself and for what is not known."""
    turned = build.add("Transpose", mixed, name="mixed_turned", perm=[1, 0])
    twice = build.add("Add", mixed, turned, name="mixed_twice")
    mean = build.add("Mul", twice, build.floats("half", np.array(0.5)), name="mixed_mean")
    column = build.add("Unsqueeze", "features", build.shape(1), name="features_column")
    same = build.add("Equal", column, "features", name="same_feature")
    other = build.add("Not", same, name="other_feature")
    tall = build.add("Transpose", known, name="asked_known_column", perm=[1, 0])
    both = build.add("And", build.add("And", tall, known, name="both_known"), other, name="counts")
    return build.add("Where", both, mean, _zero(build), name="interaction")


def _zero(build: Builder) -> str:
    return build.floats("zero", np.zeros(()))
