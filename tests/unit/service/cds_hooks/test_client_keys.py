"""How the clients' keys are read, kept and exchanged."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from service.cds_hooks.client_keys import FRESH_SECONDS, STALE_SECONDS, KeySet, KeysUnavailableError, keys_of
from tests.unit.service.cds_hooks.ehr import JWKS_URL, elliptic, jwk


class Far:
    """A key server and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.answer: httpx.Response | Exception = self.set_of("k1")
        self.wait = 0.0

    @staticmethod
    def set_of(*ids: str) -> httpx.Response:
        return httpx.Response(200, json={"keys": [jwk(elliptic(kid), kid) for kid in ids]})

    async def handle(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(self.wait)
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx.Response(self.answer.status_code, content=self.answer.content, headers=self.answer.headers)

    def keys(self) -> KeySet:
        return KeySet(JWKS_URL, httpx.AsyncClient(transport=httpx.MockTransport(self.handle)), lambda: self.now)


async def has(keys: KeySet, kid: str) -> bool:
    return await keys.key(kid, "ES384") is not None


def test_keys_are_read_once() -> None:
    """Sixteen calls at the start wait for one reading; later ones for none."""
    far = Far()
    far.wait = 0.01

    async def run() -> None:
        keys = far.keys()
        assert all(await asyncio.gather(*(has(keys, "k1") for _ in range(16))))
        far.now = FRESH_SECONDS - 1
        assert await has(keys, "k1")

    asyncio.run(run())
    assert far.asked == 1


def test_a_new_key_is_found_without_a_restart() -> None:
    """An unknown id makes us look again, once a minute and not more."""
    far = Far()

    async def run() -> None:
        keys = far.keys()
        assert await has(keys, "k1")
        far.answer, far.now = far.set_of("k2"), 59
        assert not await has(keys, "k2")
        far.now = 60
        assert await has(keys, "k2")
        assert not await has(keys, "k1")
        for number in range(50):
            assert not await has(keys, f"forged{number}")

    asyncio.run(run())
    assert far.asked == 2


def test_an_old_set_is_renewed_beside_the_calls() -> None:
    """The call that notices does not wait."""
    far = Far()

    async def run() -> None:
        keys = far.keys()
        assert await has(keys, "k1")
        far.answer, far.now = far.set_of("k2"), FRESH_SECONDS + 1
        assert await has(keys, "k1")
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert not await has(keys, "k1")
        assert await has(keys, "k2")

    asyncio.run(run())


def test_an_outage_is_bridged_for_an_hour() -> None:
    """Then nobody is admitted by keys that may have been withdrawn."""
    far = Far()

    async def run() -> None:
        keys = far.keys()
        assert await has(keys, "k1")
        far.answer, far.now = httpx.ConnectError("down"), STALE_SECONDS - 1
        assert await has(keys, "k1")
        far.now = STALE_SECONDS + 61
        with pytest.raises(KeysUnavailableError):
            await keys.key("k1", "ES384")

    asyncio.run(run())


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65_536


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"location": "https://evil.example"}),
        httpx.Response(404),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"keys": "x"}),
        httpx.Response(200, content=b'{"keys": [' + b" " * 300_000 + b"]}"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_what_is_no_key_set_gives_no_keys(answer: httpx.Response | Exception) -> None:
    """Redirects are not followed, large and packed answers not read."""
    far = Far()
    far.answer = answer
    with pytest.raises(KeysUnavailableError):
        asyncio.run(far.keys().key("k1", "ES384"))
    assert far.asked == 1


def test_an_endless_answer_ends() -> None:
    """It is cut at the limit."""
    endless = httpx.MockTransport(lambda _: httpx.Response(200, content=_endless()))
    with pytest.raises(KeysUnavailableError):
        asyncio.run(KeySet(JWKS_URL, httpx.AsyncClient(transport=endless)).key("k1", "ES384"))


def test_a_key_belongs_to_its_algorithm() -> None:
    """The same id may stand for an RSA key beside it."""
    assert set(keys_of(b'{"keys": []}')) == set()
    assert set(keys_of(Far.set_of("k1", "k2").content)) == {("k1", "ES384"), ("k2", "ES384")}
