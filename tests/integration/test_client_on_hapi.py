"""How a real HAPI takes what the client does: searches by POST, and the question what it offers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from service.fhir.client import FhirClient, open_http
from service.fhir.destinations import Destination
from service.fhir.origin import Base
from service.fhir.searching import Searching
from tests.integration.hapi_server import Hapi

_Found = TypeVar("_Found")
CODES = ",".join(f"{number}-{number % 10}" for number in range(1_000, 1_600))


def asking(hapi: Hapi, work: Callable[[FhirClient], Awaitable[_Found]], **options: Any) -> _Found:
    async def run() -> _Found:
        async with open_http(destinations=[Destination.of(hapi.base_url)]) as http:
            return await work(FhirClient(Base.parse(hapi.base_url), http, 60.0, 50_000_000, **options))

    return asyncio.run(run())


def test_a_search_by_post_finds_what_a_search_by_get_finds(hapi: Hapi) -> None:
    """The same patients; and an address that is too long for GET is no trouble."""

    async def work(client: FhirClient) -> list[Any]:
        found = msgspec.json.decode((await client.search("Patient?_count=5&_sort=_id")).body)
        return [entry["fullUrl"] for entry in found.get("entry", [])]

    assert asking(hapi, work) == asking(hapi, work, searching=Searching("post"))

    async def long(client: FhirClient) -> bytes:
        return (await client.search(f"Observation?patient=nobody-{len(CODES)}&code={CODES}")).body

    assert b'"searchset"' in asking(hapi, long)


def test_it_says_which_types_it_knows(hapi: Hapi) -> None:
    """The offer is read from its CapabilityStatement."""

    async def work(client: FhirClient) -> list[bool | None]:
        await client.learn_offer()
        return [client.supports(kind) for kind in ("Patient", "MolecularSequence", "Nonsense")]

    assert asking(hapi, work) == [True, True, False]
