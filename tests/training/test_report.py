"""The report of a package on a cohort: files, figures, well-formed plots, and hostile names that stay text."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from models.package import Package
from models.training.cohort import Cohort, write_cohort
from models.training.cohort_evaluation import evaluate_package
from models.training.evaluation_report import CalibrationCurve, CalibrationPoint, Evaluation, Interval
from models.training.report.interactions import interactions
from models.training.report.markers import curve, key_markers, markers, relevances
from models.training.report.scale import scale_of, skewed_scale_of
from models.training.report.svg import Drawing
from service.commands.model import model
from tests.unit.models.made_up import PARAMETERS, schema, write_made_up_package
from tests.unit.models.made_up import cohort as made_up

CATALOGUE = schema()
HOSTILE = '<script>alert("x")</script>|`*[a](b)\x07'
SVG = "{http://www.w3.org/2000/svg}"


def elsewhere() -> Cohort:
    return msgspec.structs.replace(made_up(120, seed=3), cohort=np.full(120, HOSTILE))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    write_made_up_package(folder)
    return folder


@pytest.fixture(scope="module")
def evaluation(package: Path) -> Evaluation:
    """As `model evaluate` makes it, with a calibration curve such as a cohort that trained the package has."""
    loaded = Package.load(package, CATALOGUE)
    made, _ = evaluate_package(loaded, elsewhere(), CATALOGUE, None, lambda _: None, 3)
    of = made.settings["diagnosis"][HOSTILE]
    drawn = CalibrationCurve(
        "24 months", [CalibrationPoint(p / 10, Interval(p / 10, p / 20, 1.0), 12) for p in range(10)]
    )
    made.settings["diagnosis"][HOSTILE] = msgspec.structs.replace(of, calibration_curve=drawn)
    return made


@pytest.fixture(scope="module")
def report(package: Path, evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by the command, with the evaluation given."""
    folder = tmp_path_factory.mktemp("report")
    write_cohort(folder / "c.csv", elsewhere(), CATALOGUE)
    (folder / "e.json").write_bytes(msgspec.json.encode(evaluation))
    options = ["--cohort", folder / "c.csv", "--evaluation", folder / "e.json", "--out", folder / "out"]
    done = CliRunner().invoke(model, ["report", "--package", str(package), *map(str, options)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"report: {folder / 'out/report.md'}, ")
    return folder / "out"


def plots(report: Path) -> Iterator[tuple[str, ET.Element]]:
    for path in sorted(report.glob("*.svg")):
        yield path.name, ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - our own file


def test_every_plot_is_there_and_well_formed(report: Path) -> None:
    """Each kind, linked from the text, with a title and a description; no file that is not linked."""
    text, names = (report / "report.md").read_text(), [name for name, _ in plots(report)]
    for kind in ("discrimination", "comparators", "calibration", "blanking", "markers", "interactions", "curve"):
        assert any(kind in name for name in names), kind
    assert all(f"]({name})" in text for name in names)
    for _, root in plots(report):
        assert root.tag == f"{SVG}svg"
        assert root.findtext(f"{SVG}title")
        assert root.findtext(f"{SVG}desc")


def test_hostile_names_stay_text(report: Path) -> None:
    """A cohort called <script> is neither markup in a plot nor HTML, a link or a table cell in the text."""
    for name, root in plots(report):
        assert root.find(f".//{SVG}script") is None
        assert name.replace("-", "").replace(".", "").isalnum()
    drawn = next(root for name, root in plots(report) if "discrimination" in name)
    assert drawn.findtext(f"{SVG}title") == "Discrimination on " + HOSTILE.replace("\x07", "\ufffd")
    for file in ("report.md", "figures.md"):
        text = (report / file).read_text()
        assert "<script" not in text
        assert "[a](b)" not in text


def test_it_holds_the_figures_of_the_evaluation(report: Path, evaluation: Evaluation) -> None:
    """C of each model, scores by name, what is not available; every figure in the list of all of them."""
    text, figures = (report / "report.md").read_text(), (report / "figures.md").read_text()
    result = evaluation.settings["diagnosis"][HOSTILE]
    for name, scores in result.models.items():
        assert f"| {name} | {scores.pooled} |" in text
    stage = next(row for row in result.comparators if row.key == "uicc")
    assert (
        f"| UICC stage | {stage.patients} | {stage.deaths} | {stage.comparator and stage.comparator.pooled} |" in text
    )
    assert "Not available in this cohort: ECOG (0 patients)" in text
    assert f"| {result.models['network'].pooled.low} |" in figures
    assert "not evaluated" not in text.lower()


def test_a_cohort_that_trained_the_package_needs_an_evaluation(package: Path, tmp_path: Path) -> None:
    """Its figures would flatter; markers and interactions are shown all the same."""
    write_cohort(tmp_path / "c.csv", made_up(80), CATALOGUE)
    options = ["--package", package, "--cohort", tmp_path / "c.csv", "--out", tmp_path / "out"]
    done = CliRunner().invoke(model, ["report", *map(str, options)])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out/report.md").read_text()
    assert "Not evaluated: the cohort trained this network" in text
    assert "#### Key markers" in text
    assert not list((tmp_path / "out").glob("*discrimination*"))


def test_key_markers_carry_nine_tenths(package: Path) -> None:
    """The smallest set of the strongest; shares add up to 1; the cancer type counts once."""
    network = Package.load(package, CATALOGUE).network("diagnosis")
    patients = made_up(200, seed=3)
    of = relevances(network, patients, CATALOGUE)
    found = markers(of, CATALOGUE)
    number = key_markers(found)
    shares = [marker.share for marker in found]
    assert {marker.key for marker in found} == {*PARAMETERS, "entity"}
    assert sum(shares) == pytest.approx(1)
    assert sum(shares[: number - 1]) < 0.9 <= sum(shares[:number])
    assert of.relevance.sum(axis=1) == pytest.approx(network.predictor.risk(patients.values), abs=1e-4)
    assert all(entry.patients >= 10 for entry in curve(of, "lab_cea", patients, CATALOGUE))


def test_interactions_are_mixed_differences(package: Path) -> None:
    """One pair of one patient by four calls; a pair of which the patient lacks one is 0."""
    network = Package.load(package, CATALOGUE).network("diagnosis")
    patient = made_up(1, missing=0.0).values
    pair = ("demo_age_at_baseline", "lab_cea")

    def without(*keys: str) -> float:
        blanked = patient.copy()
        blanked[:, [CATALOGUE.index[key] for key in keys]] = np.nan
        return float(network.predictor.risk(blanked)[0])

    expected = without() - without(pair[0]) - without(pair[1]) + without(*pair)
    (found,) = interactions(network.predictor, patient, pair, CATALOGUE)
    assert found.mean == pytest.approx(expected, abs=1e-6)
    assert found.strength == pytest.approx(abs(expected), abs=1e-6)
    patient[:, CATALOGUE.index["lab_cea"]] = np.nan
    assert interactions(network.predictor, patient, pair, CATALOGUE) == []


def test_axes_have_round_labels_inside() -> None:
    """Also where nothing varies; a wide positive axis goes by powers of ten."""
    assert [label for _, label in scale_of([0.0, 1.0], 0, 100).ticks()] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    same = scale_of([3.0, 3.0], 0, 100)
    assert same(3.0) == 50
    assert len(same.ticks()) > 1
    wide = skewed_scale_of([0.5, 2000.0], 0, 100)
    assert [label for _, label in wide.ticks()] == ["1", "10", "100", "1,000"]
    assert wide(10) - wide(1) == pytest.approx(wide(100) - wide(10))


def test_a_drawing_escapes_what_it_prints() -> None:
    """Markup and characters that XML does not have."""
    drawing = Drawing(100, 50, "a & b", "<c>")
    drawing.text(0, 0, "\x00<d>")
    root = ET.fromstring(drawing.render())  # noqa: S314 - our own text
    assert root.findtext(f"{SVG}desc") == "<c>"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["a & b", "\ufffd<d>"]
