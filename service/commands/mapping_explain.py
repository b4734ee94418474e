"""`oncohooks mapping explain`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import NotReadableError
from fhir_mappings.encoder import encode
from fhir_mappings.finding import Issue
from fhir_mappings.issue_words import in_words
from fhir_mappings.provenance import Provenance
from fhir_mappings.provenance import explain as provenance_of
from fhir_mappings.record import PatientRecord
from fhir_mappings.resource_use import ResourceUse
from fhir_mappings.versions import Version
from service.clock import Moment
from service.commands.bundle import SeveralPatientsError
from service.commands.explain_text import as_text
from service.commands.failure import Failure
from service.commands.fhir_file import FhirFile, left_out, read_fhir_file, record_from
from service.commands.labels import printable
from service.commands.moment_option import at_option
from service.commands.patient_option import patient_option
from service.commands.progress import announced
from service.commands.resource_text import StrictRow
from service.commands.table import terminal_width
from service.commands.version_option import version_option


@click.command(
    epilog="Example: oncohooks mapping explain record.json.gz --at latest  |  "
    "oncohooks mapping explain export.ndjson --patient 17 --json"
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@patient_option
@at_option
@version_option
@click.option("--emergency", is_flag=True, help="With the windows of an emergency, as the emergency service reads.")
@click.option("--strict", is_flag=True, help="Add what fhir.resources (R4B) says of each resource.")
@click.option("--all", "show_all", is_flag=True, help="Name every resource, one a line.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.pass_context
def explain(
    ctx: click.Context,
    file: Path,
    patient: str | None,
    at: Moment,
    fhir_version: Version,
    *,
    emergency: bool,
    strict: bool,
    show_all: bool,
    as_json: bool,
) -> None:
    """Say of each resource of FILE (a Bundle, one resource or NDJSON) what was read of it, or why nothing was.

    Each of the 350 parameters has a value with its sources, or the reason why it has none. The windows are those of an
    emergency too where the record holds an unplanned contact that is going on. Exit code 1: a line of the
    file could not be read.
    """
    with announced(f"Reading {file}"):
        read, record = _read(file, patient, fhir_version)
        explained = _explained(read, record, at, emergency=emergency)
        objections = tuple(_objections(read)) if strict else None
    if as_json:
        shown = {**msgspec.to_builtins(explained), **({} if objections is None else {"strict": objections})}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown)) + b"\n")
    else:
        click.echo(printable(as_text(explained, terminal_width(), objections, show_all=show_all)))
    for line in read.bad_lines:
        click.echo(f"{file}: line {line.number}: {line.reason}", err=True)
    ctx.exit(1 if read.bad_lines else 0)


def _read(file: Path, patient: str | None, version: Version) -> tuple[FhirFile, PatientRecord]:
    try:
        read = read_fhir_file(file, version)
        return read, record_from(read, patient)
    except (SeveralPatientsError, NotReadableError) as error:
        raise Failure(f"{file}: {error}", 2) from error


def _explained(read: FhirFile, record: PatientRecord, moment: Moment, *, emergency: bool) -> Provenance:
    at = moment.at_for(record)
    encoded = encode(record, catalogue().schema, at, thorough=True, emergency=emergency)
    explained = provenance_of(record, encoded, at, emergency=emergency)
    others = {issue.source: issue for issue in left_out(read, record)}
    rows = [*explained.resources, *(ResourceUse(source, reason=_why(issue)) for source, issue in others.items())]
    return msgspec.structs.replace(explained, resources=tuple(sorted(rows, key=lambda row: row.source)))


def _why(issue: Issue) -> str:
    return in_words(issue.code)


def _objections(read: FhirFile) -> Iterator[StrictRow]:
    from fhir_mappings.strict import objections, resources_in  # noqa: PLC0415 - pydantic models, for --strict only

    for body in read.bodies:
        for source, resource in resources_in(body):
            for objection in objections(resource):
                yield StrictRow(source, objection.path, objection.text)
