"""SMART Backend Services at a token endpoint that somebody else wrote (sekmet-fhir)."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from demo.ehr import Ehr
from demo.patients import demo_patients
from demo.server import in_process
from service.app import credentials_of
from service.check import examine
from service.check_line import Line
from service.cli import main
from service.errors import NotAuthorisedError, RefusedError
from service.fhir.backend_services import BackendServices
from service.fhir.client import FhirClient, open_http
from service.fhir.destinations import Destination
from service.fhir.origin import Base
from service.fhir_settings import Backend, FhirServer
from service.settings import Settings
from tests.integration.conftest import second
from tests.integration.second_server import SecondServer
from tests.unit.service.cds_hooks.ehr import PrivateKey, elliptic, rsa_key
from tests.unit.service.fhir.authorisation_server import CLIENT, KINDS, Clock, pem

ALL, SOME = "system/*.rs", "system/Patient.rs system/Condition.rs system/Observation.rs system/Encounter.rs"
PATIENT = next(iter(demo_patients()))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our keys: the one that goes and the one that comes."""
    folder = tmp_path_factory.mktemp("keys")
    pem(elliptic("old"), folder / "1.pem")
    pem(elliptic("new"), folder / "2.pem")
    return folder


def printed(folder: Path, key_file: Path) -> Any:
    """What `oncohooks keys` says to register."""
    table = f'[fhir.backend]\nclient_id = "a"\nkey_file = "{key_file}"\n'
    (folder / "site.toml").write_text(f'[[fhir]]\nurl = "https://a"\n{table}')
    return json.loads(CliRunner(env={"ONCOHOOKS_SITE": str(folder)}).invoke(main, ["keys"]).output)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[SecondServer]:
    """It knows our public keys, one client that signs with RSA, and one that was granted less.

    A set of both kinds of keys makes sekmet-fhir 0.1.1 answer 500.
    """
    folder = tmp_path_factory.mktemp("sekmet")
    ours, other = printed(folder, keys), printed(folder, pem(rsa_key(), folder / "rsa.pem"))
    clients = [
        {"client_id": CLIENT, "jwks": ours, "scopes": ALL},
        {"client_id": "rsa", "jwks": other, "scopes": ALL},
        {"client_id": "less", "jwks": ours, "scopes": SOME},
    ]
    with second(folder, clients=clients) as running:
        running.load(*demo_patients()[PATIENT])
        yield running


def listed(server: SecondServer, key_file: Path, client: str = CLIENT, **registered: Any) -> FhirServer:
    backend = Backend(client_id=client, key_file=key_file, closed_network=True, **registered)
    return FhirServer(url=server.base_url, timeout_seconds=30, backend=backend)


def read(server: FhirServer, address: str = f"Patient/{PATIENT}") -> bytes:
    async def run() -> bytes:
        async with open_http(destinations=[Destination.of(server.url)]) as http:
            own = credentials_of(server, http, KINDS)
            return (await FhirClient(Base.parse(server.url), http, 30.0, 10**6, credentials=own).read(address)).body

    return asyncio.run(run())


@pytest.mark.parametrize(("client", "key"), [(CLIENT, elliptic("old")), (CLIENT, elliptic("new")), ("rsa", rsa_key())])
def test_a_patient_is_read_with_a_token_and_not_without(
    server: SecondServer, tmp_path: Path, client: str, key: PrivateKey
) -> None:
    """The registered public key, P-384 or RSA, gets a token; a read with it is answered, one without is a 401."""
    address = f"{server.base_url}/Patient/{PATIENT}"
    assert httpx.get(address, trust_env=False).status_code == 401
    with pytest.raises(RefusedError, match="401"):
        read(FhirServer(url=server.base_url))
    assert json.loads(read(listed(server, pem(key, tmp_path / "key.pem"), client)))["id"] == PATIENT


def test_a_key_that_is_not_registered_gets_no_token(server: SecondServer, tmp_path: Path) -> None:
    """The server's own word for it reaches the message."""
    with pytest.raises(NotAuthorisedError, match="HTTP status 401, invalid_client"):
        read(listed(server, pem(elliptic("stranger"), tmp_path / "key.pem")))


def test_a_set_token_url_and_scopes_of_version_1_do_as_well(server: SecondServer, keys: Path) -> None:
    """What the site writes down is what is used."""
    told = listed(server, keys, token_url=server.token_url, scopes=("system/Patient.read",))
    assert json.loads(read(told))["id"] == PATIENT
    with pytest.raises(RefusedError, match="403"):
        read(told, f"Condition?patient={PATIENT}")


def test_tokens_follow_one_another_over_a_key_rotation(server: SecondServer, tmp_path: Path) -> None:
    """Renewed, and signed by the key that was put in the file's place, the next token is taken as the first was."""
    clock, file = Clock(), pem(elliptic("old"), tmp_path / "key.pem")
    backend = listed(server, file).backend
    assert backend is not None

    async def run() -> list[str]:
        async with open_http(destinations=[Destination.of(server.base_url)]) as http:
            base = Base.parse(server.base_url)
            own = BackendServices(base, http, backend, 30.0, KINDS, clock.monotonic)
            client = FhirClient(base, http, 30.0, 10**6, credentials=own)
            await client.read(f"Patient/{PATIENT}")
            first = await own.header(float("inf"))
            await asyncio.to_thread(pem, elliptic("new"), file)
            clock.passed = 240
            assert await own.header(float("inf")) == first
            await own.close()
            clock.passed = 301
            await client.read(f"Patient/{PATIENT}")
            return [first, await own.header(float("inf"))]

    assert len(set(asyncio.run(run()))) == 2


def checked(server: FhirServer) -> Mapping[str, Line]:
    async def run() -> Mapping[str, Line]:
        settings = Settings(auth="off", fhir=(server,))
        return {line.item: line async for line in examine(settings)}

    return asyncio.run(run())


def test_check_tells_what_was_granted(server: SecondServer, keys: Path) -> None:
    """All is ok for the whole grant; for the narrower one the line names what stays unknown."""
    found = checked(listed(server, keys))
    assert [found[f"fhir 1 {part}"].state for part in ("discovery", "token", "read")] == ["ok"] * 3
    assert found["fhir 1 discovery"].told == f"tokens from {server.token_url}"
    assert found["fhir 1"].state == "ok"
    less = checked(listed(server, keys, "less"))["fhir 1 token"]
    assert (less.state, "MolecularSequence" in less.action) == ("note", True)


@contextmanager
def serving(folder: Path, server: SecondServer, keys: Path, client: str) -> Iterator[Ehr]:
    """`oncohooks serve` as a site sets it up."""
    (folder / "site.toml").write_text(
        f'auth = "off"\nclock = "latest"\ndeadline_seconds = 60\n[[fhir]]\nurl = "{server.base_url}"\n'
        f"timeout_seconds = 30\n"
        f'[fhir.backend]\nclient_id = "{client}"\nkey_file = "{keys}"\nclosed_network = true\n'
    )
    command = [sys.executable, "-m", "service.cli", "serve", "--host", "127.0.0.1", "--port", "0"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ONCOHOOKS_")}
    with in_process(command, env={**inherited, "ONCOHOOKS_SITE": str(folder)}, timeout=60) as running:
        address = re.search(r"http://[^\s/]+", running.base_url)
        assert address
        with Ehr(address[0], server.base_url) as ehr:
            yield ehr
        assert "credentials go to a FHIR server unencrypted" in running.log.read_text()
        assert "eyJ" not in running.log.read_text()  # how tokens and assertions begin


def test_a_hook_call_without_a_token_is_scored(server: SecondServer, keys: Path, tmp_path: Path) -> None:
    """The service reads as itself and scores; with the narrower grant what it may not read is a named gap."""
    with serving(tmp_path, server, keys, CLIENT) as ehr:
        whole = ehr.open_chart(PATIENT).assessment
    assert whole["status"] == "scored"
    # what the server offers is learnt beside the calls, perhaps before this one: it has neither of these types
    others = {line["key"]: line for line in whole["retrieval"] if line["state"] not in {"complete", "empty"}}
    assert others.keys() <= {"sequences", "lists"}
    assert {line["reason"].rpartition(" ")[0] for line in others.values()} <= {"the server does not offer"}
    with serving(tmp_path, server, keys, "less") as ehr:
        states = [{line["key"]: line["state"] for line in ehr.open_chart(PATIENT).assessment["retrieval"]}]
    assert states[0]["patient"] == states[0]["conditions"] == "complete"
    assert states[0]["sequences"] == "notAsked"
