# ruff: noqa: PLC0415 - training libraries are heavy and absent from the served image: commands import them when called
"""`oncohooks cohort` and `oncohooks model`: cohorts in, model packages and their evaluation out."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from service.commands.failure import Failure
from service.version import VERSION

if TYPE_CHECKING:
    from models.features import FeatureSchema
    from models.training.cohort import Cohort
    from models.training.fits import Fit

PROGRESS_SECONDS = 2.0
SETTINGS = ("diagnosis", "metastatic", "survivor", "acute")
FOLDS = ("random", "site", "cohort")

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_new_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_new_folder = click.Path(file_okay=False, path_type=Path)
_fits = click.option(
    "--fits", type=_new_folder, help="Keep every fit in this folder: an interrupted run goes on, none is done twice."
)


@click.group()
def cohort() -> None:
    """Build and describe training cohorts."""


@cohort.command(epilog="Example: oncohooks cohort build hancock --data data/cohorts --out hancock.parquet")
@click.argument("name")
@click.option("--data", required=True, type=_folder, help="The folder that holds the cohort folders.")
@click.option("--out", required=True, type=_new_file, help="The file to write, .parquet or .csv.")
@click.option("--json", "as_json", is_flag=True, help="Counts as JSON.")
def build(name: str, data: Path, out: Path, *, as_json: bool) -> None:
    """Write the public cohort NAME in the cohort format, through the catalogue's units, ranges and gene rule.

    Where the source carries predictions of its own (support2), they are written to FILE.published.csv.
    """
    with _told_in_one_line():
        from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS, PUBLISHED, TIME_ZERO
        from models.training.build_record import write_build_record
        from models.training.cohort import write_cohort
        from models.training.published import published_path, write_published

        if name not in PUBLIC_COHORTS:
            raise click.UsageError(f"no cohort {name}; there are {', '.join(PUBLIC_COHORTS)}")
        built = PUBLIC_COHORTS[name](data / name, _schema())
        write_cohort(out, built.cohort, _schema())
        excluded, out_of_range = dict(built.excluded), dict(built.cohort.out_of_range)
        write_build_record(out, TIME_ZERO[name], excluded, out_of_range)
        if name in PUBLISHED:
            write_published(published_path(out), PUBLISHED[name](data / name))
    counts = {
        "patients": len(built.cohort),
        "deaths": int(built.cohort.event.sum()),
        "timeZero": TIME_ZERO[name],
        "excluded": excluded,
        "outOfRange": out_of_range,
    }
    if as_json:
        _print_json(counts)
        return
    click.echo(f"{out}: {counts['patients']} patients, {counts['deaths']} deaths, from {TIME_ZERO[name]}")
    _print_losses(excluded, out_of_range)


@cohort.command(epilog="Example: oncohooks cohort plant --patients 12000 --seed 1 --out planted.parquet")
@click.option("--patients", default=12_000, show_default=True, type=click.IntRange(1), help="How many to make up.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything that is drawn.")
@click.option("--out", required=True, type=_new_file, help="The file to write, .parquet or .csv.")
def plant(patients: int, seed: int, out: Path) -> None:
    """Make up a cohort whose hazard is known, to see what a training finds. What acts is written to FILE.truth.json."""
    with _told_in_one_line():
        from models.training.build_record import write_build_record
        from models.training.cohort import write_cohort
        from models.training.planted.planting import TIME_ZERO
        from models.training.planted.planting import plant as planted

        made = planted(patients, seed, _schema())
        write_cohort(out, made.cohort, _schema())
        write_build_record(out, TIME_ZERO, {}, {})
        truth = out.with_name(f"{out.name}.truth.json")
        truth.write_bytes(msgspec.json.format(msgspec.json.encode(made.truth), indent=1) + b"\n")
    click.echo(f"{out}: {patients} made-up patients, {int(made.cohort.event.sum())} deaths; what acts: {truth}")


@cohort.command(epilog="Example: oncohooks cohort describe hancock.parquet --json")
@click.argument("file", type=_file)
@click.option("--json", "as_json", is_flag=True, help="The counts as JSON.")
def describe(file: Path, *, as_json: bool) -> None:
    """Rows, deaths, follow-up, time zero, cancer types, coverage and exclusions of a cohort FILE.

    Time zero and exclusions come from FILE.build.json, which `cohort build` writes.
    """
    with _told_in_one_line():
        from models.training.build_record import read_build_record
        from models.training.cohort import read_cohort
        from models.training.description import describe as described

        found = described(read_cohort(file, _schema()), _schema(), read_build_record(file))
    if as_json:
        _print_json(found)
        return
    click.echo(f"{found.patients} patients, {found.deaths} deaths, {found.delayed_entries} with delayed entry")
    for name, (patients, deaths) in found.cohorts.items():
        click.echo(f"cohort {name}: {patients} patients, {deaths} deaths")
    for name, patients in found.settings.items():
        click.echo(f"setting {name}: {patients} patients")
    click.echo(f"time zero: {found.time_zero or 'not recorded'}")
    if found.follow_up_days:
        low, middle, high = (round(day) for day in found.follow_up_days)
        click.echo(f"follow-up of those alive: median {middle} days (quartiles {low} and {high})")
    for name, (patients, deaths) in found.entities.items():
        click.echo(f"{name}: {patients} patients, {deaths} deaths")
    click.echo(f"no entity: {found.without_entity} patients")
    for key, covered in found.parameters.items():
        positive = "" if covered.positives is None else f", {covered.positives} positive"
        click.echo(f"{key}: {covered.patients} patients, {covered.deaths} deaths{positive}")
    _print_losses(found.excluded, found.out_of_range)
    for notice in found.notices:
        click.echo(f"{file.name}: {notice}")


@click.group()
def model() -> None:
    """Train, evaluate and describe model packages."""


@model.command(epilog="Example: oncohooks model train --cohort tcga.parquet --cohort hancock.parquet --out package")
@click.option("--cohort", "files", required=True, multiple=True, type=_file, help="A cohort file; repeat for more.")
@click.argument("more", nargs=-1, type=_file)
@click.option("--lend", multiple=True, type=_file, help="A cohort file that only lends linear terms; repeat for more.")
@click.option("--out", required=True, type=_new_folder, help="The folder to write the package to.")
@click.option("--name", default="pan-cancer", show_default=True, help="Name of the package.")
@click.option("--version", default=VERSION, show_default=True, help="Version of the package.")
@click.option("--seed", default=0, show_default=True, help="Seed of folds, weights and dropout.")
@_fits
def train(
    files: tuple[Path, ...],
    more: tuple[Path, ...],
    lend: tuple[Path, ...],
    out: Path,
    name: str,
    version: str,
    seed: int,
    fits: Path | None,
) -> None:
    """Cross-validate and train one network per setting in the files, and write the package."""
    _use_one_thread()
    with _told_in_one_line():
        from models.training.evaluation_text import evaluation_text
        from models.training.network_training import Recipe
        from models.training.package_training import train_package
        from models.training.packaging import write_package

        table = _joined((*files, *more))
        if "diagnosis" not in table.setting:
            raise click.UsageError("no row of the setting diagnosis: a package needs that network")
        lending, synthetic = _joined(lend) if lend else None, _is_synthetic(table)
        trained, evaluation = train_package(table, lending, _schema(), Recipe(seed=seed), _progress, fit=_fitting(fits))
        write_package(out, name, version, _schema(), trained, evaluation, synthetic)
    click.echo(evaluation_text(evaluation))
    click.echo(f"package: {out}")


@model.command(epilog="Example: oncohooks model evaluate --package package --cohort mine.parquet --json scores.json")
@click.option("--package", required=True, type=_folder, help="Folder of the model package.")
@click.option("--cohort", "files", required=True, multiple=True, type=_file, help="A cohort file; repeat for more.")
@click.argument("more", nargs=-1, type=_file)
@click.option("--setting", type=click.Choice(SETTINGS), help="Score every row with this setting's network.")
@click.option("--json", "json_file", type=_new_file, help="Write the scores to this file.")
@click.option("--predictions", type=_new_file, help="Write patient_id, cohort, fold, model, risk to this CSV file.")
@click.option("--published", type=_file, help="CSV patient_id, cohort, model, days, survival: compared with ours.")
@click.option("--bootstraps", default=200, show_default=True, help="Resamples behind the intervals.")
@_fits
@click.option(
    "--folds",
    type=click.Choice(FOLDS),
    default="random",
    show_default=True,
    help="Who is predicted together where the cohort trained: whole sites (TCGA names them), whole cohorts.",
)
def evaluate(
    package: Path,
    files: tuple[Path, ...],
    more: tuple[Path, ...],
    setting: str | None,
    json_file: Path | None,
    predictions: Path | None,
    published: Path | None,
    bootstraps: int,
    fits: Path | None,
    folds: str,
) -> None:
    """Score a package on cohort files: out of fold where the cohort trained it, else as it is served."""
    _use_one_thread()
    with _told_in_one_line():
        from models.package import Package
        from models.training.cohort_evaluation import evaluate_package
        from models.training.evaluation_text import evaluation_text
        from models.training.predictions import write_predictions
        from models.training.published import published_for

        loaded = Package.load(package, _schema())
        table = _joined((*files, *more))
        tell = _progress("evaluation")
        others = published_for(published, table) if published else ()
        evaluation, made = evaluate_package(
            loaded, table, _schema(), setting, tell, bootstraps, _fitting(fits), folds, others
        )
        if predictions:
            write_predictions(predictions, made)
        if json_file:
            json_file.write_bytes(msgspec.json.format(msgspec.json.encode(evaluation), indent=1) + b"\n")
    click.echo(evaluation_text(evaluation))


@model.command(epilog="Example: oncohooks model report --package package --cohort mine.parquet --out report")
@click.option("--package", required=True, type=_folder, help="Folder of the model package.")
@click.option("--cohort", "files", required=True, multiple=True, type=_file, help="A cohort file; repeat for more.")
@click.argument("more", nargs=-1, type=_file)
@click.option("--out", required=True, type=_new_folder, help="The folder to write report.md and its plots to.")
@click.option("--setting", type=click.Choice(SETTINGS), help="Score every row with this setting's network.")
@click.option("--evaluation", type=_file, help="What `model evaluate --json` wrote; default: that of the package.")
@click.option("--bootstraps", default=200, show_default=True, help="Resamples, where a cohort is evaluated now.")
def report(
    package: Path,
    files: tuple[Path, ...],
    more: tuple[Path, ...],
    out: Path,
    setting: str | None,
    evaluation: Path | None,
    bootstraps: int,
) -> None:
    """Write the cross-cancer report: discrimination, comparators, calibration, markers and interactions, with plots.

    Nothing is trained: a cohort that trained the package needs an evaluation, another one is evaluated as it is served.
    """
    _use_one_thread()
    with _told_in_one_line():
        from models.package import Package
        from models.training.report.report import read_evaluation, write_report

        loaded = Package.load(package, _schema())
        given = read_evaluation(evaluation) if evaluation else None
        table = _joined((*files, *more))
        written = write_report(loaded, table, _schema(), setting, given, out, _progress("report"), bootstraps)
    click.echo(f"report: {written[-2]}, {len(written) - 2} plots")


@model.command(epilog="Example: oncohooks model card --package package")
@click.option("--package", required=True, type=_folder, help="Folder of the model package.")
def card(package: Path) -> None:
    """Print the model card, made anew from manifest and evaluation; exit 1 if the package's card says otherwise."""
    with _told_in_one_line():
        from models.package import EVALUATION, Package
        from models.training.card import model_card
        from models.training.evaluation_report import Evaluation

        loaded = Package.load(package, _schema())
        evaluation = msgspec.json.decode((package / EVALUATION).read_bytes(), type=Evaluation)
        text = model_card(loaded.manifest, evaluation)
    click.echo(text, nl=False)
    if text != loaded.card:
        raise Failure("MODEL_CARD.md differs from what manifest and evaluation say", 1)


def _fitting(folder: Path | None) -> "Fit":
    from models.training.fits import KeptFits
    from models.training.network_training import train_network

    return KeptFits(folder) if folder else train_network


def _schema() -> "FeatureSchema":
    from fhir_mappings.concepts import catalogue

    return catalogue().schema


def _joined(files: tuple[Path, ...]) -> "Cohort":
    """All patients of the files. Raises CohortError naming a file in which nobody died."""
    from models.training.cohort import NOBODY_DIED, CohortError, join_cohorts, read_cohort

    tables = [read_cohort(file, _schema()) for file in files]
    for file, table in zip(files, tables, strict=True):
        if not table.event.any():
            raise CohortError(f"{file.name}: {NOBODY_DIED}")
    return join_cohorts(tables)


def _is_synthetic(table: "Cohort") -> bool:
    """Whether nobody in the table is a patient. Raises CohortError where some are and some are not."""
    from models.training.cohort import CohortError
    from models.training.sources import SYNTHETIC

    made_up = sorted(SYNTHETIC.intersection(table.cohort.tolist()))
    real = sorted(set(table.cohort.tolist()) - SYNTHETIC)
    if made_up and real:
        raise CohortError(f"{made_up[0]} is made up, {real[0]} is not: a package is of one or the other")
    return bool(made_up)


def _print_losses(excluded: Mapping[str, int], out_of_range: Mapping[str, int]) -> None:
    for reason, number in excluded.items():
        click.echo(f"left out: {number} ({reason})")
    for key, number in out_of_range.items():
        click.echo(f"outside of the plausible range, not used: {number} of {key}")


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """What is not right with a file becomes one line and exit code 1."""
    try:
        from models.package import PackageError

        yield
    except ModuleNotFoundError as error:
        raise Failure(f"{error.name} is not installed: training needs the extra `train`", 1) from error
    except (PackageError, ValueError) as error:
        raise Failure(str(error), 1) from error
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}", 1) from error


def _progress(what: str) -> Callable[[str], None]:
    """Where training stands, on standard error of a terminal, at most every two seconds."""
    shown = time.monotonic()

    def tell(text: str) -> None:
        nonlocal shown
        if sys.stderr.isatty() and time.monotonic() - shown >= PROGRESS_SECONDS:
            shown = time.monotonic()
            click.echo(f"\r\033[K{what}: {text}", nl=False, err=True)

    return tell


def _use_one_thread() -> None:
    """Sums in a fixed order: training repeats to the last digit on one machine."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")


def _print_json(content: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(content), indent=1).decode())
