"""One query to one FHIR server, read to its last page. A part of an answer is worse than none: a lost page raises."""

import msgspec

from fhir_mappings.decoding import Decoded, NotReadableError, decode
from fhir_mappings.resources.r4 import Patient
from fhir_mappings.retrieval import Query
from fhir_mappings.versions import Version
from service.errors import (
    FhirError,
    LostPageError,
    NotAuthorisedError,
    NotFhirError,
    RefusedError,
    UnknownPatientError,
)
from service.fhir.answer import Answer, answer_of
from service.fhir.client import FhirClient
from service.fhir.exchange import Reply

# A server that understood a search and will not do it: an unsupported type or parameter, a scope or
# a token that is missing.
# Everything else (429, 5xx, a redirect) leaves open what is there, and is an error.
_REFUSALS = frozenset({400, 401, 403, 404, 405, 406, 410, 422, 501})
_GONE = frozenset({404, 410})


class Bounds(msgspec.Struct, frozen=True):
    """How much of one search is read."""

    pages: int
    entries: int


async def ask(client: FhirClient, query: Query, patient_id: str, token: str, bounds: Bounds, *, needed: bool) -> Answer:
    """Read one query's whole answer. A search that the server refuses is a failed answer, unless it is `needed`.

    Raises UnknownPatientError, LostPageError and what `FhirClient.read` raises.
    """
    own = None if token else client.credentials
    if own and not own.may_read(query.type):
        if needed:
            raise NotAuthorisedError(f"{query.key}: the service's token does not cover {query.type}")
        return Answer(query, "search", "notAsked", reason=f"the service's token does not cover {query.type}")
    try:
        first = await _page(client, await client.search(query.url(patient_id), token))
    except RefusedError as error:
        if query.type == Patient.__name__ and error.status in _GONE:
            raise UnknownPatientError("no Patient with this id") from error
        if needed or error.status not in _REFUSALS:
            raise RefusedError(f"{query.key}: {error}", error.status) from error
        return Answer(query, "search", "failed", reason=f"refused with HTTP status {error.status}")
    pages, cut = await rest(client, query, first, token, bounds)
    if not cut and own and own.reads_part_of(query.type):
        cut = f"the service's token covers a part of {query.type} only"
    return answer_of(query, "search", [first, *pages], cut=cut)


async def rest(
    client: FhirClient, query: Query, first: Decoded, token: str, bounds: Bounds
) -> tuple[list[Decoded], str]:
    """The pages after `first`, and why they end early: only where newest come first and there are too many.

    HAPI may link from an empty page to itself (hapi-fhir#7711): a repeated link ends the search there, elsewhere it
    would never end. Raises LostPageError.
    """
    pages: list[Decoded] = []
    seen: set[str] = set()
    count, link, last = len(first.entries), first.next, first
    while link:
        if link in seen or len(seen) + 1 >= bounds.pages:
            if link in seen and not last.entries:
                break
            raise LostPageError(f"{query.key}: its pages do not end")
        if count >= bounds.entries:
            if "_sort=-" not in query.search:
                raise LostPageError(f"{query.key}: more than {bounds.entries} entries")
            return pages, f"only the newest {count} entries were read"
        seen.add(link)
        try:
            last = await _page(client, await client.read(link, token))
        except FhirError as error:
            raise LostPageError(f"{query.key}: page {len(seen) + 1} was lost ({error.category})") from error
        pages.append(last)
        count, link = count + len(last.entries), last.next
    return pages, ""


async def _page(client: FhirClient, reply: Reply) -> Decoded:
    expected = client.version
    found = _decoded(reply.body, expected)
    if found.is_of_other_version and await client.learn_version() != expected:
        return _decoded(reply.body, client.version)
    return found


def _decoded(body: bytes, version: Version) -> Decoded:
    try:
        return decode(body, version)
    except (NotReadableError, UnicodeDecodeError) as error:
        raise NotFhirError("answered with what is no FHIR resource") from error
