"""Prefetch, cache and searches -> snapshots of the PatientRecord.

What the client sent is used; what it left out was read a moment ago, or is read from its FHIR server, if that is on the
site's list, all searches side by side. What does not arrive in time, or fails, is a gap of the record; an older answer
stands in where there is one. The ledger says of every query how it was answered, and from when.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import chain

import msgspec

from fhir_mappings.decoding import Decoded
from fhir_mappings.finding import Issue
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import Query
from service.errors import FhirError, MalformedError, ServerNotListedError, TimedOutError, UnobtainableError
from service.fhir.answer import Answer, answer_of
from service.fhir.background import Background
from service.fhir.client import FhirClient, FhirServers
from service.fhir.half_filled import completed
from service.fhir.origin import Base, NotABaseError
from service.fhir.paging import INDISPENSABLE, Bounds, Search, is_outage, why_not
from service.fhir.reading import Arrival, Reading
from service.fhir.record_cache import SYSTEM, Found, Holder, RecordCache
from service.gaps import IN_PREFETCH, LATE, ON_ITS_WAY
from service.site_queries import CONSENTS, FLAGS
from service.telemetry import stage

_FHIR_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9\-.]{1,64}")  # dots alone would be another level of the address
HARD_DEADLINE = 5.0
_UNHURRIED = 60.0
_READ_AGAIN = INDISPENSABLE | {FLAGS.type, CONSENTS.type}
_ENDS_BEFORE = 0.02  # seconds; a request ends by itself before its call does, so that a silent server is seen as one


class PatientCall(msgspec.Struct, frozen=True):
    """Whose record is wanted, from where, and what came with the call. `prefetch[key]` None: the client says no data.

    `token` is sent to the stated server only, and lives as long as the call. `issuer` is the client that calls,
    `reader` tells whose rights the token carries: what is kept for one does not serve another, and where it is empty
    nothing is kept. Raises MalformedError for what is no FHIR id: servers read `patient=A,B` as both and
    `patient=` as everyone.
    """

    patient_id: str
    server: str = ""
    prefetch: Mapping[str, Decoded | None] = {}
    issues: tuple[Issue, ...] = ()
    token: str = ""
    issuer: str = ""
    reader: str = ""

    def __post_init__(self) -> None:
        if not _FHIR_ID.fullmatch(self.patient_id):
            raise MalformedError(
                "patientId is not a FHIR id (letters, digits, - and ., at most 64), nor a Patient of fhirServer"
            )

    def __repr__(self) -> str:
        return "PatientCall(***)"


class Reach(msgspec.Struct, frozen=True):
    """How far a call may go: the site's servers, and the limits of time and size.

    At `deadline` seconds the record is taken as it is, if Patient and Condition are there; for these two it waits to
    `hard_deadline` (never less than `deadline`). `public_names`: how servers call themselves in links, where that is
    not their address. `most_sent`: what clients were asked to send at most of a query that is sorted by date. Without
    `cache` nothing is kept, without `background` nothing goes on after the call.
    """

    servers: FhirServers
    bounds: Bounds
    concurrency: int
    deadline: float
    hard_deadline: float = HARD_DEADLINE
    public_names: Mapping[Base, Base] = {}
    cache: RecordCache | None = None
    background: Background | None = None
    most_sent: int | None = None


def unhurried(reach: Reach) -> Reach:
    """For who waits at a command line: a minute instead of the time of a hook."""
    return msgspec.structs.replace(reach, deadline=max(reach.deadline, _UNHURRIED), hard_deadline=_UNHURRIED)


async def gather(call: PatientCall, reach: Reach, queries: Sequence[Query]) -> AsyncGenerator[PatientRecord]:
    """Snapshots of the patient's record; the last is whole, or what there was at the deadline.

    The first comes as soon as Patient and Condition are there (without them nothing can be said), then one whenever
    more has arrived; what is still on its way is a gap. Close it (`contextlib.aclosing`) to end the call.
    Raises ServerNotListedError (a server that is not listed, and a published template that was not filled),
    UnobtainableError (no server stated, and Patient or Condition not sent), TimedOutError (Patient or Condition not
    there at the hard deadline) and, of these two, what `Search.read` raises.
    """
    reach = _remembering(call, reach)
    started = asyncio.get_running_loop().time()
    soft, hard = started + reach.deadline, started + max(reach.deadline, reach.hard_deadline)
    with stage("prefetch"):
        sent = {
            query.key: _sent(query, call.prefetch[query.key], reach.most_sent)
            for query in queries
            if query.key in call.prefetch
        }
        missing = [query for query in queries if _must_be_read(query, sent.get(query.key))]
        server = _server(call, reach, missing)
    if server is None:
        yield _record(call, [sent.get(query.key) or _not_asked(query, call) for query in queries])
        return
    wanted = [*missing, *(answer.query for answer in sent.values() if answer.unnamed)]
    public = reach.public_names.get(server.base)
    holder = _holder(call, server, public)
    found = await reach.cache.find(holder, wanted) if reach.cache else {}
    state = _Gathered(call, queries, sent, wanted, found, public)
    until = hard - min(_ENDS_BEFORE, (hard - started) / 10)
    searches = [_search(call, reach, server, query, until, state.first_page(query)) for query in state.to_read]
    reading = Reading(searches, reach.concurrency, hard)
    try:
        while not reading.is_over:
            arrival = await reading.next(soft if state.suffices else hard)
            if arrival is None:
                break
            state.take(arrival)
            if state.is_begun and not reading.is_over and not reading.has_more:
                yield state.record(reading, ON_ITS_WAY)
        state.check(hard - started)
        yield state.record(reading, LATE)
    except BaseException:  # also where whoever asked has closed it: nobody waits for more
        await reading.stop()
        raise
    finally:
        await _afterwards(call, reach, holder, state, reading)


async def whole(call: PatientCall, reach: Reach, queries: Sequence[Query]) -> PatientRecord:
    """The last snapshot. Raises what `gather` raises."""
    record = None
    async with aclosing(gather(call, reach, queries)) as snapshots:
        async for snapshot in snapshots:
            record = snapshot
    assert record is not None  # noqa: S101 - `gather` yields or raises
    return record


class _Gathered:
    """What is known of a call's queries: sent, kept from an earlier call, arrived."""

    def __init__(
        self,
        call: PatientCall,
        queries: Sequence[Query],
        sent: Mapping[str, Answer],
        wanted: Sequence[Query],
        found: Mapping[str, Found],
        public: Base | None,
    ) -> None:
        self._call = call
        self._queries = queries
        self._public = public
        self._sent = sent
        self._wanted = {query.key for query in wanted}
        self._older = {key: one.answer for key, one in found.items() if not one.is_fresh}
        fresh = {key: one.answer for key, one in found.items() if one.is_fresh}
        paged = [query for query in queries if self.first_page(query)]
        self.to_read = [*(query for query in wanted if query.key not in fresh), *paged]
        to_read = {query.key for query in self.to_read}
        self._answers = {key: answer for key, answer in sent.items() if key not in to_read}
        self._answers |= {key: _read_after(answer, sent.get(key)) for key, answer in fresh.items()}
        self._needed = {query.key for query in queries if query.type in INDISPENSABLE}
        self.read: list[Answer] = []

    @property
    def is_begun(self) -> bool:
        """Whether Patient and Condition are there."""
        return self._needed <= self._answers.keys()

    @property
    def suffices(self) -> bool:
        """Whether there is enough for a record, if nothing more arrives."""
        return self._needed <= self._answers.keys() | self._older.keys()

    def check(self, seconds: float) -> None:
        """Raises TimedOutError where there is not enough after so many seconds."""
        if not self.suffices:
            raise TimedOutError(f"Patient or Condition not read within {seconds:g} s")

    def first_page(self, query: Query) -> Decoded | None:
        """What was sent of a query whose further pages were not. What is read anew is read from the start."""
        sent = None if query.key in self._wanted else self._call.prefetch.get(query.key)
        return sent if sent is not None and sent.next else None

    def take(self, arrival: Arrival) -> None:
        """Raises what the search raised, unless an older answer stands in for a server that failed."""
        key = arrival.search.query.key
        answer = arrival.answer
        if answer is None:
            older = self._older.get(key)
            if older is None or not isinstance(arrival.error, FhirError) or not is_outage(arrival.error):
                raise arrival.error or RuntimeError("a search without an answer")
            answer = msgspec.structs.replace(older, reason=why_not(arrival.error))
        elif answer.outage and key in self._older:
            answer = msgspec.structs.replace(self._older[key], reason=answer.reason)
        else:
            self.read.append(answer)
        self._answers[key] = _read_after(answer, self._sent.get(key))

    def record(self, reading: Reading, why: str) -> PatientRecord:
        """The record as it is; what has not arrived is missing for this reason."""
        return _record(self._call, [self._answer(query, reading, why) for query in self._queries], self._public)

    def _answer(self, query: Query, reading: Reading, why: str) -> Answer:
        """What arrived, else what was read earlier, else what there is of it."""
        if query.key in self._answers:
            return self._answers[query.key]
        older = self._older.get(query.key)
        answer = msgspec.structs.replace(older, reason=why) if older else reading.by_now(query.key, why)
        return _read_after(answer or Answer(query, "search", "failed", reason=why), self._sent.get(query.key))


async def _afterwards(call: PatientCall, reach: Reach, holder: Holder, state: _Gathered, reading: Reading) -> None:
    """Keep what was read, and read on what came too late; never with the call's token."""
    reading.leave()
    if reach.cache is None or reach.background is None or reading.is_stopped:
        await reading.stop()
        return
    if state.read and not reach.background.write(reach.cache.keep(holder, state.read)):
        reach.cache.counted("not-kept")
    if reading.is_over or not reach.background.has_room_for(holder):
        await reading.stop()
    elif not call.token:
        reach.background.read(holder, _read_on(reading, reach.cache, holder))
    else:
        left = reading.left
        await reading.stop()
        server = reach.servers.stated(call.server)
        # what the service reads as itself can serve this call's reader only where the site shares it
        if server is not None and reach.cache.shared and _reads_as_itself(server):
            as_itself = msgspec.structs.replace(call, token="", prefetch={})
            until = asyncio.get_running_loop().time() + max(reach.deadline, reach.hard_deadline)
            searches = [_search(as_itself, reach, server, query, until) for query in left]
            anew = Reading(searches, reach.concurrency, until)
            reach.background.read(holder, _read_on(anew, reach.cache, holder))


async def _read_on(reading: Reading, cache: RecordCache, holder: Holder) -> None:
    try:
        await cache.keep(holder, await reading.rest())
    finally:
        await reading.stop()


def _remembering(call: PatientCall, reach: Reach) -> Reach:
    """Without a cache where it is not known whose rights the call's token carries, unless the site shares it."""
    if not call.token or call.reader or reach.cache is None or reach.cache.shared:
        return reach
    return msgspec.structs.replace(reach, cache=None)


def _reads_as_itself(server: FhirClient) -> bool:
    return server.credentials is not None


def _holder(call: PatientCall, server: FhirClient, public: Base | None) -> Holder:
    reader = f"token {call.reader}" if call.token else SYSTEM
    return Holder(call.issuer, server.base.url, call.patient_id, reader, (public.url,) if public else ())


def _search(
    call: PatientCall, reach: Reach, server: FhirClient, query: Query, until: float, first: Decoded | None = None
) -> Search:
    public = reach.public_names.get(server.base)
    return Search(server, query, call.patient_id, call.token, reach.bounds, public, first, until=until)


def _sent(query: Query, value: Decoded | None, most: int | None) -> Answer:
    if value is None:
        return Answer(query, "prefetch", "empty", reason="the client states that there are none")
    cut = ""
    if value.next:
        cut = "further pages were not read"
    elif most and query.is_newest_first and len(value.entries) + len(value.unread) >= most:
        cut = f"only the newest {most} were asked for"  # there may be no more, and nothing says so
    return answer_of(query, "prefetch", [value], cut=cut)


def _must_be_read(query: Query, sent: Answer | None) -> bool:
    """A key that was left out; and what nobody is scored without, if the client failed to get it."""
    return sent is None or (sent.state == "failed" and query.type in _READ_AGAIN)


def _read_after(answer: Answer, sent: Answer | None) -> Answer:
    """What was read, with the client's failure to get it, or to get all of it, where that is why."""
    if sent is not None and sent.unnamed:
        return completed(sent, answer)
    if sent is None or sent.state != "failed":
        return answer
    reasons = [f"read after {sent.reason} {IN_PREFETCH}", *([answer.reason] if answer.reason else [])]
    unread = (*sent.unread, *answer.unread)  # it may have been about somebody else
    return msgspec.structs.replace(answer, reason="; ".join(reasons), unread=unread)


def _server(call: PatientCall, reach: Reach, wanted: Sequence[Query]) -> FhirClient | None:
    server = reach.servers.stated(call.server) if call.server else None
    if server is None:
        # medication had no templates at first: who was set up then goes on without it
        missing = [query.key for query in wanted if not query.include]
        if call.server and missing:
            raise ServerNotListedError(f"not sent: {', '.join(missing)}")
        missing = [query.key for query in wanted if query.type in INDISPENSABLE]
        if missing:
            raise UnobtainableError(f"no fhirServer is stated, and not sent: {', '.join(missing)}")
    return server


def _not_asked(query: Query, call: PatientCall) -> Answer:
    why = "the stated FHIR server is not listed" if call.server else "no FHIR server is stated"
    return Answer(query, "prefetch", "notAsked", reason=f"not sent, and {why}")


def _record(call: PatientCall, answers: Iterable[Answer], public: Base | None = None) -> PatientRecord:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    answers = list(answers)
    return PatientRecord(
        patient_id=call.patient_id,
        entries=tuple(chain.from_iterable(answer.entries for answer in answers)),
        bases=(*bases_of(call.server), *((public.url,) if public else ())),
        retrieval=tuple(answer.retrieval(now) for answer in answers),
        issues=(*call.issues, *(issue for answer in answers for issue in answer.issues)),
        unread=tuple(one for answer in answers for one in answer.unread),
    )


def bases_of(server: str) -> tuple[str, ...]:
    """Only the stated server's patients are this call's: the same id on another server of the site is someone else."""
    try:
        return (server.rstrip("/"), Base.parse(server).url)
    except NotABaseError:
        return ()
