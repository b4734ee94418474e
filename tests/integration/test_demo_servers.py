"""Servers on a free port, in a thread and in a process of their own."""

import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from demo.server import ServerNotStartedError, in_process, in_thread

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def app() -> Starlette:
    return Starlette(routes=[Route("/", _hello)])


@asynccontextmanager
async def _cannot_start(_: Starlette) -> AsyncIterator[None]:
    raise RuntimeError("no model package")
    yield


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_thread_serves_as_long_as_it_is_needed() -> None:
    """An app answers on 127.0.0.1 within the context, and its port is closed behind it."""
    with in_thread(app()) as url:
        assert url.startswith("http://127.0.0.1:")
        assert httpx.get(url).text == "hello"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_two_threads_have_two_ports() -> None:
    """Servers side by side do not meet."""
    with in_thread(app(), path="/fhir") as first, in_thread(app()) as second:
        assert first.endswith("/fhir")
        assert httpx.get(first.removesuffix("/fhir")).text == httpx.get(second).text


def test_an_app_that_cannot_start_says_why() -> None:
    """A failing start-up is an error that quotes the log, at once."""
    began = time.monotonic()
    with (
        pytest.raises(ServerNotStartedError, match="no model package"),
        in_thread(Starlette(lifespan=_cannot_start)),
    ):
        pass
    assert time.monotonic() - began < 5


def test_the_endpoint_announces_itself_and_ends_when_told() -> None:
    """`python -m demo.fhir_endpoint` prints its base URL alone, serves the patients, and ends with its context."""
    with in_process([sys.executable, "-m", "demo.fhir_endpoint", "--port", "0"], cwd=ROOT) as server:
        assert server.base_url.endswith("/fhir")
        assert httpx.get(f"{server.base_url}/Patient/demo-lung").json()["id"] == "demo-lung"
        assert _is_alive(server.pid)
    assert not _is_alive(server.pid)


def test_any_app_by_name() -> None:
    """`python -m demo.server module:function` serves what the function gives."""
    command = [sys.executable, "-m", "demo.server", "tests.integration.test_demo_servers:app"]
    with in_process(command, cwd=ROOT) as server:
        assert httpx.get(server.base_url).text == "hello"
        os.kill(server.pid, signal.SIGTERM)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('out of memory')", "ended with 1\nout of memory"),
        ("import time; time.sleep(60)", "nothing was announced within 0.3 s"),
        ("print('http://127.0', end='', flush=True); import time; time.sleep(60)", "nothing was announced"),
    ],
)
def test_a_process_that_does_not_start_says_why(program: str, message: str) -> None:
    """A process that ends, hangs, or stops within its announcement is an error with its log, and is ended."""
    began = time.monotonic()
    timeout = 30.0 if "exit" in program else 0.3
    with (
        pytest.raises(ServerNotStartedError, match=message),
        in_process([sys.executable, "-c", program], timeout=timeout),
    ):
        pass
    assert time.monotonic() - began < 10
