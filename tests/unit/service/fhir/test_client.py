import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from service.errors import (
    AnswerTooLargeError,
    FhirError,
    NotFhirError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.exchange import Reply
from service.fhir.origin import Base
from tests.unit.service.far_end import BASE, JSON, FhirServer

HEADERS = {"content-type": JSON}


def read(transport: httpx.AsyncBaseTransport, address: str = "Patient/1", token: str = "", limit: int = 1_000) -> Reply:
    async def run() -> Reply:
        async with open_http(transport) as http:
            return await FhirClient(Base.parse(BASE), http, 5.0, limit).read(address, token)

    return asyncio.run(run())


def refusal(transport: httpx.AsyncBaseTransport, address: str = "Patient/1") -> FhirError:
    with pytest.raises(FhirError) as caught:
        read(transport, address)
    return caught.value


def answering(response: httpx.Response) -> FhirServer:
    server = FhirServer()
    server.on("Patient/1", lambda _: response)
    return server


def failing(error: Exception) -> FhirServer:
    server = FhirServer()

    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    server.on("Patient/1", fail)
    return server


def test_a_request_asks_for_plain_fresh_fhir_json(server: FhirServer) -> None:
    """A request asks for FHIR JSON, unpacked and past the server's search cache; without a token it carries none."""
    server.on("Patient/1", {"resourceType": "Patient"})
    assert read(server).body == b'{"resourceType": "Patient"}'
    (request,) = server.requests
    assert request.headers["accept"] == "application/fhir+json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["cache-control"] == "no-cache"
    assert "authorization" not in request.headers


def test_the_token_goes_with_the_request(server: FhirServer) -> None:
    """A token is sent as bearer, and only with the request that it was given for."""
    server.on("Patient/1", {"resourceType": "Patient"})
    read(server, token="abc")  # noqa: S106
    read(server)
    assert [request.headers.get("authorization") for request in server.requests] == ["Bearer abc", None]


def test_a_cookie_is_not_kept() -> None:
    """A session that the server opens for one call is not used for the next."""
    server = FhirServer()
    server.on("Patient/1", lambda _: httpx.Response(200, json={}, headers={**HEADERS, "set-cookie": "s=1; Path=/"}))

    async def run() -> None:
        async with open_http(server) as http:
            client = FhirClient(Base.parse(BASE), http, 5.0, 100)
            await client.read("Patient/1")
            await client.read("Patient/1")

    asyncio.run(run())
    assert "cookie" not in server.requests[1].headers


def test_a_redirect_is_not_followed() -> None:
    """A redirect is an answer with another status, wherever it leads."""
    server = answering(httpx.Response(302, headers={"location": f"{BASE}/Patient/2"}))
    error = refusal(server)
    assert isinstance(error, RefusedError)
    assert (error.status, len(server.requests)) == (302, 1)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(404, json={}), RefusedError),
        (httpx.Response(503, text="busy"), RefusedError),
        (httpx.Response(204), RefusedError),
        (httpx.Response(200, html="<html>login</html>"), NotFhirError),
        (httpx.Response(200, content=b"x", headers={"content-type": "application/fhir+xml"}), NotFhirError),
        (httpx.Response(200, content=b"x" * 1_001, headers=HEADERS), AnswerTooLargeError),
    ],
)
def test_an_answer_that_is_none_is_an_error(response: httpx.Response, kind: type[FhirError]) -> None:
    """Another status, another format, too much: each has its error."""
    assert type(refusal(answering(response))) is kind


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_an_answer_packed_in_an_unknown_way_is_refused_unread(encoding: str) -> None:
    """A server that packs although asked not to is unpacked only where that can be stopped."""

    async def never() -> AsyncIterator[bytes]:
        yield b""
        raise AssertionError

    packed = httpx.Response(200, content=never(), headers={**HEADERS, "content-encoding": encoding})
    assert isinstance(refusal(answering(packed)), NotFhirError)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate"])
def test_an_answer_packed_in_a_usual_way_is_read(encoding: str) -> None:
    """Some servers pack although asked for plain."""
    body = b'{"resourceType": "Patient"}'
    packed = zlib.compress(body) if encoding == "deflate" else gzip.compress(body)
    assert read(answering(sent(packed, encoding))).body == body


def test_a_packed_answer_counts_by_what_is_in_it() -> None:
    """The limit is that of the plain answer: a megabyte in a kilobyte is too large."""
    assert isinstance(refusal(answering(sent(gzip.compress(bytes(2**20)), "gzip"))), AnswerTooLargeError)


def test_a_packed_answer_that_is_cut_off_is_lost() -> None:
    """A truncated answer is told as one that was lost on the way."""
    error = refusal(answering(sent(gzip.compress(b"{}")[:-4], "gzip")))
    assert isinstance(error, UnreachableError)
    assert "ended before its end" in str(error)


def sent(body: bytes, encoding: str) -> httpx.Response:
    """A packed answer as it comes from the network: httpx would unpack one that is complete already."""

    async def parts() -> AsyncIterator[bytes]:
        yield body[:10]
        yield body[10:]

    return httpx.Response(200, content=parts(), headers={**HEADERS, "content-encoding": encoding})


def test_an_endless_answer_is_left() -> None:
    """Reading stops at the limit, however much more would come."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 100

    assert isinstance(refusal(answering(httpx.Response(200, content=endless(), headers=HEADERS))), AnswerTooLargeError)
    assert sent <= 12


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("canary"), UnreachableError),
        (httpx.ReadError("canary"), UnreachableError),
        (httpx.RemoteProtocolError("canary"), UnreachableError),
        (httpx.ConnectTimeout("canary"), TimedOutError),
        (httpx.ReadTimeout("canary"), TimedOutError),
        (httpx.PoolTimeout("canary"), TimedOutError),
    ],
)
def test_a_failing_connection_is_an_error_of_ours(error: Exception, kind: type[FhirError]) -> None:
    """Connection faults and timeouts become our errors, with their cause, without its message."""
    raised = refusal(failing(error))
    assert type(raised) is kind
    assert raised.__cause__ is error
    assert "canary" not in str(raised)


@pytest.mark.parametrize("base", ["http://[::1]:8080/fhir", "http://127.0.0.1:8080/fhir", "https://a-b.example/R4"])
def test_every_kind_of_base_can_be_called(server: FhirServer, base: str) -> None:
    """Names and addresses, IPv6 too, are called where they point to."""
    server.on(f"{base}/Patient/1", {"resourceType": "Patient"})

    async def run() -> None:
        async with open_http(server) as http:
            await FhirClient(Base.parse(base), http, 5.0, 100).read("Patient/1")

    asyncio.run(run())
    assert str(server.requests[0].url) == f"{base}/Patient/1"


@pytest.mark.parametrize("address", ["https://attacker.example/r4/Patient/1", "//attacker.example/", "../admin"])
def test_no_packet_leaves_for_another_origin(server: FhirServer, address: str) -> None:
    """An address outside of the base is refused before anything is sent."""
    assert isinstance(refusal(server, address), NotFhirError)
    assert server.requests == []


def test_only_listed_servers_have_a_client(server: FhirServer) -> None:
    """A stated server is found by its exact base, in any of its spellings, and no other is."""
    http = open_http(server)
    listed = FhirClient(Base.parse(BASE), http, 5.0, 100)
    servers = FhirServers([listed])
    assert servers.stated(BASE) is listed
    assert servers.stated("HTTPS://FHIR.EXAMPLE:443/r4/") is listed
    for other in (
        f"{BASE}/x",
        "http://fhir.example/r4",
        "https://fhir.example/r",
        "https://fhir.example.attacker/r4",
        "",
    ):
        assert servers.stated(other) is None
