"""What lies in a store tells nothing without the key, and a store that does not answer is not waited for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from service.clock import now
from service.state.expiring import ProcessExpiring
from service.state.feedback import ProcessFeedback, StateDownError
from service.state.site_key import SiteKey
from service.state.vault import SealBrokenError, Vault

LABEL, SECRET = b"patient canary-4711", b"canary-4711 has a secret"


class Open(ProcessExpiring):
    """A store that a thief reads, and that may be down or never answer."""

    def __init__(self) -> None:
        super().__init__(now)
        self.put_there: dict[str, bytes] = {}
        self.asked = 0
        self.answers: Callable[[], Awaitable[None]] = _at_once

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        self.put_there[name] = value
        await super().put(name, value, seconds)

    async def get(self, *names: str) -> Sequence[bytes | None]:
        self.asked += 1
        await self.answers()
        return await super().get(*names)


async def _at_once() -> None: ...


async def _never() -> None:
    await asyncio.Event().wait()


async def _down() -> None:
    raise StateDownError


def vault(store: ProcessExpiring, key: str = "k" * 32) -> Vault:
    return Vault(store, SiteKey(ProcessFeedback(now, 1), key), patience=0.02)


def test_what_was_put_comes_back() -> None:
    """Under its label, and None under any other."""

    async def steps() -> None:
        safe = vault(Open())
        await safe.put(LABEL, SECRET, 60)
        assert list(await safe.get([b"other", LABEL])) == [None, SECRET]

    asyncio.run(steps())


def test_the_store_sees_neither_name_nor_value() -> None:
    """Equal values look different each time, names are 64 hexadecimal digits."""

    async def steps() -> None:
        store = Open()
        safe = vault(store)
        await safe.put(LABEL, SECRET, 60)
        ((name, first),) = store.put_there.items()
        await safe.put(LABEL, SECRET, 60)
        assert len(name) == 64
        assert int(name, 16)
        assert store.put_there.keys() == {name}
        assert store.put_there[name] != first
        for part in (LABEL, SECRET, b"canary-4711"):
            assert part not in name.encode() + first

    asyncio.run(steps())


@pytest.mark.parametrize(
    "change", [lambda v: v[:-1], lambda v: v[:5], lambda v: bytes([v[0] ^ 1]) + v[1:], lambda _: b""]
)
def test_a_value_that_was_changed_is_not_opened(change: Callable[[bytes], bytes]) -> None:
    """Cut, too short, a bit turned, emptied."""

    async def steps() -> None:
        store = Open()
        safe = vault(store)
        await safe.put(LABEL, SECRET, 60)
        ((name, value),) = store.put_there.items()
        await store.put(name, change(value), 60)
        (found,) = await safe.get([LABEL])
        assert isinstance(found, SealBrokenError)

    asyncio.run(steps())


def test_a_value_under_another_name_is_not_opened() -> None:
    """Whoever can write to the store cannot serve one patient's record as another's."""

    async def steps() -> None:
        store = Open()
        safe = vault(store)
        await safe.put(LABEL, SECRET, 60)
        await safe.put(b"other", b"harmless", 60)
        mine, others = store.put_there
        await store.put(others, store.put_there[mine], 60)
        (found,) = await safe.get([b"other"])
        assert isinstance(found, SealBrokenError)

    asyncio.run(steps())


def test_another_key_finds_nothing() -> None:
    """Names differ too."""

    async def steps() -> None:
        store = Open()
        await vault(store).put(LABEL, SECRET, 60)
        assert list(await vault(store, "another key, of 32 characters too").get([LABEL])) == [None]

    asyncio.run(steps())


@pytest.mark.parametrize("answers", [_never, _down])
def test_a_store_that_does_not_answer_is_not_asked_by_every_call(answers: Callable[[], Awaitable[None]]) -> None:
    """Down or slow is down; the calls of the next seconds do not wait for it."""

    async def steps() -> None:
        store = Open()
        store.answers = answers
        safe = vault(store)
        for _ in range(3):
            with pytest.raises(StateDownError):
                await safe.get([LABEL])
        assert store.asked == 1

    asyncio.run(steps())
