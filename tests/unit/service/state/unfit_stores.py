"""Stores that are down, or of another mind."""

from collections.abc import Sequence

from service.state.expiring import ProcessExpiring
from service.state.feedback import StateDownError


class Down(ProcessExpiring):
    async def get(self, *_: str) -> Sequence[bytes | None]:
        raise StateDownError

    async def put(self, *_: object) -> None:
        raise StateDownError


class Garbled(ProcessExpiring):
    """Every value comes back with one bit turned."""

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        await super().put(name, value[:-1] + bytes([value[-1] ^ 1]), seconds)
