import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_mappings.retrieval import queries
from service.check import examine
from service.check_line import NOBODY, Line
from service.settings import Settings
from service.site_queries import FLAGS
from tests.unit.service.cds_hooks.ehr import JWKS_URL, elliptic, jwk
from tests.unit.service.far_end import BASE, JSON, FhirServer, bundle, observation

STATEMENT = "metadata?_elements=fhirVersion,software"
CONDITIONS = f"Condition?patient={NOBODY}&_count=200"
SEQUENCES = f"MolecularSequence?patient={NOBODY}&_count=200"
HAPI = {"name": "HAPI FHIR Server", "version": "8.8.0"}


def capable(version: str = "4.0.1", skew: float = 0.0) -> Any:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=skew), usegmt=True)
    body = {"resourceType": "CapabilityStatement", "fhirVersion": version, "software": HAPI, "kind": "instance"}
    return lambda _: httpx.Response(200, json=body, headers={"content-type": JSON, "date": date})


def written(body: bytes = b'{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1"}', **headers: str) -> Any:
    return lambda _: httpx.Response(200, content=body, headers={"content-type": JSON, **headers})


@pytest.fixture
def server(server: FhirServer) -> FhirServer:
    """A server that answers everything as it should."""
    server.on(STATEMENT, capable())
    for query in queries():
        server.on(query.url(NOBODY), bundle())
    server.on(f"Patient/{NOBODY}", 404)
    return server


def lines(server: FhirServer, **settings: Any) -> dict[str, Line]:
    options = {"auth": "off", "fhir": [{"url": BASE}], **settings}

    async def run() -> dict[str, Line]:
        return {line.item: line async for line in examine(Settings(**options), server)}

    return asyncio.run(run())


def test_a_good_server_is_ok(server: FhirServer) -> None:
    """A reachable R4 server with a right clock that answers every query is all ok."""
    found = lines(server)
    assert {found[item].state for item in ("fhir 1", "fhir 1 clock", "fhir 1 searches")} == {"ok"}
    assert found["fhir 1"].told == f"{BASE}: FHIR 4.0.1, HAPI FHIR Server 8.8.0"
    assert found["fhir 1 searches"].told == f"all {len(queries())} are answered"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_server_that_refuses_what_the_site_asks_for_is_red(server: FhirServer, status: int) -> None:
    """Where flags are asked for, nobody is scored without them; they are not tried where no code is set."""
    restricted = {"flags": ["urn:site|no-ai"]}
    server.on(FLAGS.url(NOBODY), bundle())
    assert lines(server, restricted=restricted)["fhir 1 searches"].told == f"all {len(queries()) + 1} are answered"
    server.on(FLAGS.url(NOBODY), status)
    line = lines(server, restricted=restricted)["fhir 1 searches"]
    assert (line.state, line.told) == ("red", f"refused: flags (HTTP {status})")
    assert "allow Patient and Condition and Flag" in line.action
    assert lines(server)["fhir 1 searches"].state == "ok"


@pytest.mark.parametrize(("number", "version"), [("4.0.1", "R4"), ("4.3.0", "R4B"), ("5.0.0", "R5")])
def test_a_setting_that_the_server_contradicts_is_red(server: FhirServer, number: str, version: str) -> None:
    """Without the setting every version that is read is ok; with it the server must state the same."""
    server.on(STATEMENT, capable(number))
    assert lines(server)["fhir 1"].state == "ok"
    assert lines(server, fhir=[{"url": BASE, "version": version}])["fhir 1"].state == "ok"
    other = "R4" if version == "R5" else "R5"
    line = lines(server, fhir=[{"url": BASE, "version": other}])["fhir 1"]
    assert (line.state, version in line.action) == ("red", True)


def test_a_missing_model_is_red(server: FhirServer, tmp_path: Any) -> None:
    """A model package that is not there is red, and the line says what to do."""
    model = lines(server, model=tmp_path)["model"]
    assert (model.state, bool(model.action)) == ("red", True)
    assert "manifest.json" in model.told


def test_required_tokens_are_told(server: FhirServer) -> None:
    """Where tokens are required and nobody is registered, the line says that no call will be answered."""
    assert "401" in lines(server, auth="required")["configuration"].told


@pytest.mark.parametrize(
    ("address", "answer", "item", "state", "told"),
    [
        (STATEMENT, capable("3.0.2"), "fhir 1", "red", "FHIR 3.0.2"),
        (STATEMENT, capable(skew=-200), "fhir 1 clock", "red", " s behind"),
        (STATEMENT, lambda _: httpx.Response(200, html="<html>"), "fhir 1", "red", "another format"),
        (STATEMENT, 404, "fhir 1", "red", "HTTP status 404"),
        (STATEMENT, {"resourceType": "Bundle"}, "fhir 1", "red", "no CapabilityStatement"),
        (STATEMENT, written(b'{"contact":' + b"[" * 100_000), "fhir 1", "red", "no CapabilityStatement"),
        (STATEMENT, written(b'{"fhirVersion":"\xff"}'), "fhir 1", "red", "no CapabilityStatement"),
        (STATEMENT, written(date="1 Jan 99999999999999999999 00:00:00"), "fhir 1 clock", "note", "not state its time"),
        (SEQUENCES, 400, "fhir 1 searches", "note", "sequences (HTTP 400)"),
        (CONDITIONS, 403, "fhir 1 searches", "red", "conditions (HTTP 403)"),
        (CONDITIONS, 401, "fhir 1 searches", "red", "conditions (HTTP 401)"),
        (
            SEQUENCES,
            bundle(observation(1)),
            "fhir 1 searches",
            "red",
            "1 entries",
        ),
    ],
)
def test_what_is_wrong_with_a_server_is_told(
    server: FhirServer, address: str, answer: Any, item: str, state: str, told: str
) -> None:
    """Another version, a wrong clock, no FHIR, a refused or ignored search: a line each, with what to do."""
    server.on(address, answer)
    line = lines(server)[item]
    assert line.state == state
    assert told in line.told
    assert line.action or state == "note"


def test_an_unreachable_server_is_told_apart(server: FhirServer) -> None:
    """A server that cannot be reached is no fault of the configuration, and is not asked further."""

    def down(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    server.on(STATEMENT, down)
    found = lines(server)
    assert found["fhir 1"].state == "unreachable"
    assert "fhir 1 searches" not in found


def test_a_line_reads_as_a_line() -> None:
    """A line holds state, item, finding and action."""
    assert Line("model", "red", "told", "do this").text() == "red         model             told -> do this"
    assert Line("fhir 1", "ok", "HAPI\x1b[2J\r\n9").text() == "ok          fhir 1            HAPI?[2J??9"


CLIENT = {"issuer": "https://ehr.example", "jwks_url": JWKS_URL}


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        ({"keys": [jwk(elliptic())]}, "ok", "1 for ES384 or RS384"),
        ({"keys": [{"kid": "k1", "kty": "oct", "k": "AA"}]}, "red", "no key for ES384 or RS384"),
        (404, "unreachable", "no key set"),
    ],
)
def test_the_keys_of_every_client_are_looked_at(server: FhirServer, answer: Any, state: str, told: str) -> None:
    """Whether they can be read, and whether one of them could have signed a token that we take."""
    server.on(JWKS_URL, answer)
    line = lines(server, client=[CLIENT])["client 1 keys"]
    assert line.state == state
    assert told in line.told


def test_the_state_is_looked_at(server: FhirServer, tmp_path: Path) -> None:
    """A file that cannot be written is red; one that can is its owner's alone; without state there is no line."""
    file = tmp_path / "state.sqlite"
    assert "state" not in lines(server)
    assert lines(server, state={"file": tmp_path / "no" / "s"})["state"].state == "red"
    assert lines(server, state={"file": file})["state"].state == "ok"
    assert file.stat().st_mode & 0o777 == 0o600
