# ruff: noqa: PLC0415 - training libraries are heavy and absent from the served image: commands import them when called
"""`oncohooks model`: cohorts in, model packages, their evaluation, card and report out."""

from pathlib import Path

import click
import msgspec

from service.commands.failure import Failure
from service.commands.training import (
    FILE,
    FOLDER,
    NEW_FILE,
    NEW_FOLDER,
    fitting,
    is_synthetic,
    joined,
    schema,
    telling,
    told_in_one_line,
    use_one_thread,
    with_entities,
)
from service.version import VERSION

SETTINGS = ("diagnosis", "metastatic", "survivor", "acute")
FOLDS = ("random", "site", "cohort")
_fits = click.option(
    "--fits", type=NEW_FOLDER, help="Keep every fit in this folder: an interrupted run goes on, none is done twice."
)


@click.group()
def model() -> None:
    """Train, evaluate and describe model packages."""


@model.command(
    short_help="Train one network per setting, write the package.",
    epilog="Example: oncohooks model train --cohort tcga.parquet --cohort hancock.parquet --out package",
)
@click.option("--cohort", "files", required=True, multiple=True, type=FILE, help="A cohort file; repeat for more.")
@click.argument("more", nargs=-1, type=FILE)
@click.option("--lend", multiple=True, type=FILE, help="A cohort file that only lends linear terms; repeat for more.")
@click.option("--out", required=True, type=NEW_FOLDER, help="The folder to write the package to.")
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
    use_one_thread()
    with told_in_one_line():
        from models.training.evaluation_text import evaluation_text
        from models.training.network_training import Recipe
        from models.training.package_training import train_package
        from models.training.packaging import write_package

        table = joined((*files, *more))
        if "diagnosis" not in table.setting:
            raise click.UsageError("no row of the setting diagnosis: a package needs that network")
        lending = joined(lend) if lend else None
        synthetic = is_synthetic(table, lending)
        trained, evaluation = train_package(table, lending, schema(), Recipe(seed=seed), telling, fit=fitting(fits))
        write_package(out, name, version, schema(), trained, evaluation, synthetic)
    click.echo(evaluation_text(evaluation))
    click.echo(f"package: {out}")


@model.command(
    short_help="Score a package on cohort files.",
    epilog="Example: oncohooks model evaluate --package package --cohort mine.parquet --json scores.json",
)
@click.option("--package", required=True, type=FOLDER, help="Folder of the model package.")
@click.option("--cohort", "files", required=True, multiple=True, type=FILE, help="A cohort file; repeat for more.")
@click.argument("more", nargs=-1, type=FILE)
@click.option("--setting", type=click.Choice(SETTINGS), help="Score every row with this setting's network.")
@click.option("--entity", "entities", multiple=True, help="Only patients with this cancer type; repeat for more.")
@click.option("--json", "json_file", type=NEW_FILE, help="Write the scores to this file.")
@click.option("--predictions", type=NEW_FILE, help="Write patient_id, cohort, fold, model, risk to this CSV file.")
@click.option("--published", type=FILE, help="CSV patient_id, cohort, model, days, survival: compared with ours.")
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
    entities: tuple[str, ...],
    json_file: Path | None,
    predictions: Path | None,
    published: Path | None,
    bootstraps: int,
    fits: Path | None,
    folds: str,
) -> None:
    """Score a package on cohort files: out of fold where the cohort trained it, else as it is served."""
    use_one_thread()
    with told_in_one_line():
        from models.package import Package
        from models.training.cohort_evaluation import evaluate_package
        from models.training.evaluation_text import evaluation_text
        from models.training.predictions import write_predictions
        from models.training.published import published_for

        loaded = Package.load(package, schema())
        table = with_entities(joined((*files, *more)), entities)
        tell = telling("evaluation")
        others = published_for(published, table) if published else ()
        evaluation, made = evaluate_package(
            loaded, table, schema(), setting, tell, bootstraps, fitting(fits), folds, others
        )
        if predictions:
            write_predictions(predictions, made)
        if json_file:
            json_file.write_bytes(msgspec.json.format(msgspec.json.encode(evaluation), indent=1) + b"\n")
    click.echo(evaluation_text(evaluation))


@model.command(
    short_help="Write the cross-cancer report with plots.",
    epilog="Example: oncohooks model report --package package --cohort mine.parquet --out report",
)
@click.option("--package", required=True, type=FOLDER, help="Folder of the model package.")
@click.option("--cohort", "files", required=True, multiple=True, type=FILE, help="A cohort file; repeat for more.")
@click.argument("more", nargs=-1, type=FILE)
@click.option("--out", required=True, type=NEW_FOLDER, help="The folder to write report.md and its plots to.")
@click.option("--setting", type=click.Choice(SETTINGS), help="Score every row with this setting's network.")
@click.option("--evaluation", type=FILE, help="What `model evaluate --json` wrote; default: that of the package.")
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
    use_one_thread()
    with told_in_one_line():
        from models.package import Package
        from models.training.report.report import read_evaluation, write_report

        loaded = Package.load(package, schema())
        given = read_evaluation(evaluation) if evaluation else None
        table = joined((*files, *more))
        written = write_report(loaded, table, schema(), setting, given, out, telling("report"), bootstraps)
    click.echo(f"report: {written[-2]}, {len(written) - 2} plots")


@model.command(
    short_help="Estimate slope and survival anew at a site.",
    epilog="Example: oncohooks model recalibrate --package package --cohort mine.parquet --site here --out ours",
)
@click.option("--package", required=True, type=FOLDER, help="Folder of the model package.")
@click.option("--cohort", "files", required=True, multiple=True, type=FILE, help="A cohort file; repeat for more.")
@click.option("--site", required=True, help="The name of this site, as the setting `card.site` has it.")
@click.option("--out", required=True, type=NEW_FOLDER, help="The folder to write the recalibrated package to.")
def recalibrate(package: Path, files: tuple[Path, ...], site: str, out: Path) -> None:
    """Estimate slope and survival of a package anew on patients of this site; its weights stay as they are."""
    if out.resolve() == package.resolve():
        raise click.UsageError("--out: is the package itself; name another folder")
    with told_in_one_line():
        from models.package import Package
        from models.training.local_recalibration import recalibrate as on_own_patients

        loaded = Package.load(package, schema())
        slopes = on_own_patients(loaded, joined(files), schema(), site, out)
        Package.load(out, schema())
    for key, slope in slopes.items():
        click.echo(f"{key}: slope {slope} on top of the packaged one")
    click.echo(f"package: {out}")


@model.command(
    "common-values",
    short_help="Add which values are common in training.",
    epilog="Example: oncohooks model common-values --package package --cohort support2.parquet --out package-new",
)
@click.option("--package", required=True, type=FOLDER, help="Folder of the model package.")
@click.option("--cohort", "files", required=True, multiple=True, type=FILE, help="A cohort that trained it; repeat.")
@click.option("--out", required=True, type=NEW_FOLDER, help="The folder to write the package to; may be the same one.")
def common_values(package: Path, files: tuple[Path, ...], out: Path) -> None:
    """Add to a package which values are common among its training patients; needed by nextMostInformative."""
    with told_in_one_line():
        from models.package import Package
        from models.training.common_values import add_common_values

        loaded = Package.load(package, schema())
        settings = add_common_values(loaded, joined(files), schema(), out)
        Package.load(out, schema())
    click.echo(f"package: {out}, common values of {', '.join(settings)}")


@model.command(short_help="Print the model card, made anew.", epilog="Example: oncohooks model card --package package")
@click.option("--package", required=True, type=FOLDER, help="Folder of the model package.")
def card(package: Path) -> None:
    """Print the model card, made anew from manifest and evaluation; exit 1 if the package's card says otherwise."""
    with told_in_one_line():
        from models.package import EVALUATION, Package
        from models.training.card import model_card
        from models.training.evaluation_report import Evaluation

        loaded = Package.load(package, schema())
        evaluation = msgspec.json.decode((package / EVALUATION).read_bytes(), type=Evaluation)
        text = model_card(loaded.manifest, evaluation)
    click.echo(text, nl=False)
    if text != loaded.card:
        raise Failure("MODEL_CARD.md differs from what manifest and evaluation say", 1)
