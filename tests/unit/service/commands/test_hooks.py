"""`oncohooks hooks`: what each command says, and its exit codes. The network is a function of the test."""

import gzip
import json
import stat
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from service.cli import main

BASE = "https://cds.example"
URL = f"{BASE}/cds-services/greeter"
CARD = {
    "uuid": "3d1b4a3c-0d0a-4a7e-8a3b-0f6f0c8f7f11",
    "summary": "Hello.",
    "indicator": "info",
    "source": {"label": "CDS"},
}
SERVICE = {
    "hook": "patient-view",
    "title": "Greeter",
    "description": "Greets.",
    "id": "greeter",
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
}
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Authorization, Content-Type",
    "access-control-allow-methods": "GET, POST",
}
Handler = Callable[[httpx.Request], httpx.Response]


def run(*arguments: str, network: Handler | None = None, stdin: bytes | None = None) -> Result:
    transport = httpx.MockTransport(network) if network else None
    result = CliRunner(env={"COLUMNS": "200"}).invoke(main, ["hooks", *arguments], obj=transport, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def error_of(result: Result) -> str:
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def call(**members: Any) -> dict[str, Any]:
    return {"hook": "patient-view", "hookInstance": "x", "context": {"userId": "P/1", "patientId": "17"}, **members}


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Two recorded calls."""
    file = tmp_path / "calls.ndjson.gz"
    file.write_bytes(gzip.compress("\n\n".join([json.dumps(call()), json.dumps(call(fhirServer="x"))]).encode()))
    return file


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    private = generate_private_key(SECP384R1())
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def describes(services: list[Any], **headers: str) -> Handler:
    """A service whose pages may be called from anywhere."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = b"" if request.method == "OPTIONS" else json.dumps({"services": services}).encode()
        given = {"content-type": "application/json", **CORS, **headers}
        return httpx.Response(200, content=body, headers={name: value for name, value in given.items() if value})

    return answer


def replies(status: int = 200, body: Any = None, seen: list[httpx.Request] | None = None, **headers: str) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return httpx.Response(status, json={"cards": [CARD]} if body is None else body, headers=headers)

    return answer


@pytest.mark.parametrize("name", ["", "lint-discovery", "lint-card", "replay", "setup-sheet"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    """Each command's help says what it does and shows a call."""
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert "Example: " in result.output


# lint-card


def test_a_right_card_ends_with_0_and_a_wrong_one_with_1(tmp_path: Path) -> None:
    """A line for each finding, then how many; from a file, a packed one, or standard input."""
    right, wrong = tmp_path / "right.json.gz", json.dumps({"cards": [{**CARD, "indicator": "hint", "uuid": "x"}]})
    right.write_bytes(gzip.compress(json.dumps({"cards": [CARD]}).encode()))
    assert (run("lint-card", str(right)).output, run("lint-card", str(right)).exit_code) == ("0 errors, 0 notes\n", 0)
    found = run("lint-card", "-", stdin=wrong.encode())
    first, second, last = found.stdout.splitlines()
    assert first == 'error  cards[0].indicator: is "hint"; allowed are critical, info, warning (SHALL 88)'
    assert second.startswith("note   cards[0].uuid: is no UUID")
    assert (last, found.exit_code) == ("1 error, 1 note", 1)


def test_findings_are_read_by_machines(tmp_path: Path) -> None:
    """`--json` has path, text, level and requirement of each."""
    file = tmp_path / "a.json"
    file.write_text('{"cards": [], "systemActions": []}')
    found = run("lint-card", str(file), "--json")
    (finding,) = json.loads(found.stdout)["findings"]
    assert finding == {
        "path": "systemActions",
        "text": "is empty: leave it out",
        "level": "SHALL NOT",
        "requirement": "3",
    }
    assert found.exit_code == 1


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", json.dumps(call()).encode(), "this is a hook request, not the reply to one"),
        ("a.json", b"<html>", "not JSON: Expecting value, line 1 column 1"),
        ("a.json.gz", b"no gzip", "not what gzip writes"),
    ],
)
def test_a_file_that_is_no_reply_is_named(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    """On one line, with what it is instead."""
    file = tmp_path / name
    file.write_bytes(content)
    result = run("lint-card", str(file))
    assert result.exit_code in {1, 2}
    assert f"{file}: " in error_of(result)
    assert told in error_of(result)


# lint-discovery


@pytest.mark.parametrize("url", [BASE, f"{BASE}/", f"{BASE}/cds-services", f"{BASE}/cds-services/"])
def test_discovery_is_found_from_the_base_or_by_itself(url: str) -> None:
    """A right one ends with 0."""
    result = run("lint-discovery", url, network=describes([SERVICE]))
    assert result.stdout == f"{BASE}/cds-services: 1 service\n0 errors, 0 notes\n"
    assert result.exit_code == 0


def test_a_wrong_discovery_ends_with_1() -> None:
    """With a line for each finding, templates included."""
    wrong = {**SERVICE, "prefetch": {"patient": "Patient/{{patientId}}"}, "description": ""}
    result = run("lint-discovery", BASE, network=describes([wrong]))
    assert result.exit_code == 1
    assert "error  services[0].prefetch.patient: {{patientId}} is no token" in result.stdout
    assert "error  services[0].description: is empty, and needed (SHALL 9)" in result.stdout
    read = json.loads(run("lint-discovery", BASE, "--json", network=describes([wrong])).stdout)
    assert (read["services"], len(read["findings"])) == (["greeter"], 2)


def test_a_service_that_browsers_cannot_call_has_notes() -> None:
    """Discovery without CORS, a preflight that lacks a header, one that is refused."""
    closed = run("lint-discovery", BASE, network=describes([SERVICE], **{"access-control-allow-origin": ""}))
    lacking = {"access-control-allow-headers": "content-type"}
    half = run("lint-discovery", BASE, network=describes([SERVICE], **lacking))
    assert closed.exit_code == half.exit_code == 0
    assert closed.stdout.count("an EHR in a browser cannot call (advice 208)") == 3
    assert half.stdout.count("lacks authorization") == 2
    other = {"access-control-allow-origin": "https://ehr.example"}
    assert (
        "0 notes"
        in run("lint-discovery", BASE, "--origin", "https://ehr.example", network=describes([SERVICE], **other)).stdout
    )


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (replies(302, location="/login"), "302, a redirect to https://cds.example/login"),
        (replies(401), "401: it wants a token"),
        (replies(404), "404, must be 200 (SHALL 13)"),
        (lambda _: httpx.Response(200, text="<html>"), "not JSON"),
    ],
)
def test_what_is_no_discovery_is_told(network: Handler, told: str) -> None:
    """A redirect with where it leads: it is not followed."""
    result = run("lint-discovery", BASE, network=network)
    assert result.exit_code == 1
    assert told in error_of(result)


def test_what_is_not_reached_ends_with_3() -> None:
    """Told with the address and why."""

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no", request=request)

    refused = run("lint-discovery", BASE, network=down)
    late = run("lint-discovery", BASE, "--timeout", "2", network=slow)
    assert refused.exit_code == late.exit_code == 3
    assert error_of(refused) == f"Error: {BASE}/cds-services: not reached: no connection"
    assert error_of(late) == f"Error: {BASE}/cds-services: no answer within 2 s"


class Sent(httpx.AsyncByteStream):
    """Bytes as they are on the wire."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def test_a_packed_answer_costs_no_more_than_what_is_read_of_it() -> None:
    """Of a stranger's service: 100 MiB in 100 KB end at the limit."""
    bomb = gzip.compress(bytes(100 * 2**20))

    def packed(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Sent(bomb))

    tracemalloc.start()
    try:
        result = run("lint-discovery", BASE, network=packed)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (result.exit_code, "more than 16 MiB" in error_of(result)) == (3, True)
    assert most < 64 * 2**20


def test_another_packing_than_asked_for_ends_with_3() -> None:
    """Nothing else is asked for than plain."""

    def packed(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "br"}, stream=Sent(b"{}"))

    result = run("lint-discovery", BASE, network=packed)
    assert (result.exit_code, "packed" in error_of(result)) == (3, True)


def test_what_has_no_end_ends_with_3() -> None:
    """More than 16 MiB are not read."""
    result = run("lint-discovery", BASE, network=lambda _: httpx.Response(200, content=b" " * (17 * 2**20)))
    assert (result.exit_code, "more than 16 MiB" in error_of(result)) == (3, True)


# replay


def test_calls_are_sent_with_an_instance_of_their_own(calls: Path) -> None:
    """The rest is as it was recorded; a line a call, and one for all."""
    seen: list[httpx.Request] = []
    result = run("replay", str(calls), "--url", URL, network=replies(seen=seen))
    first, second = (json.loads(request.content) for request in seen)
    assert len({first.pop("hookInstance"), second.pop("hookInstance"), "x"}) == 3
    assert first == {name: value for name, value in call().items() if name != "hookInstance"}
    assert second["fhirServer"] == "x"
    one, two, summed = result.stdout.splitlines()
    assert one.split()[:2] == ["1", "200"]
    assert one.endswith("1 card   Hello.")
    assert (two.split()[0], summed.startswith("2 calls, 0 not right")) == ("2", True)
    assert result.exit_code == 0
    assert "authorization" not in seen[0].headers


def test_numbers_are_sent_as_they_were_written(tmp_path: Path) -> None:
    """A value of 1.10 has two decimals, and says how exact it is."""
    file, seen = tmp_path / "one.json", list[httpx.Request]()
    file.write_text('{\n"hook": "patient-view",\n"context": {"patientId": "1", "x": 1.10}}')
    assert run("replay", str(file), "--url", URL, network=replies(seen=seen)).exit_code == 0
    assert b'"x": 1.10' in seen[0].content


def test_who_gets_the_patient_data_is_said(calls: Path) -> None:
    """On standard error, unless it is this machine."""
    sent = run("replay", str(calls), "--url", URL, network=replies())
    assert sent.stderr == f"The patient data of {calls} are sent to {BASE}.\n"
    plain = run("replay", str(calls), "--url", "http://cds.example/cds-services/x", network=replies())
    assert "sent to http://cds.example, without TLS." in plain.stderr
    assert run("replay", str(calls), "--url", "http://127.0.0.1:1/cds-services/x", network=replies()).stderr == ""


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (replies(401), "401"),
        (
            replies(307, location="https://elsewhere.example/x"),
            "a redirect to https://elsewhere.example/x, not followed",
        ),
        (
            replies(412, {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "patient is missing"}]}),
            "is missing",
        ),
        (replies(200, {"cards": [{**CARD, "summary": "x" * 140}]}), "error  cards[0].summary: has 140 characters"),
        (replies(200, {"resourceType": "OperationOutcome"}), "error  (body): this is a FHIR resource"),
        (lambda _: httpx.Response(200, text="<html>"), "error  (body): not JSON"),
    ],
)
def test_a_call_that_goes_wrong_ends_with_1(calls: Path, network: Handler, told: str) -> None:
    """The others are sent all the same."""
    result = run("replay", str(calls), "--url", URL, network=network)
    assert result.exit_code == 1
    assert result.stdout.count(told) == 2
    assert "2 calls, 2 not right" in result.stdout


def test_replies_are_read_by_machines_and_kept(calls: Path, tmp_path: Path) -> None:
    """`--json` has all of each call; `--save` keeps what came, for its owner."""
    kept = tmp_path / "kept"
    result = run("replay", str(calls), "--url", URL, "--json", "--save", str(kept), network=replies())
    read = json.loads(result.stdout)
    assert [(one["number"], one["status"], one["cards"], one["said"]) for one in read["calls"]] == [
        (1, 200, 1, "Hello."),
        (2, 200, 1, "Hello."),
    ]
    assert sorted(file.name for file in kept.iterdir()) == ["0001.json", "0002.json"]
    assert json.loads((kept / "0001.json").read_text()) == {"cards": [CARD]}
    assert stat.S_IMODE((kept / "0001.json").stat().st_mode) == 0o600
    again = run("replay", str(calls), "--url", URL, "--save", str(kept), network=replies())
    assert (again.exit_code, "is not empty" in error_of(again)) == (2, True)


def test_calls_before_one_that_is_not_reached_are_told(calls: Path) -> None:
    """The error names the call."""
    answered: list[int] = []

    def breaks(request: httpx.Request) -> httpx.Response:
        answered.append(1)
        if len(answered) > 1:
            raise httpx.ConnectError("no", request=request)
        return httpx.Response(200, json={"cards": []})

    result = run("replay", str(calls), "--url", URL, "--json", network=breaks)
    assert result.exit_code == 3
    assert len(json.loads(result.stdout)["calls"]) == 1
    assert result.stderr.splitlines()[-1] == f"Error: call 2: {URL}: not reached: no connection"


def test_a_token_is_signed_for_each_call(calls: Path, key: Path) -> None:
    """For the address, once; under the id by which the service knows the key."""
    seen: list[httpx.Request] = []
    signed = ("--key", str(key), "--issuer", "https://ehr.example", "--kid", "k1")
    assert run("replay", str(calls), "--url", URL, *signed, network=replies(seen=seen)).exit_code == 0
    tokens = [request.headers["authorization"].removeprefix("Bearer ") for request in seen]
    said = [jwt.decode(token, options={"verify_signature": False}) for token in tokens]
    assert {(one["aud"], one["iss"], one["exp"] - one["iat"]) for one in said} == {(URL, "https://ehr.example", 300)}
    assert len({one["jti"] for one in said}) == 2
    assert {jwt.get_unverified_header(token)["alg"] for token in tokens} == {"ES384"}
    assert {jwt.get_unverified_header(token)["kid"] for token in tokens} == {"k1"}


def test_a_token_of_a_file_is_sent_as_it_is(calls: Path, tmp_path: Path) -> None:
    """With or without the word before it; a redirect does not get it."""
    file, seen = tmp_path / "token", list[httpx.Request]()
    file.write_text("Bearer a.b.c\n")
    moved = replies(307, seen=seen, location="https://elsewhere.example/x")
    assert run("replay", str(calls), "--url", URL, "--token-file", str(file), network=moved).exit_code == 1
    assert [(request.url.host, request.headers["authorization"]) for request in seen] == [
        ("cds.example", "Bearer a.b.c")
    ] * 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["replay", "{calls}", "--url", BASE], "--url: must be the address of one service"),
        (["replay", "{calls}", "--url", f"{BASE}/cds-services"], "--url: must be the address of one service"),
        (["replay", "{calls}", "--url", "ftp://x"], "--url: not of the form"),
        (["replay", "{calls}"], "Missing option '--url'"),
        (["replay", "{other}", "--url", URL], "line 1: no hook request"),
        (["replay", "{empty}", "--url", URL], "is empty"),
        (["replay", "{broken}", "--url", URL], "line 2: not JSON"),
        (["replay", "{calls}", "--url", URL, "--issuer", "x"], "--key and --issuer go together"),
        (["replay", "{calls}", "--url", URL, "--key", "{other}", "--issuer", "x"], "--key: a JWK in it is no private"),
        (["replay", "{calls}", "--url", URL, "--token-file", "{empty}"], "holds no token"),
        (["replay", "{calls}", "--url", URL, "--token-file", "{other}", "--kid", "x"], "does not go with"),
        (["lint-discovery", "cds.example"], "URL: not of the form"),
        (["lint-discovery", BASE, "--ca-file", "{other}"], "--ca-file: holds no certificates"),
        (["lint-card", "{none}"], "does not exist"),
        (["setup-sheet"], "Missing option '--dialect'"),
        (["setup-sheet", "--dialect", "cerner"], "'cerner' is not one of"),
        (["lint-cards"], "did you mean lint-card?"),
    ],
)
def test_a_wrong_call_is_told_on_one_line(tmp_path: Path, calls: Path, arguments: list[str], told: str) -> None:
    """It ends with 2 and names the option or the file, before anything is sent."""
    (tmp_path / "other.json").write_text('{"kty": "oct"}')
    (tmp_path / "empty.json").write_text(" \n")
    (tmp_path / "broken.json").write_text(f"{json.dumps(call())}\n{{\n")
    files = {"{calls}": str(calls), **{f"{{{name}}}": str(tmp_path / f"{name}.json") for name in ("other", "empty")}}
    files |= {f"{{{name}}}": str(tmp_path / f"{name}.json") for name in ("broken", "none")}
    result = run(*(files.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2
    assert told in error_of(result)
