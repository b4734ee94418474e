"""Every address of hostile_addresses.txt in every place where one can reach the service: none is ever connected to.

A recording network backend counts the connections. It is shown first that it sees the listed server's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import pytest

from fhir_mappings.retrieval import queries
from service.app import create_app
from service.errors import LostPageError, NotFhirError
from service.fhir.client import FhirClient, open_http
from service.fhir.destinations import Destination
from service.fhir.origin import Base
from service.fhir.paging import Bounds, Search
from service.fhir.transport import PinnedTransport
from service.fhir_settings import FhirServer
from service.settings import Settings
from tests.unit.service.far_end import (
    BASE,
    PATIENT,
    Caller,
    bundle,
    full_prefetch,
    observation,
    patient,
    unlearned_package,
)
from tests.unit.service.fhir.hostile import hostile_addresses
from tests.unit.service.recorded_network import ADDRESS, RecordedNetwork, Respond, http_answer, one_address

LISTED = (ADDRESS, 443)
TOKEN = "canary-token"  # noqa: S105
LABORATORY = next(query for query in queries() if query.key == "laboratory")


HOSTILE = hostile_addresses()
CLASSES = sorted({kind for kind, _ in HOSTILE})


def of(kind: str) -> list[str]:
    return [address for one, address in HOSTILE if one == kind]


def transport(network: RecordedNetwork) -> PinnedTransport:
    """The real transport, on a network on which every name has an address and every address answers."""
    return PinnedTransport([Destination.of(BASE)], 5, None, one_address, network)


def answering(resource: dict[str, Any]) -> Respond:
    return lambda _address, _request: http_answer(msgspec.json.encode(resource))


def in_client(network: RecordedNetwork, work: Callable[[FhirClient], Awaitable[object]]) -> None:
    async def run() -> None:
        async with open_http(transport(network)) as http:
            await work(FhirClient(Base.parse(BASE), http, 5.0, 100_000))

    asyncio.run(run())


def calling(network: RecordedNetwork) -> Caller:
    settings = Settings(auth="off", fhir=(FhirServer(url=BASE),), deadline_seconds=20)
    return Caller(create_app(settings, transport=transport(network), package=unlearned_package()))


def test_there_are_enough_of_them() -> None:
    """At least 150 different addresses, of every class that the file names."""
    assert len({address for _, address in HOSTILE}) == len(HOSTILE) >= 150
    assert len(CLASSES) == 9


def test_the_network_sees_the_listed_server() -> None:
    """The counter of the other tests counts: each way leads to the listed server, and is seen."""
    network = RecordedNetwork(answering(bundle()))
    in_client(network, lambda client: client.read("Observation?patient=1"))
    assert network.connections == [LISTED]
    network = RecordedNetwork(answering(bundle()))
    in_client(network, lambda client: Search(client, LABORATORY, PATIENT, "", Bounds(5, 100), needed=True).read())
    assert network.connections == [LISTED]
    network = RecordedNetwork(answering(patient()))
    calling(network).hook(fhirServer=BASE)
    assert set(network.connections) == {LISTED}


@pytest.mark.parametrize("kind", CLASSES)
def test_as_fhir_server(kind: str) -> None:
    """A call that states it gets 403 or 400, and the server is not called with the call's token or without."""
    network = RecordedNetwork(answering(patient()))
    caller = calling(network)
    allowed = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
    statuses = {
        address: caller.hook(fhirServer=address, fhirAuthorization={**allowed, "patient": PATIENT}).status_code
        for address in of(kind)
    }
    assert {address: status for address, status in statuses.items() if status not in {400, 403}} == {}
    assert network.connections == []


@pytest.mark.parametrize("kind", CLASSES)
def test_as_next_link(kind: str) -> None:
    """A page that links to it is read, and the search then ends with an error, since the next page is lost."""
    pages = [msgspec.json.encode(bundle(observation(1), following=address)) for address in of(kind)]
    remaining = iter(pages)
    network = RecordedNetwork(lambda _address, _request: http_answer(next(remaining)))

    async def each(client: FhirClient) -> None:
        for _ in pages:
            with pytest.raises(LostPageError):
                await Search(client, LABORATORY, PATIENT, TOKEN, Bounds(5, 100), needed=True).read()

    in_client(network, each)
    assert list(remaining) == []
    assert network.connections == [LISTED]


@pytest.mark.parametrize("kind", CLASSES)
def test_as_absolute_reference(kind: str) -> None:
    """Reading it as a reference of the listed server's answer is refused before anything is sent."""
    network = RecordedNetwork()

    async def each(client: FhirClient) -> None:
        for address in of(kind):
            for reading in (client.read, client.search):
                with pytest.raises(NotFhirError):
                    await reading(address, TOKEN)

    in_client(network, each)
    assert network.connections == []


@pytest.mark.parametrize("kind", CLASSES)
def test_as_the_server_of_a_subject(kind: str) -> None:
    """A patient of the same id there is another patient: the values are not this one's, and nobody is asked."""
    network = RecordedNetwork()
    caller = calling(network)
    for address in of(kind):
        foreign = observation(1, subject=f"{address}/Patient/{PATIENT}")
        prefetch = full_prefetch(laboratory=bundle(foreign))
        response = caller.hook(fhirServer=BASE, prefetch=prefetch)
        (card,) = response.json()["cards"]
        assert "another patient" in card["summary"], address
    assert network.connections == []


@pytest.mark.parametrize("kind", CLASSES)
def test_past_all_checks(kind: str) -> None:
    """The transport itself, asked for it directly, connects to the listed server or not at all."""
    network = RecordedNetwork()

    async def each() -> None:
        async with open_http(transport(network)) as http:
            for address in of(kind):
                with suppress(httpx.HTTPError, httpx.InvalidURL, UnicodeError):
                    await http.get(address)

    asyncio.run(each())
    assert set(network.connections) <= {LISTED}
    assert set(network.names) <= {"fhir.example"}
