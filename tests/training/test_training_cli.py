"""`oncohooks cohort` and `oncohooks model`: what they print, where they fail, and with which exit code."""

import csv
import gzip
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from fhir_mappings.cohorts import hancock
from models.training.cohort import read_cohort, write_cohort
from service.commands.cohort import cohort
from service.commands.model import model
from tests.training.cohorts.source_files import build as build_from_rows
from tests.unit.models.made_up import cohort as made_up
from tests.unit.models.made_up import schema, write_made_up_package

CATALOGUE = schema()


def run(*arguments: object) -> Result:
    group = {"cohort": cohort, "model": model}[str(arguments[0])]
    return CliRunner().invoke(group, [str(argument) for argument in arguments[1:]])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort that no package was trained on."""
    file = tmp_path_factory.mktemp("cohort") / "elsewhere.csv"
    table = msgspec.structs.replace(made_up(80, seed=4), cohort=np.full(80, "elsewhere"))
    write_cohort(file, table, CATALOGUE)
    return file


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    write_made_up_package(folder)
    return folder


def write_hancock(folder: Path) -> None:
    """Two patients, with nothing but age, sex and outcome."""
    columns = {
        "targets": "patient_id,survival_status,days_to_last_information\n1,living,800\n2,deceased,0\n",
        "clinical": "patient_id,sex,primarily_metastasis,smoking_status,age_at_initial_diagnosis\n"
        "1,0,0,1,61\n2,1,,3,150\n",
    }
    folder.mkdir()
    for name, text in columns.items():
        (folder / f"{name}.csv").write_text(text)
    empty = {
        "pathological": (*hancock.PATHOLOGY, *hancock.PATHOLOGY_NUMBERS),
        "blood": hancock.BLOOD,
        "tma_cell_density": hancock.DENSITIES,
    }
    for name, entries in empty.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerow(["patient_id", *(entry[0] for entry in entries)])


def test_build_writes_the_cohort_and_says_what_was_left_out(tmp_path: Path) -> None:
    """Text for people, JSON for machines, the file in the cohort format."""
    write_hancock(tmp_path / "hancock")
    done = run("cohort", "build", "hancock", "--data", tmp_path, "--out", tmp_path / "h.parquet")
    assert done.exit_code == 0, done.output
    assert "2 patients, 1 deaths, from diagnosis" in done.output
    assert "not used: 1 of demo_age_at_baseline" in done.output
    assert read_cohort(tmp_path / "h.parquet", CATALOGUE).time.tolist() == [800, 0.5]
    as_json = run("cohort", "build", "hancock", "--data", tmp_path, "--out", tmp_path / "h.csv", "--json")
    assert msgspec.json.decode(as_json.output) == {
        "patients": 2, "deaths": 1, "timeZero": "diagnosis", "excluded": {},
        "outOfRange": {"demo_age_at_baseline": 1},
    }  # fmt: skip


def test_build_writes_published_predictions_beside_the_cohort(tmp_path: Path) -> None:
    """What SUPPORT2 and its doctors foretold stands in a file of its own; none for a cohort without predictions."""
    columns = ("surv2m", "surv6m", "prg2m", "prg6m")
    build_from_rows(tmp_path / "support2", "support2", {"surv2m": "0.5", "prg6m": "0.125"}, also=columns)
    done = run("cohort", "build", "support2", "--data", tmp_path, "--out", tmp_path / "s.csv")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "s.csv.published.csv").read_text().splitlines() == [
        "patient_id,cohort,model,days,survival", "1,support2,surv2m,60,0.5", "1,support2,prg6m,180,0.125",
    ]  # fmt: skip
    assert not set(columns) & set((tmp_path / "s.csv").read_text().splitlines()[0].split(","))
    write_hancock(tmp_path / "hancock")
    run("cohort", "build", "hancock", "--data", tmp_path, "--out", tmp_path / "h.csv")
    assert not (tmp_path / "h.csv.published.csv").exists()


def test_build_names_what_is_not_there(tmp_path: Path) -> None:
    """An unknown cohort is a wrong call, a missing table is a fault of the data."""
    unknown = run("cohort", "build", "atlantis", "--data", tmp_path, "--out", tmp_path / "a.csv")
    assert (unknown.exit_code, "no cohort atlantis; there are tcga, msk_met, hancock" in unknown.output) == (2, True)
    missing = run("cohort", "build", "tcga", "--data", tmp_path, "--out", tmp_path / "a.csv")
    assert (missing.exit_code, missing.output.count("\n")) == (1, 1)
    assert "samples.tsv.gz" in missing.output


def test_a_file_that_could_not_be_written_is_told_before_the_work(package: Path, file: Path, tmp_path: Path) -> None:
    """A folder that is not there, a suffix that is no cohort's: a wrong call, in the moment in which it is made."""
    nowhere, build = tmp_path / "no" / "a.csv", ("cohort", "build", "atlantis", "--data", tmp_path, "--out")
    evaluate = ("model", "evaluate", "--package", package, "--cohort", file)
    for arguments, said in (
        ((*build, nowhere), f"'--out': there is no folder {nowhere.parent}"),
        ((*build, tmp_path / "a.txt"), "'--out': a cohort file ends in .parquet or .csv"),
        ((*evaluate, "--json", nowhere), f"'--json': there is no folder {nowhere.parent}"),
        ((*evaluate, "--predictions", nowhere), f"'--predictions': there is no folder {nowhere.parent}"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2
        assert said in done.output


def test_a_site_gets_a_package_of_its_own(package: Path, file: Path, tmp_path: Path) -> None:
    """Recalibrating a package in its own folder would lose the one that others serve."""
    for name in (package, tmp_path / "link"):
        if name != package:
            name.symlink_to(package)
        done = run("model", "recalibrate", "--package", package, "--cohort", file, "--site", "here", "--out", name)
        assert done.exit_code == 2
        assert "--out: is the package itself; name another folder" in done.output


def test_describe(file: Path) -> None:
    """Rows, deaths, setting, cancer types, coverage; the file alone does not say when its clock starts."""
    done = run("cohort", "describe", file)
    assert done.exit_code == 0
    assert done.output.startswith("80 patients, ")
    assert "cohort elsewhere: 80 patients, " in done.output
    assert "setting diagnosis: 80 patients\ntime zero: not recorded\n" in done.output
    assert "gene_kras: " in done.output
    assert "race not stated: 80 patients" in done.output
    counts = msgspec.json.decode(run("cohort", "describe", file, "--json").output)
    assert counts["patients"] == 80
    assert "lab_sodium" not in counts["parameters"]


def test_describe_what_build_left_out(tmp_path: Path) -> None:
    """Time zero, exclusions by reason and implausible values of the build; one cancer type only is said."""
    write_hancock(tmp_path / "hancock")
    with (tmp_path / "hancock/targets.csv").open("a") as targets:
        targets.write("3,,90\n")
    run("cohort", "build", "hancock", "--data", tmp_path, "--out", tmp_path / "h.csv")
    lines = run("cohort", "describe", tmp_path / "h.csv").output.splitlines()
    assert "time zero: diagnosis" in lines
    assert "left out: 1 (no status or time)" in lines
    assert "outside of the plausible range, not used: 1 of demo_age_at_baseline" in lines
    assert lines[-1].startswith("h.csv: entity is entity_head_neck in every row")


def test_a_fault_of_the_source_is_told_in_one_line(tmp_path: Path) -> None:
    """A duplicate patient, a negative time, text in a number: file, row and column."""
    for cells, said in (
        ("1,living,9", "patient_id stands twice"),
        ("3,living,-9", "days_to_last_information is negative"),
        ("3,living,long", "days_to_last_information 'long' is no number"),
    ):
        folder = tmp_path / cells
        folder.mkdir()
        write_hancock(folder / "hancock")
        with (folder / "hancock/targets.csv").open("a") as targets:
            targets.write(f"{cells}\n")
        done = run("cohort", "build", "hancock", "--data", folder, "--out", tmp_path / "h.csv")
        assert (done.exit_code, done.output) == (1, f"Error: targets.csv: row 4: {said}\n")


def test_a_wrong_cell_is_told_in_one_line(file: Path, tmp_path: Path) -> None:
    """File, row and column, exit code 1."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(file.read_text().replace(",elsewhere,diagnosis,", ",elsewhere,clinic,", 1))
    done = run("cohort", "describe", wrong)
    assert done.exit_code == 1
    assert done.output.startswith("Error: wrong.csv: row 2: setting is none of")
    assert done.output.count("\n") == 1


def test_evaluate_a_new_cohort(package: Path, file: Path, tmp_path: Path) -> None:
    """Text, JSON and predictions; the setting may be forced."""
    scores, predictions = tmp_path / "s.json", tmp_path / "p.csv"
    options = ("--json", scores, "--predictions", predictions, "--setting", "acute", "--bootstraps", 3)
    done = run("model", "evaluate", "--package", package, "--cohort", file, *options)
    assert done.exit_code == 0, done.output
    assert "elsewhere · network diagnosis · external · 80 patients" in done.output
    result = msgspec.json.decode(scores.read_bytes())["settings"]["diagnosis"]["elsewhere"]
    assert result["folds"] == "external"
    assert predictions.read_text().startswith("patient_id,cohort,fold,model,risk\n")
    assert len(predictions.read_text().splitlines()) == 1 + 3 * 80


def test_evaluate_beside_published_predictions(package: Path, file: Path, tmp_path: Path) -> None:
    """They are compared on the patients that they name; a file of other patients is a fault."""
    patients = read_cohort(file, CATALOGUE)
    published = tmp_path / "published.csv"
    rows = [
        f"{p},elsewhere,oracle,700,{float(t > 700)}" for p, t in zip(patients.patient_id, patients.time, strict=True)
    ]
    published.write_text("\n".join(["patient_id,cohort,model,days,survival", *rows]))
    options = ("--published", published, "--bootstraps", 3)
    done = run("model", "evaluate", "--package", package, "--cohort", file, *options)
    assert done.exit_code == 0, done.output
    assert "oracle at 700 days: " in done.output
    published.write_text("patient_id,cohort,model,days,survival\nnobody,elsewhere,oracle,700,1")
    done = run("model", "evaluate", "--package", package, "--cohort", file, *options)
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert done.output.startswith("Error: published.csv: no patient of it")


def test_evaluate_needs_deaths(package: Path, tmp_path: Path) -> None:
    """A cohort in which nobody died cannot be scored, and is named."""
    table = msgspec.structs.replace(made_up(60), cohort=np.full(60, "elsewhere"), event=np.zeros(60, dtype=bool))
    write_cohort(tmp_path / "alive.csv", table, CATALOGUE)
    done = run("model", "evaluate", "--package", package, "--cohort", tmp_path / "alive.csv", "--bootstraps", 3)
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert done.output.startswith("Error: alive.csv: event is 0 in every row: nobody died")


def test_card(package: Path) -> None:
    """The card is printed; one that does not follow from the files is reported."""
    done = run("model", "card", "--package", package)
    assert done.exit_code == 0
    assert done.output == (package / "MODEL_CARD.md").read_text()


def test_a_broken_package_is_named(package: Path, file: Path, tmp_path: Path) -> None:
    """The reason on one line, exit code 1."""
    broken = Path(shutil.copytree(package, tmp_path / "broken"))
    (broken / "golden.json").write_text("{}")
    for arguments in (("card",), ("evaluate", "--cohort", file)):
        done = run("model", arguments[0], "--package", broken, *arguments[1:])
        assert (done.exit_code, done.output) == (1, "Error: golden.json: sha256 differs from the manifest\n")


def test_train_needs_rows_at_diagnosis(tmp_path: Path) -> None:
    """A package without that network could not answer every patient."""
    table = msgspec.structs.replace(made_up(30), setting=np.full(30, "acute"))
    write_cohort(tmp_path / "a.parquet", table, CATALOGUE)
    done = run("model", "train", "--cohort", tmp_path / "a.parquet", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "no row of the setting diagnosis" in done.output


def test_train_says_when_nothing_can_be_learned(tmp_path: Path) -> None:
    """Nobody died: one line, exit code 1, no package."""
    table = msgspec.structs.replace(made_up(60), event=np.zeros(60, dtype=bool))
    write_cohort(tmp_path / "a.parquet", table, CATALOGUE)
    done = run("model", "train", "--cohort", tmp_path / "a.parquet", "--out", tmp_path / "out")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "a.parquet: event is 0 in every row: nobody died" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("group", "command"),
    [
        ("cohort", "build"),
        ("cohort", "build fhir"),
        ("cohort", "plant"),
        ("cohort", "describe"),
        ("model", "train"),
        ("model", "evaluate"),
        ("model", "card"),
        ("model", "report"),
        ("model", "recalibrate"),
    ],
)
def test_every_command_has_an_example(group: str, command: str) -> None:
    """`--help` ends with one."""
    done = run(group, command, "--help")
    assert done.exit_code == 0
    assert f"Example: oncohooks {group} {command}" in done.output


def test_gzip_is_not_a_cohort_format(tmp_path: Path) -> None:
    """The two suffixes are said."""
    with gzip.open(tmp_path / "a.gz", "wb") as packed:
        packed.write(b"x")
    done = run("cohort", "describe", tmp_path / "a.gz")
    assert (done.exit_code, done.output) == (1, "Error: a.gz: a cohort file ends in .parquet or .csv\n")


def test_plant_writes_cohort_truth_and_record(tmp_path: Path) -> None:
    """The file can be read and described; beside it lie what acts and when its clock starts."""
    file = tmp_path / "p.parquet"
    done = run("cohort", "plant", "--patients", 60, "--seed", 3, "--out", file)
    assert done.exit_code == 0, done.output
    assert "60 made-up patients" in done.output
    assert set(read_cohort(file, CATALOGUE).cohort.tolist()) == {"planted"}
    truth = msgspec.json.decode((tmp_path / "p.parquet.truth.json").read_bytes())
    assert truth["effects"]["func_ecog"] > 0 > truth["effects"]["lab_albumin"]
    assert len(truth["pairs"]) == 10
    assert "time zero: diagnosis (made up)" in run("cohort", "describe", file).output


@pytest.mark.parametrize("other", ["--cohort", "--lend"])
def test_made_up_and_real_patients_do_not_mix(tmp_path: Path, other: str) -> None:
    """A package of both, or with terms lent by the other kind, would be neither: one line, exit code 1, no package."""
    run("cohort", "plant", "--patients", 60, "--out", tmp_path / "p.csv")
    write_cohort(tmp_path / "r.csv", made_up(60), CATALOGUE)
    done = run("model", "train", "--cohort", tmp_path / "r.csv", other, tmp_path / "p.csv", "--out", tmp_path / "out")
    assert (done.exit_code, done.output) == (
        1,
        "Error: planted is made up, made_up is not: a package is of one or the other\n",
    )
    assert not (tmp_path / "out").exists()
