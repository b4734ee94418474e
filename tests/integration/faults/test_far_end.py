"""The scripted far end is faithful until it is told otherwise."""

import gzip
import ssl
import zlib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_mappings.retrieval import queries
from tests.integration.faults import fhir_faults as faults
from tests.integration.faults.certificates import EXPIRED_ALERT, Authority
from tests.integration.faults.far_end import FarEnd, asks_for
from tests.integration.faults.proxy import FaultProxy
from tests.integration.faults.row import EVERY
from tests.integration.faults.serving import serving

PATIENT, PAGE = "demo-lung", 3
URLS = {query.key: query.url(PATIENT) for query in queries()}


@pytest.fixture
def far() -> FarEnd:
    return FarEnd(PATIENT, PAGE)


@pytest.fixture
def client(far: FarEnd) -> Iterator[httpx.Client]:
    with serving(far) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}/fhir/") as client:
        yield client


def pages(client: httpx.Client, key: str, most: int = 30) -> list[dict[str, Any]]:
    """All pages of a query, to the last or as many as that."""
    found: list[dict[str, Any]] = []
    url: str | None = URLS[key]
    while url and len(found) < most:
        found.append(client.get(url).json())
        url = next((link["url"] for link in found[-1].get("link", ()) if link["relation"] == "next"), None)
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [entry["resource"]["id"] for page in found for entry in page.get("entry", ())]


def test_every_query_is_known_and_answered(far: FarEnd, client: httpx.Client) -> None:
    """Each by its own key, further pages included, and by POST too; conditions and laboratory have several pages."""
    for key in URLS:
        far.asked.clear()
        found = pages(client, key)
        assert far.asked == {key: len(found)}
        assert len(set(ids(found))) == len(ids(found))
        assert (len(found) > 1) or key not in {"conditions", "laboratory"}
    path, _, searched = URLS["laboratory"].partition("?")
    form = {"content-type": "application/x-www-form-urlencoded"}
    posted = client.post(f"{path}/_search", content=searched, headers=form).json()
    assert ids([posted]) == ids(pages(client, "laboratory", 1))


def test_a_request_is_told_by_its_bytes(far: FarEnd) -> None:
    """As the proxy sees it."""
    requests = {key: f"GET /fhir/{url} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for key, url in URLS.items()}
    for key in URLS:
        assert [other for other, request in requests.items() if asks_for(key, far.patient)(request)] == [key]


def test_a_fault_comes_at_its_page_so_many_times(far: FarEnd, client: httpx.Client) -> None:
    """Before and after, and for other queries, the server is faithful."""
    far.on("conditions", faults.status(429, lambda: "7"), page=2, times=1)
    first, second = pages(client, "conditions", 2)
    assert (first["resourceType"], second["resourceType"]) == ("Bundle", "OperationOutcome")
    assert len(pages(client, "conditions")) > 1
    assert far.arrived == {"conditions": 1}
    far.on(EVERY, faults.status(503))
    assert client.get(URLS["laboratory"]).status_code == 503
    far.lift()
    assert client.get(URLS["laboratory"]).status_code == 200


def test_packed_answers_are_packed(far: FarEnd, client: httpx.Client) -> None:
    """Half an answer cannot be unpacked; the bomb is a thousand times larger than it looks."""
    far.on("laboratory", faults.truncated_gzip)
    with client.stream("GET", URLS["laboratory"]) as response, pytest.raises(EOFError):
        gzip.decompress(b"".join(response.iter_raw()))
    far.on("laboratory", faults.gzip_bomb)
    with client.stream("GET", URLS["laboratory"]) as response:
        packed = b"".join(response.iter_raw())
    assert zlib.decompressobj(wbits=31).decompress(packed, 1_000) == b" " * 1_000
    assert len(packed) * 900 < int.from_bytes(packed[-4:], "little") == 200 * 2**20


def test_pages_repeat_and_do_not_end(far: FarEnd, client: httpx.Client) -> None:
    """A page twice leaves nothing out; an endless search never gives an address twice."""
    whole = ids(pages(client, "laboratory"))
    far.on("laboratory", faults.duplicate_page())
    repeated = ids(pages(client, "laboratory"))
    assert len(repeated) > len(whole)
    assert set(repeated) == set(whole)
    far.on("laboratory", faults.endless_next())
    endless = pages(client, "laboratory")
    links = [link["url"] for page in endless for link in page["link"] if link["relation"] == "next"]
    assert len(set(links)) == len(links) == 30


def test_nothing_of_a_wrong_patient_is_the_right_ones(far: FarEnd, client: httpx.Client) -> None:
    """Neither the Patient nor what refers to one."""
    far.on(EVERY, faults.wrong_patient)
    assert client.get(URLS["patient"]).json()["id"] == faults.OTHER
    assert PATIENT not in str([entry["resource"]["subject"] for entry in pages(client, "conditions")[0]["entry"]])


def test_its_clock_may_be_wrong(far: FarEnd, client: httpx.Client) -> None:
    """By whatever the test says."""
    far.date = faults.http_date(days=4_000)
    stated = client.get(URLS["patient"]).headers["date"]
    assert (parsedate_to_datetime(stated) - parsedate_to_datetime(faults.http_date())).days >= 3_999


def test_an_expired_certificate_is_noticed_by_whoever_trusts_the_authority(tmp_path: Path, far: FarEnd) -> None:
    """The alert goes through the proxy; with the valid certificate the same client is answered."""
    authority = Authority(tmp_path)
    with serving(far, authority.expired()) as server, FaultProxy(server.port).running() as proxy:
        proxy.watched = (EXPIRED_ALERT,)
        url = f"https://127.0.0.1:{proxy.port}/fhir/{URLS['patient']}"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, verify=authority.trusting())
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, verify=ssl.create_default_context())
        assert proxy.seen[EXPIRED_ALERT] == 1
        server.shows(authority.valid())
        assert httpx.get(url, verify=authority.trusting()).status_code == 200
