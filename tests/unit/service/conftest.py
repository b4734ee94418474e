"""The app of the service's tests: no socket, no environment, a FHIR server that fails the test if asked unforeseen."""

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from service.app import create_app
from service.clock import now
from service.settings import Settings
from tests.unit.service.far_end import BASE, Caller, FhirServer, unlearned_package

MakeCaller = Callable[..., Caller]
UNHURRIED = 20.0  # a busy machine is slower than a hospital; the deadline has tests of its own


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("ONCOHOOKS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[FhirServer]:
    """The hospital's FHIR server."""
    server = FhirServer()
    yield server
    assert not server.unmatched


@pytest.fixture
def calling(server: FhirServer) -> Iterator[MakeCaller]:
    """Makes a caller of an app with these settings; files that they name are closed at the end."""
    with_files: list[FastAPI] = []

    def make(**settings: Any) -> Caller:
        options: dict[str, Any] = {"auth": "off", "fhir": [{"url": BASE}], "deadline_seconds": UNHURRIED, **settings}
        spans = options.pop("spans", None)
        package = options.pop("package", None) or unlearned_package()
        clock = options.pop("now", now)
        app = create_app(Settings(**options), clock, transport=server, spans=spans, package=package)
        if "file" in options.get("state", {}):
            with_files.append(app)
        return Caller(app)

    yield make
    for app in with_files:
        asyncio.run(_live_and_end(app))


async def _live_and_end(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        pass


@pytest.fixture
def caller(calling: MakeCaller) -> Caller:
    return calling()
