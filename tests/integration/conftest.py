"""Real servers, one of each per run. Absent outside CI they are a named skip; with CI=true a failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.hapi_server import Hapi, ServerMissing, hapi_server
from tests.integration.load_corpus import Load, load_mii, load_r4_examples, load_synthea
from tests.integration.missing import missing
from tests.integration.redis_server import RedisServer, redis_server
from tests.integration.second_server import SecondServer, SecondServerMissingError, second_server

_SAID: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test below this folder starts real servers."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The log shows which HAPI ran and what it held."""
    for line in _SAID:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def hapi() -> Iterator[Hapi]:
    """The one HAPI of the run."""
    context = hapi_server()
    try:
        server = context.__enter__()
    except ServerMissing as why:
        missing(f"HAPI: {why}")
    try:
        yield server
    finally:
        _SAID.append(str(server))
        context.__exit__(None, None, None)


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of the test's own, which it may stop and start."""
    try:
        with redis_server(tmp_path_factory.mktemp("redis")) as server:
            yield server
    except FileNotFoundError:
        missing("Redis: redis-server is not installed")


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondServer]:
    """A FHIR server that is not HAPI, open to everyone, with nothing on it when a module begins."""
    with second(tmp_path_factory.mktemp("sekmet")) as server:
        yield server


@contextmanager
def second(folder: Path, **options: Any) -> Iterator[SecondServer]:
    """The second server, or the named lack of it."""
    try:
        with second_server(folder, **options) as server:
            yield server
    except SecondServerMissingError as why:
        missing(f"sekmet-fhir: {why}")


@pytest.fixture(scope="session")
def synthea(hapi: Hapi, corpus: Path) -> Load:
    return load_synthea(hapi, corpus)


@pytest.fixture(scope="session")
def mii(hapi: Hapi, corpus: Path) -> Load:
    return load_mii(hapi, corpus)


@pytest.fixture(scope="session")
def r4_examples(hapi: Hapi, corpus: Path) -> Load:
    return load_r4_examples(hapi, corpus)
