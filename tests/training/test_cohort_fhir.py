"""`oncohooks cohort build fhir`: from a hospital's export to a cohort that every later command takes."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from fhir_mappings.cohorts import own_patients
from fhir_mappings.encoder import encode
from fhir_mappings.retrieval import queries
from models.features import FeatureVector
from models.package import Package
from models.training.cohort import Cohort, read_cohort
from models.training.evaluation_report import Evaluation
from models.training.network_training import Recipe
from models.training.packaging import write_package
from models.training.training import train_setting
from service.cli import main
from service.clock import Moment
from service.commands.coverage_sources import of_ndjson
from service.settings import Settings
from tests.as_fhir import Resource
from tests.training.synthetic_hospital import CATALOGUE, UNTIL, diagnosed, export, resources_of_patient
from tests.unit.models.made_up import PARAMETERS, cohort, trained_setting
from tests.unit.service.commands.test_cli import down
from tests.unit.service.far_end import BASE, FhirServer, bundle

PATIENTS = 300
TABLE = cohort(PATIENTS, seed=7)
SMALL = Recipe(members=2, first_units=8, second_units=4, batch=64, patience=2, longest=4)


def run(*arguments: object, network: FhirServer | None = None) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], obj=network)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def build(*arguments: object, network: FhirServer | None = None) -> Result:
    return run("cohort", "build", "fhir", *arguments, network=network)


def server_of(resources: list[Resource]) -> FhirServer:
    """Answers every query of a patient with all of the type that it asks for."""
    server = FhirServer()
    for one in resources:
        if one["resourceType"] != "Patient":
            continue
        own = [r for r in resources if r.get("subject", {}).get("reference") == f"Patient/{one['id']}"]
        for query in queries():
            found = [r for r in own if r["resourceType"] == query.type]
            server.on(query.url(str(one["id"])), one if query.key == "patient" else bundle(*found))
    for query in queries():
        server.on(query.url("nobody"), 404)
    return server


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital") / "export"
    export(folder, TABLE)
    return folder


@pytest.fixture(scope="module")
def file(hospital: Path) -> Path:
    file = hospital.parent / "mine.parquet"
    done = build("--ndjson", hospital, "--index-date", "diagnosis", "--until", UNTIL, "--ids", "--out", file)
    assert done.exit_code == 0, done.output
    return file


@pytest.fixture(scope="module")
def mine(file: Path) -> Cohort:
    return read_cohort(file, CATALOGUE)


def test_the_hospital_comes_back(mine: Cohort) -> None:
    """Values, cancer types and deaths are those of the table that was written as FHIR; nothing of its future."""
    number = [int(name.removeprefix("P")) for name in mine.patient_id]
    expected = TABLE.rows(np.array(number))
    assert len(mine) > 0.95 * PATIENTS
    assert set(mine.setting) == {"diagnosis"}
    assert set(mine.cohort) == {"hospital"}
    assert mine.entity.tolist() == expected.entity.tolist()
    for key in PARAMETERS:
        column = CATALOGUE.index[key]
        np.testing.assert_allclose(mine.values[:, column], expected.values[:, column], rtol=1e-5)
    left = np.array([(UNTIL - diagnosed(one)).days for one in number])
    seen = expected.time <= left
    assert mine.event.tolist() == (expected.event & seen).tolist()
    assert mine.time[seen].tolist() == expected.time[seen].tolist()
    assert mine.time[~seen].tolist() == [2.0] * int((~seen).sum())  # the last contact of whoever is followed on
    assert not mine.entry.any()


def test_the_values_are_those_of_the_record_at_that_day(hospital: Path, mine: Cohort) -> None:
    """What `oncohooks score --at` encodes, for every patient."""
    rows = dict(zip(mine.patient_id.tolist(), mine.values, strict=True))
    compared = 0
    for record in of_ndjson(hospital, "R4", lambda _: None, lambda _: None):
        day = diagnosed(int(record.patient_id.removeprefix("P")))
        at = Moment.parse(day.isoformat()).at_for(record)
        if record.patient_id in rows:
            expected = encode(record, CATALOGUE, at).vector.values
            np.testing.assert_array_equal(rows[record.patient_id], expected)
            compared += 1
    assert compared == len(mine)


def test_the_risk_is_that_of_score(mine: Cohort, tmp_path: Path) -> None:
    """`oncohooks score --bundle … --at` of a patient, and the served package on the patient's row."""
    package = Package.load(Settings.read().model, CATALOGUE)
    scored = 0
    for place, name in enumerate(mine.patient_id[:12].tolist()):
        number = int(name.removeprefix("P"))
        record = tmp_path / f"{name}.json"
        record.write_text(json.dumps(bundle(*resources_of_patient(number, TABLE))))
        done = run("score", "--bundle", record, "--at", diagnosed(number), "--json")
        assessment = json.loads(done.stdout)
        if assessment["status"] == "scored":
            network = package.network(assessment["setting"]["key"])
            risk = network.predict(FeatureVector(mine.values[place], CATALOGUE)).risk
            assert assessment["riskScore"] == pytest.approx(float(risk), abs=1e-5)
            scored += 1
    assert scored >= 3


def test_describe_says_where_the_clock_starts(file: Path) -> None:
    """And what was left out on the way."""
    lines = run("cohort", "describe", file).output.splitlines()
    assert "time zero: diagnosis (pathology, else onset)" in lines
    assert any(line.startswith("cohort hospital: ") for line in lines)


def test_evaluate_and_recalibrate_take_it(file: Path, tmp_path: Path) -> None:
    """As any other cohort."""
    package = tmp_path / "package"
    write_package(package, "made-up", "1", CATALOGUE, [trained_setting()], Evaluation({}))
    evaluated = run("model", "evaluate", "--package", package, "--cohort", file, "--bootstraps", 3)
    assert evaluated.exit_code == 0, evaluated.output
    assert "hospital · network diagnosis · external" in evaluated.output
    options = ("--package", package, "--cohort", file, "--site", "here", "--out", tmp_path / "here")
    recalibrated = run("model", "recalibrate", *options)
    assert recalibrated.exit_code == 0, recalibrated.output
    assert Package.load(tmp_path / "here", CATALOGUE).networks["diagnosis"].manifest.recalibrated == ("here",)


def test_training_takes_it(mine: Cohort) -> None:
    """With delayed entry too."""
    later = msgspec.structs.replace(mine, entry=np.minimum(1.0, mine.time / 2))
    trained = train_setting("diagnosis", later, CATALOGUE, SMALL, lambda _: None, 5)
    assert set(trained.evaluations) == {"hospital"}


def test_counts_as_json(tmp_path: Path) -> None:
    """Of everyone who was read; the dead without a date are told aloud, whatever is done with them."""
    folder = tmp_path / "export"
    folder.mkdir()
    resources = [resource for number in range(4) for resource in resources_of_patient(number, TABLE)]
    patients = [one for one in resources if one["resourceType"] == "Patient"]
    for one in patients:
        one.pop("deceasedDateTime", None)
    patients[0]["deceasedBoolean"] = True
    patients[1]["birthDate"] = "2012-01-01"
    patients[2]["meta"] = {"security": [{"system": "http://hl7.org/fhir/v3/Confidentiality", "code": "R"}]}
    (folder / "all.ndjson").write_text("\n".join(map(json.dumps, resources)))
    options = ("--ndjson", folder, "--index-date", "diagnosis", "--json", "--name", "ward", "--out")
    done = build(*options, tmp_path / "a.csv")
    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout)
    assert (counts["read"], counts["patients"], counts["deaths"], counts["undatedDeaths"]) == (4, 2, 0, 1)
    assert counts["excluded"] == {"restricted record, or an objection": 1, own_patients.UNDER_18: 1}
    assert "1 dead have no date of death and are censored at their last contact" in done.stderr
    assert "1 dead without a date are censored" in counts["timeZero"]
    written = read_cohort(tmp_path / "a.csv", CATALOGUE)
    assert (written.patient_id.tolist(), written.cohort.tolist()) == (["1", "4"], ["ward", "ward"])
    without = build(*options, tmp_path / "b.csv", "--undated-deaths", "left-out")
    assert json.loads(without.stdout)["excluded"][own_patients.UNDATED_DEATH] == 1
    assert "are left out" in without.stderr


def test_one_bad_line_costs_itself(tmp_path: Path) -> None:
    """It is told with its place, and the exit code is 1; the cohort is there."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.ndjson").write_text("\n".join([*map(json.dumps, resources_of_patient(0, TABLE)), "oops"]))
    done = build("--ndjson", folder, "--index-date", "diagnosis", "--out", tmp_path / "a.csv")
    assert done.exit_code == 1
    assert "not a JSON object" in done.stderr
    assert "1 of 1 patients" in done.stdout
    assert len(read_cohort(tmp_path / "a.csv", CATALOGUE)) == 1


@pytest.mark.parametrize(
    ("options", "ends", "said"),
    [
        (("--index-date", "diagnosis"), 2, "give one of --ndjson and --fhir"),
        (("--fhir", BASE, "--index-date", "diagnosis"), 2, "--fhir and --patients need each other"),
        (("--ndjson", ".", "--index-date", "birth"), 2, "neither diagnosis, metastasis"),
        (("--ndjson", ".", "--index-date", "survivor", "--after", "3"), 2, "--after counts from an event"),
        (("--ndjson", ".", "--index-date", "2020-01-31", "--until", "2020-01-31"), 2, "is not before the end"),
        (("--ndjson", ".", "--index-date", "2999-01-31"), 2, "is not before the end"),
        (("--ndjson", "EMPTY", "--index-date", "diagnosis"), 1, "nobody is left of 0 patients"),
    ],
)
def test_what_is_wrong_is_told_on_one_line(tmp_path: Path, options: tuple[str, ...], ends: int, said: str) -> None:
    """A wrong call before the work; nobody left after it."""
    (tmp_path / "empty").mkdir()
    here = [str(tmp_path / "empty") if option == "EMPTY" else option for option in options]
    done = build(*here, "--out", tmp_path / "a.csv")
    assert done.exit_code == ends
    assert said in done.stderr.splitlines()[-1]
    assert not (tmp_path / "a.csv").exists()


def test_a_server_that_cannot_be_reached_is_3(tmp_path: Path) -> None:
    """At once, and nothing is written."""
    (tmp_path / "ids.txt").write_text("a")
    server = FhirServer()
    for query in queries():
        server.on(query.url("a"), down)
    options = ("--fhir", BASE, "--patients", tmp_path / "ids.txt", "--index-date", "diagnosis")
    done = build(*options, "--out", tmp_path / "a.csv", network=server)
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("rule", ["metastasis", "admission", "survivor", "2018-06-30"])
def test_every_rule_runs_on_an_export(hospital: Path, tmp_path: Path, rule: str) -> None:
    """Who is in has a row, who is not a reason: together they are everyone."""
    done = build("--ndjson", hospital, "--index-date", rule, "--until", UNTIL, "--json", "--out", tmp_path / "a.csv")
    if done.exit_code == 1:
        assert f"nobody is left of {PATIENTS} patients" in done.stderr
        return
    counts = json.loads(done.stdout)
    assert counts["patients"] + sum(counts["excluded"].values()) == counts["read"] == PATIENTS


def test_a_server_is_read_as_a_folder_is(tmp_path: Path) -> None:
    """One patient after the other; who cannot be read is counted, and the exit code is 1."""
    resources = [resource for number in (0, 1) for resource in resources_of_patient(number, TABLE)]
    names = [str(TABLE.patient_id[number]) for number in (0, 1)]
    ids, folder = tmp_path / "ids.txt", tmp_path / "export"
    ids.write_text("\n".join([*names, "nobody"]))
    folder.mkdir()
    (folder / "all.ndjson").write_text("\n".join(map(json.dumps, resources)))
    options = ("--index-date", "diagnosis", "--out")
    of_server = build("--fhir", BASE, "--patients", ids, *options, tmp_path / "a.csv", network=server_of(resources))
    assert of_server.exit_code == 1
    assert "left out: 1 (record not read)" in of_server.stdout
    assert build("--ndjson", folder, *options, tmp_path / "b.csv").exit_code == 0
    one, other = (read_cohort(tmp_path / name, CATALOGUE) for name in ("a.csv", "b.csv"))
    assert one.time.tolist() == other.time.tolist()
    np.testing.assert_array_equal(one.values, other.values)
