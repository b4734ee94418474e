"""`oncohooks hooks` against served processes: our service, with and without tokens, and one that is wrong."""

import gzip
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from demo.server import in_thread
from tests.integration import kit_page
from tests.integration.test_client_tokens import key_server, replica
from tests.integration.test_commands import ONCOHOOKS, run
from tests.unit.service.cds_hooks.ehr import ISSUER, elliptic

__all__ = ["key_server"]

SERVICE = "cds-services/pan-cancer-prognosis"


def kit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run([*ONCOHOOKS, "hooks", *arguments])


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    with kit_page.served() as url:
        yield url


@pytest.fixture
def wrong() -> Iterator[str]:
    """A service as people write them first: a redirect at the base, a misspelt token, a card without a source."""

    async def discovery(_: Request) -> Response:
        template = "Patient/{{Patient.id}}"
        described = {"id": "x", "hook": "patient-view", "name": "X", "prefetch": {"patient": template}}
        return JSONResponse({"services": [described]})

    async def call(request: Request) -> Response:
        patient = (await request.json())["context"]["patientId"]
        if patient == "demo-colorectal":
            return Response(status_code=500)
        return JSONResponse({"cards": [{"summary": f"About {patient}", "indicator": "hard-stop"}]})

    async def moved(_: Request) -> Response:
        return RedirectResponse("/cds-services")

    routes = [
        Route("/cds-services", discovery),
        Route("/cds-services/x", call, methods=["POST"]),
        Route("/old/cds-services", moved),
        Route("/old/cds-services/x", moved, methods=["POST"]),
    ]
    with in_thread(Starlette(routes=routes)) as url:
        yield url


def test_the_page_shows_what_its_commands_print(ours: str) -> None:
    """docs/integration-kit.md and its calls are as `python -m tests.integration.kit_page` writes them."""
    page = kit_page.PAGE.read_text(encoding="utf-8")
    assert gzip.decompress(kit_page.EXAMPLE.read_bytes()).decode() == kit_page.example()
    assert kit_page.refreshed(page, ours) == page


def test_our_service_has_no_finding(ours: str, tmp_path: Path) -> None:
    """Neither in discovery nor in its replies, kept ones included; the call that cannot be answered ends with 1."""
    assert kit("lint-discovery", ours).returncode == 0
    done = kit("replay", str(kit_page.EXAMPLE), "--url", f"{ours}/{SERVICE}", "--json", "--save", str(tmp_path))
    calls = json.loads(done.stdout)["calls"]
    assert [(call["status"], call["cards"], call["findings"]) for call in calls] == [
        (200, 1, []),
        (200, 1, []),
        (412, 0, []),
    ]
    assert (done.returncode, done.stderr) == (1, "")
    kept = kit("lint-card", str(tmp_path / "0001.json"))
    assert (kept.returncode, kept.stdout) == (0, "0 errors, 0 notes\n")


def test_a_service_that_wants_tokens_gets_one_for_each_call(tmp_path: Path, key_server: str) -> None:
    """Signed by the client's key; without one it is told what to do; a token of a file opens the door once."""
    key, token, calls = tmp_path / "key.pem", tmp_path / "token", tmp_path / "calls.ndjson"
    key.write_bytes(elliptic().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    first = gzip.decompress(kit_page.EXAMPLE.read_bytes()).decode().splitlines()[0]
    calls.write_text(f"{first}\n{first}\n")
    signed = ("--key", str(key), "--issuer", ISSUER, "--kid", "k1")
    with replica(tmp_path / "site", key_server, "") as url:
        place = f"{url}/{SERVICE}"
        anonymous = kit("lint-discovery", url)
        assert (anonymous.returncode, "401: it wants a token" in error_of(anonymous)) == (1, True)
        assert kit("lint-discovery", url, *signed).returncode == 0
        done = kit("replay", str(calls), "--url", place, "--json", *signed)
        assert [call["status"] for call in json.loads(done.stdout)["calls"]] == [200, 200]
        token.write_text(_token(place))
        twice = kit("replay", str(calls), "--url", place, "--json", "--token-file", str(token))
        assert [call["status"] for call in json.loads(twice.stdout)["calls"]] == [200, 401]


def _token(address: str) -> str:
    claims = {"iss": ISSUER, "aud": address, "iat": time.time(), "exp": time.time() + 300, "jti": address}
    return jwt.encode(claims, elliptic(), "ES384", headers={"kid": "k1"})


def test_what_is_wrong_with_a_service_is_found(wrong: str) -> None:
    """In discovery and in each reply, with where a redirect leads."""
    described = kit("lint-discovery", wrong)
    assert described.returncode == 1
    for line in (
        "error  services[0].description: is missing (SHALL 9)",
        "error  services[0].prefetch.patient: {{Patient.id}} is no token",
        "note   services[0].title: is missing (SHOULD 8)",
        "an EHR in a browser cannot call (advice 208)",
    ):
        assert line in described.stdout
    moved = kit("lint-discovery", f"{wrong}/old")
    assert (moved.returncode, f"a redirect to {wrong}/cds-services" in error_of(moved)) == (1, True)
    replayed = kit("replay", str(kit_page.EXAMPLE), "--url", f"{wrong}/cds-services/x")
    assert replayed.returncode == 1
    assert "About demo-breast" in replayed.stdout
    assert replayed.stdout.count("error  cards[0].source: is missing (SHALL 90)") == 2
    assert " 500 " in replayed.stdout
    assert "3 calls, 3 not right" in replayed.stdout
    assert "not followed" in kit("replay", str(kit_page.EXAMPLE), "--url", f"{wrong}/old/cds-services/x").stdout


def test_what_does_not_run_ends_with_3(wrong: str) -> None:
    """On one line, with why."""
    closed = f"{wrong.rpartition(':')[0]}:9"
    for done in (
        kit("lint-discovery", closed),
        kit("replay", str(kit_page.EXAMPLE), "--url", f"{closed}/cds-services/x"),
    ):
        assert done.returncode == 3
        assert "connection refused" in error_of(done)
