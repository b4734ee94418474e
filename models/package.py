"""A model package: one folder with a manifest, the graphs of each setting, golden rows, evaluation and model card.

It loads only if every byte, the catalogue and the answers are what the manifest says.
"""

import hashlib
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np

from models.features import FeatureSchema, FeatureVector
from models.manifest import FORMAT, Golden, GoldenRow, Manifest
from models.onnx_file import has_external_data, opset
from models.predictor import GRAPHS, Predictor
from models.setting import Network

MANIFEST, GOLDEN, CARD, EVALUATION, COMPARATORS = (
    "manifest.json", "golden.json", "MODEL_CARD.md", "evaluation.json", "comparators.json",
)  # fmt: skip
FALLBACK = "diagnosis"


class PackageError(Exception):
    """The package cannot be served; the message names the file and the reason."""


class Package:
    """A verified package. `networks` maps the settings it holds to their networks."""

    def __init__(self, path: Path, manifest: Manifest, digest: str, networks: dict[str, Network]) -> None:
        self.path = path
        self.manifest = manifest
        self.digest = digest
        self.networks = networks

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.path / CARD).read_text(encoding="utf-8")

    def network(self, setting: str) -> Network:
        """The network of the setting, else the one of `diagnosis`."""
        return self.networks.get(setting) or self.networks[FALLBACK]

    def entity_patients(self, entity: str) -> int:
        """Training patients with the entity, over all settings."""
        return sum(network.entity_patients(entity) for network in self.networks.values())

    @classmethod
    def load(cls, path: Path, schema: FeatureSchema) -> "Package":
        """Read, verify and open a package: about 0.1 s.

        Raises PackageError for a missing or unreadable manifest, a file whose sha256 differs, is missing, or lies
        outside of the folder, another catalogue, opset or data kept outside of a graph, a graph that does not have the
        contract's inputs and outputs, and golden rows that are not reproduced.
        """
        manifest, digest = read_manifest(path)
        _check_contract(manifest, schema)
        files = {name: _verified(path, name, sha256) for name, sha256 in manifest.files.items()}
        networks = {key: _network(manifest, key, files, schema) for key in manifest.settings}
        package = cls(path, manifest, digest, networks)
        _reproduce(package, _golden(files), schema)
        return package


def read_manifest(path: Path) -> tuple[Manifest, str]:
    """The manifest and its sha256, which is the digest of the package: it covers the sha256 of every other file."""
    try:
        content = (path / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(content, type=Manifest)
    except OSError as error:
        raise PackageError(f"{MANIFEST}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise PackageError(f"{MANIFEST}: {error}") from error
    return manifest, hashlib.sha256(content).hexdigest()


def _check_contract(manifest: Manifest, schema: FeatureSchema) -> None:
    if manifest.format != FORMAT:
        raise PackageError(f"{MANIFEST}: format {manifest.format}, this version reads {FORMAT}")
    if manifest.schema_digest != schema.digest:
        raise PackageError(f"{MANIFEST}: made for another catalogue of parameters ({manifest.schema_digest[:12]})")
    if FALLBACK not in manifest.settings:
        raise PackageError(f"{MANIFEST}: no network for the setting {FALLBACK}")
    unknown = {key for setting in manifest.settings.values() for key in setting.trained} - schema.index.keys()
    if unknown:
        raise PackageError(f"{MANIFEST}: trained parameter {min(unknown)} is not in the catalogue")


def _verified(path: Path, name: str, sha256: str) -> bytes:
    pure = PurePosixPath(name)
    inside = not pure.is_absolute() and ".." not in pure.parts and "\\" not in name
    if not inside or not (path / name).resolve().is_relative_to(path.resolve()):
        raise PackageError(f"{name}: lies outside of the package")
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise PackageError(f"{name}: cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PackageError(f"{name}: sha256 differs from the manifest")
    return content


def _network(manifest: Manifest, key: str, files: dict[str, bytes], schema: FeatureSchema) -> Network:
    graphs = {graph: _graph(f"{key}/{graph}.onnx", files, manifest.opset) for graph in GRAPHS}
    try:
        predictor = Predictor(graphs, schema)
    except ValueError as error:
        raise PackageError(f"{key}/{error}") from error
    return Network(key, manifest.settings[key], predictor, schema)


def _graph(name: str, files: dict[str, bytes], expected: int) -> bytes:
    if name not in files:
        raise PackageError(f"{name}: the manifest does not list it")
    try:
        found, external = opset(files[name]), has_external_data(files[name])
    except ValueError as error:
        raise PackageError(f"{name}: {error}") from error
    if found != expected:
        raise PackageError(f"{name}: opset {found}, the manifest says {expected}")
    if external:
        raise PackageError(f"{name}: keeps data outside of the file")
    return files[name]


def _golden(files: dict[str, bytes]) -> Golden:
    if GOLDEN not in files:
        raise PackageError(f"{GOLDEN}: the manifest does not list it")
    try:
        return msgspec.json.decode(files[GOLDEN], type=Golden)
    except msgspec.DecodeError as error:
        raise PackageError(f"{GOLDEN}: {error}") from error


def _reproduce(package: Package, golden: Golden, schema: FeatureSchema) -> None:
    missing = package.networks.keys() - {row.setting for row in golden.rows}
    if missing:
        raise PackageError(f"{GOLDEN}: no row for the setting {min(missing)}")
    alone = package.networks.keys() - {row.setting for row in golden.rows if row.interactions}
    if alone:
        raise PackageError(f"{GOLDEN}: no interactions for the setting {min(alone)}")
    for number, row in enumerate(golden.rows):
        off = _largest_difference(package, row, schema)
        if not off <= golden.tolerance:
            raise PackageError(f"{GOLDEN}: row {number} of {row.setting} is off by {off:.2g}")


def _largest_difference(package: Package, row: GoldenRow, schema: FeatureSchema) -> float:
    named = {*row.values, *row.relevance, *(key for pair in row.interactions for key in (pair.first, pair.second))}
    if row.setting not in package.networks or not named <= schema.index.keys():
        raise PackageError(f"{GOLDEN}: a row names a setting or parameter that does not exist")
    network, vector = package.networks[row.setting], FeatureVector.of(schema, row.values)
    if len(row.members) != network.manifest.members:
        raise PackageError(f"{GOLDEN}: a row has {len(row.members)} members, not {network.manifest.members}")
    prognosis, attribution = network.predict(vector), network.explain(vector)
    expected = np.zeros(len(schema))
    for key, relevance in row.relevance.items():
        expected[schema.index[key]] = relevance
    return float(
        max(
            abs(float(network.predictor.risk(vector.values[None, :])[0]) - row.risk),
            abs(prognosis.risk - row.risk),
            abs(attribution.risk - row.risk),
            np.abs(attribution.relevance - expected).max(),
            np.abs(prognosis.members - np.array(row.members)).max(),
            abs(prognosis.distance - row.distance),
            _largest_of_pairs(network, vector, row),
        )
    )


def _largest_of_pairs(network: Network, vector: FeatureVector, row: GoldenRow) -> float:
    """How far the interactions are from those of the row; 0 where it has none."""
    if not row.interactions:
        return 0.0
    named = sorted({key for pair in row.interactions for key in (pair.first, pair.second)})
    found = network.predictor.interactions(vector, [vector.schema.index[key] for key in named]).values
    place = {key: i for i, key in enumerate(named)}
    off = [abs(float(found[place[pair.first], place[pair.second]]) - pair.value) for pair in row.interactions]
    return max(off)
