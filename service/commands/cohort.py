# ruff: noqa: PLC0415 - training libraries are heavy and absent from the served image: commands import them when called
"""`oncohooks cohort`: public, own and made-up cohorts in the cohort format, and their description."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from service.commands.cohort_fhir import build_fhir
from service.commands.training import COHORT_FILE, FILE, FOLDER, print_json, schema, told_in_one_line


class _Cohort(click.Group):
    """`build fhir` is a command of its own: it reads another source, with other options."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[:2] == ["build", "fhir"]:
            return _BUILD_FHIR, build_fhir, args[2:]
        return super().resolve_command(ctx, args)


@click.group(cls=_Cohort)
def cohort() -> None:
    """Build and describe training cohorts."""


_BUILD_FHIR = "build fhir"
cohort.add_command(build_fhir, _BUILD_FHIR)


@cohort.command(
    short_help="Write a public cohort in the cohort format.",
    epilog="Example: oncohooks cohort build hancock --data data/cohorts --out hancock.parquet",
)
@click.argument("name")
@click.option("--data", required=True, type=FOLDER, help="The folder that holds the cohort folders.")
@click.option("--out", required=True, type=COHORT_FILE, help="The file to write, .parquet or .csv.")
@click.option("--json", "as_json", is_flag=True, help="Counts as JSON.")
def build(name: str, data: Path, out: Path, *, as_json: bool) -> None:
    """Write the public cohort NAME in the cohort format, through the catalogue's units, ranges and gene rule.

    Where the source carries predictions of its own (support2), they are written to FILE.published.csv. NAME `fhir` is
    a hospital's own cohort: see `oncohooks cohort build fhir --help`.
    """
    with told_in_one_line():
        from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS, PUBLISHED, TIME_ZERO
        from models.training.build_record import write_build_record
        from models.training.cohort import write_cohort
        from models.training.published import published_path, write_published

        if name not in PUBLIC_COHORTS:
            raise click.UsageError(f"no cohort {name}; there are {', '.join(PUBLIC_COHORTS)}")
        built = PUBLIC_COHORTS[name](data / name, schema())
        write_cohort(out, built.cohort, schema())
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
        print_json(counts)
        return
    click.echo(f"{out}: {counts['patients']} patients, {counts['deaths']} deaths, from {TIME_ZERO[name]}")
    _print_losses(excluded, out_of_range)


@cohort.command(
    short_help="Make up a cohort whose hazard is known.",
    epilog="Example: oncohooks cohort plant --patients 12000 --seed 1 --out planted.parquet",
)
@click.option("--patients", default=12_000, show_default=True, type=click.IntRange(1), help="How many to make up.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything that is drawn.")
@click.option("--out", required=True, type=COHORT_FILE, help="The file to write, .parquet or .csv.")
def plant(patients: int, seed: int, out: Path) -> None:
    """Make up a cohort whose hazard is known, to see what a training finds. What acts is written to FILE.truth.json."""
    with told_in_one_line():
        from models.training.build_record import write_build_record
        from models.training.cohort import write_cohort
        from models.training.planted.planting import TIME_ZERO
        from models.training.planted.planting import plant as planted

        made = planted(patients, seed, schema())
        write_cohort(out, made.cohort, schema())
        write_build_record(out, TIME_ZERO, {}, {})
        truth = out.with_name(f"{out.name}.truth.json")
        truth.write_bytes(msgspec.json.format(msgspec.json.encode(made.truth), indent=1) + b"\n")
    click.echo(f"{out}: {patients} made-up patients, {int(made.cohort.event.sum())} deaths; what acts: {truth}")


@cohort.command(
    short_help="Show rows, deaths, follow-up and coverage.",
    epilog="Example: oncohooks cohort describe hancock.parquet --json",
)
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="The counts as JSON.")
def describe(file: Path, *, as_json: bool) -> None:
    """Rows, deaths, follow-up, time zero, cancer types, coverage and exclusions of a cohort FILE.

    Time zero and exclusions come from FILE.build.json, which `cohort build` writes.
    """
    with told_in_one_line():
        from models.training.build_record import read_build_record
        from models.training.cohort import read_cohort
        from models.training.description import describe as described

        found = described(read_cohort(file, schema()), schema(), read_build_record(file))
    if as_json:
        print_json(found)
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
    for name, (patients, deaths) in found.races.items():
        click.echo(f"race {name}: {patients} patients, {deaths} deaths")
    click.echo(f"race not stated: {found.without_race} patients")
    for key, covered in found.parameters.items():
        positive = "" if covered.positives is None else f", {covered.positives} positive"
        click.echo(f"{key}: {covered.patients} patients, {covered.deaths} deaths{positive}")
    _print_losses(found.excluded, found.out_of_range)
    for notice in found.notices:
        click.echo(f"{file.name}: {notice}")


def _print_losses(excluded: Mapping[str, int], out_of_range: Mapping[str, int]) -> None:
    for reason, number in excluded.items():
        click.echo(f"left out: {number} ({reason})")
    for key, number in out_of_range.items():
        click.echo(f"outside of the plausible range, not used: {number} of {key}")
