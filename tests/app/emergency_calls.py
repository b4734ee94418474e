"""The far ends of emergency calls: a FHIR server that can be held back, a caller that reads a stream as it comes."""

import asyncio
import copy
import json
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
from fastapi import FastAPI

from fhir_mappings.concepts import catalogue
from fhir_mappings.retrieval import queries
from models.package import Package
from service.emergency.described import AT_HAND
from tests.unit.service.far_end import BASE, PATIENT, FhirServer, Resource, bundle

PATH = "/emergency/assessments"
STREAM = {"accept": "text/event-stream"}
NOW = datetime(2026, 6, 30, 8, 30, tzinfo=UTC)
_SHIPPED = Path(__file__).parents[2] / "models/packages/pan-cancer"
_PATIENCE = 20.0  # seconds for one event: far more than it takes, so that a test ends


@cache
def shipped() -> Package:
    """The package that is served: it has the network `acute`."""
    return Package.load(_SHIPPED, catalogue().schema)


def at_hand(patient: str = PATIENT) -> list[dict[str, Any]]:
    """The resources of the example in the OpenAPI document, as this patient's."""
    named = json.dumps([entry["resource"] for entry in AT_HAND["entry"]])
    named = named.replace("Patient/ed-1", f"Patient/{patient}").replace('"id": "ed-1"', f'"id": "{patient}"')
    resources: list[dict[str, Any]] = json.loads(named)
    return resources


def named(name: str, resources: list[dict[str, Any]]) -> dict[str, Any]:
    """A copy of one of them, by its id."""
    return copy.deepcopy(next(r for r in resources if r["id"] == name))


def changed(resource: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(dict(resource)), **members}


def call(**members: object) -> dict[str, Any]:
    """An emergency call; a member given as None is left out."""
    return {name: value for name, value in members.items() if value is not None}


class HeldServer(FhirServer):
    """Holds answers back until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[str, asyncio.Event] = {}
        self.busy = 0  # requests that wait for their answer
        self._seen = 0
        self._news = asyncio.Event()

    def holds_chart(self, resources: list[dict[str, Any]], who: str = PATIENT, **replaced: Any) -> None:
        """Answer every query with what of these it finds, as a server does."""
        found: dict[str, Any] = {query.key: bundle() for query in queries()}
        found["patient"] = next(r for r in resources if r["resourceType"] == "Patient")
        found["conditions"] = bundle(*(r for r in resources if r["resourceType"] == "Condition"))
        found["laboratory"] = bundle(*(r for r in resources if r["resourceType"] == "Observation"))
        for query in queries():
            self.on(query.url(who), {**found, **replaced}[query.key])

    def hold(self, *keys: str) -> None:
        for key in keys:
            self._held[_url(key)] = asyncio.Event()

    def let_go(self, *keys: str) -> None:
        for key in keys:
            self._held[_url(key)].set()

    async def asked(self, times: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(_PATIENCE):
            while self._seen < times:
                self._news.clear()
                await self._news.wait()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.busy += 1
        self._seen += 1
        self._news.set()
        try:
            if held := self._held.get(str(request.url)):
                await held.wait()
            return await super().handle_async_request(request)
        finally:
            self.busy -= 1


def _url(key: str) -> str:
    known = {query.key: query.url(PATIENT) for query in queries()}
    return str(httpx.URL(f"{BASE}/{known.get(key, key)}"))


KEYS = tuple(query.key for query in queries())


class Event(NamedTuple):
    name: str
    id: str
    data: dict[str, Any]

    @property
    def codes(self) -> set[str]:
        return {notice["code"] for notice in self.data.get("notices", ())}


class Stream:
    """One streamed call, read event by event while it goes on."""

    def __init__(self, app: FastAPI, body: Resource | bytes, **headers: str) -> None:
        self._app = app
        self._body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._headers = {**STREAM, "content-type": "application/json", **headers}
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._left = asyncio.Event()
        self._is_read = False
        self._text = b""
        self.status = 0

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.run())
        start = await self._next()
        self.status = start["status"]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._running.cancel()
        async with asyncio.timeout(_PATIENCE):
            await self._running

    def leave(self) -> None:
        """Go away."""
        self._left.set()

    async def event(self) -> Event | None:
        """The next event; None at the end. Comments and `retry` are passed over."""
        while True:
            while b"\n\n" not in self._text:
                message = await self._next()
                self._text += message["body"]
                if not message.get("more_body", False):
                    return None
            block, _, self._text = self._text.partition(b"\n\n")
            members = dict(line.split(b": ", 1) for line in block.splitlines() if not line.startswith(b":"))
            if b"event" in members:
                return Event(members[b"event"].decode(), members.get(b"id", b"").decode(), json.loads(members[b"data"]))

    async def events(self) -> list[Event]:
        """All that are still to come."""
        found = []
        while event := await self.event():
            found.append(event)
        return found

    async def run(self) -> None:
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "server": ("service.example", 80),
            "headers": [(name.encode(), value.encode()) for name, value in self._headers.items()],
        }  # fmt: skip
        await self._app(scope, self._receive, self._send)

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        await self._sent.put(dict(message))

    async def _receive(self) -> dict[str, Any]:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _next(self) -> dict[str, Any]:
        async with asyncio.timeout(_PATIENCE):
            return await self._sent.get()
