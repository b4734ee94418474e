"""The door in earnest: a served process, an EHR's key server, a real Redis between replicas."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.load import free_port
from demo.server import in_process, in_thread
from service.check import examine
from service.check_line import Line
from service.settings import Settings, State
from tests.integration.redis_server import RedisServer
from tests.unit.service.cds_hooks.ehr import ISSUER, claims, elliptic, jwk, token

DISCOVERY = "/cds-services"


@pytest.fixture
def key_server() -> Iterator[str]:
    """Where the EHR publishes its keys."""

    async def keys(_: object) -> JSONResponse:
        return JSONResponse({"keys": [jwk(elliptic())]})

    with in_thread(Starlette(routes=[Route("/jwks.json", keys)])) as url:
        yield f"{url}/jwks.json"


@contextmanager
def replica(folder: Path, keys: str, state: str, port: int = 0) -> Iterator[str]:
    """`oncohooks serve` with a register of one client."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    folder.mkdir(exist_ok=True)
    client = f'[[client]]\nissuer = "{ISSUER}"\njwks_url = "{keys}"\n'
    folder.joinpath("site.toml").write_text(f'public_url = "{url}"\n{client}[state]\n{state}\n')
    command = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ONCOHOOKS_")}
    with in_process(command, env={**inherited, "ONCOHOOKS_SITE": str(folder)}):
        yield url


def get(url: str, text: str) -> int:
    return httpx.get(url + DISCOVERY, headers={"authorization": f"Bearer {text}"}, timeout=10).status_code


def good(*urls: str, **changed: Any) -> str:
    now = time.time()
    return token(claims(**{"aud": [url + DISCOVERY for url in urls], "iat": now, "exp": now + 300, **changed}))


def meter(url: str, name: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_replicas_share_what_was_used(tmp_path: Path, key_server: str, redis: RedisServer) -> None:
    """A token that one replica has admitted is refused by the other, and Redis holds no token, issuer or id."""
    state = f'redis = "{redis.address}"'
    with replica(tmp_path / "a", key_server, state) as one, replica(tmp_path / "b", key_server, state) as other:
        text = good(one, other)
        assert [get(one, text), get(other, text), get(one, text)] == [200, 401, 401]
        assert get(other, good(one, other)) == 200
        assert get(one, good(other)) == 401
    kept = redis.keys()
    assert len(kept) == 2
    assert all(key.startswith("oncohooks:jti:") and len(key) == 78 for key in kept)


def test_redis_may_go_and_come_back(tmp_path: Path, key_server: str, redis: RedisServer) -> None:
    """Meanwhile each process remembers alone, which raises an alarm; a used token stays used."""
    with replica(tmp_path / "a", key_server, f'redis = "{redis.address}"') as url:
        before = good(url)
        assert get(url, before) == 200
        redis.stop()
        during = good(url)
        assert [get(url, before), get(url, during), get(url, during)] == [401, 200, 401]
        assert meter(url, "oncohooks_replay_memory_down") == 3
        redis.start()
        assert [get(url, during), get(url, good(url))] == [401, 200]
        assert meter(url, "oncohooks_replay_memory_down") == 3


def test_a_site_may_rather_refuse(tmp_path: Path, key_server: str, redis: RedisServer) -> None:
    """Without Redis nobody is admitted; probes answer on."""
    with replica(tmp_path / "a", key_server, f'redis = "{redis.address}"\nwhen_redis_is_down = "refuse"') as url:
        assert get(url, good(url)) == 200
        redis.stop()
        assert get(url, good(url)) == 401
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert meter(url, 'oncohooks_not_admitted_total{reason="memory-of-tokens-down"}') == 1


def test_without_redis_one_file_remembers_over_a_restart(tmp_path: Path, key_server: str) -> None:
    """The embedded state of a single machine."""
    port, state = free_port(), f'file = "{tmp_path / "state.sqlite"}"'
    text = good(f"http://127.0.0.1:{port}")
    for expected in (200, 401):
        with replica(tmp_path / "a", key_server, state, port) as url:
            assert get(url, text) == expected


def test_check_says_whether_redis_answers(redis: RedisServer) -> None:
    """Before a call has to find out."""
    settings = Settings(auth="off", state=State(redis=SecretStr(redis.address)))

    async def state() -> Line:
        return next(line for line in [line async for line in examine(settings)] if line.item == "state")

    assert asyncio.run(state()).state == "ok"
    redis.stop()
    assert asyncio.run(state()).state == "unreachable"
