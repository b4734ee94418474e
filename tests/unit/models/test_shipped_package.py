"""The package that ships: it loads, keeps its promises, and its card says what its files say."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.package import Package
from models.training.card import model_card
from models.training.evaluation_report import Evaluation
from tests.unit.models.made_up import schema

CATALOGUE = schema()
FOLDER = Path(__file__).parents[3] / "models/packages/pan-cancer"
SMALLEST = 5_000_000  # bytes that a package may have


@pytest.fixture(scope="module")
def package() -> Package:
    return Package.load(FOLDER, CATALOGUE)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return msgspec.json.decode((FOLDER / "evaluation.json").read_bytes(), type=Evaluation)


def test_it_is_small_and_real(package: Package) -> None:
    """Well under 5 MB, not synthetic, made from the two cohorts that it names."""
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) < SMALLEST
    assert not package.manifest.synthetic
    assert {entry.name for entry in package.manifest.settings["diagnosis"].cohorts} == {"tcga", "hancock"}


def test_its_files_are_those_of_the_manifest(package: Package) -> None:
    """Nothing lies in the folder that nobody vouches for."""
    found = {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*") if file.is_file()}
    assert found == {"manifest.json", *package.manifest.files}


def test_its_card_is_generated(package: Package, evaluation: Evaluation) -> None:
    """Made anew from manifest and evaluation it is the same text; the licences of the cohorts stand on it."""
    assert model_card(package.manifest, evaluation) == package.card
    for part in ("CC0-1.0", "ODbL 1.0", "open tier", "CC BY 4.0", "Dörrich"):
        assert part in package.card


def test_weights_only_where_enough_patients_stand_behind_them(package: Package) -> None:
    """50 patients; binary ones 20 of either value; whoever is not listed has exactly no relevance."""
    network = package.network("diagnosis")
    for key, entry in network.manifest.trained.items():
        assert entry.patients >= 50, key
        if CATALOGUE[key].kind == "binary":
            assert entry.positives is not None
            assert 20 <= entry.positives <= entry.patients - 20, key
    values = np.array([[feature.high for feature in CATALOGUE.features]], dtype=np.float32)
    _, relevance = network.predictor.relevance(values)
    without = [i for i, key in enumerate(CATALOGUE.keys) if key not in network.trained]
    assert len(without) > 150
    assert not relevance[0, without].any()


@pytest.mark.parametrize("missing", [0.0, 0.5, 0.95])
def test_relevances_sum_to_the_risk(package: Package, missing: float) -> None:
    """On a thousand made-up patients; missing is exactly 0."""
    random = np.random.default_rng(0)
    low, high = (np.array([getattr(f, end) for f in CATALOGUE.features]) for end in ("low", "high"))
    values = random.uniform(low, high, (1000, 350)).astype(np.float32)
    values[random.random(values.shape) < missing] = np.nan
    values[:, CATALOGUE.entity_columns] = np.eye(38, dtype=np.float32)[random.integers(0, 38, 1000)]
    risk, relevance = package.network("diagnosis").predictor.relevance(values)
    assert relevance.sum(axis=1) == pytest.approx(risk, abs=1e-5)
    assert not relevance[np.isnan(values)].any()


def test_the_network_is_not_below_its_ridge(evaluation: Evaluation) -> None:
    """The upper limit of the paired difference is not below 0 on any cohort, and being measured does not score."""
    for name, result in evaluation.settings["diagnosis"].items():
        for interval in result.differences["network - ridge-cox"].values():
            assert interval.high >= 0, name
        for block, blanking in result.blanking.items():
            assert 0.9 <= blanking.mean <= 1.1, (name, block)
