"""One query to one FHIR server, read page by page to its end, or to where it could not be read on.

Of a search that fails the rest of the record can do without, its answer is a gap with the reason, and what had arrived
before is kept. Patient and Condition cannot be done without: a part of the diagnoses is worse than none, so that theirs
raise.
"""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec

from fhir_mappings.decoding import Decoded, NotReadableError, decode
from fhir_mappings.record import Via
from fhir_mappings.resources.r4 import Condition, Patient
from fhir_mappings.retrieval import Query
from fhir_mappings.versions import Version
from service.errors import (
    Category,
    FhirError,
    LostPageError,
    NotAuthorisedError,
    NotFhirError,
    RefusedError,
    TimedOutError,
    UnknownPatientError,
)
from service.fhir.answer import Answer, answer_of
from service.fhir.client import FhirClient
from service.fhir.exchange import Reply
from service.fhir.origin import Base

# Without these nothing can be said of a patient; without any other query, less can be said.
INDISPENSABLE = frozenset({Patient.__name__, Condition.__name__})
_GONE = 410
_TOO_MANY_REQUESTS = 429
_SERVER_FAILED = 500
_OUTAGES = frozenset({Category.FHIR_UNREACHABLE, Category.FHIR_TIMEOUT})
_WHY = {
    Category.FHIR_UNREACHABLE: "the server could not be reached",
    Category.FHIR_TIMEOUT: "the server did not answer in time",
    Category.FHIR_NOT_FHIR: "answered with what is no FHIR JSON",
    Category.FHIR_TOO_LARGE: "answered with more than the limit",
    Category.FHIR_NOT_AUTHORISED: "the service got no token of its own",
}


class Bounds(msgspec.Struct, frozen=True):
    """How much of one search is read."""

    pages: int
    entries: int


class _StoppedError(Exception):
    """Pages that are not read on; the message says why."""


class Search:
    """One query for one patient. `first`: a page that the client sent, of which the rest is read.

    `public` is the name under which the server links to itself, where that is not its address. `needed`: it raises,
    whatever its type. `until`: a moment of the running loop's `time()` after which nothing is asked again.
    """

    def __init__(
        self,
        client: FhirClient,
        query: Query,
        patient_id: str,
        token: str,
        bounds: Bounds,
        public: Base | None = None,
        first: Decoded | None = None,
        *,
        needed: bool = False,
        until: float = math.inf,
    ) -> None:
        self.query = query
        self.needed = needed or query.type in INDISPENSABLE
        self._client = client
        self._address = query.url(patient_id)
        self._token = token
        self._until = until
        self._own = None if token else client.credentials
        self._bounds = bounds
        self._public = public
        self._sent = first
        self._pages = [first] if first else []
        self._restarted = False

    async def read(self) -> Answer:
        """The whole answer, or as much as there is with the reason.

        Of what is needed raises UnknownPatientError, LostPageError and what `FhirClient.read` raises.
        """
        if self._own and not self._own.may_read(self.query.type):
            return self._not_covered()
        if not self.needed and self._client.supports(self.query.type) is False:
            return Answer(self.query, "search", "notAsked", reason=f"the server does not offer {self.query.type}")
        try:
            async for page in self._following():
                self._pages.append(page)
        except FhirError as error:
            if self.needed:
                raise self._told(error) from error
            return self._gap(error)
        except _StoppedError as end:
            if self.needed:
                raise LostPageError(f"{self.query.key}: {end}") from end
            return self._so_far(str(end))
        part = self._own is not None and self._own.reads_part_of(self.query.type)
        answer = self._so_far(f"the service's token covers a part of {self.query.type} only" if part else "")
        if answer.state == "failed" and self.needed:
            raise NotFhirError(f"{self.query.key}: {answer.reason}")
        return answer

    def _not_covered(self) -> Answer:
        why = f"the service's token does not cover {self.query.type}"
        if self.needed:
            raise NotAuthorisedError(f"{self.query.key}: {why}")
        return Answer(self.query, "search", "notAsked", reason=why) if self._sent is None else self._so_far(why)

    def by_now(self, why: str) -> Answer:
        """What has arrived of it, the rest of which is missing for the reason that is given."""
        if not self._pages:
            return Answer(self.query, "search", "failed", reason=why, outage=True)
        return msgspec.structs.replace(self._so_far(f"further pages: {why}"), outage=True)

    def _so_far(self, cut: str) -> Answer:
        via: Via = "prefetch" if self._sent else "search"
        answer = answer_of(self.query, via, self._pages, cut=cut)
        return msgspec.structs.replace(answer, as_of=datetime.now(UTC).isoformat(timespec="milliseconds"))

    async def _following(self) -> AsyncIterator[Decoded]:
        """The pages that are still to be read.

        HAPI may link from an empty page to itself (hapi-fhir#7711): a repeated link ends the search there, elsewhere it
        would never end. A page that is gone (410: HAPI keeps a search for an hour at most, and not over a restart)
        begins the search anew, once.
        """
        if self._sent is None:
            yield await self._first()
        seen: set[str] = set()
        while link := self._pages[-1].next:
            if link in seen and not self._pages[-1].entries:
                return
            self._check_bounds(link, seen)
            seen.add(link)
            address = self._client.base.below(link, self._public) if self._public else link
            if self._client.base.resolve(address) is None:
                raise _StoppedError("the link to a further page leads away from the server")
            try:
                page = await self._page(address)
            except RefusedError as error:
                if error.status != _GONE or self._restarted:
                    raise
                self._restarted = True
                self._pages = self._pages[:1] if self._sent else []
                seen.clear()
                page = await self._first()
            yield page

    def _check_bounds(self, link: str, seen: set[str]) -> None:
        count = sum(len(page.entries) for page in self._pages)
        if link in seen or len(seen) + 1 >= self._bounds.pages:
            raise _StoppedError("its pages do not end")
        if count >= self._bounds.entries:
            newest = "newest " if "_sort=-" in self.query.search else ""
            if self.needed:
                raise _StoppedError(f"more than {self._bounds.entries} entries")
            raise _StoppedError(f"only the {newest or 'first '}{count} entries were read")

    async def _first(self) -> Decoded:
        return await self._decoded(await self._client.search(self._address, self._token, self._until))

    async def _page(self, address: str) -> Decoded:
        return await self._decoded(await self._client.read(address, self._token, self._until))

    async def _decoded(self, reply: Reply) -> Decoded:
        expected = self._client.version
        found = _decoded(reply.body, expected)
        if found.is_of_other_version and await self._client.learn_version(self._until) != expected:
            return _decoded(reply.body, self._client.version)
        return found

    def _told(self, error: FhirError) -> FhirError:
        """The error of what cannot be done without, with the name of the query."""
        if self._pages:
            return LostPageError(f"{self.query.key}: page {len(self._pages) + 1} was lost ({error.category})")
        if isinstance(error, TimedOutError):
            return TimedOutError(f"{self.query.key}: {error}")
        if not isinstance(error, RefusedError):
            return error
        if self.query.type == Patient.__name__ and error.status in {404, _GONE}:
            return UnknownPatientError("no Patient with this id")
        return RefusedError(f"{self.query.key}: {error}", error.status)

    def _gap(self, error: FhirError) -> Answer:
        why = why_not(error)
        if self._pages:
            answer = self._so_far(f"page {len(self._pages) + 1} was lost: {why}")
        else:
            answer = Answer(self.query, "search", "failed", reason=why)
        return msgspec.structs.replace(answer, outage=is_outage(error))


def why_not(error: FhirError) -> str:
    """Why a server did not answer, in words of ours."""
    if isinstance(error, RefusedError):
        return f"refused with HTTP status {error.status}"
    if isinstance(error, LostPageError) and isinstance(error.__cause__, FhirError):
        return f"a further page was lost: {why_not(error.__cause__)}"
    return _WHY.get(error.category, error.category)


def is_outage(error: FhirError) -> bool:
    """Whether the server failed, rather than refused: who may not read must not read what was read before."""
    if isinstance(error, RefusedError):
        return error.status >= _SERVER_FAILED or error.status == _TOO_MANY_REQUESTS
    if isinstance(error, NotAuthorisedError):
        return error.unreachable
    lost = error.__cause__ if isinstance(error, LostPageError) else None
    return is_outage(lost) if isinstance(lost, FhirError) else error.category in _OUTAGES


def _decoded(body: bytes, version: Version) -> Decoded:
    try:
        return decode(body, version)
    except (NotReadableError, UnicodeDecodeError) as error:
        raise NotFhirError("answered with what is no FHIR resource") from error
