"""The end of the process: told to end under load, and killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from demo.server import Running
from tests.integration.faults.far_end import FarEnd
from tests.integration.faults.process import Site, site
from tests.integration.faults.proxy import HOST, Fault, FaultProxy
from tests.integration.faults.serving import serving
from tests.unit.service.far_end import HOOK, full_prefetch, hook_call

BODY = json.dumps(hook_call(prefetch=full_prefetch())).encode()
GRACE_SECONDS = 1 + 5  # deadline_seconds of these tests, and what `serve` adds to the longest reading
OPEN_TO_ALL = {"ONCOHOOKS_AUTH": "off", "ONCOHOOKS_DEADLINE_SECONDS": "1"}


class Upload:
    """A call whose body is still on its way: the service has taken it on and waits."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=20)
        head = f"POST {HOOK} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
        self._socket.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert self._socket.recv(1_000).startswith(b"HTTP/1.1 100 Continue")

    def finished(self) -> bytes:
        """The whole answer."""
        with self._socket as connection:
            connection.sendall(BODY)
            answer = b""
            while chunk := connection.recv(65_536):
                answer += chunk
        return answer


def wait_until(holds: Callable[[], bool]) -> None:
    """Fails after twenty seconds."""
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.005)


class Load:
    """Calls of several clients, again and again until the service hangs up. `broken` counts calls without an answer."""

    def __init__(self, call: Callable[[httpx.Client], httpx.Response]) -> None:
        self.statuses: list[int] = []
        self.broken = 0
        self._call = call

    @contextmanager
    def running(self, clients: int) -> Iterator["Load"]:
        threads = [threading.Thread(target=self._calls, daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(self.statuses) >= 5 * clients)
        yield self
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()

    def _calls(self) -> None:
        with httpx.Client(timeout=20) as client:
            while True:
                try:
                    answer = self._call(client)
                except httpx.ConnectError:
                    return
                except httpx.TransportError:
                    self.broken += 1
                    return
                assert answer.json()["cards"]
                self.statuses.append(answer.status_code)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def on_kept_connections(here: Site) -> Callable[[httpx.Client], httpx.Response]:
    return lambda client: client.post(here.url + HOOK, content=BODY, headers={"content-type": "application/json"})


def refuses(port: int) -> bool:
    """Whether nothing listens there, within ten seconds."""
    for _ in range(1_000):
        with socket.socket() as asking:
            if asking.connect_ex((HOST, port)) != 0:
                return True
        time.sleep(0.01)
    return False


def test_told_to_end_under_load_it_answers_what_it_has_taken_on(here: Site) -> None:
    """Every accepted call gets its card, nobody gets an error, and the process ends within its grace."""
    with here.served(**OPEN_TO_ALL) as running:
        uploads = [Upload(here.port) for _ in range(8)]
        with Load(on_kept_connections(here)).running(4) as load:
            process = psutil.Process(running.pid)
            process.send_signal(signal.SIGTERM)
            assert refuses(here.port)
            assert process.is_running()
            with ThreadPoolExecutor(8) as together:
                answers = list(together.map(Upload.finished, uploads))
        assert process.wait(GRACE_SECONDS) in {0, -signal.SIGTERM}
    assert all(answer.startswith(b"HTTP/1.1 200 ") and b'"cards":[{' in answer for answer in answers)
    assert set(load.statuses) == {200}


def test_told_to_end_it_is_not_ready(here: Site) -> None:
    """A probe that is under way when the process is told to end says so, by status and by body."""
    with serving(FarEnd("demo-lung", 200)) as far, FaultProxy(far.port).running() as proxy:
        proxy.inflict(Fault("silent"))
        with here.served(**OPEN_TO_ALL, ONCOHOOKS_FHIR=f"http://{HOST}:{proxy.port}/fhir") as running:
            with ThreadPoolExecutor(1) as aside:
                probe = aside.submit(here.caller.get, f"{here.url}/readyz")
                wait_until(lambda: proxy.arrived["silent"] > 0)
                os.kill(running.pid, signal.SIGTERM)
                answer = probe.result()
            assert (answer.status_code, answer.json()["status"]) == (503, "draining")


def killed(running: Running) -> None:
    process = psutil.Process(running.pid)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL


def test_killed_under_load_it_goes_on_where_it_was(here: Site) -> None:
    """A new process on its file knows used tokens, the card by its uuid, and the feedback of both lives."""
    used = here.fresh()
    with here.served() as running, Load(lambda _: here.call()).running(3) as load:
        card = here.call(used).json()["cards"][0]["uuid"]
        assert here.feedback(card).status_code == 200
        killed(running)
    assert set(load.statuses) == {200}
    with here.served():
        assert here.call(used).status_code == 401
        metrics = here.caller.get(f"{here.url}/metrics").text
        assert 'oncohooks_not_admitted_total{reason="replayed"} 1.0' in metrics
        assert here.call().json()["cards"][0]["uuid"] == card
        assert here.feedback(card).status_code == 200
    command = [sys.executable, "-m", "service.cli", "feedback", "report", "--json"]
    environment = {"PATH": "/usr/bin:/bin", "ONCOHOOKS_SITE": str(here.folder)}
    told = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert (told["total"]["cards"], told["total"]["accepted"]) == (1, 2)
