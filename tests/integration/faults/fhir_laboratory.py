"""The service before a FHIR server that lies, with a proxy between them. The patient is read by searches only."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.server import in_thread
from fhir_mappings.concepts import catalogue
from models.package import Package
from service.app import create_app
from service.cache_settings import Cache
from service.fhir_settings import FhirServer
from service.limits import Limits
from service.quiet_settings import RestrictedRecords
from service.settings import Settings, State
from tests.integration.faults.certificates import Authority
from tests.integration.faults.far_end import FarEnd
from tests.integration.faults.proxy import HOST, FaultProxy
from tests.integration.faults.row import Told
from tests.integration.faults.serving import Serving, serving
from tests.unit.service.far_end import HOOK, hook_call

PATIENT = "demo-lung"
PAGE = 5  # conditions have two pages, laboratory nine
TRY_SECONDS, DEADLINE_SECONDS = 1.5, 3.0
LATE = 60.0  # seconds; whoever waits for that has no limit
_NOTHING_KEPT = Cache(fresh_seconds=0, kept_seconds=0)
_KEPT_FOR_OUTAGES = Cache(fresh_seconds=0)
_ANY = "https://hospital.example/objections|no-decision-support"
_OBJECTIONS = RestrictedRecords(flags=(_ANY,), consents=(_ANY,))
_LIMITS = Limits(fhir_pages=20, fhir_body_bytes=2**20)


Lab = TypeVar("Lab", bound="FhirLaboratory")


class FhirLaboratory:
    """`canary` is a port that nobody may be sent to."""

    def __init__(
        self, far: FarEnd, proxy: FaultProxy, canary: FaultProxy, server: Serving, caller: httpx.Client
    ) -> None:
        self.far = far
        self.proxy = proxy
        self.canary = canary
        self.server = server
        self.caller = caller
        self.authority: Authority | None = None
        self.service = ""

    @property
    def fhir(self) -> str:
        return f"{'https' if self.authority else 'http'}://{HOST}:{self.proxy.port}/fhir"

    @property
    def queries_asked(self) -> int:
        """Whatever else the service asks, as what the server can do, is left out."""
        return sum(count for key, count in self.far.asked.items() if key)

    def calls(self) -> list[Told]:
        answer = self.caller.post(self.service + HOOK, json=self._call())
        if answer.status_code != 200:
            assert PATIENT not in answer.text
        return [Told.by(answer)]

    def metrics(self) -> str:
        return self.caller.get(f"{self.service}/metrics").text

    def lift(self) -> None:
        self.far.lift()
        self.proxy.lift()
        if self.authority is not None:
            self.server.shows(self.authority.valid())

    def forget(self) -> None:
        """Count from nought what is asked and what arrives."""
        for count in (self.far.asked, self.far.arrived, self.proxy.arrived, self.canary.arrived):
            count.clear()
        self.proxy.connections = self.canary.connections = 0

    def _call(self) -> Mapping[str, Any]:
        return hook_call(fhirServer=self.fhir, context={"userId": "Practitioner/1", "patientId": PATIENT})


@contextmanager
def fhir_laboratory(folder: Path) -> Iterator[FhirLaboratory]:  # noqa: ARG001 - a laboratory's place is one for all
    """Nothing is kept between calls, so that each meets the server."""
    with laboratory_of(FhirLaboratory) as laboratory:
        yield laboratory


@contextmanager
def keeping_laboratory(folder: Path) -> Iterator[FhirLaboratory]:  # noqa: ARG001
    """The server is asked in every call; what it answered before stands in where it fails."""
    with laboratory_of(FhirLaboratory, cache=_KEPT_FOR_OUTAGES) as laboratory:
        yield laboratory


@contextmanager
def asking_laboratory(folder: Path) -> Iterator[FhirLaboratory]:  # noqa: ARG001
    """Nothing is kept, and flags and consents are asked for, of which this patient has none."""
    with laboratory_of(FhirLaboratory, restricted=_OBJECTIONS) as laboratory:
        yield laboratory


@contextmanager
def keeping_asking_laboratory(folder: Path) -> Iterator[FhirLaboratory]:  # noqa: ARG001
    """The same, and what the server answered before is kept."""
    with laboratory_of(FhirLaboratory, cache=_KEPT_FOR_OUTAGES, restricted=_OBJECTIONS) as laboratory:
        yield laboratory


@contextmanager
def tls_laboratory(folder: Path) -> Iterator[FhirLaboratory]:
    """The same with an authority of the site's own; the far end's certificate is valid at first."""
    with laboratory_of(FhirLaboratory, Authority(folder)) as laboratory:
        yield laboratory


@contextmanager
def laboratory_of(
    kind: type[Lab],
    authority: Authority | None = None,
    cache: Cache = _NOTHING_KEPT,
    state: State | None = None,
    restricted: RestrictedRecords = RestrictedRecords(),  # noqa: B008 - frozen
) -> Iterator[Lab]:
    far = FarEnd(PATIENT, PAGE)
    with ExitStack() as stack:
        server = stack.enter_context(serving(far, authority.valid() if authority else None))
        proxy = stack.enter_context(FaultProxy(server.port).running())
        canary = stack.enter_context(FaultProxy(server.port).running())
        caller = stack.enter_context(httpx.Client(timeout=30))
        laboratory = kind(far, proxy, canary, server, caller)
        laboratory.authority = authority
        ca_file = authority.file if authority else None
        listed = FhirServer(url=laboratory.fhir, timeout_seconds=TRY_SECONDS, ca_file=ca_file)
        settings = Settings(
            auth="off",
            fhir=(listed,),
            deadline_seconds=DEADLINE_SECONDS,
            hard_deadline_seconds=DEADLINE_SECONDS,
            limits=_LIMITS,
            cache=cache,
            state=state or State(),
            restricted=restricted,
        )
        laboratory.service = stack.enter_context(in_thread(_made_there(settings)))
        yield laboratory


def _made_there(settings: Settings) -> ASGIApp:
    """The app, put together by the thread that serves it: SQLite wants that."""
    app = functools.cache(lambda: create_app(settings, package=shipped()))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await app()(scope, receive, send)

    return serve


@functools.cache
def shipped() -> Package:
    return Package.load(Settings(auth="off").model, catalogue().schema)
