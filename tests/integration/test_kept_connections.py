"""Connections that the server closes while they are kept open: no request of a client is lost by that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from service.errors import UnreachableError
from service.fhir.client import FhirClient, open_http
from service.fhir.destinations import Destination
from service.fhir.exchange import KEPT_TRIES, Reply
from service.fhir.health import Health
from service.fhir.origin import Base
from service.fhir.retrying import ATTEMPTS

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 2\r\n\r\n{}"
SEARCHES = 15  # a patient's, side by side: three times what the budget of retries has


class Server:
    """`hangs_up_on_kept`: a second request on a connection ends it, as where it crossed the server's closing."""

    def __init__(self) -> None:
        self.hangs_up_on_kept = False
        self.hangs_up_on_new = False
        self.hung_up = 0
        self.connections = 0
        self._all_asked = asyncio.Barrier(SEARCHES)
        self._serving: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def read_by(self) -> AsyncIterator[FhirClient]:
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0) as listening:
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
            async with open_http(destinations=[Destination.of(url)]) as http:
                yield FhirClient(Base.parse(url), http, 5.0, 1_000, health=Health())
            await asyncio.gather(*self._serving)

    async def side_by_side(self, client: FhirClient) -> list[Reply]:
        return await asyncio.gather(*(client.read(f"Observation?patient={number}") for number in range(SEARCHES)))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.append(task)
        is_kept = False
        while await _request(reader):
            if self.hangs_up_on_kept if is_kept else self.hangs_up_on_new:
                self.hung_up += 1
                break
            if not is_kept and self.connections <= SEARCHES:
                await self._all_asked.wait()  # so that each has a connection of its own
            writer.write(ANSWER)
            is_kept = True
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _request(reader: asyncio.StreamReader) -> bool:
    try:
        await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return True


def test_a_request_on_a_connection_that_was_just_closed_is_sent_again_at_once() -> None:
    """Fifteen searches meet fifteen dead connections: all are answered, and it says nothing of the server's health."""

    async def run() -> Server:
        server = Server()
        async with server.read_by() as client:
            await server.side_by_side(client)
            server.hangs_up_on_kept = True
            assert [reply.body for reply in await server.side_by_side(client)] == [b"{}"] * SEARCHES
            assert not client.health.breaker.is_open
        return server

    assert asyncio.run(run()).hung_up >= SEARCHES


def test_a_server_that_hangs_up_on_new_connections_is_tried_as_one_that_fails() -> None:
    """Nothing excuses the end of a connection that was opened for the request: no attempt is for nothing."""

    async def run() -> Server:
        server = Server()
        async with server.read_by() as client:
            server.hangs_up_on_new = True
            with pytest.raises(UnreachableError):
                await client.read("Patient/1")
        return server

    assert asyncio.run(run()).hung_up == ATTEMPTS


def test_a_server_that_dies_of_one_request_is_not_asked_on_every_connection() -> None:
    """It gets the request on a few of its kept connections, then it has failed."""

    async def run() -> Server:
        server = Server()
        async with server.read_by() as client:
            await server.side_by_side(client)
            server.hangs_up_on_kept = server.hangs_up_on_new = True
            with pytest.raises(UnreachableError):
                await client.read("Patient/1")
        return server

    assert asyncio.run(run()).hung_up <= ATTEMPTS * (KEPT_TRIES + 1)
