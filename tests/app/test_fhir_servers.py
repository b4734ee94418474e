"""What the app makes of the settings of its FHIR servers: where it may connect to, what it measures, what it learns."""

import asyncio
from typing import Any

import httpx

from fhir_mappings.retrieval import queries
from service.app import destinations_of, reach_of
from service.fhir.breaker import FAILURES
from service.fhir.capability import OFFER
from service.fhir.client import open_http
from service.fhir.destinations import Destination
from service.settings import Settings
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import BASE, Caller, FhirServer, meters

OTHER = "https://other.example/fhir"
CLIENT = {"issuer": "https://ehr.example", "jwks_url": "https://keys.example:8443/jwks"}


def settings(**options: Any) -> Settings:
    return Settings(**{"auth": "off", "fhir": [{"url": BASE}, {"url": OTHER}], **options})


def test_the_settings_say_where_to_connect_to() -> None:
    """To the FHIR servers and to where EHRs publish their keys."""
    assert destinations_of(settings(client=[CLIENT])) == (
        Destination("https", "fhir.example", 443),
        Destination("https", "other.example", 443),
        Destination("https", "keys.example", 8443),
    )


def test_servers_of_one_origin_share_its_health() -> None:
    """Two bases of one origin have one breaker and one limit; another origin has its own."""
    listed = [{"url": BASE}, {"url": f"{BASE}/tenant"}, {"url": OTHER}]
    one, same, other = reach_of(settings(fhir=listed), open_http(FhirServer())).servers
    assert one.health is same.health is not other.health


def test_a_long_search_is_posted(calling: MakeCaller, server: FhirServer) -> None:
    """The setting of the longest address, and that of the method, reach the requests."""
    server.holds()
    for options in ({"limits": {"fhir_address_characters": 1_000}}, {"fhir": [{"url": BASE, "search": "post"}]}):
        server.requests.clear()
        assert calling(**options).hook(fhirServer=BASE).status_code == 200
        assert f"{BASE}/Observation/_search" in {str(request.url) for request in server.requests}


def test_requests_are_timed_by_server_and_outcome(caller: Caller, server: FhirServer) -> None:
    """A server is a number, never an address; what came of it is a status or an error of ours."""
    server.holds(genetics=404)
    caller.hook(fhirServer=BASE)
    server.holds(**{query.key: lambda _: httpx.Response(200, html="<html>") for query in queries()})
    caller.hook(fhirServer=BASE)
    timed = meters(caller, "http_client_request_duration_seconds_count")
    assert timed["", "GET", "404", "fhir-1"] == 1
    assert timed["fhir-not-fhir", "GET", "", "fhir-1"] >= 1
    assert timed["", "GET", "200", "fhir-1"] >= 1
    assert "fhir.example" not in caller.get("/metrics").text


def test_a_server_that_is_left_alone_is_seen(calling: MakeCaller, server: FhirServer) -> None:
    """The meter of the breakers is 0, and 1 for the server that failed several times in a row."""
    caller = calling(fhir=[{"url": BASE}, {"url": OTHER}])
    assert meters(caller, "oncohooks_fhir_breaker") == {("fhir-1",): 0, ("fhir-2",): 0}
    server.holds(**{query.key: 503 for query in queries()})
    for _ in range(FAILURES):
        caller.hook(fhirServer=BASE)
    assert meters(caller, "oncohooks_fhir_breaker") == {("fhir-1",): 1, ("fhir-2",): 0}
    response = caller.hook(fhirServer=BASE)
    assert response.status_code == 502
    assert "not asked: it failed" in response.json()["issue"][0]["diagnostics"]


def test_a_server_that_never_answers_is_left_alone(calling: MakeCaller, server: FhirServer) -> None:
    """Where a call has as much time as a request may take, as by default, its silence is the server's, and counted."""
    server.seconds = 60.0
    caller = calling(fhir=[{"url": BASE, "timeout_seconds": 1.0}], deadline_seconds=0.05, hard_deadline_seconds=1.0)
    response = caller.hook(fhirServer=BASE)
    assert response.status_code == 504
    assert ": no answer within" in response.json()["issue"][0]["diagnostics"]
    assert meters(caller, "oncohooks_fhir_breaker") == {("fhir-1",): 1}
    timed = meters(caller, "http_client_request_duration_seconds_count")
    assert timed["fhir-timeout", "GET", "fhir-1"] >= FAILURES
    assert caller.hook(fhirServer=BASE).status_code == 502


def test_what_a_server_offers_is_read_beside_the_calls(calling: MakeCaller, server: FhirServer) -> None:
    """The started app asks each server once what it knows; nothing waits for it, and the end does not either."""
    asked = asyncio.Event()

    def stated(_: httpx.Request) -> httpx.Response:
        asked.set()
        return httpx.Response(200, json={"resourceType": "CapabilityStatement"})

    server.on(OFFER, stated)
    app = calling().app

    async def live() -> None:
        async with app.router.lifespan_context(app):
            assert server.requests == []
            await asked.wait()

    asyncio.run(live())
    assert [str(request.url) for request in server.requests] == [f"{BASE}/{OFFER}"]


def test_an_end_before_a_server_has_answered(calling: MakeCaller, server: FhirServer) -> None:
    """A server that does not say what it offers does not hold up the end."""
    server.seconds = 60.0
    app = calling().app

    async def live() -> None:
        async with app.router.lifespan_context(app):
            while not server.requests:  # noqa: ASYNC110 - the far end has no event
                await asyncio.sleep(0)

    asyncio.run(live())
    assert server.running == 0
