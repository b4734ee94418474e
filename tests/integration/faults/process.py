"""`oncohooks serve` as a process of its own that a test may end, stop, or take the disc away from."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.load import free_port
from demo.server import Running, in_process, in_thread
from tests.integration.faults.row import Told
from tests.unit.service.cds_hooks.ehr import ISSUER, claims, elliptic, jwk, token
from tests.unit.service.far_end import HOOK, PATIENT, full_prefetch, hook_call, patient

_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class Site:
    """A registered EHR, its key server, and one state file, whatever process serves just now."""

    def __init__(self, folder: Path, keys: str, caller: httpx.Client) -> None:
        self.folder = folder
        self.caller = caller
        self.state = folder / "state.sqlite"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        client = f'[[client]]\nissuer = "{ISSUER}"\njwks_url = "{keys}/jwks.json"\n'
        folder.joinpath("site.toml").write_text(f'public_url = "{self.url}"\n{client}[state]\nfile = "{self.state}"\n')

    @contextmanager
    def served(self, **environment: str) -> Iterator[Running]:
        command = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        given = {"PATH": "/usr/bin:/bin", "ONCOHOOKS_SITE": str(self.folder), **environment}
        with in_process(command, env=given) as running:
            yield running

    def fresh(self, path: str = HOOK) -> str:
        """A token that was never used."""
        now = time.time()
        return token(claims(aud=self.url + path, iat=now, exp=now + 300))

    def call(self, by: str = "", of: str = PATIENT) -> httpx.Response:
        """For a patient of whom nothing but age and sex is known."""
        context = {"userId": "Practitioner/1", "patientId": of}
        call = hook_call(prefetch=full_prefetch(patient=patient(of)), context=context)
        return self._post(HOOK, by or self.fresh(), call)

    def feedback(self, card: str) -> httpx.Response:
        path = f"{HOOK}/feedback"
        entry = {"card": card, "outcome": "accepted", "outcomeTimestamp": datetime.now(UTC).isoformat()}
        accepted = {**entry, "acceptedSuggestions": [{"id": "a"}]}
        return self._post(path, self.fresh(path), {"feedback": [accepted]})

    def _post(self, path: str, by: str, body: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {by}"}
        return self.caller.post(self.url + path, json=body, headers=headers)


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    async def keys(_: object) -> JSONResponse:
        return JSONResponse({"keys": [jwk(elliptic())]})

    with in_thread(Starlette(routes=[Route("/jwks.json", keys)])) as url, httpx.Client(timeout=30) as caller:
        yield Site(folder, url, caller)


class FileLaboratory:
    """A round is a call and feedback on its card, of a patient who is new: a card of today is kept already."""

    def __init__(self, site: Site, pid: int) -> None:
        self.site = site
        self._pid = pid
        self._wal = site.state.with_name(f"{site.state.name}-wal")
        self._limit: int | None = None
        self._patients = 0

    def calls(self) -> list[Told]:
        self._patients += 1
        first = self.site.call(of=f"patient-{self._patients}")
        cards: list[Any] = first.json()["cards"] if first.status_code == 200 else []
        return [Told.by(first), Told.by(self.site.feedback(cards[0]["uuid"] if cards else "none"))]

    def metrics(self) -> str:
        return self.site.caller.get(f"{self.site.url}/metrics").text

    def fill_the_disc(self) -> None:
        """For this process: no file of its may grow beyond what the state file's log has now."""
        self._limit = self._wal.stat().st_size
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (self._limit, resource.RLIM_INFINITY))

    @property
    def is_full(self) -> bool:
        """Whether nothing was written since."""
        return self._wal.stat().st_size == self._limit

    def lift(self) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, _UNLIMITED)


@contextmanager
def file_laboratory(folder: Path) -> Iterator[FileLaboratory]:
    """Everyone may call."""
    with site(folder) as here, here.served(ONCOHOOKS_AUTH="off") as running:
        yield FileLaboratory(here, running.pid)


@contextmanager
def admitting_laboratory(folder: Path) -> Iterator[FileLaboratory]:
    """Only those whose token was not used before."""
    with site(folder) as here, here.served() as running:
        yield FileLaboratory(here, running.pid)
