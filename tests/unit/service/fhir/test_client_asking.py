"""How a FhirClient asks: again, by POST, within a deadline, not at all; and what it measures and learns."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from service.errors import FhirError, NotAskedError, RefusedError, TimedOutError, UnreachableError
from service.fhir.breaker import FAILURES, Breaker
from service.fhir.capability import OFFER
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.health import Health
from service.fhir.origin import Base
from service.fhir.retrying import ATTEMPTS
from service.fhir.searching import Searching
from tests.unit.service.far_end import BASE, JSON, bundle
from tests.unit.service.skipping_loop import run_skipping

HEADERS = {"content-type": JSON}
SEARCH = "Observation?patient=1&code=718-7,2345-7&_include=MedicationRequest:medication"
STATED = {
    "resourceType": "CapabilityStatement",
    "rest": [
        {"mode": "client", "resource": [{"type": "MolecularSequence"}]},
        {"mode": "server", "resource": [{"type": "Patient", "interaction": [{"code": "read"}]}, {}]},
    ],
}
Answering = Callable[[httpx.Request], httpx.Response | float | Exception]


class FarEnd(httpx.AsyncBaseTransport):
    """Answers with what `answering` gives: a response, an error, or a pause of so many seconds and then a Bundle."""

    def __init__(self, answering: Answering) -> None:
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self._answering = answering

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(await request.aread())
        answer = self._answering(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return httpx.Response(200, json=bundle(), headers=HEADERS)
        return answer


def in_turn(*answers: httpx.Response | float | Exception) -> Answering:
    remaining = iter(answers)
    return lambda _: next(remaining)


def always(answer: httpx.Response | float | Exception) -> Answering:
    return lambda _: answer


def status(code: int, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, json=bundle(), headers={**HEADERS, **named})


def asking(far: FarEnd, work: Callable[[FhirClient], Coroutine[Any, Any, Any]], **options: Any) -> float:
    """Let a client of this far end work; gives the moment at which it was done, in a time that begins with 0."""

    async def run() -> float:
        async with open_http(far) as http:
            await work(FhirClient(Base.parse(BASE), http, 5.0, 100_000, **options))
        return asyncio.get_running_loop().time()

    return run_skipping(run())


class TestAgain:
    @pytest.mark.parametrize(
        "failure",
        [
            status(429), status(502), status(503), status(504), httpx.ConnectError("x"), httpx.ReadError("x"),
            httpx.WriteError("x"), httpx.RemoteProtocolError("x"),
        ],
        ids=str,
    )  # fmt: skip
    def test_what_may_pass_is_asked_again(self, failure: httpx.Response | Exception) -> None:
        """Busy, no connection, a connection that was reset before an answer: the next answer counts."""
        far = FarEnd(in_turn(failure, status(200)))
        asking(far, lambda client: client.read("Patient/1", "abc"))
        assert [request.headers["authorization"] for request in far.requests] == ["Bearer abc"] * 2

    @pytest.mark.parametrize(
        "failure",
        [
            status(400), status(401), status(403), status(404), status(410), status(500), status(501), status(302),
            httpx.ReadTimeout("x"), httpx.ConnectTimeout("x"), httpx.LocalProtocolError("x"),
        ],
        ids=str,
    )  # fmt: skip
    def test_what_does_not_pass_is_asked_once(self, failure: httpx.Response | Exception) -> None:
        """A refusal, an answer that took too long, a request that cannot be sent."""
        far = FarEnd(always(failure))
        with pytest.raises(FhirError):
            asking(far, lambda client: client.read("Patient/1"))
        assert len(far.requests) == 1

    def test_a_certificate_that_is_refused_is_refused_again(self) -> None:
        """So it is not tried again, and the reason is told."""
        refused = ssl.SSLCertVerificationError("refused")
        refused.verify_message = "certificate has expired"
        error = httpx.ConnectError("x")
        error.__cause__ = refused
        far = FarEnd(always(error))
        with pytest.raises(UnreachableError, match="its certificate is refused: certificate has expired"):
            asking(far, lambda client: client.read("Patient/1"))
        assert len(far.requests) == 1

    def test_an_answer_that_breaks_off_is_lost(self) -> None:
        """A connection that is reset within an answer is not tried again: what came was an answer."""

        async def half() -> Any:
            yield b"{"
            raise httpx.ReadError("reset")

        far = FarEnd(always(httpx.Response(200, content=half(), headers=HEADERS)))
        with pytest.raises(UnreachableError):
            asking(far, lambda client: client.read("Patient/1"))
        assert len(far.requests) == 1

    def test_a_wait_that_the_server_asks_for_is_kept(self) -> None:
        """Retry-After, in seconds or as a date beside the server's own, is waited for."""
        date = "Wed, 21 Oct 2026 07:28:00 GMT"
        for busy in (status(503, retry_after="4"), status(429, retry_after=date.replace("00 G", "04 G"), date=date)):
            far = FarEnd(in_turn(busy, status(200)))
            assert 4.0 <= asking(far, lambda client: client.read("Patient/1")) < 4.1

    def test_a_server_that_stays_busy_is_told_as_such(self) -> None:
        """After three attempts the status is raised."""
        far = FarEnd(always(status(503)))

        async def work(client: FhirClient) -> None:
            with pytest.raises(RefusedError) as caught:
                await client.read("Patient/1")
            assert caught.value.status == 503

        asking(far, work)
        assert len(far.requests) == ATTEMPTS


class TestDeadline:
    def test_an_attempt_ends_with_the_servers_time(self) -> None:
        """Nothing of an answer is waited for longer than the settings say, however slowly it comes."""

        async def slowly() -> Any:
            for _ in range(1_000):
                await asyncio.sleep(1.0)
                yield b" "

        far = FarEnd(always(httpx.Response(200, content=slowly(), headers=HEADERS)))

        async def work(client: FhirClient) -> None:
            with pytest.raises(TimedOutError, match="no answer within 5 s"):
                await client.read("Patient/1")

        assert asking(far, work) == pytest.approx(5.0)

    def test_an_attempt_ends_with_the_callers_deadline(self) -> None:
        """Where less time is left, that is the limit."""

        async def work(client: FhirClient) -> None:
            with pytest.raises(TimedOutError, match=r"no answer within 0\.45 s"):
                await client.read("Patient/1", until=0.45)

        assert asking(FarEnd(always(60.0)), work) == pytest.approx(0.45)

    def test_after_the_deadline_nothing_is_asked(self) -> None:
        """A request whose deadline has passed is not sent."""
        far = FarEnd(always(status(200)))

        async def work(client: FhirClient) -> None:
            await asyncio.sleep(1.0)
            with pytest.raises(TimedOutError):
                await client.read("Patient/1", until=0.5)

        asking(far, work)
        assert far.requests == []

    def test_no_retry_goes_beyond_the_deadline(self) -> None:
        """A busy server that wants a minute is told as busy at once."""
        far = FarEnd(always(status(503, retry_after="1")))

        async def work(client: FhirClient) -> None:
            with pytest.raises(RefusedError):
                await client.read("Patient/1", until=0.45)

        assert asking(far, work) == 0.0
        assert len(far.requests) == 1


class TestBreaker:
    def test_a_server_that_is_down_is_left_alone(self) -> None:
        """After some failures no request is sent, whatever is asked for, until one is answered again."""
        down = True
        far = FarEnd(lambda _: httpx.ConnectError("x") if down else status(200))

        async def work(client: FhirClient) -> None:
            nonlocal down
            for _ in range(FAILURES):
                with suppress(UnreachableError):
                    await client.read("Patient/1")
            sent = len(far.requests)
            with pytest.raises(UnreachableError, match=f"not asked: it failed {FAILURES} times in a row"):
                await client.search(SEARCH)
            assert len(far.requests) == sent
            down = False
            await asyncio.sleep(5.0)
            await client.read("Patient/1")
            assert not client.health.breaker.is_open

        asking(far, work)

    def test_requests_that_are_given_up_are_no_failures(self) -> None:
        """Neither a cancelled call nor one with little time opens it."""

        async def work(client: FhirClient) -> None:
            for _ in range(FAILURES):
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await client.read("Patient/1")
                with suppress(TimedOutError):
                    await client.read("Patient/1", until=asyncio.get_running_loop().time() + 0.1)
            assert not client.health.breaker.is_open

        asking(FarEnd(always(60.0)), work, health=Health(1, Breaker(failures=1)))

    def test_a_probe_that_is_given_up_leaves_the_next_one(self) -> None:
        """The breaker does not wait for the answer to a cancelled request."""
        answers = in_turn(httpx.ReadTimeout("x"), 60.0, status(200))

        async def work(client: FhirClient) -> None:
            with suppress(TimedOutError):
                await client.read("Patient/1")
            await asyncio.sleep(5.0)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.read("Patient/1")
            await client.read("Patient/1")
            assert not client.health.breaker.is_open

        asking(FarEnd(answers), work, health=Health(1, Breaker(failures=1)))

    def test_searches_beside_the_probe_wait_for_it(self) -> None:
        """They learn what it learns: failing at once, they would end the call, and with it the probe."""
        answers = in_turn(httpx.ReadTimeout("x"), *(status(200) for _ in range(20)))

        async def work(client: FhirClient) -> None:
            with suppress(TimedOutError):
                await client.read("Patient/1")
            await asyncio.sleep(5.0)
            await asyncio.gather(*(client.read(f"Patient/{number}") for number in range(20)))
            assert not client.health.breaker.is_open

        asking(FarEnd(answers), work, health=Health(4, Breaker(failures=1)))

    def test_where_the_probe_fails_those_who_waited_fail(self) -> None:
        """The server is asked once, not by all of them."""
        far = FarEnd(in_turn(httpx.ReadTimeout("x"), httpx.ReadTimeout("x")))

        async def work(client: FhirClient) -> None:
            with suppress(TimedOutError):
                await client.read("Patient/1")
            await asyncio.sleep(5.0)
            told = await asyncio.gather(*(client.read("Patient/1") for _ in range(9)), return_exceptions=True)
            assert [type(one) for one in told] == [TimedOutError, *[NotAskedError] * 8]

        asking(far, work, health=Health(4, Breaker(failures=1)))
        assert len(far.requests) == 2


class TestSearch:
    def test_a_search_is_a_get(self) -> None:
        """As long as its address is not too long."""
        far = FarEnd(always(status(200)))
        asking(far, lambda client: client.search(SEARCH))
        assert [(request.method, str(request.url)) for request in far.requests] == [("GET", f"{BASE}/{SEARCH}")]

    @pytest.mark.parametrize("searching", [Searching("post"), Searching("auto", 50)])
    def test_a_search_may_be_a_post(self, searching: Searching) -> None:
        """Then the parameters are a form, and everything else is as with GET."""
        far = FarEnd(always(status(200)))
        asking(far, lambda client: client.search(SEARCH, "abc"), searching=searching)
        (request,) = far.requests
        assert (request.method, str(request.url)) == ("POST", f"{BASE}/Observation/_search")
        assert parse_qsl(far.bodies[0].decode()) == parse_qsl(SEARCH.partition("?")[2])
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["cache-control"] == "no-cache"
        assert request.headers["authorization"] == "Bearer abc"

    def test_a_search_by_post_is_a_read(self) -> None:
        """It is tried again like any other, with its parameters."""
        far = FarEnd(in_turn(status(503), status(200)))
        asking(far, lambda client: client.search(SEARCH), searching=Searching("post"))
        assert far.bodies[0] == far.bodies[1] != b""

    @pytest.mark.parametrize("code", [405, 414])
    def test_a_server_that_refuses_get_gets_post(self, code: int) -> None:
        """At once, and from then on."""
        far = FarEnd(lambda request: status(code if request.method == "GET" else 200))

        async def work(client: FhirClient) -> None:
            await client.search(SEARCH)
            await client.search(SEARCH)

        asking(far, work)
        assert [request.method for request in far.requests] == ["GET", "POST", "POST"]

    def test_a_server_without_post_search_gets_get(self) -> None:
        """A long address is better than no search."""
        far = FarEnd(lambda request: status(501 if request.method == "POST" else 200))

        async def work(client: FhirClient) -> None:
            await client.search(SEARCH)
            await client.search(SEARCH)

        asking(far, work, searching=Searching("auto", 50))
        assert [request.method for request in far.requests] == ["POST", "GET", "GET"]

    def test_a_read_is_never_a_post(self) -> None:
        """What has no parameters, and what is a link of the server, is read as it stands."""
        far = FarEnd(always(status(200)))

        async def work(client: FhirClient) -> None:
            await client.search("Patient/1")
            await client.read("?_getpages=1")

        asking(far, work, searching=Searching("post"))
        assert [request.method for request in far.requests] == ["GET", "GET"]


class TestOffer:
    def learnt(self, *answers: httpx.Response | Exception) -> tuple[bool | None, bool | None, float]:
        """Whether Patient and MolecularSequence are offered, and when that was known."""
        far = FarEnd(in_turn(*answers))
        found: list[bool | None] = []

        async def work(client: FhirClient) -> None:
            assert client.supports("Patient") is None
            await FhirServers([client]).learn_offers()
            found.extend(client.supports(kind) for kind in ("Patient", "MolecularSequence"))

        moment = asking(far, work)
        assert {str(request.url) for request in far.requests} == {f"{BASE}/{OFFER}"}
        return found[0], found[1], moment

    def test_the_types_that_a_server_knows_are_read(self) -> None:
        """From what it says of itself as a server."""
        assert self.learnt(httpx.Response(200, json=STATED, headers=HEADERS)) == (True, False, 0.0)

    @pytest.mark.parametrize(
        "answer",
        [
            status(401), status(404), status(500), status(200),
            httpx.Response(200, json={"resourceType": "CapabilityStatement"}, headers=HEADERS),
            httpx.Response(200, json={"resourceType": "CapabilityStatement", "rest": 1}, headers=HEADERS),
            httpx.Response(200, html="<html>"),
            httpx.Response(200, content=b'{"contact":' + b"[" * 50_000, headers=HEADERS),
            httpx.Response(200, content=b'{"fhirVersion":"\xff"}', headers=HEADERS),
        ],
    )  # fmt: skip
    def test_a_server_that_does_not_say_is_asked_for_everything(self, answer: httpx.Response) -> None:
        """A refusal, something else, a statement without types: nothing is known, and that is tolerated."""
        assert self.learnt(answer) == (None, None, 0.0)

    def test_a_statement_that_is_nested_too_deep_states_no_version(self) -> None:
        """A call that asks because of it goes on with the version that it had."""
        far = FarEnd(in_turn(httpx.Response(200, content=b'{"contact":' + b"[" * 50_000, headers=HEADERS)))

        async def work(client: FhirClient) -> None:
            assert await client.learn_version() == "R4"

        asking(far, work)

    def test_a_version_that_comes_late_serves_the_next_call(self) -> None:
        """Who cannot wait goes on with the version that it had, and the question with its own."""
        stated = httpx.Response(200, json={**STATED, "fhirVersion": "5.0.0"}, headers=HEADERS)
        far = FarEnd(in_turn(status(503, retry_after="2"), stated))

        async def work(client: FhirClient) -> None:
            now = asyncio.get_running_loop().time
            assert await client.learn_version(now() + 0.5) == "R4"
            assert now() == pytest.approx(0.5, abs=0.01)
            assert await client.learn_version() == "R5"

        asking(far, work)
        assert len(far.requests) == 2

    def test_a_server_that_is_down_is_asked_again_in_a_minute(self) -> None:
        """Until it answers."""
        stated = httpx.Response(200, json=STATED, headers=HEADERS)
        timeout, busy = httpx.ReadTimeout("x"), [status(503)] * ATTEMPTS
        patient, sequences, moment = self.learnt(timeout, *busy, stated)
        assert (patient, sequences) == (True, False)
        assert 120.0 <= moment < 121.0


class TestMeasured:
    @pytest.mark.parametrize(
        ("answer", "outcome", "seconds"),
        [
            (status(200), 200, 0.0), (2.0, 200, 2.0), (status(404), 404, 0.0), (60.0, "fhir-timeout", 5.0),
            (httpx.ReadTimeout("x"), "fhir-timeout", 0.0), (httpx.Response(200, html=""), "fhir-not-fhir", 0.0),
            (httpx.Response(200, content=b"x" * 100_001, headers=HEADERS), "fhir-too-large", 0.0),
        ],
    )  # fmt: skip
    def test_every_request_is_measured(
        self, answer: httpx.Response | float | Exception, outcome: int | str, seconds: float
    ) -> None:
        """By method, what came of it, and how long it took."""
        measured: list[tuple[str, int | str, float]] = []

        async def work(client: FhirClient) -> None:
            with suppress(FhirError):
                await client.read("Patient/1")

        asking(FarEnd(always(answer)), work, measured=lambda *what: measured.append(what))
        assert [(method, what) for method, what, _ in measured] == [("GET", outcome)]
        assert measured[0][2] == pytest.approx(seconds)

    def test_every_attempt_is_measured(self) -> None:
        """Also those that are tried again, and those that are given up."""
        outcomes: list[int | str] = []

        async def work(client: FhirClient) -> None:
            await client.read("Patient/1")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.read("Patient/1")

        far = FarEnd(in_turn(httpx.ConnectError("x"), status(503), status(200), 60.0))
        asking(far, work, measured=lambda _, outcome, __: outcomes.append(outcome))
        assert outcomes == ["fhir-unreachable", 503, 200, "cancelled"]
