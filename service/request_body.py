"""The whole body of a request, within a size and a time."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import MalformedError, TooLargeError

_THROWN_AWAY = 4  # times the limit


async def body_of(request: Request, limit: int, seconds: float) -> bytes:
    """The whole body, within `seconds`: who sends slowly, or is gone, holds a place that others wait for.

    Raises MalformedError, TooLargeError.
    """
    try:
        async with asyncio.timeout(seconds):
            return await read_body(request.stream(), request.headers.get("content-length"), limit)
    except TimeoutError as error:
        raise MalformedError(f"the body did not arrive within {seconds:g} s") from error
    except ClientDisconnect as error:
        raise MalformedError("the body ended before its end") from error


async def read_body(chunks: AsyncIterator[bytes], stated_length: str | None, limit: int) -> bytes:
    """The whole body. Raises TooLargeError where it is over `limit`, or is stated to be.

    What else is on its way is thrown away, up to a few times the limit: many clients read no answer before they have
    sent everything, and would see a broken connection instead.
    """
    parts: list[bytes] = []
    size, kept = 0, not (stated_length and stated_length.isdecimal() and int(stated_length) > limit)
    async for chunk in chunks:
        size += len(chunk)
        kept = kept and size <= limit
        if kept:
            parts.append(chunk)
        else:
            parts.clear()
            if size > limit * _THROWN_AWAY:
                break
    if not kept:
        raise TooLargeError(f"more than {limit} bytes")
    return b"".join(parts)
