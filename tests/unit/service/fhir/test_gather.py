import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import httpx
import msgspec
import pytest

from fhir_mappings.decoding import Decoded, decode
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import queries
from service.errors import (
    Category,
    LostPageError,
    MalformedError,
    RefusedError,
    ServerNotListedError,
    TimedOutError,
    ToldError,
    UnknownPatientError,
    UnobtainableError,
)
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.gather import PatientCall, Reach, gather, whole
from service.fhir.origin import Base
from service.fhir.paging import Bounds
from tests.unit.service.far_end import BASE, PATIENT, FhirServer, bundle, full_prefetch, observation, outcome, patient

LATIN_1 = b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","gender":"m\xe4nnlich"}}]}'
KEYS = [query.key for query in queries()]
SEARCH_ONLY = [query.key for query in queries() if query.template is None]


def decoded(prefetch: Mapping[str, Any]) -> dict[str, Decoded | None]:
    return {key: None if value is None else decode(msgspec.json.encode(value)) for key, value in prefetch.items()}


def gathered(
    server: FhirServer,
    prefetch: Mapping[str, Any] | None = None,
    stated: str = BASE,
    *,
    pages: int = 10,
    entries: int = 100,
    deadline: float = 5.0,
    concurrency: int = 12,
    token: str = "",
) -> PatientRecord:
    async def run() -> PatientRecord:
        async with open_http(server) as http:
            servers = FhirServers([FhirClient(Base.parse(BASE), http, 5.0, 100_000)])
            call = PatientCall(PATIENT, stated, decoded(prefetch or {}), token=token)
            return await whole(call, Reach(servers, Bounds(pages, entries), concurrency, deadline), queries())

    return asyncio.run(run())


def states(record: PatientRecord) -> dict[str, tuple[str, str]]:
    return {line.key: (line.via, line.state) for line in record.retrieval}


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


def test_every_page_is_followed(server: FhirServer) -> None:
    """Pages are followed verbatim to the last, also over an empty one."""
    server.holds(laboratory=bundle(observation(1), following=f"{BASE}?_getpages=a&_getpagesoffset=1"))
    server.on(f"{BASE}?_getpages=a&_getpagesoffset=1", bundle(following=f"{BASE}?_getpages=a&_getpagesoffset=2"))
    server.on(f"{BASE}?_getpages=a&_getpagesoffset=2", bundle(observation(2)))
    record = gathered(server)
    assert ids(record) == [PATIENT, "o1", "o2"]
    assert states(record)["laboratory"] == ("search", "complete")


@pytest.mark.parametrize("lost", [404, 410, 500, 503])
def test_a_lost_page_is_an_error(server: FhirServer, lost: int) -> None:
    """A page that does not come ends the call: a part of a patient is not scored."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    server.on("?page=2", lost)
    with pytest.raises(LostPageError, match="laboratory: page 2 was lost"):
        gathered(server)


@pytest.mark.parametrize("link", ["https://attacker.example/r4?page=2", "http://fhir.example/r4?page=2"])
def test_a_foreign_next_link_is_a_lost_page(server: FhirServer, link: str) -> None:
    """A next link that leads away from the server is not followed, and its page is lost."""
    server.holds(laboratory=bundle(observation(1), following=link))
    with pytest.raises(LostPageError):
        gathered(server)
    assert {request.url.host for request in server.requests} == {"fhir.example"}


def test_pages_that_do_not_end_are_an_error(server: FhirServer) -> None:
    """A next link that comes back, or ever more pages, end the call; after an empty page it ends the search."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    server.on("?page=2", bundle(observation(2), following="?page=2"))
    with pytest.raises(LostPageError, match="do not end"):
        gathered(server)
    server.on("?page=2", bundle(following="?page=2"))
    assert states(gathered(server))["laboratory"] == ("search", "complete")
    server.on("?page=2", bundle(observation(2), following="?page=3"))
    with pytest.raises(LostPageError, match="do not end"):
        gathered(server, pages=2)


def test_of_too_many_entries_the_newest_are_read(server: FhirServer) -> None:
    """A search sorted by date stops at the limit as partial, an unsorted one is an error."""
    newest = bundle(*(observation(number) for number in range(5)), following="?page=2")
    server.holds(laboratory=newest)
    (line,) = [line for line in gathered(server, entries=5).retrieval if line.key == "laboratory"]
    assert (line.state, line.count, line.reason) == ("partial", 5, "only the newest 5 entries were read")
    server.holds(conditions=newest)
    with pytest.raises(LostPageError, match="conditions: more than 5 entries"):
        gathered(server, entries=5)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 501])
def test_a_refused_search_is_a_gap(server: FhirServer, status: int) -> None:
    """A search that the server does not know, or not for us, fails by itself; the record goes on."""
    server.holds(sequences=status)
    (line,) = [line for line in gathered(server).retrieval if line.key == "sequences"]
    assert (line.state, line.reason) == ("failed", f"refused with HTTP status {status}")


@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_any_other_failure_of_a_search_is_an_error(server: FhirServer, status: int) -> None:
    """Where it is not known what the server holds, nothing is scored."""
    server.holds(laboratory=status)
    with pytest.raises(RefusedError, match="laboratory"):
        gathered(server)


@pytest.mark.parametrize(
    ("key", "answer", "category"),
    [
        ("patient", 404, Category.UNKNOWN_PATIENT),
        ("patient", 410, Category.UNKNOWN_PATIENT),
        ("patient", 403, Category.FHIR_REFUSED),
        ("conditions", 400, Category.FHIR_REFUSED),
        ("conditions", outcome(), Category.FHIR_NOT_FHIR),
        ("laboratory", [1], Category.FHIR_NOT_FHIR),
        ("laboratory", lambda _: httpx.Response(200, content=LATIN_1), Category.FHIR_NOT_FHIR),
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


def test_what_has_no_template_is_searched_for(server: FhirServer) -> None:
    """A client that fills every template of discovery leaves the medication to the service."""
    server.holds()
    prefetch = {key: value for key, value in full_prefetch().items() if key not in SEARCH_ONLY}
    record = gathered(server, prefetch)
    assert {line.key for line in record.retrieval if line.via == "search"} == set(SEARCH_ONLY)
    assert len(server.requests) == len(SEARCH_ONLY) == 3


def test_a_client_may_send_what_has_no_template(server: FhirServer) -> None:
    """What it brings under the key of such a query is used, and not searched for."""
    record = gathered(server, full_prefetch())
    assert {states(record)[key] for key in SEARCH_ONLY} == {("prefetch", "empty")}
    assert server.requests == []


@pytest.mark.parametrize("stated", ["", "https://elsewhere.example/r4"])
def test_what_has_no_template_needs_no_server(server: FhirServer, stated: str) -> None:
    """Where no server may be read, filled templates are a complete call: the rest is said to be not asked."""
    prefetch = {key: value for key, value in full_prefetch().items() if key not in SEARCH_ONLY}
    record = gathered(server, prefetch, stated)
    assert {states(record)[key] for key in SEARCH_ONLY} == {("prefetch", "notAsked")}
    assert {line.reason for line in record.retrieval if line.state == "notAsked"} == {
        f"not sent, and {'the stated FHIR server is not listed' if stated else 'no FHIR server is stated'}"
    }
    assert server.requests == []


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


def test_the_deadline_ends_everything(server: FhirServer) -> None:
    """What is not read by the deadline is an error, and nothing runs on."""
    server.holds()
    server.seconds = 10.0
    with pytest.raises(TimedOutError, match=r"not read within 0\.02 s"):
        gathered(server, deadline=0.02)
    assert server.running == 0


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
    late = asyncio.Event()

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if "718-7" in str(request.url):
                await late.wait()
            return await server.handle_async_request(request)

    async def run() -> list[PatientRecord]:
        async with open_http(Slow()) as http:
            servers = FhirServers([FhirClient(Base.parse(BASE), http, 5.0, 100_000)])
            reach = Reach(servers, Bounds(10, 100), 12, 5.0)
            found = []
            async with aclosing(gather(PatientCall(PATIENT, BASE), reach, queries())) as snapshots:
                async for record in snapshots:
                    found.append(record)
                    if len([line for line in record.retrieval if line.state == "failed"]) == 1:
                        late.set()
            return found

    first, *_, last = asyncio.run(run())
    assert {states(first)[key] for key in ("patient", "conditions")} == {("search", "complete"), ("search", "empty")}
    assert states(first)["laboratory"] == ("search", "failed")
    assert states(last)["laboratory"] == ("search", "complete")
    assert ids(last) == [PATIENT, "o1"]
