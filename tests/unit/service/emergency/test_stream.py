import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.types import Message

from service.emergency.stream import HEARTBEAT, EventStream, error_event, with_heartbeats


def test_silence_is_filled_with_comments() -> None:
    """Comments until the next event is there; the events come in order, and the source is closed."""

    async def go() -> None:
        more, closed = asyncio.Event(), asyncio.Event()

        async def source() -> AsyncGenerator[bytes]:
            try:
                yield b"first"
                await more.wait()
                yield b"second"
            finally:
                closed.set()

        seen = []
        async for event in with_heartbeats(source(), every=0.001):
            seen.append(event)
            if seen.count(HEARTBEAT) == 2:
                more.set()
        assert [event for event in seen if event != HEARTBEAT] == [b"first", b"second"]
        assert seen[1:3] == [HEARTBEAT] * 2
        assert closed.is_set()

    asyncio.run(go())


def test_a_stream_that_is_left_closes_its_source() -> None:
    """Whatever the source waits for is cancelled."""

    async def go() -> None:
        closed = asyncio.Event()

        async def source() -> AsyncGenerator[bytes]:
            try:
                yield b"first"
                await asyncio.Event().wait()
            finally:
                closed.set()

        events = with_heartbeats(source(), every=0.001)
        assert await anext(events) == b"first"
        assert await anext(events) == HEARTBEAT
        await events.aclose()
        assert closed.is_set()

    asyncio.run(go())


def test_a_client_that_takes_nothing_is_left() -> None:
    """A stream that is not read ends at its time, and its source is closed: its slot is for others."""

    async def go() -> None:
        closed = asyncio.Event()

        async def source() -> AsyncGenerator[bytes]:
            try:
                while True:
                    yield b"event"
            finally:
                closed.set()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()  # the buffer is full

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        stream = EventStream(source(), asyncio.get_running_loop().time() + 0.01)
        async with asyncio.timeout(20):
            await stream({"type": "http"}, receive, send)
        assert closed.is_set()

    asyncio.run(go())


def test_a_fault_of_the_source_is_raised() -> None:
    """It is not taken for the end."""

    async def source() -> AsyncGenerator[bytes]:
        yield b"first"
        raise ValueError("fault")

    async def go() -> None:
        with pytest.raises(ValueError, match="fault"):
            _ = [event async for event in with_heartbeats(source())]

    asyncio.run(go())


def test_an_error_is_an_event_of_its_own() -> None:
    """Named `error`, with an OperationOutcome on one line."""
    assert error_event(b'{"resourceType":"OperationOutcome"}') == (
        b'event: error\ndata: {"resourceType":"OperationOutcome"}\n\n'
    )
