"""What an ONNX file says of itself, read from its bytes: opset and external data (serving does without onnx).

Walks the protobuf wire format (https://protobuf.dev/programming-guides/encoding) along the field numbers of onnx.proto.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MODEL_GRAPH, MODEL_OPSET = 7, 8
OPSET_DOMAIN, OPSET_VERSION = 1, 2
TENSOR_EXTERNAL, TENSOR_LOCATION = 13, 14
# Where tensors can be: initializers of the graph, attributes of its nodes, and sub-graphs in attributes.
GRAPH_NODE, GRAPH_INITIALIZER, NODE_ATTRIBUTE = 1, 5, 5
ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = (5, 10), (6, 11)


def opset(model: bytes) -> int:
    """Version of the default operator set. Raises ValueError if the file is no ONNX model or names none."""
    for field, value in _fields(model):
        if field == MODEL_OPSET and isinstance(value, bytes):
            entry = dict(_fields(value))
            version = entry.get(OPSET_VERSION)
            if entry.get(OPSET_DOMAIN, b"") in (b"", b"ai.onnx") and isinstance(version, int):
                return version
    raise ValueError("names no operator set")


def has_external_data(model: bytes) -> bool:
    """Whether any tensor is kept in another file. Raises ValueError if the file is no ONNX model."""
    return any(_graph_is_external(value) for field, value in _parts(model) if field == MODEL_GRAPH)


def _graph_is_external(graph: bytes) -> bool:
    return any(
        _tensor_is_external(value)
        if field == GRAPH_INITIALIZER
        else field == GRAPH_NODE and any(_attribute_is_external(v) for f, v in _parts(value) if f == NODE_ATTRIBUTE)
        for field, value in _parts(graph)
    )


def _attribute_is_external(attribute: bytes) -> bool:
    return any(
        _tensor_is_external(value) if field in ATTRIBUTE_TENSORS else _graph_is_external(value)
        for field, value in _parts(attribute)
        if field in ATTRIBUTE_TENSORS + ATTRIBUTE_GRAPHS
    )


def _tensor_is_external(tensor: bytes) -> bool:
    return any(
        field == TENSOR_EXTERNAL or (field == TENSOR_LOCATION and value == 1) for field, value in _fields(tensor)
    )


def _parts(message: bytes) -> Iterator[tuple[int, bytes]]:
    return ((field, value) for field, value in _fields(message) if isinstance(value, bytes))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a message; nested messages are bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == VARINT:
            number, at = _varint(message, at)
            yield tag >> 3, number
            continue
        if wire == BYTES:
            size, at = _varint(message, at)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise ValueError("is no ONNX model")
        if at + size > len(message):
            raise ValueError("is cut off")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number, at
        shift += 7
    raise ValueError("is cut off")
