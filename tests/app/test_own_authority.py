"""The service's own authority through the whole app: hook, check and keys."""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from click.testing import CliRunner

from fhir_mappings.retrieval import queries
from service.app import create_app, destinations_of
from service.check import examine
from service.check_line import NOBODY, Line
from service.cli import main
from service.errors import Category
from service.fhir.capability import STATEMENT
from service.fhir.destinations import Destination
from service.settings import Settings
from service.site_queries import CONSENTS, FLAGS
from tests.unit.service.cds_hooks.ehr import elliptic
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import (
    BASE,
    JSON,
    PATIENT,
    FhirServer,
    assessment_of,
    bundle,
    full_prefetch,
    issue_of,
    leave,
    ledger_of,
    meters,
    unlearned_package,
)
from tests.unit.service.fhir.authorisation_server import CLIENT, DISCOVERY, DOCUMENT, TOKEN_URL, pem

OWN = "Bearer s3cret-own"


class Guarded(FhirServer):
    """A FHIR server that issues one token, and answers to that one and to the hook's own."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Mapping[str, Any] = {"access_token": "s3cret-own", "token_type": "bearer", "expires_in": 300}
        self.takes = {OWN, "Bearer s3cret-hook"}
        self.on(DISCOVERY, lambda _: httpx.Response(200, json=DOCUMENT))
        self.on(TOKEN_URL, lambda _: httpx.Response(200, json=self.answer))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if str(request.url) in {DISCOVERY, TOKEN_URL} or request.headers.get("authorization") in self.takes:
            return answer
        return httpx.Response(401, json={}, headers={"content-type": JSON})

    def shown(self) -> set[str | None]:
        """What the FHIR server saw."""
        return {
            request.headers.get("authorization")
            for request in self.requests
            if str(request.url) not in {DISCOVERY, TOKEN_URL}
        }


@pytest.fixture
def server() -> Guarded:
    return Guarded()


@pytest.fixture
def entry(tmp_path: Path) -> dict[str, Any]:
    """The server's entry in site.toml."""
    return {"url": BASE, "backend": {"client_id": CLIENT, "key_file": pem(elliptic(), tmp_path / "key.pem")}}


def test_a_call_without_a_token_is_read_by_the_services_own(
    calling: MakeCaller, server: Guarded, entry: dict[str, Any]
) -> None:
    """What was not sent is read with one token; prefetch that is complete needs none."""
    server.holds()
    caller = calling(fhir=[entry])
    caller.hook(fhirServer=BASE, prefetch=full_prefetch())
    assert OWN not in server.shown()
    ledger = ledger_of(caller.hook(fhirServer=BASE))
    assert {state for _, state in ledger.values()} <= {"complete", "empty"}
    assert server.shown() == {OWN}
    assert [str(request.url) for request in server.requests].count(TOKEN_URL) == 1


def test_a_calls_own_token_is_used_for_that_call(calling: MakeCaller, server: Guarded, entry: dict[str, Any]) -> None:
    """With fhirAuthorization the user's leave counts, and the service's own is not asked for."""
    server.holds()
    calling(fhir=[entry]).hook(fhirServer=BASE, fhirAuthorization=leave("s3cret-hook"))
    assert server.shown() == {"Bearer s3cret-hook"}
    assert TOKEN_URL not in {str(request.url) for request in server.requests}


def test_tokens_are_in_no_log_meter_or_answer(
    calling: MakeCaller, server: Guarded, entry: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the hook's token nor ours, nor what was signed for it."""
    server.holds(sequences=403)
    caller = calling(fhir=[entry])
    with caplog.at_level(logging.DEBUG):
        told = [
            caller.hook(fhirServer=BASE, fhirAuthorization=leave("s3cret-hook")).text,
            caller.hook(fhirServer=BASE, fhirAuthorization=leave("s3cret-gone")).text,
            caller.hook(fhirServer=BASE).text,
            caller.get("/metrics").text,
            caller.get("/readyz").text,
        ]
    assert "s3cret" not in "".join(told) + caplog.text
    assert "client_assertion" not in "".join(told) + caplog.text


def test_what_the_token_does_not_cover_is_not_asked_for(
    calling: MakeCaller, server: Guarded, entry: dict[str, Any]
) -> None:
    """Once the grant is known, its gaps are in the ledger by name, and a part of a type is no complete answer."""
    granted = "system/Patient.rs system/Condition.rs system/Observation.rs?category=laboratory system/Encounter.rs"
    server.answer = {**server.answer, "scope": granted}
    server.holds()
    caller = calling(fhir=[entry], cache={"kept_seconds": 0})
    caller.hook(fhirServer=BASE)
    server.requests.clear()
    lines = {line["key"]: line for line in assessment_of(caller.hook(fhirServer=BASE))["retrieval"]}
    assert lines["sequences"]["state"] == "notAsked"
    assert lines["sequences"]["reason"] == "the service's token does not cover MolecularSequence"
    assert (lines["laboratory"]["state"], lines["encounters"]["state"]) == ("partial", "empty")
    assert not any("MolecularSequence" in str(request.url) for request in server.requests)


@pytest.mark.parametrize("status", [401, 403])
def test_a_search_that_the_hooks_token_does_not_allow_is_named(
    calling: MakeCaller, server: Guarded, entry: dict[str, Any], status: int
) -> None:
    """The ledger says so; the service's own token is not tried in its place."""
    server.holds(sequences=status)
    response = calling(fhir=[entry]).hook(fhirServer=BASE, fhirAuthorization=leave("s3cret-hook"))
    (line,) = [line for line in assessment_of(response)["retrieval"] if line["key"] == "sequences"]
    assert (line["state"], line["reason"]) == ("failed", f"refused with HTTP status {status}")
    assert server.shown() == {"Bearer s3cret-hook"}


def test_without_a_token_of_its_own_the_call_is_told(
    calling: MakeCaller, server: Guarded, entry: dict[str, Any]
) -> None:
    """A documented error that says what to compare, counted as such; no card, and nothing read."""
    server.holds()
    server.on(TOKEN_URL, lambda _: httpx.Response(400, json={"error": "invalid_client"}))
    caller = calling(fhir=[entry])
    response = caller.hook(fhirServer=BASE)
    issue = issue_of(response)
    assert (response.status_code, issue["category"]) == (502, Category.FHIR_NOT_AUTHORISED)
    assert "invalid_client" in issue["diagnostics"]
    assert server.shown() == set()
    assert any(Category.FHIR_NOT_AUTHORISED in labels for labels in meters(caller, "oncohooks_outcomes_total"))


def test_a_patient_that_the_token_does_not_cover_is_an_error(
    calling: MakeCaller, server: Guarded, entry: dict[str, Any]
) -> None:
    """Without Patient and Condition nothing can be said."""
    server.answer = {**server.answer, "scope": "system/Patient.rs system/Observation.rs"}
    server.holds()
    caller = calling(fhir=[entry], cache={"kept_seconds": 0})
    caller.hook(fhirServer=BASE)
    issue = issue_of(caller.hook(fhirServer=BASE))
    assert issue["diagnostics"] == "conditions: the service's token does not cover Condition"


def test_the_token_is_there_before_the_first_call(server: Guarded, entry: dict[str, Any]) -> None:
    """The service asks for it when it starts, and ends with its last request."""
    settings = Settings(auth="off", fhir=[entry], deadline_seconds=20)  # type: ignore[arg-type]
    app = create_app(settings, transport=server, package=unlearned_package())

    async def run() -> None:
        answered = asyncio.Event()

        def token(_: httpx.Request) -> httpx.Response:
            answered.set()
            return httpx.Response(200, json=server.answer)

        server.on(TOKEN_URL, token)
        async with app.router.lifespan_context(app):
            await answered.wait()

    asyncio.run(run())


def test_a_token_url_is_a_destination_and_what_a_server_names_is_none(entry: dict[str, Any]) -> None:
    """Connections lead where site.toml says: to the server, and to the token endpoint that is written down there."""
    elsewhere = "https://login.example/token"
    entry["backend"]["token_url"] = elsewhere
    settings = Settings(auth="off", fhir=[entry], deadline_seconds=20)  # type: ignore[arg-type]
    assert set(destinations_of(settings)) == {Destination.of(BASE), Destination.of(elsewhere)}


def lines(server: FhirServer, entry: dict[str, Any], **options: Any) -> dict[str, Line]:
    async def run() -> dict[str, Line]:
        settings = Settings(auth="off", fhir=[entry], deadline_seconds=20, **options)  # type: ignore[arg-type]
        return {line.item: line async for line in examine(settings, server)}

    return asyncio.run(run())


def answers_all(server: Guarded) -> None:
    server.on(STATEMENT, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
    for query in queries():
        server.on(query.url(NOBODY), bundle())
    server.on(f"Patient/{NOBODY}", 404)
    server.on(f"Condition?patient={NOBODY}&_count=1", bundle())


def test_check_tells_discovery_token_and_one_read(server: Guarded, entry: dict[str, Any]) -> None:
    """A line each: where tokens come from, how long one lives and for what, and that the server takes it."""
    answers_all(server)
    found = lines(server, entry)
    assert {found[f"fhir 1{part}"].state for part in ("", " discovery", " token", " read", " searches")} == {"ok"}
    assert found["fhir 1 discovery"].told == f"tokens from {TOKEN_URL}"
    assert found["fhir 1 token"].told.startswith("for 300 s: system/Patient.rs ")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("scope", "state", "told"),
    [
        ("system/*.rs", "ok", ""),
        ("system/Patient.rs system/Condition.rs system/Observation.rs", "note", "not granted: MolecularSequence"),
        ("system/*.rs?a=b system/Patient.r system/Condition.rs", "note", "granted in part: Observation"),
        ("system/Observation.rs", "red", "without them nothing can be scored"),
        ("", "red", "without them nothing can be scored"),
    ],
)
def test_check_tells_what_was_not_granted(
    server: Guarded, entry: dict[str, Any], scope: str, state: str, told: str
) -> None:
    """A narrower grant is a note, one without Patient or Condition red."""
    answers_all(server)
    server.answer = {**server.answer, "scope": scope}
    line = lines(server, entry)["fhir 1 token"]
    assert (line.state, told in line.action) == (state, True)


def test_objections_are_asked_for_where_the_site_says_which(server: Guarded, entry: dict[str, Any]) -> None:
    """Scopes of Flag and Consent beside the others; a grant without them is red, since nobody would be scored."""
    answers_all(server)
    rules = {"flags": ["urn:site|no-ai"], "consents": ["urn:site|ai"]}
    for query in (FLAGS, CONSENTS):
        server.on(query.url(NOBODY), bundle())
    assert "Flag" not in lines(server, entry)["fhir 1 token"].told
    found = lines(server, entry, restricted=rules)
    assert "system/Condition.rs system/Flag.rs system/Consent.rs system/Observation.rs" in found["fhir 1 token"].told
    server.answer = {**server.answer, "scope": "system/Patient.rs system/Condition.rs system/Observation.rs"}
    line = lines(server, entry, restricted=rules)["fhir 1 token"]
    assert (line.state, "Patient and Condition and Flag and Consent" in line.action) == ("red", True)


def test_check_tells_why_there_is_no_token(server: Guarded, entry: dict[str, Any]) -> None:
    """A refused client and an endpoint elsewhere are red, one that is down is unreachable; nothing else is asked."""
    server.on(TOKEN_URL, lambda _: httpx.Response(401, json={"error": "invalid_client"}))
    assert lines(server, entry)["fhir 1 token"].state == "red"
    server.on(DISCOVERY, {"token_endpoint": "https://elsewhere.example/token"})
    assert lines(server, entry)["fhir 1 discovery"].state == "red"

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    server.on(DISCOVERY, down)
    found = lines(server, entry)
    assert found["fhir 1 discovery"].state == "unreachable"
    assert "fhir 1" not in found


def test_check_tells_that_a_token_is_not_taken(server: Guarded, entry: dict[str, Any]) -> None:
    """The server issues tokens and does not take them."""
    answers_all(server)
    server.takes = set()
    assert lines(server, entry)["fhir 1 read"].state == "red"


def test_commands_read_a_server_of_the_site_with_its_credentials(
    server: Guarded, entry: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`score --fhir` and `mapping coverage --fhir` find the server's entry in site.toml, and ask for one token each."""
    server.holds()
    key_file = entry["backend"]["key_file"]
    table = f'[fhir.backend]\nclient_id = "a"\nkey_file = "{key_file}"\n'
    (tmp_path / "site.toml").write_text(f'[[fhir]]\nurl = "{BASE}"\n{table}')
    (tmp_path / "patients").write_text(f"{PATIENT}\n{PATIENT}\n")
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    for command in (["score", "--patient", PATIENT], ["mapping", "coverage", "--patients", str(tmp_path / "patients")]):
        server.requests.clear()
        result = CliRunner().invoke(main, [*command, "--fhir", f"{BASE}/"], obj=server)
        assert result.exit_code == 0, result.output
        assert server.shown() == {OWN}
        assert [str(request.url) for request in server.requests].count(TOKEN_URL) == 1


def test_keys_prints_what_is_to_be_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`oncohooks keys` prints the public halves of all keys as a JWKS; one of them verifies what the service signs."""
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("old", "new"):
        pem(elliptic(name), keys / f"{name}.pem")
    site = f'[[fhir]]\nurl = "{BASE}"\n[fhir.backend]\nclient_id = "a"\nkey_file = "{keys}"\n'
    (tmp_path / "site.toml").write_text(site)
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    result = CliRunner().invoke(main, ["keys"])
    assert result.exit_code == 0
    printed = json.loads(result.output)["keys"]
    assert [key["alg"] for key in printed] == ["ES384", "ES384"]
    assert not any("d" in key for key in printed)
    signed = jwt.encode({"a": 1}, elliptic("old"), "ES384")
    assert any(_verifies(key, signed) for key in printed)


def _verifies(public: dict[str, Any], signed: str) -> bool:
    try:
        jwt.decode(signed, jwt.PyJWK(public), algorithms=["ES384"])
    except jwt.InvalidSignatureError:
        return False
    return True


@pytest.mark.parametrize(("key_file", "code"), [("", 2), ("none.pem", 1)])
def test_keys_without_keys_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_file: str, code: int) -> None:
    """One line that names the setting."""
    table = f'[fhir.backend]\nclient_id = "a"\nkey_file = "{tmp_path / key_file}"\n' if key_file else ""
    (tmp_path / "site.toml").write_text(f'[[fhir]]\nurl = "{BASE}"\n{table}')
    monkeypatch.setenv("ONCOHOOKS_SITE", str(tmp_path))
    result = CliRunner().invoke(main, ["keys"])
    assert result.exit_code == code
    assert "key_file" in result.output
