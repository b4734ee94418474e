"""A package loads only if every byte of it is right, and says what is not."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest

from models.features import FeatureSchema, FeatureVector
from models.package import Package, PackageError
from models.predictor import Attribution
from tests.unit.models.made_up import schema, write_made_up_package

CATALOGUE = schema()
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    write_made_up_package(folder)
    return folder


@pytest.fixture
def package(written: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(written, tmp_path / "package"))


def edit(package: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest."""
    manifest = msgspec.json.decode((package / "manifest.json").read_bytes())
    change(manifest)
    (package / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def replace(package: Path, name: str, content: bytes) -> None:
    """Change a file and vouch for it in the manifest, as someone who rebuilt the package would."""
    (package / name).write_bytes(content)
    edit(package, lambda manifest: manifest["files"].update({name: hashlib.sha256(content).hexdigest()}))


def refusal(package: Path, catalogue: FeatureSchema = CATALOGUE) -> str:
    with pytest.raises(PackageError) as raised:
        Package.load(package, catalogue)
    return str(raised.value)


def patient(**known: float) -> FeatureVector:
    return FeatureVector.of(CATALOGUE, {"demo_age_at_baseline": 64, "stage_uicc_stage": 3, "entity_colon": 1, **known})


def test_a_package_loads_and_answers(written: Path) -> None:
    """Name, version, digest, networks; risk is the sum of the relevances and the mean of the members."""
    loaded = Package.load(written, CATALOGUE)
    assert (loaded.name, loaded.version, set(loaded.networks)) == ("made-up", "0.0.1", {"diagnosis"})
    assert loaded.digest == hashlib.sha256((written / "manifest.json").read_bytes()).hexdigest()
    network = loaded.network("diagnosis")
    prognosis, attribution = network.predict(patient()), network.explain(patient())
    assert prognosis.risk == pytest.approx(attribution.risk, abs=1e-6)
    assert float(attribution.relevance.sum()) == pytest.approx(prognosis.risk, abs=1e-5)
    assert float(prognosis.members.mean()) == pytest.approx(prognosis.risk, abs=1e-5)
    assert (network.setting, network.time_zero, network.slope) == ("diagnosis", "diagnosis", 0.9)


def test_a_setting_without_network_falls_back_to_diagnosis(written: Path) -> None:
    """A patient in an emergency is scored by what the package has."""
    loaded = Package.load(written, CATALOGUE)
    assert loaded.network("acute") is loaded.network("diagnosis")


def test_typical_relevance_is_of_the_same_entity_where_it_can_be(written: Path) -> None:
    """Colon cancer has its own typical patient, an entity that training never saw has that of the setting."""
    network = Package.load(written, CATALOGUE).network("diagnosis")
    stage, sodium = CATALOGUE.index["stage_uicc_stage"], CATALOGUE.index["lab_sodium"]
    own, shared, unknown = (network.typical(name) for name in ("entity_colon", None, "entity_thymic"))
    assert (own.origin[stage], shared.origin[stage], unknown.origin[stage]) == ("entity+setting", "setting", "setting")
    assert own.value[stage] != shared.value[stage] == unknown.value[stage]
    assert 50 <= own.patients[stage] < shared.patients[stage]
    assert (own.origin[sodium], own.value[sodium], own.patients[sodium]) == ("", 0, 0)
    assert len(set(own.value[CATALOGUE.entity_columns].tolist())) == 1
    assert network.entity_patients("entity_colon") > 50
    assert network.entity_patients("entity_thymic") == 0


def test_position_falls_back_to_the_setting_without_a_group_of_its_own(written: Path) -> None:
    """An entity with fewer than 50 training patients is compared with everybody, and that is said."""
    network = Package.load(written, CATALOGUE).network("diagnosis")
    vector = patient()
    prognosis, attribution = network.predict(vector), network.explain(vector)
    names = ("entity_colon", "entity_thymic", None)
    groups = [network.position(attribution, vector, name, prognosis.members).group for name in names]
    assert groups == ["entity_colon", "diagnosis", "diagnosis"]


def test_interactions_are_of_the_inputs_farthest_from_typical(written: Path) -> None:
    """By |relevance - typical| of the group, twenty at most; what has no relevance is not asked for; one entity."""
    network = Package.load(written, CATALOGUE).network("diagnosis")
    attribution = network.explain(patient())
    found = network.interactions(patient(), attribution, "entity_colon")
    keys = [CATALOGUE.keys[column] for column in found.features]
    assert sorted(keys) == ["demo_age_at_baseline", "entity_colon", "stage_uicc_stage"]
    distance = np.abs(attribution.relevance - network.typical("entity_colon").value)[found.features]
    assert (np.diff(distance) <= 0).all()
    assert (found.values[~np.eye(3, dtype=bool)] != 0).all()
    many = Attribution(np.linspace(-9, 9, 350, dtype=np.float32), 0.0)
    assert len(network.interactions(patient(), many, None).features) == 20


def test_values_beyond_training_are_named(written: Path) -> None:
    """Only trained parameters, only values that no training patient had."""
    network = Package.load(written, CATALOGUE).network("diagnosis")
    assert network.out_of_range(patient()) == ()
    assert network.out_of_range(patient(lab_hemoglobin=24.9, lab_sodium=199)) == ("lab_hemoglobin",)


def test_many_threads_may_ask_at_once(written: Path) -> None:
    """Sessions are shared; every thread gets its own answer."""
    network = Package.load(written, CATALOGUE).network("diagnosis")
    vectors = [patient(demo_age_at_baseline=float(age)) for age in range(30, 90)]
    alone = [network.predict(vector).risk for vector in vectors]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda vector: network.predict(vector).risk, vectors)) == alone


def test_a_vector_of_another_catalogue_is_refused(written: Path) -> None:
    """A value must not be read as another parameter."""
    network = Package.load(written, CATALOGUE).network("diagnosis")
    other = FeatureSchema(CATALOGUE.features[::-1])
    with pytest.raises(ValueError, match="another catalogue"):
        network.predict(FeatureVector(np.full(350, np.nan, dtype=np.float32), other))


@pytest.mark.parametrize(
    "name", ["diagnosis/score.onnx", "diagnosis/explain.onnx", "golden.json", "evaluation.json", "MODEL_CARD.md"]
)
def test_one_wrong_byte_in_any_file_is_noticed(package: Path, name: str) -> None:
    """Whatever was changed after the manifest was written, the file is named."""
    content = bytearray((package / name).read_bytes())
    content[len(content) // 2] ^= 1
    (package / name).write_bytes(bytes(content))
    assert refusal(package) == f"{name}: sha256 differs from the manifest"


def test_a_missing_file_is_named(package: Path) -> None:
    """A half-copied package does not load."""
    (package / "diagnosis/members.onnx").unlink()
    assert refusal(package) == "diagnosis/members.onnx: cannot be read: No such file or directory"


def test_no_package_at_all(tmp_path: Path) -> None:
    """An empty folder is said to have no manifest."""
    assert refusal(tmp_path) == "manifest.json: cannot be read: No such file or directory"


def test_a_broken_manifest_is_refused(package: Path) -> None:
    """Neither text that is no JSON nor a field that nobody knows is passed over."""
    edit(package, lambda manifest: manifest.update(colour="red"))
    assert "colour" in refusal(package)
    (package / "manifest.json").write_text("{")
    assert refusal(package).startswith("manifest.json: ")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("format", "9", "format 9"),
        ("schema_digest", "0" * 64, "another catalogue"),
        ("opset", 17, "opset 18, the manifest says 17"),
        ("settings", {}, "no network for the setting diagnosis"),
    ],
)
def test_a_manifest_for_something_else_is_refused(package: Path, field: str, value: object, said: str) -> None:
    """Another format, catalogue, operator set, or no network to fall back on."""
    edit(package, lambda manifest: manifest.update({field: value}))
    assert said in refusal(package)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "diagnosis/../../outside"])
def test_files_outside_of_the_folder_are_not_read(package: Path, name: str) -> None:
    """A manifest cannot make the service read elsewhere."""
    (package.parent / "outside").write_text("x")
    edit(package, lambda manifest: manifest["files"].update({name: "0" * 64}))
    assert refusal(package) == f"{name}: lies outside of the package"


def test_a_link_out_of_the_folder_is_not_followed(package: Path) -> None:
    """Not by a symbolic link either."""
    (package.parent / "outside").write_text("x")
    (package / "link").symlink_to(package.parent / "outside")
    edit(package, lambda manifest: manifest["files"].update({"link": hashlib.sha256(b"x").hexdigest()}))
    assert refusal(package) == "link: lies outside of the package"


def test_golden_rows_must_be_reproduced(package: Path) -> None:
    """A graph that answers something else than it did where it was made is not served."""
    golden = msgspec.json.decode((package / "golden.json").read_bytes())
    golden["rows"][2]["risk"] += 1e-3
    replace(package, "golden.json", msgspec.json.encode(golden))
    assert refusal(package) == "golden.json: row 2 of diagnosis is off by 0.001"


def test_golden_interactions_must_be_reproduced(package: Path) -> None:
    """The graph of the interactions is held to its answers too, and a package without any such answer is refused."""
    golden = msgspec.json.decode((package / "golden.json").read_bytes())
    golden["rows"][3]["interactions"][0][2] += 1e-3
    replace(package, "golden.json", msgspec.json.encode(golden))
    assert refusal(package) == "golden.json: row 3 of diagnosis is off by 0.001"
    for row in golden["rows"]:
        row["interactions"] = []
    replace(package, "golden.json", msgspec.json.encode(golden))
    assert refusal(package) == "golden.json: no interactions for the setting diagnosis"


def test_a_graph_with_another_input_is_refused(package: Path) -> None:
    """One row of values and the columns asked for: a graph of another name or shape of input is not served."""
    model = onnx.load_from_string((package / "diagnosis/interact.onnx").read_bytes())
    del model.graph.input[1].type.tensor_type.shape.dim[0]
    model.graph.input[1].type.tensor_type.shape.dim.add(dim_value=20)
    replace(package, "diagnosis/interact.onnx", model.SerializeToString())
    assert "not those of the contract" in refusal(package)


def test_a_swapped_graph_is_refused(package: Path) -> None:
    """The explain graph under the name of the score graph has one output too many."""
    replace(package, "diagnosis/score.onnx", (package / "diagnosis/explain.onnx").read_bytes())
    assert refusal(package) == "diagnosis/score.onnx: outputs are risk, relevance, not risk"


def test_weights_outside_of_the_graph_are_refused(package: Path) -> None:
    """External data would be read from wherever the graph says."""
    model = onnx.load_from_string((package / "diagnosis/score.onnx").read_bytes())
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="weights.bin")
    replace(package, "diagnosis/score.onnx", model.SerializeToString())
    assert refusal(package) == "diagnosis/score.onnx: keeps data outside of the file"


def test_a_file_that_is_no_graph_is_refused(package: Path) -> None:
    """A text file with a correct digest is still no model."""
    replace(package, "diagnosis/score.onnx", b"hello")
    assert refusal(package).startswith("diagnosis/score.onnx: ")


def test_serving_needs_no_training_library() -> None:
    """Loading a package imports neither jax nor onnx nor polars: the image does not have them."""
    code = (
        "import sys, models.package; "
        "sys.exit(' '.join({'jax', 'onnx', 'polars', 'pydantic', 'httpx'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
