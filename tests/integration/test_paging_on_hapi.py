"""What HAPI does with pages, and that a record is whole all the same."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fhir_mappings.record import PatientRecord, Retrieval
from fhir_mappings.retrieval import queries
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.gather import PatientCall, Reach, whole
from service.fhir.origin import Base
from service.fhir.paging import Bounds
from tests.integration.hapi_server import Hapi

PATIENT = f"paged-{uuid4()}"
RESULTS = 450  # three pages of 200


class Network(httpx.AsyncHTTPTransport):
    """The real one, which counts pages and may replace the id of a kept search: HAPI then knows none of that name."""

    def __init__(self, *, forgotten: int = 0, public: str = "", base: str = "") -> None:
        super().__init__()
        self.statuses: list[int] = []
        self._forgotten = forgotten
        self._public, self._base = public, base

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_page = "_getpages=" in str(request.url)
        if is_page and self._forgotten:
            self._forgotten -= 1
            request.url = httpx.URL(re.sub(r"_getpages=[^&]*", f"_getpages={uuid4()}", str(request.url)))
        response = await super().handle_async_request(request)
        if is_page:
            self.statuses.append(response.status_code)
        if not self._public:
            return response
        body = (await response.aread()).replace(self._base.encode(), self._public.encode())
        return httpx.Response(response.status_code, headers={"content-type": "application/fhir+json"}, content=body)


@pytest.fixture(scope="module")
def base(hapi: Hapi) -> str:
    """A patient with more results than two pages hold."""
    results: list[dict[str, Any]] = [
        {
            "resourceType": "Observation",
            "id": f"{PATIENT}-{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
            "subject": {"reference": f"Patient/{PATIENT}"},
            "effectiveDateTime": f"20{number // 28 // 12 + 10}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}",
        }
        for number in range(RESULTS)
    ]
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in [{"resourceType": "Patient", "id": PATIENT}, *results]
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    httpx.post(hapi.base_url, json=bundle, timeout=120, trust_env=False).raise_for_status()
    hapi.loaded["paged"] = len(entries)
    return hapi.base_url


def read(base: str, network: Network, public: str = "") -> tuple[PatientRecord, Retrieval]:
    async def run() -> PatientRecord:
        async with open_http(network) as http:
            address = Base.parse(base)
            servers = FhirServers([FhirClient(address, http, 60.0, 50_000_000)])
            names = {address: Base.parse(public)} if public else {}
            reach = Reach(servers, Bounds(20, 5_000), 4, 120.0, 120.0, names)
            return await whole(PatientCall(PATIENT, base), reach, queries())

    record = asyncio.run(run())
    (line,) = [line for line in record.retrieval if line.key == "laboratory"]
    return record, line


def check_whole(record: PatientRecord, line: Retrieval) -> None:
    ids = [entry.resource.id for entry in record.entries]
    assert (line.state, line.count) == ("complete", RESULTS)
    assert len(ids) == len(set(ids)) == RESULTS + 1


def test_a_search_that_hapi_forgot_begins_anew(base: str) -> None:
    """It answers 410, as for a search of more than an hour ago; every result is there once."""
    network = Network(forgotten=1)
    check_whole(*read(base, network))
    assert network.statuses == [410, 200, 200]


def test_a_search_that_hapi_forgets_twice_is_partial(base: str) -> None:
    """The first page stays, and the ledger says which is lost."""
    _, line = read(base, Network(forgotten=2))
    assert (line.state, line.count, line.reason) == ("partial", 200, "page 2 was lost: refused with HTTP status 410")


def test_hapi_behind_a_proxy_names_itself_otherwise(base: str) -> None:
    """Its links are read from its address where the site names the public one, and are not followed else."""
    public = "https://public.example/fhir"
    check_whole(*read(base, Network(public=public, base=base), public))
    _, line = read(base, Network(public=public, base=base))
    assert (line.state, line.count) == ("partial", 200)
    assert line.reason == "the link to a further page leads away from the server"
