"""The served process under strace: where it connects to, seen from outside of it."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo.server import in_process, in_thread
from service.fhir.origin import Base, NotABaseError
from tests.integration.missing import missing
from tests.unit.service.far_end import HOOK, PATIENT, bundle, full_prefetch, hook_call, ledger_of, patient
from tests.unit.service.fhir.hostile import hostile_addresses

_CONNECT = re.compile(
    r"connect\(\d+, \{sa_family=(?P<family>\w+)"
    r'(?:, sin6?_port=htons\((?P<port>\d+)\).*?"(?P<address>[0-9a-fA-F:.]+)")?'
)
_NOT_THE_NETWORK = frozenset({"AF_UNIX", "AF_UNSPEC"})  # sockets of the file system; "disconnect"
# Libraries that report to their makers do not where the environment says CI: the process is to run as in a hospital.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
_WATCHED_SECONDS = 12.0  # onnxruntime's report came 4 s after the start, and again 6 s later


class FarEnd:
    """A FHIR server that links from every search to `following`."""

    def __init__(self) -> None:
        self.following = ""
        self.asked = 0
        self.app = Starlette(routes=[Route("/r4/{path:path}", self._answer)])

    async def _answer(self, request: Request) -> JSONResponse:
        self.asked += 1
        is_patient = request.url.path.endswith(f"/Patient/{PATIENT}")
        body: dict[str, Any] = patient() if is_patient else bundle(following=self.following)
        return JSONResponse(body, media_type="application/fhir+json")


@pytest.fixture
def strace(tmp_path: Path) -> str:
    """The program, where it is installed and may look into a process of its own."""
    program = shutil.which("strace")
    if program is None:
        missing("strace: not installed")
    tried = subprocess.run(
        [program, "-o", str(tmp_path / "tried"), "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        missing(f"strace: {tried.stderr.strip()}")
    return program


@contextmanager
def traced(strace: str, log: Path, fhir: str) -> Iterator[httpx.Client]:
    """`oncohooks serve` for one FHIR server, every connect() of all its threads written to the log."""
    inherited = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    settings = {
        "ONCOHOOKS_AUTH": "off",
        "ONCOHOOKS_FHIR": fhir,
        "ONCOHOOKS_DEADLINE_SECONDS": "20",
        "ONCOHOOKS_CACHE__KEPT_SECONDS": "0",  # every call is to read
    }
    serve = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", "0"]
    command = [
        strace,
        "-D",
        "-f",
        "-qq",
        "-e",
        "trace=connect",
        "-o",
        str(log),
        *serve,
    ]  # -D: signals reach the service
    with in_process(command, env={**inherited, **settings}, timeout=120.0) as running:
        base_url = re.search(r"http://[^\s/]+", running.base_url)
        assert base_url
        with httpx.Client(base_url=base_url[0], timeout=60.0, trust_env=False) as caller:
            yield caller


def connections(log: Path) -> list[tuple[str, int]]:
    """Address and port of every connection over a network; a family that cannot be read is one too."""
    found = [match for match in _CONNECT.finditer(log.read_text()) if match["family"] not in _NOT_THE_NETWORK]
    return [(match["address"] or match["family"], int(match["port"] or 0)) for match in found]


def hostile_to(base: Base) -> list[str]:
    """The hostile addresses, with this server in the place of the listed one."""
    texts = [address.replace("https://fhir.example", base.root) for _, address in hostile_addresses()]
    hostile = [text for text in dict.fromkeys(texts) if base.resolve(text) is None and not is_of(base, text)]
    assert len(hostile) >= 150
    return hostile


def is_of(base: Base, text: str) -> bool:
    try:
        return Base.parse(text) == base
    except NotABaseError:
        return False


def test_only_the_listed_server_is_connected_to(strace: str, tmp_path: Path) -> None:
    """The listed server's connection is seen; after 150 hostile servers and next links no other one is."""
    far, log = FarEnd(), tmp_path / "connect.log"
    with in_thread(far.app, path="/r4") as url:
        base = Base.parse(url)
        listed, hostile = ("127.0.0.1", base.port), hostile_to(base)
        with traced(strace, log, url) as caller:
            began = time.monotonic()
            assert caller.post(HOOK, json=hook_call(fhirServer=url)).status_code == 200
            assert far.asked > 0
            assert listed in connections(log)

            sent = full_prefetch()
            del sent["laboratory"]  # one search a call is enough
            stated = [caller.post(HOOK, json=hook_call(fhirServer=address)).status_code for address in hostile]
            assert set(stated) <= {400, 403}

            linked: list[dict[str, tuple[str, str]]] = []
            while len(linked) < len(hostile) or time.monotonic() < began + _WATCHED_SECONDS:
                far.following = hostile[len(linked) % len(hostile)]
                linked.append(ledger_of(caller.post(HOOK, json=hook_call(fhirServer=url, prefetch=sent))))
            assert {line["laboratory"] for line in linked} == {("search", "partial")}
    seen = connections(log)
    assert [one for one in seen if one != listed] == []
    assert len(seen) > 0
