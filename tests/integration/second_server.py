"""sekmet-fhir (PyPI, Apache-2.0): a FHIR R4 server that is not HAPI, with a SMART token endpoint that is not ours.

It runs in an environment of its own (requirements/sekmet.txt), made where it is missing, and never sees ours. What it
does otherwise than HAPI: unknown parameters are ignored, `MolecularSequence?patient=` answers with every patient's
sequences, pages are offsets, nothing is compressed.
"""

import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load import free_port
from tests.conftest import ROOT

_LOCKED = ROOT / "requirements" / "sekmet.txt"
_PLACE = ROOT / ".venv" / "sekmet"
_INSTALLED = _PLACE / "locked.txt"  # a copy of what is there, put last: an interrupted install is done again
_INSTALL_SECONDS = 300.0
_START_SECONDS = 60.0
_LOADER = ("loader", "loads")  # puts resources where everyone else needs a token


class SecondServerMissingError(Exception):
    """The server cannot be installed here. The message says why."""


@dataclass
class SecondServer:
    """A running sekmet-fhir with an empty database."""

    base_url: str

    @property
    def token_url(self) -> str:
        return self.base_url.removesuffix("/fhir") + "/auth/token"

    def load(self, *resources: Mapping[str, Any]) -> None:
        """Put resources there under their own ids."""
        with httpx.Client(auth=_LOADER, timeout=30, trust_env=False) as client:
            for resource in resources:
                address = f"{self.base_url}/{resource['resourceType']}/{resource['id']}"
                client.put(address, json=resource).raise_for_status()


@contextmanager
def second_server(
    folder: Path, clients: Sequence[Mapping[str, Any]] = (), token_seconds: int = 300
) -> Iterator[SecondServer]:
    """The server on a free port of 127.0.0.1, its files in `folder`, for as long as the context lasts.

    With `clients` (client_id, jwks, scopes) every read needs a token, else none does. Raises SecondServerMissingError
    where it cannot be installed, RuntimeError where it does not come up.
    """
    program = _installed()
    port = free_port()
    server = SecondServer(f"http://127.0.0.1:{port}/fhir")
    settings = folder / "settings.yaml"
    settings.write_text(json.dumps(_settings(server, port, folder, clients, token_seconds)))  # JSON is YAML
    log = folder / "sekmet.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [program, "serve", "--config", settings], stdout=said, stderr=subprocess.STDOUT, cwd=folder
        )
    try:
        _await(server, process, log)
        yield server
    finally:
        process.terminate()
        process.wait(15)


def _settings(
    server: SecondServer, port: int, folder: Path, clients: Sequence[Mapping[str, Any]], token_seconds: int
) -> dict[str, Any]:
    user, password = _LOADER
    guarded = {"types": ["smart", "basic"], "users": {user: password}, "smart_clients": list(clients)}
    return {
        "base_url": server.base_url,
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder / "data"),
        "simulator": {"enabled": False},  # it invents answers to orders and claims
        "server_auth": {**(guarded if clients else {"types": ["none"]}), "token_lifetime": token_seconds},
    }


def _await(server: SecondServer, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{server.base_url}/metadata", timeout=5, trust_env=False).status_code < 500:
                return
        time.sleep(0.05)
    raise RuntimeError(f"sekmet-fhir does not answer\n{log.read_text()[-2000:]}")


def _installed() -> Path:
    """The server's command, installed from the locked versions where it is not; runs side by side wait for one."""
    _PLACE.parent.mkdir(exist_ok=True)
    with (_PLACE.parent / "sekmet.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _INSTALLED.exists() or _INSTALLED.read_bytes() != _LOCKED.read_bytes():
            _install()
    return _PLACE / "bin" / "sekmet"


def _install() -> None:
    """50 packages: 2 s where they were fetched before, else as the network allows."""
    python = _PLACE / "bin" / "python"
    uv = (sys.executable, "-m", "uv", "--quiet")
    for command in (
        (*uv, "venv", "--clear", "--python", sys.executable, _PLACE),
        (*uv, "pip", "install", "--python", python, "--require-hashes", "--only-binary", ":all:", "-r", _LOCKED),
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise SecondServerMissingError(f"not installed within {_INSTALL_SECONDS:g} s") from error
        if done.returncode != 0:
            raise SecondServerMissingError(f"not installed:\n{done.stderr[-2000:]}")
    _INSTALLED.write_bytes(_LOCKED.read_bytes())
