import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from service.lane import Lane, OverloadedError, Slots, urgency_of
from service.limits import Limits
from service.telemetry import Telemetry

HOOK, EMERGENCY, URGENT_HOOK = (
    "/cds-services/pan-cancer-prognosis",
    "/emergency/assessments",
    "/cds-services/pan-cancer-prognosis-emergency",
)


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work

    asyncio.run(bounded())


@pytest.mark.parametrize(
    ("method", "path", "urgency"),
    [
        ("POST", HOOK, "chart-open"),
        ("POST", f"{HOOK}-order", "chart-open"),
        ("POST", "/cds-services/no-such-service", "chart-open"),
        ("POST", URGENT_HOOK, "emergency"),
        ("POST", EMERGENCY, "emergency"),
        ("POST", f"{HOOK}/feedback", None),
        ("GET", "/cds-services", None),
        ("GET", "/readyz", None),
        ("OPTIONS", EMERGENCY, None),
    ],
)
def test_what_needs_a_slot(method: str, path: str, urgency: str | None) -> None:
    """Hook calls and emergencies do; discovery, feedback and probes never wait."""
    assert urgency_of({"type": "http", "method": method, "path": path}) == urgency


def test_slots_are_given_in_order_and_given_back() -> None:
    """So many at once, so many waiting, and the next is turned away."""

    async def go() -> None:
        slots, done = Slots(1, 2), list[int]()

        async def one(number: int) -> None:
            async with slots.slot():
                done.append(number)
                await asyncio.sleep(0)

        async with slots.slot():
            waiting = [asyncio.create_task(one(number)) for number in range(2)]
            await asyncio.sleep(0)
            assert slots.is_full
            with pytest.raises(OverloadedError):
                await one(9)
        await asyncio.gather(*waiting)
        assert done == [0, 1]
        assert not slots.is_full

    run(go())


@pytest.mark.parametrize("has_it", [False, True])
def test_who_leaves_the_queue_takes_no_slot(*, has_it: bool) -> None:
    """Cancelled while waiting, or just when the slot came: it goes to the next."""

    async def go() -> None:
        slots = Slots(1, 1)

        async def one() -> None:
            async with slots.slot():
                pass

        async with slots.slot():
            waiting = asyncio.create_task(one())
            await asyncio.sleep(0)
            if not has_it:
                waiting.cancel()
                await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        async with slots.slot():
            assert slots.is_full is False

    run(go())


class Service:
    """Answers nothing before it is let go."""

    def __init__(self, **limits: int) -> None:
        self.go_on = asyncio.Event()
        self.telemetry = Telemetry()
        self.running = 0
        self.lane = Lane(self._answer, Limits(**limits), self.telemetry)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self.lane), base_url="http://service.example")

    async def _answer(self, _: Scope, receive: Receive, send: Send) -> None:
        self.running += 1
        await receive()
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    async def post(self, path: str) -> httpx.Response:
        return await self._client.post(path, content=b"x" * 1_000)

    async def started(self, *paths: str) -> list[asyncio.Task[httpx.Response]]:
        """These calls, in work or waiting."""
        calls = [asyncio.create_task(self.post(path)) for path in paths]
        for _ in range(20):
            await asyncio.sleep(0)
        return calls

    @property
    def shed(self) -> set[str]:
        lines = self.telemetry.exposition().decode().splitlines()
        return {line for line in lines if line.startswith("oncohooks_shed_total")}


def test_a_full_lane_answers_at_once() -> None:
    """Beyond slots and queue: 503, when to come again, what it means; counted; the others are answered in the end."""

    async def go() -> None:
        service = Service(hooks_at_once=1, hooks_waiting=1)
        calls = await service.started(HOOK, HOOK)
        assert service.running == 1
        refused = await service.post(HOOK)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.headers["content-type"] == "application/fhir+json"
        assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "overloaded"
        service.go_on.set()
        assert [(await call).status_code for call in calls] == [200, 200]
        assert service.shed == {'oncohooks_shed_total{class="chart-open"} 1.0'}
        assert (await service.post(HOOK)).status_code == 200

    run(go())


def test_emergencies_have_slots_of_their_own() -> None:
    """However many charts are opened, an emergency is let in."""

    async def go() -> None:
        service = Service(hooks_at_once=1, hooks_waiting=0)
        calls = await service.started(HOOK, EMERGENCY, URGENT_HOOK)
        assert service.running == 3
        service.go_on.set()
        assert [(await call).status_code for call in calls] == [200] * 3

    run(go())


def test_no_emergency_is_turned_away_while_a_chart_is_let_in() -> None:
    """Where the emergencies' queue is full, every chart-open call is turned away as well."""

    async def go() -> None:
        service = Service(emergencies_at_once=1, emergencies_waiting=1)
        calls = await service.started(EMERGENCY, EMERGENCY)
        statuses = [(await service.post(path)).status_code for path in (HOOK, EMERGENCY)]
        assert statuses == [503, 503]
        service.go_on.set()
        assert [(await call).status_code for call in calls] == [200, 200]
        assert len(service.shed) == 2

    run(go())
