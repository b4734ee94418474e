"""Reading an ONNX file without the onnx package."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.onnx_file import has_external_data, opset


def model(*nodes: onnx.NodeProto, constant: onnx.TensorProto | None = None, version: int = 18) -> onnx.ModelProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])
    graph = helper.make_graph(list(nodes), "g", [value], [value], [constant] if constant else [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])


def external(tensor: onnx.TensorProto) -> onnx.TensorProto:
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def tensor() -> onnx.TensorProto:
    return numpy_helper.from_array(np.ones(3, dtype=np.float32), "c")


def test_the_operator_set_is_read() -> None:
    """The version of the default domain, whatever else is imported."""
    made = model(version=17)
    made.opset_import.insert(0, helper.make_opsetid("com.example", 3))
    assert opset(made.SerializeToString()) == 17


def test_external_data_is_found_wherever_it_hides() -> None:
    """In an initializer, in a node's attribute, and in the branch of a conditional."""
    inside = helper.make_node("Constant", [], ["c"], value=tensor())
    outside = helper.make_node("Constant", [], ["c"], value=external(tensor()))
    branch = helper.make_graph([outside], "b", [], [])
    conditional = helper.make_node("If", ["x"], ["y"], then_branch=branch)
    assert not has_external_data(model(inside, constant=tensor()).SerializeToString())
    assert has_external_data(model(constant=external(tensor())).SerializeToString())
    assert has_external_data(model(outside).SerializeToString())
    assert has_external_data(model(conditional).SerializeToString())


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x0a\xff\xff\xff\xff\x0f", b"\xff" * 40, b"\x0b\x0b"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    """Garbage and cut-off files raise ValueError, they are not read past their end."""
    with pytest.raises(ValueError, match=r"no |cut off"):
        opset(content)


def test_every_cut_of_a_model_is_refused_or_names_no_operator_set() -> None:
    """A file that broke off anywhere never answers with something else than its own version."""
    content = model(constant=tensor()).SerializeToString()
    for length in range(len(content)):
        try:
            assert opset(content[:length]) == 18
        except ValueError:
            continue
