"""Writes a model package: graphs, golden rows, evaluation, card, and the manifest that vouches for all of them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from models.features import FeatureSchema
from models.manifest import FORMAT, Golden, GoldenRow, Manifest, Setting
from models.network.fitted import FittedNetwork
from models.network.graphs import OPSET, explain_graph, members_graph, score_graph
from models.network.interaction_graph import interact_graph
from models.package import CARD, COMPARATORS, EVALUATION, GOLDEN, MANIFEST
from models.predictor import Predictor
from models.training.card import model_card
from models.training.comparators import Comparators
from models.training.evaluation_report import Evaluation
from models.training.golden import TOLERANCE, golden_rows

MAKERS = {"score": score_graph, "explain": explain_graph, "members": members_graph, "interact": interact_graph}


class TrainedSetting(msgspec.Struct, frozen=True):
    """A network ready to be packed."""

    key: str
    network: FittedNetwork
    setting: Setting
    comparators: Comparators


def write_package(
    folder: Path,
    name: str,
    version: str,
    schema: FeatureSchema,
    settings: Sequence[TrainedSetting],
    evaluation: Evaluation,
    synthetic: bool = False,
) -> None:
    """Write (or overwrite) the package in `folder`; `synthetic` marks one that was not trained on patients."""
    files: dict[str, bytes] = {}
    rows: list[GoldenRow] = []
    for trained in settings:
        graphs = {graph: make(trained.network, schema) for graph, make in MAKERS.items()}
        files |= {f"{trained.key}/{graph}.onnx": content for graph, content in graphs.items()}
        rows += golden_rows(trained.key, trained.network, Predictor(graphs, schema), schema)
    files[GOLDEN] = _json(Golden(TOLERANCE, tuple(rows)))
    files[EVALUATION] = _json(evaluation)
    files[COMPARATORS] = _json({trained.key: trained.comparators for trained in settings})
    manifest = Manifest(
        format=FORMAT,
        name=name,
        version=version,
        synthetic=synthetic,
        schema_digest=schema.digest,
        parameters=len(schema),
        opset=OPSET,
        settings={trained.key: trained.setting for trained in settings},
        files={},
    )
    files[CARD] = model_card(manifest, evaluation).encode()
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in sorted(files.items())}
    files[MANIFEST] = _json(msgspec.structs.replace(manifest, files=digests))
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)


def _json(content: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"
