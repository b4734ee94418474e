"""How a search is read to its end: pages, links, duplicates, and servers that behave oddly (docs/reading.md)."""

from typing import Any

import httpx
import pytest

from fhir_mappings.record import Retrieval
from service.errors import LostPageError, NotFhirError
from service.fhir.origin import Base
from tests.unit.service.far_end import BASE, JSON, PATIENT, FhirServer, bundle, full_prefetch, observation, outcome
from tests.unit.service.fhir.test_gather import gathered, ids, line_of, timed_out, unreachable

ABSOLUTE = f"{BASE}?_getpages=a&_getpagesoffset=1"


def read(server: FhirServer, **bounds: Any) -> tuple[Retrieval, list[str]]:
    """The ledger's line of the laboratory, and the ids of all that came."""
    record = gathered(server, **bounds)
    return line_of(record, "laboratory"), ids(record)


def test_every_page_is_followed_verbatim(server: FhirServer) -> None:
    """To the last, on the server's root, also over an empty one and without a total."""
    server.holds(laboratory=bundle(observation(1), following=ABSOLUTE))
    server.on(ABSOLUTE, bundle(following=f"{BASE}?_getpages=a&_getpagesoffset=2"))
    server.on(f"{BASE}?_getpages=a&_getpagesoffset=2", bundle(observation(2)))
    line, found = read(server)
    assert (line.state, found) == ("complete", [PATIENT, "o1", "o2"])


@pytest.mark.parametrize("total", [0, 1, 999, None])
def test_the_total_of_a_page_that_is_not_the_last_decides_nothing(server: FhirServer, total: int | None) -> None:
    """HAPI leaves it out until late, Google estimates it: the links say where the end is."""
    stated = {} if total is None else {"total": total}
    server.holds(laboratory={**bundle(observation(1), following="?page=2"), **stated})
    server.on("?page=2", bundle(observation(2)))
    line, found = read(server)
    assert (line.state, line.count, found) == ("complete", 2, [PATIENT, "o1", "o2"])


@pytest.mark.parametrize(("total", "state"), [(0, "complete"), (1, "complete"), (2, "complete"), (3, "partial")])
def test_an_end_short_of_the_total_is_no_end(server: FhirServer, total: int, state: str) -> None:
    """A last page that counts more than came says that something was withheld, or that the server stops early."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    server.on("?page=2", {**bundle(observation(2)), "total": total})
    line, found = read(server)
    assert (line.state, found) == (state, [PATIENT, "o1", "o2"])
    assert line.reason == ("fewer entries than the Bundle's total" if state == "partial" else "")


def test_what_was_included_or_not_read_or_came_twice_is_not_missing(server: FhirServer) -> None:
    """HAPI counted what it included until 2025; a result that moved while pages were read stands on two."""
    unused = {"resourceType": "Device", "id": "d"}
    server.holds(laboratory=bundle(observation(1), unused, following="?page=2"))
    server.on("?page=2", {**bundle(observation(1), outcome=outcome("information")), "total": 3})
    line, _ = read(server)
    assert (line.state, line.count) == ("complete", 1)


@pytest.mark.parametrize("came", [[observation(1)], []])
def test_an_outcome_makes_up_for_nothing_that_is_missing(server: FhirServer, came: list[dict[str, Any]]) -> None:
    """It may be what says that a result was withheld."""
    server.holds(laboratory={**bundle(*came, outcome=outcome("warning")), "total": len(came) + 1})
    line, _ = read(server)
    assert (line.state, line.reason) == ("partial", "fewer entries than the Bundle's total")


FORBIDDEN = {"response": {"status": "403 Forbidden"}}


@pytest.mark.parametrize(
    ("entries", "count"), [([{}], 0), ([FORBIDDEN, {}], 0), ([{"resource": observation(1)}, FORBIDDEN], 1)]
)
@pytest.mark.parametrize("unreadable", [[], [{"resource": {"resourceType": "Device", "id": "d"}}]])
def test_an_entry_without_a_resource_is_missing(
    server: FhirServer, entries: list[Any], count: int, unreadable: list[Any]
) -> None:
    """A part of a batch that was refused, or what a filter has emptied: it is not known what was there."""
    server.holds(laboratory={**bundle(), "entry": [*entries, *unreadable]})
    line, _ = read(server)
    assert (line.state, line.count) == ("partial", count)
    assert line.reason == f"{len(entries) - count} entries without a resource"


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (bundle({"resourceType": "Encounter", "id": "e", "subject": {"reference": f"Patient/{PATIENT}"}}), 1),
        (bundle({"resourceType": "Device", "id": "d"}), 0),
        ({"resourceType": "Parameters"}, 0),
    ],
)
def test_an_answer_to_something_else_is_not_whole(server: FhirServer, answer: dict[str, Any], count: int) -> None:
    """Nothing of what was asked for, and something else: keys or queries were taken for each other."""
    server.holds(laboratory=answer)
    line, _ = read(server)
    assert (line.state, line.count, line.reason) == ("partial", count, "holds no Observation")


@pytest.mark.parametrize("last", [bundle(), {"resourceType": "Bundle", "type": "searchset", "total": 1}])
def test_an_empty_last_page_is_the_end(server: FhirServer, last: dict[str, Any]) -> None:
    """With an empty list of entries, or without one."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    server.on("?page=2", last)
    line, _ = read(server)
    assert (line.state, line.count) == ("complete", 1)


def test_what_stands_on_two_pages_counts_once(server: FhirServer) -> None:
    """A result that moved while the pages were read; of two versions both stay, and the newest will be taken."""
    changed = {**observation(2), "meta": {"versionId": "2"}}
    server.holds(laboratory=bundle(observation(1), observation(2), following="?page=2"))
    server.on("?page=2", bundle(observation(1), changed, observation(3)))
    line, found = read(server)
    assert (line.state, line.count) == ("complete", 4)
    assert found == [PATIENT, "o1", "o2", "o2", "o3"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (404, "refused with HTTP status 404"),
        (503, "refused with HTTP status 503"),
        (401, "refused with HTTP status 401"),
        (unreachable, "the server could not be reached"),
        (timed_out, "the server did not answer in time"),
        (lambda _: httpx.Response(200, text="<html>", headers={"content-type": "text/html"}), "no FHIR JSON"),
        (lambda _: httpx.Response(200, content=b'{"resourceType":"Bun', headers={"content-type": JSON}), "no FHIR"),
    ],
)
def test_a_lost_page_leaves_what_came_before(server: FhirServer, answer: Any, why: str) -> None:
    """The rest is missing, and the ledger says which page and why."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    server.on("?page=2", answer)
    line, found = read(server)
    assert (line.state, line.count, found) == ("partial", 1, [PATIENT, "o1"])
    assert line.reason.startswith("page 2 was lost: ")
    assert why in line.reason


def test_a_part_of_the_conditions_is_worse_than_none(server: FhirServer) -> None:
    """Whatever ends their pages early ends the call."""
    server.holds(conditions=bundle(observation(1), following="?page=2"))
    server.on("?page=2", 503)
    with pytest.raises(LostPageError, match="conditions: page 2 was lost"):
        gathered(server)
    server.on("?page=2", bundle(observation(2), following="?page=2"))
    with pytest.raises(LostPageError, match="conditions: its pages do not end"):
        gathered(server)
    server.holds(conditions=bundle(observation(1), following="https://attacker.example/r4?page=2"))
    with pytest.raises(LostPageError, match="leads away"):
        gathered(server)
    server.holds(conditions=bundle(*(observation(number) for number in range(5)), following="?page=2"))
    with pytest.raises(LostPageError, match="conditions: more than 5 entries"):
        gathered(server, entries=5)
    server.holds(conditions=outcome())
    with pytest.raises(NotFhirError, match="conditions: an OperationOutcome instead of an answer"):
        gathered(server)


class Expiring:
    """Answers the first page as often as asked, and says of the second that it is gone: so many times."""

    def __init__(self, server: FhirServer, key: str, times: int, kind: str = "Observation") -> None:
        self._gone = times
        self._kind = kind
        self.firsts = 0
        server.holds(**{key: self.first})
        server.on("?page=2", self.second)

    def first(self, _: httpx.Request) -> httpx.Response:
        self.firsts += 1
        return httpx.Response(200, json=bundle(self.one(1), following="?page=2"), headers={"content-type": JSON})

    def one(self, number: int) -> dict[str, Any]:
        return {**observation(number), "resourceType": self._kind, "status": "final"}

    def second(self, _: httpx.Request) -> httpx.Response:
        self._gone -= 1
        if self._gone >= 0:
            return httpx.Response(410, json=outcome(), headers={"content-type": JSON})
        return httpx.Response(200, json=bundle(self.one(2)), headers={"content-type": JSON})


def test_a_page_that_is_gone_begins_the_search_anew(server: FhirServer) -> None:
    """Once, and nothing counts twice; gone again it is lost."""
    expiring = Expiring(server, "laboratory", 1)
    line, found = read(server)
    assert (line.state, line.count, found, expiring.firsts) == ("complete", 2, [PATIENT, "o1", "o2"], 2)
    expiring = Expiring(server, "laboratory", 2)
    line, found = read(server)
    assert (line.state, line.reason) == ("partial", "page 2 was lost: refused with HTTP status 410")
    assert (found, expiring.firsts) == ([PATIENT, "o1"], 2)


def test_conditions_too_begin_anew(server: FhirServer) -> None:
    """A 410 is no reason to give up on what cannot be done without."""
    Expiring(server, "conditions", 1, "Condition")
    assert line_of(gathered(server), "conditions").state == "complete"


def test_a_prefetched_page_whose_rest_is_gone_is_searched_for(server: FhirServer) -> None:
    """The client's links may be older than ours; what it sent stays, and counts once."""
    Expiring(server, "laboratory", 1)
    record = gathered(server, full_prefetch(laboratory=bundle(observation(1), following="?page=2")))
    assert line_of(record, "laboratory").state == "complete"
    assert ids(record) == [PATIENT, "o1", "o2"]


@pytest.mark.parametrize("link", ["https://attacker.example/r4?page=2", "http://fhir.example/r4?page=2", "//x/?page=2"])
def test_a_link_that_leads_away_is_not_followed(server: FhirServer, link: str) -> None:
    """Its page is missing, and nobody but the server was asked."""
    server.holds(laboratory=bundle(observation(1), following=link))
    line, _ = read(server)
    assert (line.state, line.count) == ("partial", 1)
    assert line.reason == "the link to a further page leads away from the server"
    assert {request.url.host for request in server.requests} == {"fhir.example"}


def test_links_of_the_servers_public_name_are_read_from_its_address(server: FhirServer) -> None:
    """Where the site says so; then its references are this server's too. Another name stays foreign."""
    public = "https://public.example/fhir"
    own = {**observation(2), "subject": {"reference": f"{public}/Patient/{PATIENT}"}}
    server.holds(laboratory=bundle(observation(1), following=f"{public}?_getpages=a"))
    server.on(f"{BASE}/?_getpages=a", bundle(own, following=f"{public}/Observation?page=3"))
    server.on(f"{BASE}/Observation?page=3", bundle(observation(3), following="https://third.example/fhir?page=4"))
    record = gathered(server, public=public)
    line = line_of(record, "laboratory")
    assert (line.state, line.count) == ("partial", 3)
    assert line.reason == "the link to a further page leads away from the server"
    assert public in record.bases
    assert {request.url.host for request in server.requests} == {"fhir.example"}


@pytest.mark.parametrize(
    ("link", "read_from"),
    [
        ("https://public.example/fhir?_getpages=1", "http://hapi:8080/r4/?_getpages=1"),
        ("https://public.example/fhir/Observation?page=2", "http://hapi:8080/r4/Observation?page=2"),
        ("https://public.example:443/fhir/?a=1", "http://hapi:8080/r4/?a=1"),
        ("https://public.example.attacker.example/fhir?a=1", None),
        ("https://public.example/fhirx?a=1", None),
        ("https://public.example/fhir/../admin", None),
        ("https://public.example/other", None),
        ("http://hapi:8080/r4?page=2", "http://hapi:8080/r4?page=2"),
    ],
)
def test_a_public_name_is_compared_exactly(link: str, read_from: str | None) -> None:
    """Scheme, host, port and path; what does not fit stays as it is, and is foreign."""
    base = Base.parse("http://hapi:8080/r4")
    below = base.below(link, Base.parse("https://public.example/fhir"))
    assert base.resolve(below) == read_from


def test_pages_that_do_not_end_are_left(server: FhirServer) -> None:
    """A link that comes back, or ever more pages; after an empty page that link is the end (hapi-fhir#7711)."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    server.on("?page=2", bundle(observation(2), following="?page=2"))
    line, _ = read(server)
    assert (line.state, line.count, line.reason) == ("partial", 2, "its pages do not end")
    server.on("?page=2", bundle(following="?page=2"))
    line, _ = read(server)
    assert (line.state, line.count) == ("complete", 1)
    server.on("?page=2", bundle(observation(2), following="?page=3"))
    line, _ = read(server, pages=2)
    assert (line.state, line.count, line.reason) == ("partial", 2, "its pages do not end")


@pytest.mark.parametrize(("key", "which"), [("laboratory", "newest"), ("sequences", "first")])
def test_of_too_many_entries_the_first_are_read(server: FhirServer, key: str, which: str) -> None:
    """Where a search is sorted by date these are the newest."""
    server.holds(**{key: bundle(*(observation(number) for number in range(5)), following="?page=2")})
    line = line_of(gathered(server, entries=5), key)
    assert (line.state, line.count, line.reason) == ("partial", 5, f"only the {which} 5 entries were read")


def test_an_outcome_on_a_later_page_makes_the_answer_partial(server: FhirServer) -> None:
    """An error among the entries of any page says that something is missing; a hint does not."""
    server.holds(laboratory=bundle(observation(1), following="?page=2"))
    server.on("?page=2", bundle(observation(2), outcome=outcome("error")))
    line, _ = read(server)
    assert (line.state, line.count) == ("partial", 2)
    server.on("?page=2", bundle(observation(2), outcome=outcome("information")))
    line, _ = read(server)
    assert (line.state, line.count) == ("complete", 2)
