"""The priority lane: how many calls are in work, how many wait, and who is turned away under overload.

The waiting happens before a body is read: who waits costs the connection and the head of the request, and what does not
fit into a bounded queue is answered at once, with 503 and when to come again. Emergency calls have slots and a queue of
their own. They are never turned away while a chart-open call is let in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Category
from service.limits import Limits
from service.line import Line
from service.refusals import refusal
from service.telemetry import Telemetry
from service.turns import Turns, taking

Urgency = Literal["emergency", "chart-open"]

EMERGENCY_PATH = "/emergency/"
_HOOKS, _URGENT_HOOK, _FEEDBACK = "/cds-services/", "-emergency", "/feedback"
_RETRY_SECONDS = 1
_THROWING_AWAY_SECONDS = 2.0


class OverloadedError(Exception):
    """All slots are taken and the queue is full."""


class Slots:
    """So many at once, so many waiting, in order."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._most_waiting = waiting
        self._line = Line()

    @property
    def is_full(self) -> bool:
        """Whether the next one would be turned away."""
        return self._free == 0 and len(self._line) >= self._most_waiting

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot. Raises OverloadedError, at once."""
        if self._free:
            self._free -= 1
        elif self.is_full:
            raise OverloadedError
        else:
            await self._line.wait(self._give_back)
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        if not self._line.call_next():
            self._free += 1


class Lane:
    """Lets calls in by their urgency; everything that is neither a hook call nor an emergency passes."""

    def __init__(self, app: ASGIApp, limits: Limits, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry
        self._turns = Turns()
        self._hooks = Slots(limits.hooks_at_once, limits.hooks_waiting)
        self._emergencies = Slots(limits.emergencies_at_once, limits.emergencies_waiting)
        self._shed = refusal(Category.OVERLOADED)  # made once: it must cost nothing when there is much to do
        self._shed.headers["Retry-After"] = str(_RETRY_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._turns.arrivals += 1
        urgency = urgency_of(scope)
        if urgency is None:
            await self._app(scope, receive, send)
            return
        try:
            async with self._slots(urgency).slot():
                with taking(self._turns, urgent=urgency == "emergency"):
                    await self._app(scope, receive, send)
        except OverloadedError:
            self._telemetry.shed(urgency)
            await self._turn_away(receive, send)

    async def _turn_away(self, receive: Receive, send: Send) -> None:
        """The answer at once, then its end, once the body was thrown away: a connection closed before would be broken.

        Many clients send everything before they read, and would never see the answer.
        """
        shed = self._shed
        await send({"type": "http.response.start", "status": shed.status_code, "headers": shed.raw_headers})
        await send({"type": "http.response.body", "body": shed.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(_THROWING_AWAY_SECONDS):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body", "body": b""})

    def _slots(self, urgency: Urgency) -> Slots:
        if urgency == "emergency":
            return self._emergencies
        if self._emergencies.is_full:
            raise OverloadedError
        return self._hooks


def urgency_of(scope: Scope) -> Urgency | None:
    """How urgent a request is; None for those that no slot is needed for (discovery, feedback, probes)."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if path.startswith(EMERGENCY_PATH):
        return "emergency"
    if not path.startswith(_HOOKS) or path.endswith(_FEEDBACK):
        return None
    return "emergency" if path.endswith(_URGENT_HOOK) else "chart-open"
