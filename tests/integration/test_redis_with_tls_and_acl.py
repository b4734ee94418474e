"""Redis as a hospital runs it: TLS, no default user, and no more rights than docs/reading.md says."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import NoPermissionError

from fhir_mappings.retrieval import queries
from service.check import _state
from service.clock import Now, now
from service.settings import State
from service.state.expiring import ExpiringStore
from service.state.expiring_redis import RedisExpiring
from service.state.feedback import StateDownError
from service.state.feedback_redis import RedisFeedback
from service.state.replay import RedisReplay, ReplayDownError
from service.state.site_key import SiteKey
from service.state.vault import Vault
from tests.conftest import ROOT
from tests.integration.missing import missing
from tests.integration.redis_server import RedisServer, guarded_redis
from tests.unit.service.state.expiring_contract import ExpiringContract
from tests.unit.service.state.feedback_contract import CARD, DAYS, changed

PAGE = ROOT / "docs" / "reading.md"


def documented(of: str) -> str:
    """The rules that the page gives to a user."""
    (rules,) = re.findall(rf"^ACL SETUSER {of} on >\S+ (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return str(rules)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    try:
        with guarded_redis(tmp_path_factory.mktemp("guarded"), documented("oncohooks")) as server:
            yield server
    except FileNotFoundError:
        missing("Redis: redis-server is not installed")


class TestExpiring(ExpiringContract):
    @pytest.fixture(autouse=True)
    def _redis(self, guarded: RedisServer) -> None:
        self.redis = guarded

    def store(self, now: Now) -> ExpiringStore:  # noqa: ARG002 - Redis has a clock of its own
        return RedisExpiring.at(self.redis.address, "oncohooks:shown:", 1.0)


async def everything(address: str) -> None:
    """What the service itself does: used tokens, the key, the cache; cards and feedback written; `oncohooks check`.

    Raises StateDownError or ReplayDownError where Redis refuses.
    """
    feedback = RedisFeedback.at(address, now, DAYS, 1.0)
    replay = RedisReplay.at(address)
    expiring = RedisExpiring.at(address, "oncohooks:kept:", 1.0)
    try:
        token = uuid4().hex
        assert await replay.first_use("https://ehr.example", token, 60)
        assert not await replay.first_use("https://ehr.example", token, 60)
        await feedback.issued(CARD)
        await feedback.given([changed(card=token), changed(card=f"{token}-2")])
        await feedback.key(b"k" * 32)
        vault = Vault(expiring, SiteKey(feedback, None), 5.0)
        labels = [query.key.encode() for query in queries()]
        for label in labels:
            await vault.put(label, label * 1_000, 60)
        assert list(await vault.get(labels)) == [label * 1_000 for label in labels]
        checked = await _state(State(redis=SecretStr(address)))
        if checked.state != "ok":
            raise StateDownError
    finally:
        for store in (replay, feedback, expiring):
            await store.close()


def test_every_store_does_its_work_with_the_documented_rights(guarded: RedisServer) -> None:
    """Over TLS, as the one user."""
    asyncio.run(everything(guarded.address))


@pytest.mark.parametrize(
    "command",
    [("GET", "somebody:else"), ("SET", "somebody:else", "1"), ("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "*")],
)
def test_the_documented_rights_are_no_more_than_that(guarded: RedisServer, command: tuple[str, ...]) -> None:
    """Keys of others, listing, emptying and settings are refused."""
    with Redis.from_url(guarded.address) as asking, pytest.raises(NoPermissionError):
        asking.execute_command(*command)


@pytest.mark.parametrize("user", ["oncohooks", "oncohooks-report"])
def test_each_documented_right_is_needed(user: str, tmp_path: Path) -> None:
    """Without any one of the commands something is refused."""
    keys, nothing, *commands = documented(user).split()
    work = everything if user == "oncohooks" else reported
    needed = []
    with guarded_redis(tmp_path, documented(user)) as server:
        asyncio.run(everything(server.owners_address))
        asyncio.run(_older(server.owners_address))
        for command in commands:
            rest = [keys, nothing, *(one for one in commands if one != command)]
            server.allow(" ".join(rest))
            try:
                asyncio.run(work(server.address))
            except (StateDownError, ReplayDownError):
                needed.append(command)
    assert needed == commands


async def reported(address: str) -> None:
    """What `oncohooks feedback report` does. Raises StateDownError."""
    feedback = RedisFeedback.at(address, now, DAYS, 1.0)
    try:
        await feedback.kept(CARD.day)
    finally:
        await feedback.close()


async def _older(address: str) -> None:
    """Feedback of today on a card of yesterday."""
    feedback = RedisFeedback.at(address, now, DAYS, 1.0)
    await feedback.issued(msgspec.structs.replace(CARD, card="old", day=CARD.day - timedelta(days=1)))
    await feedback.given([changed(card="old")])
    await feedback.close()
