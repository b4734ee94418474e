"""The package that ships: it loads, keeps its promises, and its card says what its files say."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.package import Package
from models.training.borrowed_check import carries_over
from models.training.borrowing import lending_block
from models.training.card import model_card
from models.training.evaluation_report import Evaluation
from tests.unit.models.made_up import schema

CATALOGUE = schema()
FOLDER = Path(__file__).parents[3] / "models/packages/pan-cancer"
SETTINGS = ("diagnosis", "metastatic", "survivor", "acute")
SMALLEST = 8_000_000  # bytes that a package may have


@pytest.fixture(scope="module")
def package() -> Package:
    return Package.load(FOLDER, CATALOGUE)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return msgspec.json.decode((FOLDER / "evaluation.json").read_bytes(), type=Evaluation)


def test_it_is_small_and_real(package: Package) -> None:
    """Well under 8 MB, not synthetic, four networks, each made from the cohorts that it names."""
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) < SMALLEST
    assert not package.manifest.synthetic
    cohorts = {key: {entry.name for entry in one.cohorts} for key, one in package.manifest.settings.items()}
    assert cohorts == {
        "diagnosis": {"tcga", "hancock", "metabric", "hcc_sysucc", "hcc_coimbra", "ucsf_pdgm"},
        "metastatic": {"msk_met", "hcc_tace_seg"},
        "survivor": {"nhanes"},
        "acute": {"support2", "support2_without_cancer"},
    }


def test_its_files_are_those_of_the_manifest(package: Package) -> None:
    """Nothing lies in the folder that nobody vouches for."""
    found = {str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*") if file.is_file()}
    assert found == {"manifest.json", *package.manifest.files}


def test_its_card_is_generated(package: Package, evaluation: Evaluation) -> None:
    """Made anew from manifest and evaluation it is the same text; the licences of the cohorts stand on it."""
    assert model_card(package.manifest, evaluation) == package.card
    for part in ("CC0-1.0", "ODbL 1.0", "open tier", "CC BY 4.0", "Dörrich"):
        assert part in package.card


@pytest.mark.parametrize("setting", SETTINGS)
def test_weights_only_where_enough_patients_stand_behind_them(package: Package, setting: str) -> None:
    """50 patients; binary ones 20 of either value; whoever is not listed has exactly no relevance."""
    network = package.networks[setting]
    for key, entry in network.manifest.trained.items():
        assert entry.patients >= 50, key
        if CATALOGUE[key].kind == "binary":
            assert entry.positives is not None
            assert 20 <= entry.positives <= entry.patients - 20, key
    values = np.array([[feature.high for feature in CATALOGUE.features]], dtype=np.float32)
    _, relevance = network.predictor.relevance(values)
    without = [i for i, key in enumerate(CATALOGUE.keys) if key not in network.trained]
    assert len(without) > 100
    assert not relevance[0, without].any()


def test_what_is_borrowed(package: Package, evaluation: Evaluation) -> None:
    """Laboratory values for both borrowers, performance for the metastatic; only blocks that carried over, no acute."""
    borrowed = {
        key: {lending_block(CATALOGUE[one]) for one in setting.borrowed}
        for key, setting in package.manifest.settings.items()
    }
    assert borrowed == {
        "diagnosis": {"laboratory"},
        "metastatic": {"laboratory", "performance"},
        "survivor": set(),
        "acute": set(),
    }
    for key in ("diagnosis", "metastatic"):
        setting = package.manifest.settings[key]
        assert {one for one, entry in setting.trained.items() if entry.borrowed_from} == set(setting.borrowed)
        lenders = {name for entry in setting.trained.values() for name in entry.borrowed_from}
        assert not lenders & {"support2", "support2_without_cancer"}
        assert not lenders & {entry.name for entry in setting.cohorts}
        for block in borrowed[key]:
            assert carries_over(evaluation.borrowed[key][str(block)])


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


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_network_is_not_below_its_ridge(package: Package, evaluation: Evaluation, setting: str) -> None:
    """The upper limit of the paired difference is not below 0 on any cohort; what misses another bar is on the card."""
    assert package.manifest.settings[setting].form == "network"
    for name, result in evaluation.settings[setting].items():
        for interval in result.differences["network - ridge-cox"].values():
            assert interval.high >= 0, name
        for block, blanking in result.blanking.items():
            told = f"{setting}, {name}: removing {block} multiplies the hazard" in package.card
            assert told or 0.9 <= blanking.mean <= 1.1, (name, block)


def test_the_acute_network_knows_what_is_common(package: Package) -> None:
    """Of every parameter of every group two values that somebody had, within what training saw."""
    setting = package.manifest.settings["acute"]
    for name, group in setting.groups.items():
        assert group.common.keys() == group.typical.keys() - {"entity"}, name
        for key, (low, high) in group.common.items():
            assert setting.trained[key].low <= low <= high <= setting.trained[key].high, key
