"""The records of many patients of a FHIR server, one after the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import httpx

from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import Query, queries
from service.app import destinations_of, reach_of
from service.commands.coverage_sources import Progress, Tell, Trouble
from service.commands.site_server import settings_for
from service.errors import TABLE, MalformedError, ToldError, UnreachableError
from service.fhir.client import open_http
from service.fhir.gather import PatientCall, unhurried, whole


def of_server(
    patients: Sequence[str],
    url: str,
    network: httpx.AsyncBaseTransport | None,
    tell: Tell,
    progress: Progress,
    asked: Sequence[Query] | None = None,
) -> Iterator[PatientRecord]:
    """Every patient that is named, one after the other, by the catalogue's queries or those that are `asked`.

    Raises UnreachableError: then no other would come either.
    """
    settings = settings_for(url)
    server = settings.fhir[0].url

    async def each() -> AsyncIterator[PatientRecord]:
        async with open_http(network, destinations_of(settings)) as http:
            reach = unhurried(reach_of(settings, http))
            for number, patient in enumerate(patients, 1):
                progress(f"patient {number} of {len(patients)}")
                try:
                    record = await whole(PatientCall(patient, server), reach, asked or queries())
                except UnreachableError:
                    raise
                except MalformedError as error:
                    tell(Trouble(f"patient {number} of --patients", reason=str(error)))
                except ToldError as error:
                    tell(Trouble(f"Patient/{patient}", reason=f"{TABLE[error.category].meaning} {error}"))
                else:
                    if missing := _missing(record):
                        tell(Trouble(f"Patient/{patient}", reason=missing))
                    yield record

    return _step_by_step(each())


def _missing(record: PatientRecord) -> str:
    """What the counts of this patient lack, since the server did not tell it."""
    lines = [f"{line.key}: {line.reason}" for line in record.retrieval if line.state in {"failed", "partial"}]
    return f"counted without what was not read ({'; '.join(lines)})" if lines else ""


def _step_by_step(records: AsyncIterator[PatientRecord]) -> Iterator[PatientRecord]:
    """An asynchronous iteration as a plain one, in one event loop."""

    async def following() -> PatientRecord | None:
        return await anext(records, None)

    with asyncio.Runner() as runner:
        while (record := runner.run(following())) is not None:
            yield record
