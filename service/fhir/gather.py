"""Prefetch and searches -> snapshots of the PatientRecord.

What the client sent is used; what it left out is read from its FHIR server, if that is on the site's list, all searches
side by side. The ledger says of every query how it was answered.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec

from fhir_mappings.decoding import Decoded
from fhir_mappings.finding import Issue
from fhir_mappings.record import PatientRecord
from fhir_mappings.resources.r4 import Condition, Patient
from fhir_mappings.retrieval import Query
from service.errors import (
    MalformedError,
    NotFhirError,
    OncohooksError,
    ServerNotListedError,
    TimedOutError,
    UnobtainableError,
)
from service.fhir.answer import Answer, answer_of
from service.fhir.client import FhirClient, FhirServers
from service.fhir.origin import Base, NotABaseError
from service.fhir.paging import Bounds, ask, rest
from service.telemetry import stage

_FHIR_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9\-.]{1,64}")  # dots alone would be another level of the address
# Without these nothing can be said of a patient; without any other query, less can be said.
INDISPENSABLE = frozenset({Patient.__name__, Condition.__name__})


class PatientCall(msgspec.Struct, frozen=True):
    """Whose record is wanted, from where, and what came with the call. `prefetch[key]` None: the client says no data.

    `token` is sent to the stated server only, and lives as long as the call. Raises MalformedError for what is no FHIR
    id: servers read `patient=A,B` as both and `patient=` as everyone.
    """

    patient_id: str
    server: str = ""
    prefetch: Mapping[str, Decoded | None] = {}
    issues: tuple[Issue, ...] = ()
    token: str = ""

    def __post_init__(self) -> None:
        if not _FHIR_ID.fullmatch(self.patient_id):
            raise MalformedError(
                "patientId is not a FHIR id (letters, digits, - and ., at most 64), nor a Patient of fhirServer"
            )

    def __repr__(self) -> str:
        return "PatientCall(***)"


class Reach(msgspec.Struct, frozen=True):
    """How far a call may go: the site's servers, and the limits of time and size."""

    servers: FhirServers
    bounds: Bounds
    concurrency: int
    deadline: float


async def gather(call: PatientCall, reach: Reach, queries: Sequence[Query]) -> AsyncGenerator[PatientRecord]:
    """Snapshots of the patient's record, the last one whole.

    The first comes as soon as Patient and Condition are there (without them nothing can be said), then one whenever
    more has arrived; what is still on its way is `failed` in the ledger. Close it (`contextlib.aclosing`) to stop the
    reading. Raises ServerNotListedError (a server that is not listed, and a published template that was not filled),
    UnobtainableError (no server stated, and Patient or Condition not sent), TimedOutError (deadline) and what
    `paging.ask` raises.
    """
    with stage("prefetch"):
        sent = {query.key: _sent(query, call.prefetch[query.key]) for query in queries if query.key in call.prefetch}
        wanted = [query for query in queries if _must_be_read(query, sent.get(query.key))]
        server = _server(call, reach, wanted)
    jobs = _Reading(server, call, reach.bounds).jobs(sent, wanted) if server else []
    answers = dict(sent)
    if not jobs:
        yield _record(call, [answers.get(query.key) or _not_asked(query, call) for query in queries])
        return
    waiting = {query.key for query in wanted}
    indispensable = {query.key for query in queries if query.type in INDISPENSABLE}
    arrived: asyncio.Queue[Answer | BaseException | None] = asyncio.Queue()
    reading = asyncio.create_task(_read(jobs, reach, arrived))
    try:
        done = False
        while not done:
            answer = await arrived.get()
            if isinstance(answer, BaseException):
                raise answer
            if answer is None:
                done = True
            else:
                answers[answer.query.key] = _read_after(answer, sent.get(answer.query.key))
                waiting.discard(answer.query.key)
            if done or (arrived.empty() and not indispensable & waiting):
                yield _record(call, [answers.get(query.key) or _on_its_way(query) for query in queries])
    finally:
        reading.cancel()
        await asyncio.wait([reading])


async def whole(call: PatientCall, reach: Reach, queries: Sequence[Query]) -> PatientRecord:
    """The last snapshot. Raises what `gather` raises."""
    record = None
    async with aclosing(gather(call, reach, queries)) as snapshots:
        async for snapshot in snapshots:
            record = snapshot
    assert record is not None  # noqa: S101 - `gather` yields or raises
    return record


async def _read(
    jobs: Sequence[Coroutine[Any, Any, Answer]], reach: Reach, arrived: "asyncio.Queue[Answer | BaseException | None]"
) -> None:
    """Run the jobs; each answer is put as it arrives, then what ended them early, or None."""
    try:
        with stage("search"):
            await _side_by_side(jobs, reach, arrived)
    except Exception as error:  # noqa: BLE001 - raised again by who reads the queue
        arrived.put_nowait(error)
    else:
        arrived.put_nowait(None)


def _sent(query: Query, value: Decoded | None) -> Answer:
    if value is None:
        return Answer(query, "prefetch", "empty", reason="the client states that there are none")
    return answer_of(query, "prefetch", [value], cut="further pages were not read" if value.next else "")


def _must_be_read(query: Query, sent: Answer | None) -> bool:
    """A key that was left out; and what cannot be done without, if the client failed to get it."""
    return sent is None or (sent.state == "failed" and query.type in INDISPENSABLE)


def _read_after(answer: Answer, sent: Answer | None) -> Answer:
    """What was read, with the client's failure to get it where that is why."""
    if sent is None or sent.state != "failed":
        return answer
    reasons = [f"read after {sent.reason} in prefetch", *([answer.reason] if answer.reason else [])]
    return msgspec.structs.replace(answer, reason="; ".join(reasons))


def _server(call: PatientCall, reach: Reach, wanted: Sequence[Query]) -> FhirClient | None:
    server = reach.servers.stated(call.server) if call.server else None
    if server is None:
        missing = [query.key for query in wanted if query.template is not None]  # a client cannot know of the others
        if call.server and missing:
            raise ServerNotListedError(f"not sent: {', '.join(missing)}")
        missing = [query.key for query in wanted if query.type in INDISPENSABLE]
        if missing:
            raise UnobtainableError(f"no fhirServer is stated, and not sent: {', '.join(missing)}")
    return server


class _Reading:
    """What is read from the call's server: whole queries, and the further pages of what was sent."""

    def __init__(self, client: FhirClient, call: PatientCall, bounds: Bounds) -> None:
        self._client = client
        self._call = call
        self._bounds = bounds

    async def whole(self, query: Query) -> Answer:
        needed = query.type in INDISPENSABLE
        answer = await ask(self._client, query, self._call.patient_id, self._call.token, self._bounds, needed=needed)
        if needed and answer.state == "failed":
            raise NotFhirError(f"{query.key}: {answer.reason}")
        return answer

    async def remainder(self, query: Query, first: Decoded) -> Answer:
        pages, cut = await rest(self._client, query, first, self._call.token, self._bounds)
        return answer_of(query, "prefetch", [first, *pages], cut=cut)

    def jobs(self, sent: Mapping[str, Answer], wanted: Sequence[Query]) -> list[Coroutine[Any, Any, Answer]]:
        jobs = [self.whole(query) for query in wanted]
        for answer in sent.values():
            first = self._call.prefetch[answer.query.key]
            if first is not None and first.next and answer.query not in wanted:
                jobs.append(self.remainder(answer.query, first))
        return jobs


async def _side_by_side(
    jobs: Sequence[Coroutine[Any, Any, Answer]], reach: Reach, arrived: "asyncio.Queue[Answer | BaseException | None]"
) -> None:
    """Run all jobs, some at a time; the first error ends the others."""
    room = asyncio.Semaphore(reach.concurrency)

    async def one(job: Coroutine[Any, Any, Answer]) -> None:
        async with room:
            arrived.put_nowait(await job)

    try:
        async with asyncio.timeout(reach.deadline), asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(one(job))
    except TimeoutError as error:
        raise TimedOutError(f"not read within {reach.deadline:g} s") from error
    except BaseExceptionGroup as several:
        told = several.subgroup(OncohooksError)
        raise (told or several).exceptions[0] from several
    finally:
        for job in jobs:
            job.close()  # those that found no room before the end


def _on_its_way(query: Query) -> Answer:
    return Answer(query, "search", "failed", reason="has not arrived yet")


def _not_asked(query: Query, call: PatientCall) -> Answer:
    why = "the stated FHIR server is not listed" if call.server else "no FHIR server is stated"
    return Answer(query, "prefetch", "notAsked", reason=f"not sent, and {why}")


def _record(call: PatientCall, answers: Sequence[Answer]) -> PatientRecord:
    as_of = datetime.now(UTC).isoformat(timespec="seconds")
    return PatientRecord(
        patient_id=call.patient_id,
        entries=tuple(entry for answer in answers for entry in answer.entries),
        bases=bases_of(call.server),
        retrieval=tuple(answer.retrieval(as_of) for answer in answers),
        issues=(*call.issues, *(issue for answer in answers for issue in answer.issues)),
    )


def bases_of(server: str) -> tuple[str, ...]:
    """Only the stated server's patients are this call's: the same id on another server of the site is someone else."""
    try:
        return (server.rstrip("/"), Base.parse(server).url)
    except NotABaseError:
        return ()
