"""A site's own patients recalibrate slope and baseline; the weights stay, and only this site is named."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from models.package import Package
from models.training.calibration import shrunk
from models.training.cohort import Cohort, CohortError, write_cohort
from models.training.evaluation_report import Evaluation
from models.training.local_recalibration import recalibrate
from models.training.packaging import write_package
from service.commands.model import model
from tests.unit.models.made_up import ENTITIES, cohort, schema, trained_setting

CATALOGUE = schema()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("package")
    write_package(folder, "made-up", "1", CATALOGUE, [trained_setting()], Evaluation({}))
    return Package.load(folder, CATALOGUE)


def of_a_site(package: Package, slope: float, hazard: float, patients: int = 3000) -> Cohort:
    """Patients whose hazard is `hazard` a day times exp(slope * b * g), by the package's own log-risk."""
    made, random = cohort(patients, seed=9, missing=0.1), np.random.default_rng(1)
    network = package.networks["diagnosis"]
    risk = network.predictor.risk(made.values)
    death = random.exponential(1 / (hazard * np.exp(slope * network.slope * risk)))
    return msgspec.structs.replace(made, time=np.minimum(death, 1500).round() + 1, event=death < 1500)


def test_slope_and_baseline_are_the_sites(package: Package, tmp_path: Path) -> None:
    """A spread that is half as wide is found (and shrunk a little), and the hazard is that of the site."""
    slopes = recalibrate(package, of_a_site(package, 0.5, 1e-3), CATALOGUE, "here", tmp_path)
    assert slopes["diagnosis"].low < 0.5 < slopes["diagnosis"].high
    before, after = (p.networks["diagnosis"].manifest for p in (package, Package.load(tmp_path, CATALOGUE)))
    assert after.slope == pytest.approx(before.slope * shrunk(slopes["diagnosis"]), rel=1e-5)
    assert 0.5 * before.slope < after.slope < 0.95 * before.slope
    assert (after.anchor, after.recalibrated) == ("here", ("here",))
    baseline = after.baselines["here"]
    at_a_year = baseline.hazard[int(np.searchsorted(baseline.days, 365.0, side="right")) - 1]
    assert at_a_year == pytest.approx(0.365, rel=0.1)
    assert set(after.horizons) == set(ENTITIES)
    assert after.trained == before.trained


def test_the_graphs_stay(package: Package, tmp_path: Path) -> None:
    """Only manifest and card change: who scores, scores the same."""
    recalibrate(package, of_a_site(package, 1.0, 1e-3), CATALOGUE, "here", tmp_path)
    changed = Package.load(tmp_path, CATALOGUE)
    same = {name: sha for name, sha in package.manifest.files.items() if name != "MODEL_CARD.md"}
    assert same.items() <= changed.manifest.files.items()
    assert changed.digest != package.digest


def test_too_few_deaths_say_nothing(package: Package, tmp_path: Path) -> None:
    """Fewer than 100 are refused by number; so is a name that a training cohort has, and an unknown setting."""
    whole = of_a_site(package, 1.0, 1e-3, patients=100)
    with pytest.raises(CohortError, match="deaths, at least 100 are needed"):
        recalibrate(package, whole, CATALOGUE, "here", tmp_path)
    with pytest.raises(CohortError, match="a cohort that trained the package has that name"):
        recalibrate(package, whole, CATALOGUE, "made_up", tmp_path)
    acute = msgspec.structs.replace(whole, setting=np.full(100, "acute"))
    with pytest.raises(CohortError, match="setting acute: the package has no network"):
        recalibrate(package, acute, CATALOGUE, "here", tmp_path)
    assert not list(tmp_path.iterdir())


def test_by_command_line(package: Package, tmp_path: Path) -> None:
    """The slope is printed, and the package that was written loads."""
    file, out = tmp_path / "mine.parquet", tmp_path / "package-here"
    write_cohort(file, of_a_site(package, 1.0, 1e-3), CATALOGUE)
    options = (
        "recalibrate",
        "--package",
        str(package.path),
        "--cohort",
        str(file),
        "--site",
        "here",
        "--out",
        str(out),
    )
    done = CliRunner().invoke(model, options)
    assert done.exit_code == 0, done.output
    assert "diagnosis: slope " in done.output
    assert Package.load(out, CATALOGUE).networks["diagnosis"].manifest.recalibrated == ("here",)
