"""A real Redis for the tests: Debian's redis-server on a free port of 127.0.0.1, nothing kept on disc."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.load import free_port


class RedisServer:
    """One that can be killed and started again on the same port."""

    def __init__(self, program: str, folder: Path, options: Sequence[str] = ()) -> None:
        self._program = program
        self._folder = folder
        self._options = options
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = (
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self._folder),
            *self._options,
        )
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        with Redis.from_url(self.address) as asking:
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


@contextmanager
def redis_server(folder: Path, options: Sequence[str] = ()) -> Iterator[RedisServer]:
    """`options` go on its command line. Raises FileNotFoundError where the machine has no redis-server."""
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server")
    server = RedisServer(program, folder, options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
