"""A hospital's FHIR server with one demonstration patient, which can be told to fail, and an app that reads from it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
from fastapi import FastAPI

from demo.fhir_endpoint import create_endpoint
from demo.patients import demo_patients
from fhir_mappings.retrieval import Query, queries
from service.app import create_app
from service.settings import Settings
from tests.unit.service.far_end import HOOK, hook_call
from tests.unit.service.made_up_patients import package

FHIR = "https://fhir.example/fhir"
WHO = "demo-lung"
KEYS = [query.key for query in queries()]
Fault = Literal["refused", "broken", "unreachable", "late"]
_STATUS = {"refused": 403, "broken": 503}


class Hospital(httpx.AsyncBaseTransport):
    """`faults`: what happens to a query. What is late comes when it is `released`."""

    def __init__(self) -> None:
        self.resources = demo_patients()[WHO]
        self.faults: dict[str, Fault] = {}
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.released = asyncio.Event()
        self._keys = {str(httpx.URL(f"{FHIR}/{query.url(WHO)}")): query.key for query in queries()}

    def fails(self, fault: Fault, keys: Iterable[str] = KEYS) -> None:
        self.faults = dict.fromkeys(keys, fault)

    async def sends(self, query: Query) -> Any:
        """What an EHR gets for a published template."""
        address = f"{FHIR}/{query.template.replace('{{context.patientId}}', WHO)}"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(create_endpoint(self.resources))) as http:
            return (await http.get(address)).json()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = self._keys[str(request.url)]
        self.asked.append(key)
        self.tokens.append(request.headers.get("authorization", ""))
        match self.faults.get(key):
            case "unreachable":
                raise httpx.ConnectError("refused", request=request)
            case "late":
                await self.released.wait()
            case None:
                pass
            case fault:
                return httpx.Response(_STATUS[fault])
        endpoint = httpx.ASGITransport(create_endpoint(self.resources))
        return await endpoint.handle_async_request(request)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


class Ward:
    """One service, its hospital and its clock."""

    def __init__(self, **settings: Any) -> None:
        self.hospital, self.clock = Hospital(), Clock()
        options = {"auth": "off", "fhir": [{"url": FHIR}], "deadline_seconds": 20, **settings}
        self.app: FastAPI = create_app(Settings(**options), self.clock, self.hospital, package=package())

    async def call(self, **members: Any) -> httpx.Response:
        """A chart is opened; what goes on after the reply is not waited for."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.example") as client:
            context = {"userId": "Practitioner/1", "patientId": WHO, **members.pop("context", {})}
            return await client.post(HOOK, json=hook_call(**{"fhirServer": FHIR, "context": context, **members}))

    async def opened(self, **members: Any) -> "Card":
        """The card, once everything has settled."""
        answer = await self.call(**members)
        await self.settled()
        return Card(answer.json()["cards"][0])

    async def settled(self) -> None:
        await self.app.state.background.settled()


class Card:
    """What a clinician reads, and the assessment behind it."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self.uuid: str = card["uuid"]
        self.summary: str = card["summary"]
        self.detail: str = card["detail"].replace("\\", "")  # Markdown's escapes
        self.assessment: dict[str, Any] = card["extension"]["org.oncohooks.assessment"]

    @property
    def ledger(self) -> dict[str, dict[str, Any]]:
        return {line["key"]: line for line in self.assessment["retrieval"]}

    @property
    def notices(self) -> dict[str, str]:
        return {notice["code"]: notice["text"] for notice in self.assessment.get("notices", ())}

    @property
    def category(self) -> str:
        category: str = self.assessment["position"]["category"]
        return category

    @property
    def result(self) -> tuple[float, Any]:
        return self.assessment["riskScore"], self.assessment["attribution"]


def on_a_ward(steps: Callable[[Ward], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        ward = Ward(**settings)
        async with ward.app.router.lifespan_context(ward.app):
            await steps(ward)

    asyncio.run(run())
