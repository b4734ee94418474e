"""`oncohooks score`."""

import asyncio
import sys
from pathlib import Path
from typing import Any, get_args

import click
import httpx
import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import NotReadableError
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import queries
from fhir_mappings.versions import Version
from models.package import Package, PackageError
from service.app import destinations_of, reach_of
from service.clock import Moment
from service.commands.bundle import SeveralPatientsError
from service.commands.failure import Failure
from service.commands.fhir_file import read_fhir_file, record_from
from service.commands.moment_option import at_option
from service.commands.patient_option import patient_option
from service.commands.progress import announced
from service.commands.site_server import settings_for
from service.commands.version_option import version_option
from service.fhir.client import open_http
from service.fhir.gather import PatientCall, unhurried, whole
from service.language.choice import chosen
from service.language.sentences import LanguageCode, language
from service.scoring import scoring
from service.settings import Settings
from service.statement import plain
from service.statement.interactions import interaction_lines
from service.statement.statement import statement_of
from service.survival import Showing


@click.command(
    epilog="Example: oncohooks score --bundle patient.json.gz --at latest  |  "
    "oncohooks score --fhir http://127.0.0.1:8080/fhir --patient 17 --json"
)
@click.option("--fhir", metavar="URL", help="FHIR base address to read the patient from.")
@patient_option
@click.option(
    "--bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A FHIR file: Bundle, one resource or NDJSON, .gz too.",
)
@version_option
@at_option
@click.option(
    "--package",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the model package, instead of the setting `model`.",
)
@click.option(
    "--language",
    "language_code",
    type=click.Choice(get_args(LanguageCode)),
    help="Language of the text, instead of the setting `language`.",
)
@click.option(
    "--interactions",
    "with_interactions",
    is_flag=True,
    help="Also what pairs of inputs say together beyond each alone.",
)
@click.option("--json", "as_json", is_flag=True, help="The assessment object instead of text.")
@click.pass_obj
def score(
    network: httpx.AsyncBaseTransport | None,
    fhir: str | None,
    patient: str | None,
    bundle: Path | None,
    fhir_version: Version,
    at: Moment,
    package: Path | None,
    language_code: LanguageCode | None,
    *,
    with_interactions: bool,
    as_json: bool,
) -> None:
    """Score one patient and say why. "Not scored" is an answer too, and ends with exit code 0."""
    if (fhir is None) == (bundle is None):
        raise click.UsageError("give one of --fhir and --bundle")
    options: dict[str, Any] = {"model": package} if package else {}
    settings = settings_for(fhir, **options) if fhir else Settings.read(**options)
    record = _from_file(bundle, patient, fhir_version) if bundle else _from_server(settings, patient, network)
    try:
        loaded = Package.load(settings.model, catalogue().schema)
    except PackageError as error:
        raise Failure(f"model {settings.model}: {error}", 1) from error
    showing = Showing(settings.card.survival, "operator", settings.card.site, settings.demonstration)
    assessment = scoring(
        record,
        loaded,
        at,
        demonstration=settings.demonstration,
        showing=showing,
        with_interactions=with_interactions,
    ).assessment()
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(assessment)) + b"\n")
    else:
        words = language(chosen(language_code, settings.language, ""))
        said = statement_of(assessment, words, in_summary=showing.where == "summary")
        click.echo(f"{said.summary}\n\n{plain.rendered(said)}")
        if with_interactions and (lines := interaction_lines(assessment, words)):
            click.echo("\n".join(["", *lines]))


def _from_file(file: Path, patient: str | None, version: Version) -> PatientRecord:
    try:
        return record_from(read_fhir_file(file, version), patient)
    except (SeveralPatientsError, NotReadableError) as error:
        raise Failure(f"{file}: {error}", 2) from error


def _from_server(settings: Settings, patient: str | None, network: httpx.AsyncBaseTransport | None) -> PatientRecord:
    if patient is None:
        raise click.UsageError("--fhir needs --patient")

    async def read() -> PatientRecord:
        async with open_http(network, destinations_of(settings)) as http:
            call = PatientCall(patient, settings.fhir[0].url)
            return await whole(call, unhurried(reach_of(settings, http)), queries())

    with announced(f"Reading the patient from {settings.fhir[0].url}"):
        return asyncio.run(read())
