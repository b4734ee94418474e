"""Runs servers for the demonstration and the tests: on 127.0.0.1, on a free port, for as long as they are needed.

Every one announces itself in the same way: its base URL, alone on the first line of standard output, once it answers.
"""

import argparse
import logging
import select
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp
from uvicorn.importer import import_from_string

HOST = "127.0.0.1"
_STOP_SECONDS = 15.0
_LOG_TAIL = 4_000  # characters of a log that an error quotes


class ServerNotStartedError(RuntimeError):
    """A server ended, or said nothing, before it was ready; the message quotes its log."""


class Running(NamedTuple):
    """A server in a process of its own. `log` is its standard error, there until it is stopped."""

    base_url: str
    pid: int
    log: Path


@contextmanager
def in_thread(app: ASGIApp, *, path: str = "", timeout: float = 30.0) -> Iterator[str]:
    """Serve an app from a thread of this process; gives its base URL (`path` is appended to the origin).

    Raises ServerNotStartedError where it does not start within `timeout` seconds.
    """
    listener = _listener(0)
    answered = threading.Event()
    server = _Server(app, answered.set)
    log = _Log()

    def run() -> None:
        try:
            with suppress(SystemExit):  # how uvicorn ends where the app does not start; its log says why
                server.run(sockets=[listener])
        finally:
            listener.close()
            answered.set()

    thread = threading.Thread(target=run, name="demo-server", daemon=True)
    with log.of("uvicorn.error"):
        thread.start()
        answered.wait(timeout)
    try:
        if not server.started:
            raise ServerNotStartedError(f"the app did not start within {timeout:g} s\n{log.text}")
        yield _url(listener, path)
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS)


@contextmanager
def in_process(
    command: Sequence[str], *, timeout: float = 30.0, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Running]:
    """Start a command that announces itself, and stop it at the end, however that comes about.

    Its standard input stays open for as long as it should run: a server may watch it, to end with a test run that was
    killed. Raises ServerNotStartedError, with the last of its standard error, where it announces nothing in time.
    """
    with tempfile.TemporaryDirectory(prefix="oncohooks-") as folder:
        log = Path(folder) / "stderr.log"
        with (
            log.open("wb") as errors,
            subprocess.Popen(  # noqa: S603 - the caller's own command
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,  # what select() sees is all there is
                env=None if env is None else dict(env),
                cwd=cwd,
            ) as process,
        ):
            try:
                yield Running(_announced(process, log, timeout), process.pid, log)
            finally:
                _stop(process)


def announce(app: ASGIApp, *, port: int = 0, path: str = "") -> None:
    """Serve an app until SIGTERM or Ctrl-C; print its base URL once it answers, exit with a failure if it cannot."""
    listener = _listener(port)
    url = _url(listener, path)
    server = _Server(app, lambda: print(url, flush=True))
    logging.basicConfig(level=logging.WARNING)  # to standard error: the first line of standard output is the URL
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(1)


class _Server(uvicorn.Server):
    """uvicorn that says when it answers, rather than being asked again and again."""

    def __init__(self, app: ASGIApp, on_started: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=3))
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._on_started()


class _Log(logging.Handler):
    """What a logger said while it was watched."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        logger = logging.getLogger(name)
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)[-_LOG_TAIL:]


def _listener(port: int) -> socket.socket:
    """A bound socket: the port is ours from here on, so no other process can take it before the server starts."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener


def _url(listener: socket.socket, path: str) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}{path}"


def _announced(process: subprocess.Popen[bytes], log: Path, timeout: float) -> str:
    """The first line of standard output. Reads what is there only, so that the deadline holds."""
    assert process.stdout is not None  # noqa: S101 - asked for above
    deadline = time.monotonic() + timeout
    said = b""
    while b"\n" not in said:
        readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            raise _not_started(f"nothing was announced within {timeout:g} s", log)
        chunk = process.stdout.read(4096)
        if not chunk:
            raise _not_started(f"the server ended with {process.wait(_STOP_SECONDS)}", log)
        said += chunk
    return said.split(b"\n", 1)[0].decode().strip()


def _not_started(what: str, log: Path) -> ServerNotStartedError:
    return ServerNotStartedError(f"{what}\n{log.read_text(errors='replace')[-_LOG_TAIL:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.server", description="Serve one ASGI app on 127.0.0.1.")
    parser.add_argument("factory", help="module:function that takes nothing and gives the app")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--path", default="", help="what the announced address has behind the origin")
    options = parser.parse_args()
    announce(import_from_string(options.factory)(), port=options.port, path=options.path)


if __name__ == "__main__":
    main()
