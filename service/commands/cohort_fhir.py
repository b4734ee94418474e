# ruff: noqa: PLC0415 - training libraries are heavy and absent from the served image: commands import them when called
"""`oncohooks cohort build fhir`: a hospital's own cohort from its FHIR export or server."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import httpx
import msgspec

from fhir_mappings.record import PatientRecord, Retrieval
from fhir_mappings.versions import Version
from service.clock import now
from service.commands.mapping_coverage import Troubles, ids_in
from service.commands.progress import StandingLine
from service.commands.training import COHORT_FILE, FILE, FOLDER, print_json, schema, told_in_one_line
from service.commands.version_option import version_option
from service.quiet_settings import RestrictedRecords

if TYPE_CHECKING:
    from fhir_mappings.cohorts.own_patients import OwnPatients

_EVENTS = {
    "diagnosis": "diagnosis (pathology, else onset)",
    "metastasis": "first statement of metastasis",
    "admission": "first unplanned stay with the tumour on record",
    "survivor": "first visit more than 24 months after diagnosis, without metastasis",
}
_WITH_DAYS_AFTER = ("diagnosis", "metastasis", "admission")
_RESTRICTED = "restricted record, or an objection"
_NOT_READ = "record not read"
_LONGEST_AFTER = 90


class _IndexDate(click.ParamType[str | date]):
    name = "diagnosis|metastasis|admission|survivor|DATE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str | date:
        text = str(value)
        if text in _EVENTS:
            return text
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fail(f"neither {', '.join(_EVENTS)} nor a date (2020-01-31)", param, ctx)


@click.command(
    short_help="Write a cohort of your own patients, from FHIR.",
    epilog="Example: oncohooks cohort build fhir --ndjson export/ --index-date diagnosis --after 30 "
    "--until 2026-01-31 --out mine.parquet",
)
@click.option("--ndjson", type=FOLDER, help="A folder of NDJSON files (FHIR Bulk Data), .gz too.")
@click.option("--fhir", metavar="URL", help="FHIR base address to read the patients from.")
@click.option("--patients", type=FILE, help="With --fhir: the patients' ids, one a line.")
@click.option(
    "--index-date", "index_date", type=_IndexDate(), required=True, metavar=_IndexDate.name,
    help="When each patient enters; values are those known then.",
)  # fmt: skip
@click.option(
    "--after", type=click.IntRange(0, _LONGEST_AFTER), default=0, show_default=True,
    help="Days from the event to the values; who dies or leaves before is not in.",
)  # fmt: skip
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
    help="Last day that the export covers; the present moment if not given.",
)  # fmt: skip
@click.option(
    "--undated-deaths", "undated", type=click.Choice(["censored", "left-out"]), default="censored", show_default=True,
    help="The dead without a date of death: alive at their last contact, or left out.",
)  # fmt: skip
@click.option("--name", default="hospital", show_default=True, help="Name of the cohort.")
@click.option("--ids", "keep_ids", is_flag=True, help="Write the FHIR ids, not running numbers.")
@click.option("--out", required=True, type=COHORT_FILE, help="The file to write, .parquet or .csv.")
@version_option
@click.option("--json", "as_json", is_flag=True, help="Counts as JSON.")
@click.pass_context
def build_fhir(
    ctx: click.Context,
    ndjson: Path | None,
    fhir: str | None,
    patients: Path | None,
    index_date: str | date,
    after: int,
    until: datetime | None,
    undated: Any,
    name: str,
    out: Path,
    fhir_version: Version,
    *,
    keep_ids: bool,
    as_json: bool,
) -> None:
    """Write a cohort of your own patients in the cohort format, each with what was known at the index date.

    docs/own-cohort.md says what each index date means, what is left out and which biases stay. What cannot be read is
    told line by line and ends with exit code 1 after the others are done; 3: the FHIR server could not be reached.
    Memory holds one patient and some 2 KB for each other one.
    """
    _check_call(ndjson, fhir, patients, index_date, after)
    end = _end_of(until.date()) if until else now()
    if isinstance(index_date, date) and _end_of(index_date) >= end:
        raise click.UsageError(f"--index-date {index_date}: is not before the end of follow-up (--until)")
    line = StandingLine("Reading")
    troubles = Troubles(line)
    with told_in_one_line():
        from fhir_mappings.cohorts.index_dates import RULES, on_day
        from fhir_mappings.cohorts.own_patients import OwnPatients, Plan
        from models.training.build_record import write_build_record
        from models.training.cohort import write_cohort

        is_day = isinstance(index_date, date)
        rule = on_day(_end_of(index_date)) if isinstance(index_date, date) else RULES[index_date]
        plan = Plan(rule, name, end, after, care=is_day, undated=undated, keep_ids=keep_ids)
        own = OwnPatients(plan, schema())
        try:
            if fhir is not None and patients is not None:
                _add_of_server(own, ids_in(patients), fhir, ctx.obj, troubles, line)
            elif ndjson is not None:
                _add_of_folder(own, ndjson, fhir_version, troubles, line)
        finally:
            line.end()
        troubles.end()
        built = own.build()
        write_cohort(out, built.cohort, schema())
        zero = _time_zero(index_date, after, own.undated_deaths)
        write_build_record(out, zero, dict(built.excluded), {})
    _tell_undated(own, undated)
    counts = {
        "patients": len(built.cohort),
        "deaths": int(built.cohort.event.sum()),
        "read": own.read,
        "timeZero": zero,
        "until": f"{end:%Y-%m-%d}",
        "delayedEntries": int((built.cohort.entry > 0).sum()),
        "undatedDeaths": own.undated_deaths,
        "excluded": built.excluded,
        "failed": troubles.all,
    }
    if as_json:
        print_json(counts)
    else:
        click.echo(f"{out}: {counts['patients']} of {own.read} patients, {counts['deaths']} deaths, from {zero}")
        for reason, number in built.excluded.items():
            click.echo(f"left out: {number} ({reason})")
    ctx.exit(1 if troubles.all else 0)


def _check_call(
    ndjson: Path | None, fhir: str | None, patients: Path | None, index_date: str | date, after: int
) -> None:
    if (ndjson is None) == (fhir is None):
        raise click.UsageError("give one of --ndjson and --fhir")
    if (fhir is None) != (patients is None):
        raise click.UsageError("--fhir and --patients need each other")
    if after and index_date not in _WITH_DAYS_AFTER:
        raise click.UsageError(f"--after counts from an event: {', '.join(_WITH_DAYS_AFTER)}")


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, tzinfo=UTC)


def _time_zero(index_date: str | date, after: int, undated: int) -> str:
    """For the build record, which `cohort describe` shows."""
    event = _EVENTS[index_date] if isinstance(index_date, str) else index_date.isoformat()
    values = f"; values of {after} days later" if after else ""
    return event + values + (f"; {undated} dead without a date are censored at their last contact" if undated else "")


def _tell_undated(own: "OwnPatients", undated: str) -> None:
    """Neither choice is right, so that neither is made in silence."""
    from fhir_mappings.cohorts.own_patients import UNDATED_DEATH

    number = own.undated_deaths or own.excluded[UNDATED_DEATH]
    if number:
        did = "are censored at their last contact" if undated == "censored" else "are left out"
        click.echo(f"{number} dead have no date of death and {did}: deaths are too few either way", err=True)


def _add_of_folder(own: "OwnPatients", folder: Path, version: Version, troubles: Troubles, line: StandingLine) -> None:
    from service.commands.coverage_sources import of_ndjson
    from service.settings import Settings
    from service.site_queries import objection_queries

    rules = Settings.read().restricted
    asked = objection_queries(rules)
    for record in of_ndjson(folder, version, troubles.tell, line.stands):
        # a folder answers every query at once
        whole = [Retrieval(query.key, one.via, one.state) for one in record.retrieval for query in asked]
        _add(own, msgspec.structs.replace(record, retrieval=(*record.retrieval, *whole)), rules)


def _add_of_server(
    own: "OwnPatients", patients: list[str], url: str, network: httpx.AsyncBaseTransport | None, troubles: Troubles,
    line: StandingLine,
) -> None:  # fmt: skip
    from service.commands.coverage_server import of_server
    from service.commands.site_server import settings_for
    from service.site_queries import site_queries

    rules = settings_for(url).restricted
    for record in of_server(patients, url, network, troubles.tell, line.stands, site_queries(rules)):
        _add(own, record, rules)
    for _ in range(len(patients) - own.read):
        own.leave_out(_NOT_READ)


def _add(own: "OwnPatients", record: PatientRecord, rules: RestrictedRecords) -> None:
    """An objection of today counts, whatever the index date."""
    from service.restricted import barred

    if barred(record, rules, now()):
        own.leave_out(_RESTRICTED)
    else:
        own.add(record)
