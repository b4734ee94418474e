"""Runs the graphs of one setting with onnxruntime: canonical values in, log-risk and relevance out."""

import os
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

# Since 1.29 its Linux builds report to Microsoft unless told not to before they are loaded: nothing leaves a hospital.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime as ort

from models.features import FeatureSchema, FeatureVector

GRAPHS = ("score", "explain", "members", "interact")
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "score": ("risk",),
    "explain": ("risk", "relevance"),
    "members": ("members", "distance"),
    "interact": ("interaction",),
}


class Prognosis(msgspec.Struct, frozen=True):
    """`members` [5]: the log-risk that each member says, relative to the patient of whom nothing is known (0).

    `distance`: how unlike the training patients this one is, about 1 for a usual one.
    """

    members: NDArray[np.float32]
    distance: float = 0.0

    @property
    def risk(self) -> float:
        """That of the ensemble, the mean of its members."""
        return float(self.members.mean(dtype=np.float64))


class Attribution(msgspec.Struct, frozen=True):
    """`relevance` [350] in catalogue order adds up to `risk`; missing and untrained parameters have exactly 0."""

    relevance: NDArray[np.float32]
    risk: float


class Interactions(msgspec.Struct, frozen=True):
    """`values` [K, K], log-risk: what two of the `features` (catalogue columns, [K]) say together beyond each alone.

    Exact mixed differences of the risk; symmetric, zero diagonal; a missing or untrained feature has exactly 0.
    """

    features: NDArray[np.int64]
    values: NDArray[np.float32]


class Predictor:
    """One session a graph, one thread a call; `Run` is thread-safe, so many requests may share a predictor."""

    def __init__(self, graphs: Mapping[str, bytes], schema: FeatureSchema) -> None:
        """Open the graphs named in GRAPHS.

        Raises ValueError naming the graph whose inputs or outputs are not those of the contract, or that
        onnxruntime refuses.
        """
        self._schema = schema
        self._sessions = {name: _session(name, graphs[name], len(schema)) for name in GRAPHS}

    def predict(self, vector: FeatureVector) -> Prognosis:
        """Risk of one patient. Raises ValueError for a vector of another schema."""
        row = self._row(vector)
        members, distance = self._run("members", row)
        return Prognosis(members[0], float(distance[0]))

    def explain(self, vector: FeatureVector) -> Attribution:
        """Risk and relevance (LRP-0) of one patient. Raises ValueError for a vector of another schema."""
        risk, relevance = self.relevance(self._row(vector))
        return Attribution(relevance[0], float(risk[0]))

    def interactions(self, vector: FeatureVector, features: Sequence[int] | NDArray[np.int64]) -> Interactions:
        """Every pair of the `features` (catalogue columns) of one patient.

        Raises ValueError for a vector of another schema, IndexError for a column that the catalogue does not have.
        """
        asked = np.asarray(features, dtype=np.int64)
        if ((asked < 0) | (asked >= len(self._schema))).any():
            raise IndexError(f"the catalogue has columns 0 to {len(self._schema) - 1}")
        return Interactions(asked, self._run("interact", self._row(vector), features=asked)[0])

    def risk(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values [N, 350] -> risk [N]."""
        return self._run("score", values)[0]

    def members(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values [N, 350] -> risk of each member [N, M]."""
        return self._run("members", values)[0]

    def distance(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values [N, 350] -> how unlike the training patients each is, [N]."""
        return self._run("members", values)[1]

    def relevance(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Values [N, 350] -> risk [N] and relevance [N, 350]."""
        risk, relevance = self._run("explain", values)
        return risk, relevance

    def _run(self, graph: str, values: NDArray[np.float32], **more: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        given = {"values": values, **more}
        outputs: list[NDArray[np.float32]] = self._sessions[graph].run(list(OUTPUTS[graph]), given)
        return outputs

    def _row(self, vector: FeatureVector) -> NDArray[np.float32]:
        if vector.schema is not self._schema and vector.schema.digest != self._schema.digest:
            raise ValueError("the vector follows another catalogue than the model")
        return np.asarray(vector.values, dtype=np.float32)[None, :]


def _inputs(graph: str, width: int) -> list[tuple[str, str, list[str | int]]]:
    """Name, type and shape of what a graph of the contract takes."""
    if graph == "interact":
        return [("values", "tensor(float)", [1, width]), ("features", "tensor(int64)", ["K"])]
    return [("values", "tensor(float)", ["N", width])]


def _session(name: str, model: bytes, width: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # a graph that does not load is reported by the exception, not by the runtime's log
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base
        raise ValueError(f"{name}.onnx: onnxruntime refuses it: {str(error).splitlines()[0]}") from error
    inputs = [(entry.name, entry.type, entry.shape) for entry in session.get_inputs()]
    if inputs != _inputs(name, width):
        listed = ", ".join(f"{found} {kind} {shape}" for found, kind, shape in inputs)
        raise ValueError(f"{name}.onnx: inputs are {listed}, not those of the contract")
    outputs = tuple(entry.name for entry in session.get_outputs())
    if outputs != OUTPUTS[name]:
        raise ValueError(f"{name}.onnx: outputs are {', '.join(outputs)}, not {', '.join(OUTPUTS[name])}")
    return session
