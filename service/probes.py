"""What operations asks: alive, ready, started, the meters; and what model scores here.

Only the model and draining decide readiness. Other dependencies are named with their state: were they to decide, one
outage of the FHIR server would take every replica out of service, and with it the answers that explain the outage.
"""

import asyncio
from time import monotonic
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from fhir_mappings.concepts import VERSION, catalogue
from models.package import Package
from service.errors import FhirError
from service.fhir.capability import STATEMENT
from service.fhir.client import FhirClient, FhirServers
from service.settings import Settings
from service.telemetry import CONTENT_TYPE, Telemetry

_PING_SECONDS = 0.8  # a probe usually waits a second
_PING_KEPT_SECONDS = 15.0


class Readiness:
    """Whether calls should be sent here. `draining` is set when the process is told to end."""

    def __init__(self, settings: Settings, package: Package, servers: FhirServers) -> None:
        self.draining = False
        self._settings = settings
        self._package = package
        self._servers = servers
        self._pinged = -_PING_KEPT_SECONDS
        self._states: dict[str, dict[str, str]] = {}
        self._pinging = asyncio.Lock()

    async def body(self) -> dict[str, Any]:
        """The state as JSON; servers are numbered as in site.toml, since a public answer should not hold addresses."""
        model = {"status": "up", "name": self._package.name, "version": self._package.version}
        fhir = await self._fhir()  # first: the process may be told to end meanwhile
        return {
            "status": "draining" if self.draining else "ready",
            "auth": self._settings.auth,
            "clock": self._settings.clock,
            "demonstration": self._settings.demonstration,
            "shadow": self._settings.quiet.shadow,
            "dependencies": {"model": {**model, "digest": self._package.digest}, **fhir},
        }

    async def _fhir(self) -> dict[str, dict[str, str]]:
        async with self._pinging:
            if monotonic() - self._pinged >= _PING_KEPT_SECONDS:
                servers = list(self._servers)
                states = await asyncio.gather(*(_ping(server) for server in servers))
                self._states = {f"fhir {number}": {"status": state} for number, state in enumerate(states, 1)}
                self._pinged = monotonic()
            return self._states


async def _ping(server: FhirClient) -> str:
    try:
        async with asyncio.timeout(_PING_SECONDS):
            await server.read(STATEMENT)
    except TimeoutError:
        return "down: no answer in time"
    except FhirError as error:
        return f"down: {error.category}"
    return "up"


def _model(package: Package) -> dict[str, Any]:
    """What scores here, as the manifest states it."""
    manifest, source = package.manifest, catalogue()
    settings = {
        key: {
            "timeZero": setting.time_zero,
            "trained": len(setting.trained),
            "members": setting.members,
            "cohorts": [
                {
                    "name": cohort.name,
                    "patients": cohort.patients,
                    "deaths": cohort.deaths,
                    "source": cohort.source,
                    "licence": cohort.licence,
                    "attribution": cohort.attribution,
                }
                for cohort in setting.cohorts
            ],
        }
        for key, setting in manifest.settings.items()
    }
    return {
        "name": package.name,
        "version": package.version,
        "digest": package.digest,
        "synthetic": manifest.synthetic,
        "parameters": manifest.parameters,
        "mapping": {
            "version": VERSION,
            "digest": source.digest,
            **({"site": source.site.digest} if source.site.codes else {}),
        },
        "settings": settings,
        "intendedUse": "Research use. Not a medical device; not for decisions about treatment.",
    }


def probe_routes(readiness: Readiness, telemetry: Telemetry) -> APIRouter:
    """The probes answer HEAD too: some load balancers ask for no more."""
    router = APIRouter(tags=["operations"])

    @router.head("/livez", include_in_schema=False)
    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """The process runs and answers."""
        return {"status": "alive"}

    @router.head("/startupz", include_in_schema=False)
    @router.get("/startupz")
    async def startupz() -> dict[str, str]:
        """The model is loaded; nothing answers before it is."""
        return {"status": "started"}

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", responses={503: {"description": "draining"}})
    async def readyz() -> JSONResponse:
        """Whether calls should be sent here, with every dependency by name."""
        return JSONResponse(await readiness.body(), 503 if readiness.draining else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Requests, outcomes and stage times for Prometheus."""
        return Response(telemetry.exposition(), media_type=CONTENT_TYPE)

    return router


def model_routes(package: Package) -> APIRouter:
    router = APIRouter(tags=["model"])
    described = _model(package)

    @router.get("/model")
    async def model() -> JSONResponse:
        """What model scores here: version, digest, what it was trained on and under which licences."""
        return JSONResponse(described)

    @router.get(
        "/model/card",
        response_class=Response,
        responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
    )
    async def model_card() -> Response:
        """The model card, Markdown."""
        return Response(package.card, media_type="text/markdown; charset=utf-8")

    return router
