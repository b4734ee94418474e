"""Assessments as server-sent events (HTML Living Standard, 9.2): one event each, and always a last one.

A client that goes away ends the work: what is read for it is cancelled. One that comes back names the last number it
saw (`Last-Event-ID`), and the numbers go on from there; nothing is kept for it meanwhile.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.assessment import Assessment
from service.emergency.pictures import Picture
from service.emergency.unless_gone import unless_gone
from service.emergency.updates import says_the_same, updated

MEDIA_TYPE = "text/event-stream"
_RETRY_MS = 1_000
_HEARTBEAT_SECONDS = 3.0
_HIGHEST = 10**9  # a number beyond it is none of ours
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold the events back

_logger = logging.getLogger(__name__)

RETRY = f"retry: {_RETRY_MS}\n\n".encode()
HEARTBEAT = b": still reading\n\n"
_encoder = msgspec.json.Encoder()
_T = TypeVar("_T")


class EventStream(Response):
    """Sends events as they come, as long as the client is there, and closes their source whichever way it ends.

    Starlette's own cancels by anyio, again at every await: nothing could be waited for while the reading is closed.
    At `until` (the loop's time) it breaks off: a client that takes nothing holds a slot that others wait for.
    """

    def __init__(self, events: AsyncGenerator[bytes], until: float) -> None:
        super().__init__(headers={**_HEADERS, "Content-Type": MEDIA_TYPE})
        del self.headers["content-length"]
        self._events = events
        self._until = until

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        try:
            async with asyncio.timeout_at(self._until) as limit:
                await unless_gone(receive, self._send(send))
        except TimeoutError:
            if not limit.expired():
                raise
            _logger.warning("a client does not take the events of its stream: it is broken off")

    async def _send(self, send: Send) -> None:
        async with aclosing(self._events):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for event in self._events:
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def told(pictures: AsyncGenerator[Picture], number: int) -> AsyncGenerator[Assessment]:
    """The pictures that are worth telling, counted on from `number`.

    The first is a score or a final "not scored": that too little is known so far is no answer yet. The others say
    something new, and the last one is always told.
    """
    sent: Assessment | None = None
    async with aclosing(pictures):
        async for picture in pictures:
            now = picture.assessment
            is_news = now.status == "scored" if sent is None else not says_the_same(sent, now)
            if picture.final or is_news:
                number += 1
                sent = updated(sent, now, number, final=picture.final)
                yield sent


def assessment_event(assessment: Assessment) -> bytes:
    number = assessment.update.number if assessment.update else 0
    return b"event: assessment\nid: %d\ndata: %b\n\n" % (number, _encoder.encode(assessment))


def error_event(outcome: bytes) -> bytes:
    """`outcome`: an OperationOutcome on one line."""
    return b"event: error\ndata: %b\n\n" % outcome


async def with_heartbeats(events: AsyncGenerator[bytes], every: float = _HEARTBEAT_SECONDS) -> AsyncGenerator[bytes]:
    """The events, and a comment where there is none for so many seconds: proxies cut what is silent."""
    async with aclosing(events):
        following = asyncio.ensure_future(_next(events))
        try:
            while True:
                await asyncio.wait([following], timeout=every)
                if not following.done():
                    yield HEARTBEAT
                    continue
                event = following.result()
                if event is None:
                    return
                yield event
                following = asyncio.ensure_future(_next(events))
        finally:
            following.cancel()
            await asyncio.wait([following])


async def _next(events: AsyncIterator[_T]) -> _T | None:
    return await anext(events, None)


def last_number(request: Request) -> int:
    """The number that a client saw last; 0 where it says none, or none of ours."""
    said = request.headers.get("last-event-id", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 9 and int(said) < _HIGHEST else 0
