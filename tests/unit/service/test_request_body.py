import asyncio
from collections.abc import AsyncIterator

import pytest

from service.errors import TooLargeError
from service.request_body import read_body


@pytest.mark.parametrize("stated", [None, "26", "99999999999999999999"])
def test_a_body_over_the_limit_is_thrown_away(stated: str | None) -> None:
    """Too large a body is refused; a client that is still sending is heard out for a while, not for ever."""
    taken = 0

    async def chunks(number: int) -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(number):
            taken += 1
            yield b"x" * 10

    for number, read in ((6, 6), (1_000, 11)):
        taken = 0
        with pytest.raises(TooLargeError):
            asyncio.run(read_body(chunks(number), stated, 25))
        assert taken == read


def test_a_body_up_to_the_limit_is_read() -> None:
    """A body of exactly the limit is read whole."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"abcde"

    assert asyncio.run(read_body(chunks(), "25", 25)) == b"abcde" * 5
    assert asyncio.run(read_body(chunks(), "no number", 25)) == b"abcde" * 5
