"""The service between a FHIR server and what keeps its answers: a Redis behind a proxy, or a SQLite file."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from pydantic import SecretStr
from redis import Redis

from service.cache_settings import Cache
from service.settings import State
from tests.integration.faults.fhir_laboratory import FhirLaboratory, laboratory_of
from tests.integration.faults.proxy import HOST, FaultProxy
from tests.integration.missing import missing
from tests.integration.redis_server import redis_server

_KEY = SecretStr("k" * 32)
_FILL_SECONDS = 30.0  # a store that was not reached in 50 ms is left alone for five seconds


class CacheLaboratory(FhirLaboratory):
    """A patient's answers are fresh for a minute: the far end is asked only where the store does not help."""

    def fill(self, kept: Callable[[], int]) -> None:
        """Call until all is kept, and answered from there. `kept` is how many answers and results the store has."""
        until = time.monotonic() + _FILL_SECONDS
        while time.monotonic() < until:
            (told,) = self.calls()
            if told.states and told.kept == frozenset(told.states) and kept() > len(told.kept):
                return
            time.sleep(0.05)
        raise AssertionError("what was read is not kept")


class RedisCacheLaboratory(CacheLaboratory):
    redis: FaultProxy

    def lift(self) -> None:
        super().lift()
        self.redis.lift()


class FileCacheLaboratory(CacheLaboratory):
    file: Path
    spoilt = 0

    def spoil(self) -> None:
        """What is kept is sealed by a key that is not ours."""
        with closing(sqlite3.connect(self.file)) as database, database:
            self.spoilt = database.execute("UPDATE cached SET value = zeroblob(64)").rowcount

    def kept(self) -> int:
        with closing(sqlite3.connect(self.file)) as database:
            ((number,),) = database.execute("SELECT count(*) FROM cached")
        return int(number)


@contextmanager
def redis_cache_laboratory(folder: Path) -> Iterator[RedisCacheLaboratory]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(redis_server(folder))
        except FileNotFoundError:
            missing("Redis: redis-server is not installed")
        proxy = stack.enter_context(FaultProxy(server.port).running())
        state = State(redis=SecretStr(f"redis://{HOST}:{proxy.port}/0"), key=_KEY)
        laboratory = stack.enter_context(laboratory_of(RedisCacheLaboratory, cache=Cache(), state=state))
        laboratory.redis = proxy
        with Redis(HOST, server.port) as past_the_proxy:
            laboratory.fill(lambda: len(list(past_the_proxy.scan_iter("oncohooks:kept:*"))))
        yield laboratory


@contextmanager
def file_cache_laboratory(folder: Path) -> Iterator[FileCacheLaboratory]:
    file = folder / "state.sqlite"
    with laboratory_of(FileCacheLaboratory, cache=Cache(), state=State(file=file, key=_KEY)) as laboratory:
        laboratory.file = file
        laboratory.fill(laboratory.kept)
        yield laboratory
