"""`oncohooks mapping coverage`."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from fhir_mappings.concepts import catalogue
from fhir_mappings.coverage import (
    Found,
    IssueKind,
    UnitProblem,
    UnknownCode,
    found,
    issue_kinds,
    unit_problems,
    unknown_codes,
)
from fhir_mappings.encoder import encode
from fhir_mappings.record import PatientRecord
from fhir_mappings.versions import Version
from service.clock import Moment
from service.commands.coverage_sources import Trouble, of_files, of_ndjson
from service.commands.coverage_text import Coverage, as_json, as_text
from service.commands.failure import Failure
from service.commands.labels import printable
from service.commands.moment_option import at_option
from service.commands.progress import StandingLine
from service.commands.table import terminal_width
from service.commands.version_option import version_option

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_TROUBLES_TOLD = 50


@click.command(
    epilog="Example: oncohooks mapping coverage --bundle *.json --at latest  |  "
    "oncohooks mapping coverage --ndjson export/ --json  |  "
    "oncohooks mapping coverage --fhir http://127.0.0.1:8080/fhir --patients ids.txt"
)
@click.option("--fhir", metavar="URL", help="FHIR base address to read the patients from.")
@click.option("--patients", type=_file, help="With --fhir: the patients' ids, one a line.")
@click.option("--bundle", "bundles", type=_file, multiple=True, help="A FHIR file; further files may follow it.")
@click.option("--ndjson", type=_folder, help="A folder of NDJSON files (FHIR Bulk Data), .gz too.")
@click.argument("more", nargs=-1, type=_file, metavar="[FILE]...")
@at_option
@version_option
@click.option("--json", "json_wanted", is_flag=True, help="All counts as JSON.")
@click.pass_context
def coverage(
    ctx: click.Context,
    fhir: str | None,
    patients: Path | None,
    bundles: tuple[Path, ...],
    ndjson: Path | None,
    more: tuple[Path, ...],
    at: Moment,
    fhir_version: Version,
    *,
    json_wanted: bool,
) -> None:
    """Count the parameters found in many patients' records, and the codes and units that are not known.

    What cannot be read is told line by line and ends with exit code 1 after the others are done; 3: the FHIR server
    could not be reached. Memory holds one patient (or one file of --bundle) at a time and some 300 bytes a patient.
    """
    _check_call(fhir, patients, bundles, ndjson, more)
    line = StandingLine("Reading")
    troubles = Troubles(line)
    records: Iterable[PatientRecord]
    if fhir is not None and patients is not None:
        from service.commands.coverage_server import of_server  # noqa: PLC0415 - half a second, for --fhir only

        records = of_server(ids_in(patients), fhir, ctx.obj, troubles.tell, line.stands)  # obj stands for the network
    elif ndjson is not None:
        records = of_ndjson(ndjson, fhir_version, troubles.tell, line.stands)
    else:
        records = of_files([*bundles, *more], fhir_version, troubles.tell, line.stands)
    try:
        counted = _counted(records, at, troubles.all)
    finally:
        line.end()
    troubles.end()
    if json_wanted:
        sys.stdout.buffer.write(as_json(counted))
    else:
        click.echo(printable(as_text(counted, terminal_width())))
    ctx.exit(1 if troubles.all else 0)


class Troubles:
    """What could not be read: all of it for --json, the first of it at once on standard error."""

    def __init__(self, line: StandingLine) -> None:
        self.all: list[Trouble] = []
        self._line = line

    def tell(self, trouble: Trouble) -> None:
        self.all.append(trouble)
        if len(self.all) <= _TROUBLES_TOLD:
            self._line.say(trouble.text())

    def end(self) -> None:
        if len(self.all) > _TROUBLES_TOLD:
            self._line.say(f"and {len(self.all) - _TROUBLES_TOLD} more that could not be read (--json names all)")


def _check_call(
    fhir: str | None, patients: Path | None, bundles: Sequence[Path], ndjson: Path | None, more: Sequence[Path]
) -> None:
    if (fhir is not None) + bool(bundles) + (ndjson is not None) != 1:
        raise click.UsageError("give one of --fhir, --bundle and --ndjson")
    if (fhir is None) != (patients is None):
        raise click.UsageError("--fhir and --patients need each other")
    if more and not bundles:
        raise click.UsageError(f"{more[0]}: files belong to --bundle")


def _counted(records: Iterable[PatientRecord], moment: Moment, troubles: list[Trouble]) -> Coverage:
    patients: list[Found] = []
    codes: Counter[UnknownCode] = Counter()
    units: Counter[UnitProblem] = Counter()
    issues: Counter[IssueKind] = Counter()
    parameters: Counter[str] = Counter()
    for record in records:
        at = moment.at_for(record)
        encoded = encode(record, catalogue().schema, at, thorough=True)
        patients.append(found(record, encoded, at.isoformat(timespec="seconds")))
        parameters.update(encoded.findings.keys())
        codes.update(unknown_codes(record))
        units.update(unit_problems(encoded))
        issues.update(issue_kinds(encoded))
    return Coverage(patients, parameters, codes, units, issues, troubles)


def ids_in(file: Path) -> list[str]:
    """The ids in a file, one a line, each once; `Patient/17` is 17."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Failure(f"{file}: not UTF-8", 2) from error
    ids = [line.strip().removeprefix("Patient/") for line in lines]
    named = list(dict.fromkeys(name for name in ids if name))
    if not named:
        raise Failure(f"{file}: names no patient", 2)
    return named
