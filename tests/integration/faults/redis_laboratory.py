"""The service before a Redis that fails, with a proxy between them: tokens, cards, feedback and quiet cards need it.

What is read of patients comes with the call, so that nothing but Redis is asked.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
from pydantic import SecretStr
from redis import Redis
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.load import free_port
from demo.server import in_thread
from service.app import create_app
from service.ehr_settings import EhrClient
from service.quiet_settings import QuietRules
from service.settings import Settings, State
from tests.integration.faults.certificates import Authority, Certificate
from tests.integration.faults.fhir_laboratory import shipped
from tests.integration.faults.proxy import HOST, FaultProxy
from tests.integration.faults.row import Told
from tests.integration.missing import missing
from tests.integration.redis_server import RedisServer, redis_server
from tests.unit.service.cds_hooks.ehr import ISSUER, PUBLIC_URL, claims, elliptic, jwk, token
from tests.unit.service.far_end import HOOK, full_prefetch, hook_call

PASSWORD = "not-known-to-the-service"  # noqa: S105 - of a server that lives for one test
_KEY = "k" * 32


class RedisLaboratory:
    """A round is a call, the same token again, and feedback on the card, all by a user who was never seen before."""

    def __init__(
        self, server: RedisServer, proxy: FaultProxy, authority: Authority | None, caller: httpx.Client
    ) -> None:
        self.server = server
        self.caller = caller
        self.proxy = proxy
        self.authority = authority
        self.service = ""
        self.user = 0
        self.password: str | None = None

    def calls(self) -> list[Told]:
        self.user += 1
        used = fresh(HOOK)
        first = self.call(used)
        again = self.call(used)
        cards = first.json()["cards"] if first.status_code == 200 else []
        return [Told.by(first), Told.by(again), Told.by(self.feedback(cards[0]["uuid"] if cards else "none"))]

    def call(self, by: str) -> httpx.Response:
        context = {"userId": f"Practitioner/{self.user}", "patientId": "canary-4711"}
        call = hook_call(prefetch=full_prefetch(), context=context)
        return self._post(HOOK, by, call)

    def feedback(self, card: str) -> httpx.Response:
        path = f"{HOOK}/feedback"
        entry = {"card": card, "outcome": "accepted", "outcomeTimestamp": datetime.now(UTC).isoformat()}
        return self._post(path, fresh(path), {"feedback": [{**entry, "acceptedSuggestions": [{"id": "a"}]}]})

    def metrics(self) -> str:
        return self.caller.get(f"{self.service}/metrics").text

    def lift(self) -> None:
        self.proxy.lift()
        with self.administering() as redis:
            redis.execute_command("REPLICAOF", "NO", "ONE")
            redis.config_set("maxmemory", 0)
            redis.config_set("requirepass", "")
            self.password = None
            redis.flushall()
            if self.authority is not None:
                show(redis, self.authority.valid())

    @contextmanager
    def administering(self) -> Iterator[Any]:
        """Past the proxy."""
        with Redis(HOST, self.server.port, password=self.password, decode_responses=True) as redis:
            yield redis

    def kept(self, number: int) -> list[str]:
        """The names of what is kept, once there are so many: a card is kept after its answer."""
        with self.administering() as redis:
            for _ in range(500):
                names = list(redis.scan_iter())
                if len(names) >= number:
                    return names
                time.sleep(0.01)
        raise AssertionError(f"kept only {names}")

    @property
    def read(self) -> int:
        """How often Redis has found what was asked for."""
        with self.administering() as redis:
            return int(redis.info("stats")["keyspace_hits"])

    def errors(self, name: str) -> int:
        """How often Redis itself says that it has answered with this error."""
        with self.administering() as redis:
            return int(redis.info("errorstats").get(f"errorstat_{name}", {"count": 0})["count"])

    def _post(self, path: str, by: str, body: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {by}"}
        return self.caller.post(self.service + path, json=body, headers=headers)


def fresh(path: str) -> str:
    """A token that was never used."""
    now = time.time()
    return token(claims(path, iat=now, exp=now + 300))


def show(redis: Any, certificate: Certificate) -> None:
    """To connections from now on."""
    redis.config_set("tls-cert-file", str(certificate.chain), "tls-key-file", str(certificate.key))


@contextmanager
def redis_laboratory(folder: Path) -> Iterator[RedisLaboratory]:
    with _laboratory(folder) as laboratory:
        yield laboratory


@contextmanager
def refusing_laboratory(folder: Path) -> Iterator[RedisLaboratory]:
    """At a site that rather refuses than admits a token twice."""
    with _laboratory(folder, "refuse") as laboratory:
        yield laboratory


@contextmanager
def redis_tls_laboratory(folder: Path) -> Iterator[RedisLaboratory]:
    with _laboratory(folder, authority=Authority(folder)) as laboratory:
        yield laboratory


@contextmanager
def _laboratory(
    folder: Path, when_down: Literal["process", "refuse"] = "process", authority: Authority | None = None
) -> Iterator[RedisLaboratory]:
    with ExitStack() as stack:
        tls_port = free_port()
        options = _tls(tls_port, authority.valid()) if authority else ()
        try:
            server = stack.enter_context(redis_server(folder, options))
        except FileNotFoundError:
            missing("Redis: redis-server is not installed")
        proxy = stack.enter_context(FaultProxy(tls_port if authority else server.port).running())
        caller = stack.enter_context(httpx.Client(timeout=30))
        laboratory = RedisLaboratory(server, proxy, authority, caller)
        address = f"redis://{HOST}:{proxy.port}/0"
        if authority:
            address = f"rediss://{HOST}:{proxy.port}/0?ssl_ca_certs={authority.file}"
        keys = stack.enter_context(in_thread(Starlette(routes=[Route("/jwks.json", _keys)])))
        settings = Settings(
            public_url=PUBLIC_URL,
            client=(EhrClient(issuer=ISSUER, jwks_url=f"{keys}/jwks.json"),),
            state=State(redis=SecretStr(address), when_redis_is_down=when_down, key=SecretStr(_KEY)),
            quiet=QuietRules(repeat="changed"),
        )
        laboratory.service = stack.enter_context(in_thread(create_app(settings, package=shipped())))
        yield laboratory


async def _keys(_: object) -> JSONResponse:
    return JSONResponse({"keys": [jwk(elliptic())]})


def _tls(port: int, certificate: Certificate) -> tuple[str, ...]:
    files = ("--tls-cert-file", str(certificate.chain), "--tls-key-file", str(certificate.key))
    return ("--tls-port", str(port), *files, "--tls-auth-clients", "no")
