"""A real Redis for the tests: Debian's redis-server on a free port of 127.0.0.1, nothing kept on disc.

`guarded_redis` is one as in a hospital: TLS only, no default user, and one user who may do as little as docs/reading.md
says.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.load import free_port
from tests.integration.redis_certificates import write_certificates

_Server = TypeVar("_Server", bound="RedisServer")


class RedisServer:
    """One that can be killed and started again on the same port."""

    def __init__(self, program: str, folder: Path, options: Sequence[str] = ()) -> None:
        self._program = program
        self.folder = folder
        self._options = options
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def owners_address(self) -> str:
        """Of who may do everything."""
        return self.address

    @property
    def options(self) -> tuple[str, ...]:
        return ("--port", str(self.port))

    def start(self) -> None:
        options = (*self.options, "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder), *self._options)
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        with Redis.from_url(self.owners_address) as asking:
            for _ in range(200):
                try:
                    asking.ping()
                except RedisError:
                    time.sleep(0.02)
                else:
                    return
        raise RuntimeError("redis-server does not answer")

    def keys(self) -> list[str]:
        with Redis.from_url(self.address, decode_responses=True) as asking:
            return sorted(asking.scan_iter())

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class GuardedRedis(RedisServer):
    """TLS, and a user `oncohooks` whose rights are `rules`."""

    def __init__(self, program: str, folder: Path, rules: str) -> None:
        super().__init__(program, folder)
        write_certificates(folder)
        self._write(rules)

    def _write(self, rules: str) -> None:
        admin = "user admin on >admin ~* &* +@all"
        users = f"user default off\n{admin}\nuser oncohooks on >s3cret {rules}\n"
        (self.folder / "users.acl").write_text(users)

    def allow(self, rules: str) -> None:
        """Other rights from now on."""
        self._write(rules)
        with Redis.from_url(self.owners_address) as asking:
            asking.acl_load()

    @property
    def address(self) -> str:
        return self._address("oncohooks:s3cret")

    @property
    def owners_address(self) -> str:
        return self._address("admin:admin")

    def _address(self, user: str) -> str:
        return f"rediss://{user}@127.0.0.1:{self.port}/0?ssl_ca_certs={self.folder / 'ca.pem'}"

    @property
    def options(self) -> tuple[str, ...]:
        files = {"cert-file": "server.pem", "key-file": "server.key", "ca-cert-file": "ca.pem"}
        named = (part for name, file in files.items() for part in (f"--tls-{name}", str(self.folder / file)))
        secured = ("--port", "0", "--tls-port", str(self.port), *named, "--tls-auth-clients", "no")
        return (*secured, "--aclfile", str(self.folder / "users.acl"))


def redis_server(folder: Path, options: Sequence[str] = ()) -> AbstractContextManager[RedisServer]:
    """`options` go on its command line. Raises FileNotFoundError where the machine has no redis-server."""
    return _running(RedisServer(_program(), folder, options))


def guarded_redis(folder: Path, rules: str) -> AbstractContextManager[GuardedRedis]:
    """Raises FileNotFoundError where the machine has no redis-server."""
    return _running(GuardedRedis(_program(), folder, rules))


def _program() -> str:
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server")
    return program


@contextmanager
def _running(server: _Server) -> Iterator[_Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()
