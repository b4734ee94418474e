import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx
import msgspec
import pytest

from fhir_mappings.decoding import Decoded, decode
from fhir_mappings.record import OwnResources, PatientRecord, Retrieval
from fhir_mappings.resources.therapies import MedicationRequest
from fhir_mappings.retrieval import queries
from service.errors import (
    Category,
    MalformedError,
    ServerNotListedError,
    TimedOutError,
    ToldError,
    UnknownPatientError,
    UnobtainableError,
)
from service.fhir.capability import OFFER
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.gather import PatientCall, Reach, gather, whole
from service.fhir.origin import Base
from service.fhir.paging import Bounds
from service.gaps import LATE, ON_ITS_WAY
from tests.unit.service.far_end import BASE, PATIENT, FhirServer, bundle, full_prefetch, observation, outcome, patient

LATIN_1 = b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","gender":"m\xe4nnlich"}}]}'
KEYS = [query.key for query in queries()]
MEDICATION = [query.key for query in queries() if query.include]


def decoded(prefetch: Mapping[str, Any]) -> dict[str, Decoded | None]:
    return {key: None if value is None else decode(msgspec.json.encode(value)) for key, value in prefetch.items()}


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def timed_out(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


def reach_to(
    http: httpx.AsyncClient,
    *,
    pages: int = 10,
    entries: int = 100,
    deadline: float = 5.0,
    hard: float = 5.0,
    concurrency: int = 12,
    public: str = "",
) -> Reach:
    base = Base.parse(BASE)
    names = {base: Base.parse(public)} if public else {}
    servers = FhirServers([FhirClient(base, http, 5.0, 100_000)])
    return Reach(servers, Bounds(pages, entries), concurrency, deadline, hard, names)


def gathered(
    server: FhirServer,
    prefetch: Mapping[str, Any] | None = None,
    stated: str = BASE,
    *,
    token: str = "",
    **bounds: Any,
) -> PatientRecord:
    async def run() -> PatientRecord:
        async with open_http(server) as http:
            call = PatientCall(PATIENT, stated, decoded(prefetch or {}), token=token)
            return await whole(call, reach_to(http, **bounds), queries())

    return asyncio.run(run())


class Delay(httpx.AsyncBaseTransport):
    """Holds the answers to some queries (by key, or by the end of an address) back until they are released."""

    def __init__(self, server: FhirServer, late: set[str]) -> None:
        self._server = server
        self._released = {key: asyncio.Event() for key in late}
        self._urls = {str(httpx.URL(f"{BASE}/{query.url(PATIENT)}")): query.key for query in queries()}
        self.running = 0
        self._open = len(self._urls) - len(late & set(self._urls.values()))
        self.answered = asyncio.Event()  # everything that is not held back

    def release(self, key: str) -> None:
        self._released[key].set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        names = {key for key in self._released if key == self._urls.get(url) or url.endswith(key)}
        held = self._released[names.pop()] if names else None
        self.running += 1
        try:
            if held:
                await held.wait()
            answer = await self._server.handle_async_request(request)
        finally:
            self.running -= 1
        self._open -= 0 if held else 1
        if self._open == 0:
            self.answered.set()
        return answer


async def through(delay: Delay, meanwhile: Callable[[Delay], Awaitable[None]], *, deadline: float) -> PatientRecord:
    async with open_http(delay) as http:
        record, _ = await asyncio.gather(
            whole(PatientCall(PATIENT, BASE), reach_to(http, deadline=deadline), queries()), meanwhile(delay)
        )
    return record


def states(record: PatientRecord) -> dict[str, tuple[str, str]]:
    return {line.key: (line.via, line.state) for line in record.retrieval}


def line_of(record: PatientRecord, key: str) -> Retrieval:
    (line,) = [line for line in record.retrieval if line.key == key]
    return line


def ids(record: PatientRecord) -> list[str]:
    return [entry.resource.id for entry in record.entries]


def test_complete_prefetch_asks_nobody(server: FhirServer) -> None:
    """Where every key is there, nothing is read."""
    record = gathered(server, full_prefetch(laboratory=bundle(observation(1))))
    assert server.requests == []
    assert ids(record) == [PATIENT, "o1"]
    assert states(record)["laboratory"] == ("prefetch", "complete")
    assert states(record)["genetics"] == ("prefetch", "empty")


def test_without_prefetch_everything_is_read(server: FhirServer) -> None:
    """Without prefetch, every query goes to the stated server once, for the bare patient id."""
    server.holds(laboratory=bundle(observation(1)))
    record = gathered(server)
    assert [str(r.url) for r in server.requests] == [str(httpx.URL(f"{BASE}/{q.url(PATIENT)}")) for q in queries()]
    assert ids(record) == [PATIENT, "o1"]
    assert {via for via, _ in states(record).values()} == {"search"}


def test_only_the_holes_are_read(server: FhirServer) -> None:
    """A half-filled prefetch costs only the searches that it leaves out, and the record is the same."""
    prefetch = full_prefetch(laboratory=bundle(observation(1)), tumour=bundle(observation(2)))
    server.holds(**prefetch)
    halved = {key: value for key, value in prefetch.items() if key in KEYS[::2]}
    record = gathered(server, halved)
    assert len(server.requests) == len(KEYS[1::2])
    assert record.entries == gathered(server, prefetch).entries
    assert [line.via for line in record.retrieval] == ["search" if n % 2 else "prefetch" for n in range(len(KEYS))]


def test_null_means_no_data(server: FhirServer) -> None:
    """A key that is null is known to be empty, and not read."""
    record = gathered(server, full_prefetch(laboratory=None))
    assert states(record)["laboratory"] == ("prefetch", "empty")
    assert server.requests == []


def test_an_outcome_in_prefetch_is_the_clients_failure(server: FhirServer) -> None:
    """An OperationOutcome instead of a Bundle is recorded as failed, and not asked for again."""
    record = gathered(server, full_prefetch(laboratory=outcome()))
    (line,) = [line for line in record.retrieval if line.key == "laboratory"]
    assert (line.state, line.reason) == ("failed", "an OperationOutcome instead of an answer")
    assert server.requests == []


@pytest.mark.parametrize("key", ["patient", "conditions"])
def test_what_cannot_be_done_without_is_read_after_a_failure(server: FhirServer, key: str) -> None:
    """Patient and Condition are read if the client failed to get them."""
    server.holds()
    record = gathered(server, full_prefetch(**{key: outcome()}))
    assert states(record)[key][0] == "search"
    assert len(server.requests) == 1


def test_epics_empty_search_is_empty(server: FhirServer) -> None:
    """A Bundle that holds only the outcome 4101, "no results", is an empty answer."""
    record = gathered(server, full_prefetch(laboratory=bundle(outcome=outcome("error", "4101"))))
    assert states(record)["laboratory"] == ("prefetch", "empty")


def test_an_outcome_beside_entries_makes_them_partial(server: FhirServer) -> None:
    """An error beside entries says that some are missing, a hint does not."""
    mixed = full_prefetch(
        laboratory=bundle(observation(1), outcome=outcome("error")),
        tumour=bundle(observation(2), outcome=outcome("information")),
    )
    record = gathered(server, mixed)
    assert states(record)["laboratory"] == ("prefetch", "partial")
    assert states(record)["tumour"] == ("prefetch", "complete")


def test_an_entry_that_cannot_be_read_makes_the_rest_partial(server: FhirServer) -> None:
    """What an unreadable entry would have said is not known: no absence may be concluded from its answer."""
    laboratory = bundle(observation(1), {**observation(2), "valueQuantity": "13"})
    record = gathered(server, full_prefetch(laboratory=laboratory))
    (line,) = [line for line in record.retrieval if line.key == "laboratory"]
    assert (line.state, line.count, line.reason) == ("partial", 1, "1 entries could not be read")
    assert [issue.code for issue in record.issues] == ["unreadable"]


def test_the_further_pages_of_prefetch_are_read(server: FhirServer) -> None:
    """A Bundle with a next link is read on from the stated server."""
    server.on("?page=2", bundle(observation(2)))
    record = gathered(server, full_prefetch(laboratory=bundle(observation(1), following=f"{BASE}/?page=2")))
    assert ids(record) == [PATIENT, "o1", "o2"]
    assert states(record)["laboratory"] == ("prefetch", "complete")


@pytest.mark.parametrize("stated", ["", "https://elsewhere.example/r4"])
def test_further_pages_out_of_reach_make_it_partial(server: FhirServer, stated: str) -> None:
    """Where the rest of a prefetched Bundle cannot be read, the ledger says that it is partial."""
    prefetch = full_prefetch(laboratory=bundle(observation(1), following="https://elsewhere.example/r4?page=2"))
    assert states(gathered(server, prefetch, stated))["laboratory"] == ("prefetch", "partial")
    assert server.requests == []


@pytest.mark.parametrize("key", ["sequences", "laboratory"])
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 410, 422, 429, 500, 501, 503])
def test_a_search_that_fails_is_a_gap(server: FhirServer, key: str, status: int) -> None:
    """Refused, throttled or broken: it fails by itself, with its status, and the record goes on."""
    server.holds(tumour=bundle(observation(1)))
    server.on(key, status)
    record = gathered(server)
    line = line_of(record, key)
    assert (line.state, line.count, line.reason) == ("failed", 0, f"refused with HTTP status {status}")
    assert ids(record) == [PATIENT, "o1"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (unreachable, "the server could not be reached"),
        (timed_out, "the server did not answer in time"),
        ([1], "answered with what is no FHIR JSON"),
        (lambda _: httpx.Response(200, content=LATIN_1), "answered with what is no FHIR JSON"),
        (lambda _: httpx.Response(200, content=b"{" * 200_000), "answered with more than the limit"),
    ],
)
def test_each_way_to_fail_has_its_reason(server: FhirServer, answer: Any, reason: str) -> None:
    """No connection, no answer, no FHIR, too much."""
    server.holds(laboratory=answer)
    line = line_of(gathered(server), "laboratory")
    assert (line.state, line.reason) == ("failed", reason)


@pytest.mark.parametrize(
    ("key", "answer", "category"),
    [
        ("patient", 404, Category.UNKNOWN_PATIENT),
        ("patient", 410, Category.UNKNOWN_PATIENT),
        ("patient", 403, Category.FHIR_REFUSED),
        ("conditions", 400, Category.FHIR_REFUSED),
        ("conditions", outcome(), Category.FHIR_NOT_FHIR),
        ("conditions", [1], Category.FHIR_NOT_FHIR),
        ("conditions", 503, Category.FHIR_REFUSED),
        ("patient", unreachable, Category.FHIR_UNREACHABLE),
        ("conditions", timed_out, Category.FHIR_TIMEOUT),
    ],
)
def test_patient_and_conditions_cannot_be_done_without(
    server: FhirServer, key: str, answer: Any, category: Category
) -> None:
    """An unknown patient, and refused conditions, are errors; so is an answer that is no FHIR."""
    server.holds(**{key: answer})
    with pytest.raises(ToldError) as caught:
        gathered(server)
    assert caught.value.category is category


def test_an_unknown_patient_is_told(server: FhirServer) -> None:
    """A patient whom the server does not know is an error of its own."""
    server.holds(patient=404)
    with pytest.raises(UnknownPatientError):
        gathered(server)


def test_another_patient_in_the_answer_stays_visible(server: FhirServer) -> None:
    """What a server sends of another patient is in the record, for the guard to see."""
    server.holds(patient=patient("other"))
    assert ids(gathered(server)) == ["other"]


@pytest.mark.parametrize("stated", ["https://elsewhere.example/r4", "https://fhir.example.attacker.example/r4", "x"])
def test_nothing_is_sent_to_a_server_that_is_not_listed(server: FhirServer, stated: str) -> None:
    """A complete prefetch is enough for any server; where something would have to be read, the call is refused."""
    assert states(gathered(server, full_prefetch(), stated))["patient"] == ("prefetch", "complete")
    incomplete = full_prefetch()
    del incomplete["sequences"]
    with pytest.raises(ServerNotListedError, match="not sent: sequences"):
        gathered(server, incomplete, stated)
    assert server.requests == []


@pytest.mark.parametrize("stated", ["", "https://elsewhere.example/r4"])
def test_without_medication_a_call_is_answered_where_no_server_may_be_read(server: FhirServer, stated: str) -> None:
    """A client that was set up before medication had templates goes on; the ledger says that it was not asked for."""
    prefetch = {key: value for key, value in full_prefetch().items() if key not in MEDICATION}
    record = gathered(server, prefetch, stated)
    assert {states(record)[key] for key in MEDICATION} == {("prefetch", "notAsked")}
    assert {line.reason for line in record.retrieval if line.state == "notAsked"} == {
        f"not sent, and {'the stated FHIR server is not listed' if stated else 'no FHIR server is stated'}"
    }
    assert server.requests == []


def order(number: int, product: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"r{number}",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "medicationReference": {"reference": f"Medication/{product}"},
        **more,
    }


def product(name: str) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": name, "code": {"text": name}}


def half_filled(*resources: dict[str, Any]) -> dict[str, Any]:
    return full_prefetch(medicationRequests=bundle(*resources))


def test_products_that_the_client_did_not_send_are_read_with_their_key(server: FhirServer) -> None:
    """One search, with `_include`; what the client sent counts once, what it had not is added."""
    server.on("medicationRequests", bundle(order(1, "a"), order(3, "c"), product("a"), product("c")))
    record = gathered(server, half_filled(order(1, "a"), order(2, "b"), product("b")))
    assert len(server.requests) == 1
    assert "_include=MedicationRequest" in str(server.requests[0].url)
    assert sorted(ids(record)) == sorted([PATIENT, "r1", "r2", "b", "r3", "a", "c"])
    line = line_of(record, "medicationRequests")
    assert (line.via, line.state) == ("search", "complete")
    assert line.reason == "read after 1 products named by reference only in prefetch"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (403, "refused with HTTP status 403"),
        (unreachable, "the server could not be reached"),
        (outcome(), "an OperationOutcome instead of an answer"),
    ],
)
def test_what_the_client_sent_stands_where_the_products_cannot_be_read(
    server: FhirServer, answer: Any, reason: str
) -> None:
    """As incomplete as it is, with both reasons."""
    server.on("medicationRequests", answer)
    record = gathered(server, half_filled(order(1, "a")))
    line = line_of(record, "medicationRequests")
    assert (line.via, line.state, line.count) == ("prefetch", "partial", 1)
    assert line.reason == f"1 products named by reference only; {reason}"


ANOTHERS_DEVICE = {"resourceType": "Device", "id": "d", "patient": {"reference": "Patient/other"}}
READ_AFTER = "read after 2 products named by reference only in prefetch"


@pytest.mark.parametrize(
    ("brought", "reason"),
    [
        (bundle(order(1, "a")), f"{READ_AFTER}; 1 products named by reference only"),
        (bundle(), f"2 products named by reference only; {READ_AFTER}"),
    ],
)
def test_products_that_the_server_does_not_bring_either_are_told(
    server: FhirServer, brought: dict[str, Any], reason: str
) -> None:
    """It ignores `_include`, or shows nothing to who asks."""
    server.on("medicationRequests", brought)
    line = line_of(gathered(server, half_filled(order(1, "a"), order(2, "b"))), "medicationRequests")
    assert (line.via, line.state, line.count) == ("search", "partial", 2)
    assert line.reason == reason


WHOLE = {"reference": f"{BASE}/Patient/{PATIENT}"}
FIRST, SECOND = ({"versionId": str(n), "lastUpdated": f"2026-01-0{n}T00:00:00Z"} for n in (1, 2))


@pytest.mark.parametrize(
    ("sent", "read", "authored"),
    [
        ({"meta": FIRST, "subject": WHOLE}, {"meta": FIRST}, "2026-01-01"),
        ({"subject": WHOLE}, {"meta": FIRST}, "2026-01-01"),
        ({"meta": FIRST, "authoredOn": "2026-01-02"}, {}, "2026-01-01"),
        ({"meta": FIRST, "authoredOn": "2026-01-02"}, {"meta": SECOND}, "2026-01-01"),
        ({"meta": SECOND, "authoredOn": "2026-01-02"}, {"meta": FIRST}, "2026-01-02"),
    ],
)
def test_of_an_order_that_both_hold_the_servers_copy_stands(
    server: FhirServer, sent: dict[str, Any], read: dict[str, Any], authored: str
) -> None:
    """However each of them spells it, unless the client's is said to be newer: it is not lost between two copies."""
    server.on("medicationRequests", bundle(order(1, "a", authoredOn="2026-01-01", **read), product("a")))
    own = OwnResources(gathered(server, half_filled(order(1, "a", **sent))))
    assert [one.authoredOn for one in own.of(MedicationRequest)] == [authored]
    assert own.issues == []


def test_a_copy_that_is_another_patients_stays_visible(server: FhirServer) -> None:
    """The same id on another server, or nobody, is not her."""
    server.on("medicationRequests", bundle(order(1, "a"), product("a")))
    for subject in ({"reference": f"https://elsewhere.example/Patient/{PATIENT}"}, {"reference": "urn:uuid:other"}):
        assert OwnResources(gathered(server, half_filled(order(1, "a", subject=subject)))).foreign
    for read in (order(1, "a", subject={"reference": "Patient/other"}), ANOTHERS_DEVICE):
        server.on("medicationRequests", bundle(read, product("a")))
        assert OwnResources(gathered(server, half_filled(order(1, "a")))).foreign


def test_a_search_without_its_products_is_partial(server: FhirServer) -> None:
    """A server that ignores `_include` has not said which drugs they are."""
    server.holds(medicationRequests=bundle(order(1, "a"), order(2, "b"), product("b")))
    line = line_of(gathered(server), "medicationRequests")
    assert (line.state, line.count, line.reason) == ("partial", 3, "1 products named by reference only")


def test_products_of_another_keys_strays_are_not_asked_for(server: FhirServer) -> None:
    """Only medication's own searches bring them."""
    line = line_of(gathered(server, full_prefetch(laboratory=bundle(observation(1), order(1, "a")))), "laboratory")
    assert (line.via, line.state, line.reason) == ("prefetch", "complete", "")


def test_products_that_come_too_late_leave_what_was_sent(server: FhirServer) -> None:
    """The reason is the time, as of any answer that is late."""
    server.on("medicationRequests", bundle(order(1, "a"), product("a")))
    delay = Delay(server, {"medicationRequests"})

    async def run() -> PatientRecord:
        async with open_http(delay) as http:
            call = PatientCall(PATIENT, BASE, decoded(half_filled(order(1, "a"))))
            return await whole(call, reach_to(http, deadline=0.02), queries())

    line = line_of(asyncio.run(run()), "medicationRequests")
    assert (line.via, line.state, line.count) == ("prefetch", "partial", 1)
    assert line.reason == f"1 products named by reference only; {LATE}"


@pytest.mark.parametrize(
    "sent", [(order(1, "a", subject={"reference": "Patient/other"}),), (order(1, "a"), ANOTHERS_DEVICE)]
)
@pytest.mark.parametrize("answer", [bundle(order(1, "a"), product("a")), 403])
def test_another_patients_data_stay_visible_where_products_are_read(server: FhirServer, sent: Any, answer: Any) -> None:
    """What the client mixed up is in the record, for the guard to see, whatever the server says."""
    server.on("medicationRequests", answer)
    assert OwnResources(gathered(server, half_filled(*sent))).foreign


def test_whom_a_failure_was_about_stays_visible(server: FhirServer) -> None:
    """A key that failed and was read: what stood beside the failure may have been somebody else's."""
    server.holds()
    record = gathered(server, full_prefetch(conditions=bundle(ANOTHERS_DEVICE, outcome=outcome())))
    assert states(record)["conditions"] == ("search", "empty")
    assert OwnResources(record).foreign


def test_without_a_server_what_was_sent_is_used(server: FhirServer) -> None:
    """Without fhirServer, missing keys are not asked for; without Patient or Condition there is nothing to score."""
    record = gathered(server, {"patient": patient(), "conditions": bundle()}, "")
    assert states(record)["laboratory"] == ("prefetch", "notAsked")
    with pytest.raises(UnobtainableError, match="not sent: conditions"):
        gathered(server, {"patient": patient()}, "")
    with pytest.raises(UnobtainableError, match="not sent: patient, conditions"):
        gathered(server, {}, "")


def test_only_the_stated_servers_patient_is_this_patient(server: FhirServer) -> None:
    """References to the stated server, as it is spelt, are the patient's; those to others are not."""
    assert set(gathered(server, full_prefetch(), "HTTPS://fhir.example/r4/").bases) == {"HTTPS://fhir.example/r4", BASE}
    assert gathered(server, full_prefetch(), "").bases == ()


def test_searches_run_side_by_side_within_bounds(server: FhirServer) -> None:
    """As many requests as allowed run at a time, and no more."""
    server.holds()
    server.seconds = 0.001
    gathered(server, concurrency=3)
    assert server.most_running == 3


def test_at_the_hard_deadline_a_call_without_patient_and_condition_fails(server: FhirServer) -> None:
    """They are waited for beyond the deadline, but not for ever; nothing runs on. Request or call may end first."""
    server.holds()
    server.seconds = 10.0
    with pytest.raises(TimedOutError, match=r"(?i)patient|conditions"):
        gathered(server, deadline=0.001, hard=0.02)
    assert server.running == 0


@pytest.mark.parametrize("late", ["patient", "conditions"])
def test_patient_and_condition_are_waited_for(server: FhirServer, late: str) -> None:
    """Beyond the deadline; what else has arrived meanwhile is taken too, what has not is a gap."""
    server.holds(laboratory=bundle(observation(1)))
    delay = Delay(server, {late, "genetics"})

    async def release(transport: Delay) -> None:
        await transport.answered.wait()  # all but the two
        transport.release(late)

    record = asyncio.run(through(delay, release, deadline=0.0))
    assert states(record)["laboratory"] == ("search", "complete")
    assert line_of(record, "genetics").reason == LATE
    assert delay.running == 0


def test_what_has_not_arrived_at_the_deadline_is_a_gap(server: FhirServer) -> None:
    """Of a search without a page it failed, of one with a page it is partial; the reason is the time."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    delay = Delay(server, {"genetics", "?page=2"})

    async def nothing(_: Delay) -> None: ...

    record = asyncio.run(through(delay, nothing, deadline=0.05))
    genetics, laboratory = line_of(record, "genetics"), line_of(record, "laboratory")
    assert (genetics.state, genetics.reason) == ("failed", LATE)
    assert (laboratory.state, laboratory.count, laboratory.reason) == ("partial", 1, f"further pages: {LATE}")
    assert "o1" in ids(record)
    assert delay.running == 0


@pytest.mark.parametrize("patient_id", ["", "a,b", "..", "../x", "1\n", "1?x=1", "Patient/1", "a" * 65, "ü"])
def test_what_is_no_id_never_becomes_an_address(patient_id: str) -> None:
    """Servers read `patient=A,B` as both and `patient=` as everyone: only FHIR ids are taken."""
    with pytest.raises(MalformedError):
        PatientCall(patient_id)


def test_the_token_is_sent_and_not_shown(server: FhirServer) -> None:
    """The call's token goes to the stated server, and not into any text of the call."""
    server.holds()
    gathered(server, token="s3cret")  # noqa: S106
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer s3cret"}
    assert "s3cret" not in repr(PatientCall("1", token="s3cret"))  # noqa: S106


def test_snapshots_grow_until_the_record_is_whole(server: FhirServer) -> None:
    """The first snapshot comes with Patient and Condition, what is on its way is a gap, the last one is whole."""
    server.holds(laboratory=bundle(observation(1)))
    delay = Delay(server, {"laboratory"})

    async def run() -> list[PatientRecord]:
        found = []
        async with (
            open_http(delay) as http,
            aclosing(gather(PatientCall(PATIENT, BASE), reach_to(http), queries())) as snapshots,
        ):
            async for record in snapshots:
                found.append(record)
                if len([line for line in record.retrieval if line.state == "failed"]) == 1:
                    delay.release("laboratory")
        return found

    first, *_, last = asyncio.run(run())
    assert {states(first)[key] for key in ("patient", "conditions")} == {("search", "complete"), ("search", "empty")}
    assert (line_of(first, "laboratory").state, line_of(first, "laboratory").reason) == ("failed", ON_ITS_WAY)
    assert states(last)["laboratory"] == ("search", "complete")
    assert ids(last) == [PATIENT, "o1"]


def test_who_stops_listening_ends_the_call(server: FhirServer) -> None:
    """A generator that is closed after the first snapshot leaves nothing running."""
    server.holds()
    delay = Delay(server, {"laboratory"})

    async def run() -> None:
        async with (
            open_http(delay) as http,
            aclosing(gather(PatientCall(PATIENT, BASE), reach_to(http), queries())) as snapshots,
        ):
            await anext(snapshots)
        assert delay.running == 0

    asyncio.run(run())


def test_what_a_server_does_not_offer_is_not_asked_for(server: FhirServer) -> None:
    """Where it says which types it has; of the others nothing is concluded to be absent."""
    server.holds()
    offered = [{"type": query.type} for query in queries() if query.type != "MolecularSequence"]
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": offered}]}
    server.on(OFFER, statement)

    async def run() -> PatientRecord:
        async with open_http(server) as http:
            reach = reach_to(http)
            for client in reach.servers:
                await client.learn_offer()
            return await whole(PatientCall(PATIENT, BASE), reach, queries())

    line = line_of(asyncio.run(run()), "sequences")
    assert (line.state, line.reason) == ("notAsked", "the server does not offer MolecularSequence")
    assert not [request for request in server.requests if "MolecularSequence" in str(request.url)]
