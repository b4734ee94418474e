"""Builds and runs the real HAPI FHIR server, and HAPI's reader of CDS Hooks, of the integration tests."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from demo.server import Running, ServerNotStartedError, in_process

PROJECT = Path(__file__).parent / "hapi"
_TARGET = PROJECT / "target"
_JAR = _TARGET / "hapi-test-server.jar"
_BUILT = _TARGET / "built"  # touched after a whole build: an interrupted one is done again
_BUILD_SECONDS = 600.0
_START_SECONDS = 180.0  # 9 to 28 s on 2 cores, 40 s and more while other processes are busy
_JAVA = 17

# The serial collector and C1 alone halve the CPU that a short run costs.
_JVM = ("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class ServerMissing(Exception):  # noqa: N818 - a fact about the machine, and the reason of a named skip
    """This machine cannot run the server. The message says what it lacks."""


@dataclass
class Hapi:
    """A running HAPI FHIR server. `loaded` counts the resources stored so far, per source."""

    base_url: str
    version: str
    pid: int
    log: Path
    loaded: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"HAPI FHIR {self.version}, loaded: {self.loaded or 'nothing'}"


@contextmanager
def hapi_server(*, lenient: bool = True) -> Iterator[Hapi]:
    """A HAPI FHIR R4 server with an empty database in memory, for as long as the context lasts.

    `lenient` takes what the stock image refuses: numeric ids chosen by clients, references to what is not there.
    Raises ServerMissing without Java or Maven, ServerNotStartedError where it is built but does not come up.
    """
    jar = build()
    options = ["--until-stdin-closes", *(["--lenient"] if lenient else [])]
    with in_process([_tool("java"), *_JVM, "-jar", str(jar), *options], timeout=_START_SECONDS) as server:
        yield Hapi(server.base_url, _version(server), server.pid, server.log)


def read_cds_hooks(arguments: Sequence[str]) -> list[str]:
    """The command that has HAPI's Java classes read CDS Hooks replies (ReadCdsHooks.java).

    Raises ServerMissing without Java or Maven.
    """
    path = f"{build()}{os.pathsep}{_TARGET / 'lib'}/*"
    return [_tool("java"), *_JVM, "-cp", path, "ReadCdsHooks", *arguments]


def build() -> Path:
    """The server's jar, built by Maven where its sources are newer; test runs side by side wait for one another.

    Raises ServerMissing without Java or Maven, or where Maven cannot fetch what it needs.
    """
    _tool("java")
    _TARGET.mkdir(exist_ok=True)
    with (_TARGET / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_built():
            _package()
            _BUILT.touch()
    return _JAR


def _is_built() -> bool:
    sources = [PROJECT / "pom.xml", *(PROJECT / "src").rglob("*.java")]
    return _JAR.exists() and _BUILT.exists() and _BUILT.stat().st_mtime >= max(s.stat().st_mtime for s in sources)


def _package() -> None:
    """From the local repository where everything is there (7 s), else from Maven Central (17 to 85 s, 344 MB)."""
    command = [_tool("mvn"), "-q", "-B", "package"]
    said = ""
    for offline in (["-o"], []):
        try:
            done = subprocess.run(
                [*command, *offline], cwd=PROJECT, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ServerMissing(f"Maven did not finish within {_BUILD_SECONDS:g} s") from error
        if done.returncode == 0:
            return
        said = (done.stdout + done.stderr).strip()
    raise ServerMissing(f"Maven could not build {PROJECT}:\n{said[-2000:]}")


def _tool(name: str) -> str:
    home = os.environ.get("JAVA_HOME", "")
    found = shutil.which(name, path=f"{home}/bin") if home and name == "java" else None
    found = found or shutil.which(name)
    if found is None:
        raise ServerMissing(f"no {name} on the path: HAPI needs Java {_JAVA} or newer (a JDK) and Maven")
    return found


def _version(server: Running) -> str:
    # The whole statement has 1.5 MB.
    answer = httpx.get(f"{server.base_url}/metadata", params={"_elements": "fhirVersion,software"}, timeout=60)
    if answer.status_code != httpx.codes.OK:
        raise ServerNotStartedError(f"metadata answered {answer.status_code}\n{answer.text[:500]}")
    return str(answer.json()["software"]["version"])
