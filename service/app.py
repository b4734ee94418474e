"""The composition root: settings in, application out. Everything is put together here and nowhere else."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI
from opentelemetry.sdk.trace import SpanProcessor
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from fhir_mappings.concepts import catalogue
from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import Query
from models.package import Package
from service import refusals
from service.cds_hooks.card_identity import IssuedCards
from service.cds_hooks.client_token import Client
from service.cds_hooks.clients import Register
from service.cds_hooks.described import components
from service.cds_hooks.feedback_routes import FeedbackService, feedback_routes
from service.cds_hooks.quiet_cards import QuietCards
from service.cds_hooks.routes import CdsService, cds_routes
from service.clock import Now, now
from service.emergency.described import emergency_components
from service.emergency.routes import EmergencyService, emergency_routes
from service.errors import SettingsError
from service.fhir.backend_services import BackendServices
from service.fhir.background import Background
from service.fhir.client import FhirClient, FhirServers, open_http, unmeasured
from service.fhir.credentials import Credentials, Password
from service.fhir.destinations import Destination
from service.fhir.gather import Reach
from service.fhir.health import Health
from service.fhir.origin import Base
from service.fhir.paging import Bounds
from service.fhir.record_cache import RecordCache
from service.fhir.scopes import searched_types
from service.fhir.searching import Searching
from service.fhir.signing_key import SigningKeyError, read_keys, signing_key
from service.fhir_settings import FhirServer
from service.lane import Lane
from service.probes import Readiness, model_routes, probe_routes
from service.refusals import Gate
from service.result_cache import Results
from service.scoring import scoring
from service.settings import Settings, State
from service.site_folder import use_site_folder
from service.site_queries import site_queries
from service.state.expiring import ExpiringStore, ProcessExpiring
from service.state.expiring_file import SqliteExpiring
from service.state.expiring_redis import RedisExpiring
from service.state.feedback import FeedbackStore, ProcessFeedback
from service.state.feedback_file import SqliteFeedback
from service.state.feedback_redis import RedisFeedback
from service.state.replay import FallingBack, ProcessReplay, RedisReplay, Replay, SqliteReplay
from service.state.site_key import SiteKey
from service.state.vault import Vault
from service.telemetry import Telemetry
from service.version import VERSION

_logger = logging.getLogger(__name__)


def destinations_of(settings: Settings) -> tuple[Destination, ...]:
    """Where this site's process may connect to with HTTP: what the settings name, and nothing that a call names."""
    return (
        *(Destination.of(address, server.ca_file) for server in settings.fhir for address in server.addresses),
        *(Destination.of(ehr.jwks_url, ehr.ca_file) for ehr in settings.client),
    )


def reach_of(settings: Settings, http: httpx.AsyncClient, telemetry: Telemetry | None = None) -> Reach:
    """How far this site's calls may go."""
    limits = settings.limits
    kinds = searched_types(site_queries(settings.restricted))
    healths: dict[str, Health] = {}
    clients: list[FhirClient] = []
    for number, server in enumerate(settings.fhir, 1):
        base, label = Base.parse(server.url), f"fhir-{number}"
        health = healths.setdefault(base.root, Health(limits.fhir_connections))
        clients.append(
            FhirClient(
                base,
                http,
                server.timeout_seconds,
                limits.fhir_body_bytes,
                server.version,
                credentials_of(server, http, kinds),
                health=health,
                searching=Searching(server.search, limits.fhir_address_characters),
                measured=telemetry.fhir_server(label, health.breaker) if telemetry else unmeasured,
            )
        )
    bounds = Bounds(limits.fhir_pages, limits.entries)
    public_names = {Base.parse(one.url): Base.parse(one.public_url) for one in settings.fhir if one.public_url}
    return Reach(
        FhirServers(clients),
        bounds,
        limits.fhir_concurrency,
        settings.deadline_seconds,
        settings.hard_deadline_seconds,
        public_names,
        most_sent=settings.cds_hooks_max_results,
    )


def credentials_of(server: FhirServer, http: httpx.AsyncClient, kinds: Sequence[str]) -> Credentials | None:
    """What the service shows this server, to read these types; None where it has only the tokens of calls.

    Raises SettingsError where key or password cannot be read: better at the start than at the first call.
    """
    if server.basic:
        return Password(server.basic.user, server.basic.secret)
    if server.backend is None:
        return None
    try:
        signing_key(read_keys(server.backend.key_file), server.backend.kid)
    except SigningKeyError as error:
        raise SettingsError(str(error)) from error
    return BackendServices(Base.parse(server.url), http, server.backend, server.timeout_seconds, kinds)


def kept_of(settings: Settings, key: SiteKey, clock: Now) -> Vault | None:
    """Where records and results are kept for minutes: Redis, one file, or this process; None where nothing is."""
    state = settings.state
    if not settings.cache.kept_seconds:
        return None
    store: ExpiringStore
    if state.redis is not None:
        store = RedisExpiring.at(state.redis.get_secret_value(), "oncohooks:kept:", 0.2)
    elif state.file:
        store = SqliteExpiring(opens(state.file), clock, "cached", tidy_seconds=60)
    else:
        store = ProcessExpiring(clock)
    return Vault(store, key)


def record_cache_of(settings: Settings, kept: Vault | None, clock: Now, telemetry: Telemetry) -> RecordCache | None:
    if kept is None:
        return None
    cache = settings.cache
    return RecordCache(
        kept, cache.fresh_seconds, cache.kept_seconds, telemetry.cached, shared=cache.shared, clock=clock
    )


def register_of(settings: Settings, http: httpx.AsyncClient, replay: Replay) -> Register | None:
    """The clients that may call; None where everyone may."""
    if settings.auth == "off":
        return None
    clients = [
        Client(
            issuer=ehr.issuer,
            jwks_url=ehr.jwks_url,
            tenants=ehr.tenants,
            longest_seconds=ehr.token_minutes * 60,
            label=label,
            dialect=ehr.dialect,
            links=tuple(Base.parse(address) for address in ehr.links),
            language=ehr.language,
            servers=tuple(Base.parse(address) for address in ehr.fhir),
        )
        for label, ehr in zip(settings.client_labels, settings.client, strict=True)
    ]
    return Register(clients, http, replay, settings.public_url or "")


def replay_of(state: State, alarm: Callable[[], None]) -> Replay:
    """The memory of used tokens: Redis, else one file, else this process."""
    if state.redis is not None:
        shared = RedisReplay.at(state.redis.get_secret_value())
        return FallingBack(shared, alarm) if state.when_redis_is_down == "process" else shared
    return SqliteReplay(opens(state.file)) if state.file else ProcessReplay()


def feedback_of(settings: Settings, clock: Now, patience: float = 0.2) -> FeedbackStore:
    """Where cards and feedback are kept: Redis (waited for no longer than `patience` s), one file, or this process."""
    state, days = settings.state, settings.feedback.days
    if state.redis is not None:
        return RedisFeedback.at(state.redis.get_secret_value(), clock, days, patience)
    return SqliteFeedback(opens(state.file), clock, days) if state.file else ProcessFeedback(clock, days)


def shown_of(settings: Settings, clock: Now, patience: float = 0.2) -> ExpiringStore:
    """Where it is remembered what was shown, if a rule asks for it: Redis, one file, or this process."""
    state = settings.state if settings.quiet.remembers else State()
    if state.redis is not None:
        return RedisExpiring.at(state.redis.get_secret_value(), "oncohooks:shown:", patience)
    return SqliteExpiring(opens(state.file), clock, "shown") if state.file else ProcessExpiring(clock)


def opens(file: Path) -> Path:
    """The file, if SQLite can write to it. Raises SettingsError, which is a line at the start and not a traceback."""
    try:
        with suppress(FileExistsError):  # what it holds is nobody else's: a key, and what clinicians wrote
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(file)) as database:
            database.execute("BEGIN IMMEDIATE")  # fails where the file cannot be written
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"state.file: {file}: {error}") from error
    return file


def create_app(
    settings: Settings,
    clock: Now = now,
    transport: httpx.AsyncBaseTransport | None = None,
    spans: SpanProcessor | None = None,
    package: Package | None = None,
) -> FastAPI:
    """The application.

    `transport` stands for the network (tests), `spans` receives the spans, `package` spares loading the one that the
    settings name. `app.state.readiness.draining` may be set when the process is told to end; `app.state.background` is
    what goes on after replies. Raises PackageError where the model package is not what its manifest says, OverlayError
    where the codes of the site cannot be read by.
    """
    use_site_folder(os.environ)
    package, asked = package or Package.load(settings.model, catalogue().schema), site_queries(settings.restricted)
    telemetry = Telemetry(spans)
    http = open_http(transport, destinations_of(settings), settings.limits.fhir_connections)
    background = Background()
    feedback = feedback_of(settings, clock)
    key = SiteKey(feedback, settings.state.key.get_secret_value() if settings.state.key else None)
    kept = kept_of(settings, key, clock)
    reach = msgspec.structs.replace(
        reach_of(settings, http, telemetry),
        cache=record_cache_of(settings, kept, clock, telemetry),
        background=background,
    )
    results = Results(kept, settings.cache.fresh_seconds, background, telemetry.result_cached)
    readiness = Readiness(settings, package, reach.servers)
    replay = replay_of(settings.state, telemetry.replay_memory_down)
    register = register_of(settings, http, replay)
    issued = IssuedCards(feedback, telemetry, clock, key)
    shown = shown_of(settings, clock)
    quiet = QuietCards(settings.quiet, shown, issued, telemetry)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for warning in settings.warnings():
            _logger.warning(warning)
        for client in reach.servers:
            if client.credentials:
                client.credentials.start()
        # fills the caches that the first call would wait for
        scoring(PatientRecord("0"), package, settings.moment).result()
        offers = asyncio.create_task(reach.servers.learn_offers())
        try:
            yield
        finally:
            readiness.draining = True
            offers.cancel()
            await asyncio.wait([offers])
            await background.close()
            await reach.servers.close()
            await http.aclose()
            if kept:
                await kept.close()
            await replay.close()
            await feedback.close()
            await shown.close()
            telemetry.close()

    app = FastAPI(
        # FastAPI's own spans and logs, on as soon as the process has a provider, hold addresses and exceptions
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        title="oncohooks",
        summary="Explained pan-cancer prognosis over CDS Hooks",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a client's token is for the address that it called, and good once
        middleware=[
            # outermost, so that a browser may read refusals too; without credentials, so that `*` gives nothing away
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=("GET", "POST", "OPTIONS"),
                allow_headers=("authorization", "content-type", "last-event-id"),
            ),
            Middleware(Gate, telemetry=telemetry, register=register),
            Middleware(Lane, limits=settings.limits, telemetry=telemetry),
        ],
    )
    app.state.readiness = readiness
    app.state.background = background
    refusals.install(app)
    hooks = CdsService(settings, package, reach, asked, results, issued, quiet, telemetry, clock)
    app.include_router(cds_routes(hooks))
    app.include_router(
        feedback_routes(
            FeedbackService(
                settings.feedback, hooks.ids, feedback, quiet, telemetry, clock, settings.limits.body_seconds
            )
        )
    )
    app.include_router(emergency_routes(EmergencyService(settings, package, reach, asked, telemetry, clock)))
    app.include_router(probe_routes(readiness, telemetry))
    app.include_router(model_routes(package))
    _describe(app, asked, with_tokens=settings.auth == "required")
    return app


def _describe(app: FastAPI, asked: Sequence[Query], *, with_tokens: bool) -> None:
    """Complete the OpenAPI document by the protocol's own schemas, and by who may call."""
    generate = app.openapi

    def described() -> dict[str, Any]:
        document = generate()
        document.setdefault("components", {}).setdefault("schemas", {}).update(
            {**components(asked), **emergency_components()}
        )
        if with_tokens:
            scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "docs/client-tokens.md"}
            document["components"]["securitySchemes"] = {"clientToken": scheme}
        for operation in (operation for path in document["paths"].values() for operation in path.values()):
            operation["responses"].pop("422", None)  # FastAPI's own; what is wrong with a call is 400 or 404 here
            if with_tokens and "401" in operation["responses"]:
                operation["security"] = [{"clientToken": []}]
        return document

    app.openapi = described  # type: ignore[method-assign]
