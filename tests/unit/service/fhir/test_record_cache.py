"""What is kept of answers, for whom, and what goes on after the reply."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Self

import httpx
import msgspec
import pytest

from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.retrieval import queries
from service.clock import now
from service.fhir.background import Background
from service.fhir.client import open_http
from service.fhir.credentials import Password
from service.fhir.gather import PatientCall, Reach, whole
from service.fhir.record_cache import RecordCache
from service.gaps import LATE
from service.state.expiring import ExpiringStore, ProcessExpiring
from service.state.feedback import ProcessFeedback
from service.state.site_key import SiteKey
from service.state.vault import Vault
from tests.unit.service.far_end import BASE, PATIENT, FhirServer, bundle, full_prefetch, observation, patient
from tests.unit.service.fhir.test_gather import Delay, decoded, ids, line_of, reach_to, states
from tests.unit.service.state.unfit_stores import Down, Garbled

TOKEN = "t0ken"  # noqa: S105 - of a test
AS_A: dict[str, Any] = {"token": TOKEN, "reader": "service\nuser/*.read\nPractitioner/a"}


class Site:
    """A reach with a cache whose results are counted."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, store: ExpiringStore | None = None, *, shared: bool = False
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.background = Background()
        self.store = store or ProcessExpiring(now)
        self._http = open_http(transport)
        vault = Vault(self.store, SiteKey(ProcessFeedback(now, 1), "k" * 32))
        self.cache = RecordCache(vault, 60, 900, self._count, shared=shared)
        self.reach: Reach = msgspec.structs.replace(reach_to(self._http), cache=self.cache, background=self.background)

    def _count(self, result: str) -> None:
        self.counts[result] += 1

    async def read(self, *, deadline: float = 5.0, **call: Any) -> PatientRecord:
        reach = msgspec.structs.replace(self.reach, deadline=deadline)
        return await whole(PatientCall(PATIENT, BASE, **call), reach, queries())

    async def settled(self) -> None:
        await self.background.settled()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.background.close()
        await self._http.aclose()


def run(steps: Callable[[], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        await steps()

    asyncio.run(all_of_it())


def vias(record: PatientRecord) -> set[str]:
    return {line.via for line in record.retrieval}


def test_what_was_read_comes_back_as_it_was(server: FhirServer) -> None:
    """Entries, issues, states and times; each query is counted."""
    server.holds(laboratory=bundle(observation(1), {**observation(2), "id": "no id!"}), tumour=bundle(observation(3)))

    async def steps() -> None:
        async with Site(server) as site:
            first = await site.read()
            await site.settled()
            again = await site.read()
            count = len(queries())
            assert site.counts == {"miss": count + 1, "hit": count - 1}  # the partial one is not kept
            assert again.entries == first.entries
            assert again.issues == first.issues
            assert [line.asOf for line in again.retrieval if line.via == "cache"] == [
                line.asOf for line in first.retrieval if line.key != "laboratory"
            ]

    run(steps)


def test_only_whole_answers_of_the_server_are_kept(server: FhirServer) -> None:
    """Nothing that failed or is partial, and nothing that a client sent."""
    server.holds(laboratory=503, tumour=bundle(observation(1), following="?page=2"))
    server.on("?page=2", 503)
    sent = decoded({"genetics": bundle(observation(2))})

    async def steps() -> None:
        async with Site(server) as site:
            await site.read(prefetch=sent)
            await site.settled()
            asked = len(server.requests)
            record = await site.read()
            assert states(record)["genetics"] == ("search", "empty")
            assert {line.key for line in record.retrieval if line.via == "search"} == {
                "laboratory", "tumour", "genetics",
            }  # fmt: skip
            assert len({str(request.url) for request in server.requests[asked:]}) == 4

    run(steps)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"issuer": "https://a"}, {"issuer": "https://b"}),
        (AS_A, {}),
        ({}, AS_A),
        (AS_A, {**AS_A, "reader": "service\nuser/*.read\nPractitioner/b"}),
        (AS_A, {**AS_A, "reader": "service\nuser/Patient.read\nPractitioner/a"}),
    ],
)
def test_what_one_may_read_does_not_serve_another(
    server: FhirServer, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Another client, the service itself, another user, a narrower scope: each is asked for anew."""
    server.holds()

    async def steps() -> None:
        async with Site(server) as site:
            await site.read(**first)
            await site.settled()
            assert vias(await site.read(**second)) == {"search"}
            await site.settled()
            assert vias(await site.read(**first)) == {"cache"}

    run(steps)


def test_a_site_may_share_what_was_read(server: FhirServer) -> None:
    """Then it serves every reader of the same client, and no other client."""
    server.holds()

    async def steps() -> None:
        async with Site(server, shared=True) as site:
            await site.read(**AS_A)
            await site.settled()
            assert vias(await site.read(token="other", reader="x")) == {"cache"}  # noqa: S106
            assert vias(await site.read(issuer="https://b")) == {"search"}

    run(steps)


@pytest.mark.parametrize(("ahead", "via"), [(30, "cache"), (120, "search"), (3_600, "search")])
def test_what_was_read_in_the_future_is_not_fresh(server: FhirServer, ahead: int, via: str) -> None:
    """A clock that was put back, or another replica's: nothing counts as fresh longer than it may."""
    server.holds()

    async def steps() -> None:
        async with Site(server) as site:
            await site.read()
            await site.settled()
            vault = Vault(site.store, SiteKey(ProcessFeedback(now, 1), "k" * 32))
            behind = RecordCache(vault, 60, 900, lambda _: None, clock=lambda: now() - timedelta(seconds=ahead))
            site.reach = msgspec.structs.replace(site.reach, cache=behind)
            assert vias(await site.read()) == {via}

    run(steps)


def test_data_of_another_patient_are_not_kept(server: FhirServer) -> None:
    """A server that mixed patients up once is asked again, so that its mistake does not outlive it."""
    server.holds(laboratory=bundle(observation(1, "Patient/other")), patient=patient("other"))

    async def steps() -> None:
        async with Site(server) as site:
            assert ids(await site.read()) == ["other", "o1"]
            await site.settled()
            server.holds(laboratory=bundle(observation(1)))
            again = await site.read()
            assert ids(again) == [PATIENT, "o1"]
            by_search = {line.key for line in again.retrieval if line.via == "search"}
            assert by_search == {"patient", "laboratory"}

    run(steps)


def test_the_guard_sees_from_the_cache_what_it_saw_of_the_server(server: FhirServer) -> None:
    """Also whom a resource that nobody reads is about, which may take the Patient's identifiers to tell."""
    numbers = [{"system": "urn:hospital", "value": value} for value in ("17", "18")]
    report = {"resourceType": "DiagnosticReport", "id": "d", "subject": {"identifier": numbers[1]}}
    server.holds(patient={**patient(), "identifier": numbers[:1]}, laboratory=bundle(observation(1), report))

    async def steps() -> None:
        async with Site(server) as site:
            read = await site.read()
            await site.settled()
            again = await site.read()
            assert vias(again) == {"cache"}
            assert OwnResources(read).foreign
            assert OwnResources(again).foreign

    run(steps)


def test_a_store_that_is_down_is_counted_and_no_error(server: FhirServer) -> None:
    """Everything is read, nothing is kept."""
    server.holds()

    async def steps() -> None:
        async with Site(server, Down(now)) as site:
            assert vias(await site.read()) == {"search"}
            await site.settled()
            assert vias(await site.read()) == {"search"}
            await site.settled()
            assert site.counts == {"down": 2, "not-kept": 2}

    run(steps)


def test_a_value_that_cannot_be_read_is_a_miss_that_is_counted(server: FhirServer) -> None:
    """A turned bit, another key."""
    server.holds()

    async def steps() -> None:
        async with Site(server, Garbled(now)) as site:
            await site.read()
            await site.settled()
            assert vias(await site.read()) == {"search"}
            assert site.counts["unreadable"] == len(queries())

    run(steps)


def test_what_is_late_is_read_on_after_the_reply(server: FhirServer) -> None:
    """Without a token; the next call has it."""
    server.holds(laboratory=bundle(observation(1)))
    delay = Delay(server, {"laboratory"})

    async def steps() -> None:
        async with Site(delay) as site:
            first = await site.read(deadline=0.05)
            assert line_of(first, "laboratory").reason == LATE
            assert delay.running == 1
            delay.release("laboratory")
            await site.settled()
            again = await site.read()
            assert states(again)["laboratory"] == ("cache", "complete")
            assert len(server.requests) == len(queries())

    run(steps)


def test_one_reading_at_a_time_goes_on_for_a_patient(server: FhirServer) -> None:
    """A second call is late as well, and leaves nothing running of its own."""
    server.holds()
    delay = Delay(server, {"laboratory"})

    async def steps() -> None:
        async with Site(delay) as site:
            await site.read(deadline=0.05)
            await site.read(deadline=0.05)
            assert delay.running == 1
            delay.release("laboratory")

    run(steps)


def test_the_end_of_the_service_ends_what_goes_on(server: FhirServer) -> None:
    """Also what had not begun yet."""
    server.holds()
    delay = Delay(server, {"laboratory"})

    async def steps() -> None:
        async with Site(delay) as site:
            await site.read(deadline=0.05)
        assert delay.running == 0

    run(steps)


def test_a_calls_token_is_not_used_after_the_reply(server: FhirServer) -> None:
    """Its reading ends with it."""
    server.holds()
    delay = Delay(server, {"laboratory"})

    async def steps() -> None:
        async with Site(delay) as site:
            await site.read(deadline=0.05, **AS_A)
            assert delay.running == 0
            delay.release("laboratory")
            await site.settled()
            assert len(server.requests) == len(queries()) - 1

    run(steps)


@pytest.mark.parametrize("shared", [True, False])
def test_the_service_reads_on_as_itself_where_that_serves_the_next_call(server: FhirServer, shared: bool) -> None:
    """With credentials of its own, and where the site shares what was read: without the token of the call."""
    server.holds()
    delay = Delay(server, {"laboratory"})

    async def steps() -> None:
        async with Site(delay, shared=shared) as site:
            client = site.reach.servers.stated(BASE)
            assert client
            client.credentials = Password("oncohooks", lambda: "pw")
            own = await client.credentials.header(0)
            await site.read(deadline=0.05, **AS_A)
            delay.release("laboratory")
            await site.settled()
            late = [request for request in server.requests if "718-7" in str(request.url)]
            assert [request.headers.get("authorization") for request in late] == ([own] if shared else [])
            again = await site.read(**AS_A)
            assert states(again)["laboratory"] == ("cache" if shared else "search", "empty")

    run(steps)


def test_what_there_is_no_room_to_keep_is_counted(server: FhirServer) -> None:
    """The next call reads it again."""
    server.holds()

    async def steps() -> None:
        async with Site(server) as site:
            none = msgspec.structs.replace(site.reach, background=Background(most_writings=0))
            await whole(PatientCall(PATIENT, BASE), none, queries())
            assert site.counts == {"miss": len(queries()), "not-kept": 1}

    run(steps)


def test_readings_after_replies_are_bounded(server: FhirServer) -> None:
    """Where there is no room, what is late stays late."""
    server.holds()
    delay = Delay(server, {"laboratory"})

    async def steps() -> None:
        async with Site(delay) as site:
            none = msgspec.structs.replace(site.reach, background=Background(most_readings=0), deadline=0.05)
            await whole(PatientCall(PATIENT, BASE), none, queries())
            assert delay.running == 0

    run(steps)


def test_a_failure_after_the_reply_is_logged_by_its_type_only(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for it; its message could hold a value."""

    async def fails() -> None:
        raise ValueError("canary-4711")

    async def steps() -> None:
        background = Background()
        background.write(fails())
        background.read("somebody", fails())
        await background.settled()
        await background.close()

    run(steps)
    assert caplog.messages == ["after a reply: ValueError"] * 2


def test_with_nothing_left_to_read_nobody_is_asked(server: FhirServer) -> None:
    """A complete prefetch needs neither cache nor server."""

    async def steps() -> None:
        async with Site(server) as site:
            record = await site.read(prefetch=decoded(full_prefetch()))
            assert vias(record) == {"prefetch"}
            assert not site.counts

    run(steps)
