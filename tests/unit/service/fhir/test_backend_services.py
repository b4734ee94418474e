"""SMART Backend Services, rule by rule, at a token endpoint that verifies."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from service.errors import FhirError, NotAuthorisedError, RefusedError, TimedOutError
from service.fhir.access_token import ASSERTION_TYPE
from tests.unit.service.cds_hooks.ehr import NOW, elliptic, rsa_key
from tests.unit.service.far_end import BASE
from tests.unit.service.fhir.authorisation_server import CLIENT, DOCUMENT, TOKEN_URL, Hospital, Office, pem


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return pem(elliptic(), tmp_path / "key.pem")


def played(hospital: Hospital, key_file: Path, play: Callable[[Office], Awaitable[Any]], **registered: Any) -> Any:
    async def run() -> Any:
        office = Office(hospital, key_file, **registered)
        async with office.http:
            try:
                return await play(office)
            finally:
                await office.credentials.close()

    return asyncio.run(run())


def header(hospital: Hospital, key_file: Path, **registered: Any) -> str:
    text: str = played(hospital, key_file, lambda office: office.header(), **registered)
    return text


def refusal(hospital: Hospital, key_file: Path, **registered: Any) -> str:
    with pytest.raises(NotAuthorisedError) as caught:
        header(hospital, key_file, **registered)
    return str(caught.value)


def test_a_token_is_asked_for_as_the_specification_says(hospital: Hospital, key_file: Path) -> None:
    """A POST form with client_credentials, the scopes, and an assertion signed by the registered key."""
    assert header(hospital, key_file, kid="k7") == "Bearer token-1"
    (request,) = hospital.asked
    assert (request.method, request.headers["content-type"]) == ("POST", "application/x-www-form-urlencoded")
    assert "authorization" not in request.headers
    form = hospital.form()
    assert form.keys() == {"grant_type", "scope", "client_assertion_type", "client_assertion"}
    assert (form["grant_type"], form["client_assertion_type"]) == ("client_credentials", ASSERTION_TYPE)
    assert jwt.get_unverified_header(form["client_assertion"]) == {"alg": "ES384", "kid": "k7", "typ": "JWT"}
    claims = hospital.claims()
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, TOKEN_URL)


def test_an_assertion_is_short_lived_whichever_clock_is_a_minute_off(hospital: Hospital, key_file: Path) -> None:
    """It has begun and ends within five minutes for a server a minute behind, and lives for one two minutes ahead."""
    header(hospital, key_file)
    claims = hospital.claims()
    behind, ahead = NOW - 60, NOW + 120
    assert claims["iat"] <= behind
    assert claims["exp"] <= behind + 300
    assert claims["exp"] - claims["iat"] <= 300
    assert claims["exp"] > ahead


def test_rsa_keys_sign_rs384(hospital: Hospital, tmp_path: Path) -> None:
    """The algorithm follows from the key."""
    header(hospital, pem(rsa_key(), tmp_path / "rsa.pem"))
    assert jwt.get_unverified_header(hospital.form()["client_assertion"])["alg"] == "RS384"
    assert hospital.claims(rsa_key())["iss"] == CLIENT


def test_each_assertion_is_another(hospital: Hospital, key_file: Path) -> None:
    """No jti comes twice."""

    async def play(office: Office) -> None:
        for _ in range(5):
            await office.header()
            hospital.clock.passed += 301

    played(hospital, key_file, play)
    assert len({hospital.claims(number=number)["jti"] for number in range(5)}) == 5


def test_many_callers_wait_for_one_request(hospital: Hospital, key_file: Path) -> None:
    """Fifty calls at once lead to one discovery and one token request."""

    async def play(office: Office) -> set[str]:
        return set(await asyncio.gather(*(office.header() for _ in range(50))))

    assert played(hospital, key_file, play) == {"Bearer token-1"}
    assert (len(hospital.discovered), len(hospital.asked)) == (1, 1)


def test_a_token_is_renewed_beside_the_calls(hospital: Hospital, key_file: Path) -> None:
    """Before four fifths of its life nothing is asked; then one request, while calls go on with the old token."""

    async def play(office: Office) -> None:
        await office.header()
        hospital.clock.passed = 239
        assert await office.header() == "Bearer token-1"
        assert len(hospital.asked) == 1
        hospital.clock.passed, hospital.gate = 240, asyncio.Event()
        assert {await office.header() for _ in range(10)} == {"Bearer token-1"}
        hospital.gate.set()
        await office.settled()
        assert await office.header() == "Bearer token-2"

    played(hospital, key_file, play)
    assert len(hospital.asked) == 2


def test_an_old_token_serves_until_its_end(hospital: Hospital, key_file: Path) -> None:
    """A renewal that fails is tried again, not at every call, and leaves the token that still lives."""

    async def play(office: Office) -> None:
        await office.header()
        hospital.clock.passed, hospital.refuses = 250, httpx.Response(503)
        for _ in range(5):
            assert await office.header() == "Bearer token-1"
            await office.settled()
        assert len(hospital.asked) == 2
        hospital.clock.passed = 299
        assert await office.header() == "Bearer token-1"
        await office.settled()
        hospital.clock.passed = 310
        with pytest.raises(NotAuthorisedError, match="HTTP status 503"):
            await office.header()
        hospital.clock.passed, hospital.refuses = 316, None
        assert await office.header() == f"Bearer token-{len(hospital.asked)}"

    played(hospital, key_file, play)


def test_a_refusal_is_not_asked_for_again_at_once(hospital: Hospital, key_file: Path) -> None:
    """After a failure calls get it told for five seconds; then one of them asks again."""
    hospital.refuses = httpx.Response(400, json={"error": "invalid_client"})

    async def play(office: Office) -> None:
        for _ in range(20):
            with pytest.raises(NotAuthorisedError, match="invalid_client"):
                await office.header()
        assert len(hospital.asked) == 1
        hospital.clock.passed, hospital.refuses = 5, None
        assert await office.header() == "Bearer token-2"

    played(hospital, key_file, play)


def test_a_401_costs_one_token_and_one_retry(hospital: Hospital, key_file: Path) -> None:
    """A token that the FHIR server does not take any more is dropped, and the read done once more with a new one."""

    async def play(office: Office) -> None:
        await office.client.read("Patient/1")
        hospital.clock.passed = 60
        hospital.takes.clear()
        hospital.crowd = asyncio.Barrier(10)
        await asyncio.gather(*(office.client.read("Patient/1") for _ in range(10)))

    played(hospital, key_file, play)
    assert len(hospital.asked) == 2
    assert hospital.shown.count("Bearer token-1") == 11
    assert hospital.shown.count("Bearer token-2") == 10


def test_a_401_is_never_tried_twice(hospital: Hospital, key_file: Path) -> None:
    """A server that takes no token of ours is asked twice, and not at all again with a token that has just come."""

    class Never(set[str]):
        def __contains__(self, _: object) -> bool:
            return False

    hospital.takes = Never()

    async def play(office: Office) -> None:
        for passed, shown, asked in ((0, 1, 1), (1, 2, 1), (60, 4, 2), (61, 5, 2)):
            hospital.clock.passed = passed
            with pytest.raises(RefusedError, match="401"):
                await office.client.read("Patient/1")
            assert (len(hospital.shown), len(hospital.asked)) == (shown, asked)

    played(hospital, key_file, play)


def test_a_calls_own_token_comes_first(hospital: Hospital, key_file: Path) -> None:
    """A read with the hook's token shows that one, and a refusal of it is no reason to show ours."""

    async def play(office: Office) -> None:
        with pytest.raises(RefusedError, match="401"):
            await office.client.read("Patient/1", "of-the-hook")

    played(hospital, key_file, play)
    assert (hospital.shown, hospital.asked) == (["Bearer of-the-hook"], [])


def test_who_has_no_time_does_not_wait(hospital: Hospital, key_file: Path) -> None:
    """A caller whose deadline passes is told so; the request goes on for the others."""

    async def play(office: Office) -> None:
        hospital.gate = asyncio.Event()
        patient = asyncio.create_task(office.header())
        with pytest.raises(TimedOutError, match="no token in time"):
            await office.credentials.header(0.0)
        hospital.gate.set()
        assert await patient == "Bearer token-1"

    played(hospital, key_file, play)
    assert len(hospital.asked) == 1


def test_a_key_that_is_exchanged_signs_the_next_token(hospital: Hospital, key_file: Path) -> None:
    """The file is read for each token: no restart."""

    async def play(office: Office) -> None:
        await office.header()
        pem(elliptic("next"), key_file)
        hospital.clock.passed = 301
        await office.header()

    played(hospital, key_file, play)
    assert hospital.claims(number=0)["sub"] == hospital.claims(elliptic("next"), number=1)["sub"] == CLIENT
    first, second = (jwt.get_unverified_header(hospital.form(n)["client_assertion"])["kid"] for n in (0, 1))
    assert first != second


def test_a_key_that_is_lost_is_told(hospital: Hospital, key_file: Path) -> None:
    """The message names the setting; the token that lives serves on."""

    def spoil() -> None:
        key_file.write_text("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")

    async def play(office: Office) -> None:
        await office.header()
        spoil()
        hospital.clock.passed = 250
        assert await office.header() == "Bearer token-1"
        await office.settled()
        hospital.clock.passed = 301
        with pytest.raises(NotAuthorisedError, match=r"\[fhir.backend\] key_file: no private key in PEM"):
            await office.header()

    played(hospital, key_file, play)


def test_a_narrower_grant_is_known(hospital: Hospital, key_file: Path) -> None:
    """What was not granted is known once the token is there; a grant with a query is one of a part."""
    hospital.answer = {
        **hospital.answer,
        "scope": "system/Patient.rs system/Condition.read system/Observation.rs?category=laboratory system/List.r",
    }

    async def play(office: Office) -> None:
        own = office.credentials
        assert own.may_read("MolecularSequence")  # nothing is known yet
        await office.header()
        asked = ("Patient", "Condition", "Observation", "List", "MolecularSequence")
        assert [own.may_read(kind) for kind in asked] == [True, True, True, False, False]
        assert [own.reads_part_of(kind) for kind in asked] == [False, False, True, False, False]

    played(hospital, key_file, play)


def test_an_answer_without_a_scope_grants_what_was_asked(hospital: Hospital, key_file: Path) -> None:
    """RFC 6749, 5.1."""

    async def play(office: Office) -> None:
        await office.header()
        assert office.credentials.scope == "system/Patient.rs system/Condition.rs"

    played(hospital, key_file, play, scopes=("system/Patient.rs", "system/Condition.rs"))
    assert hospital.form()["scope"] == "system/Patient.rs system/Condition.rs"


@pytest.mark.parametrize(
    ("supported", "scope"),
    [
        (["system/*.read", "system/*.rs"], "system/Patient.rs"),
        (["system/*.read", "openid"], "system/Patient.read"),
        (["system/*.*"], "system/Patient.read"),
        (["system/Observation.cruds"], "system/Patient.rs"),
        (["openid"], "system/Patient.rs"),
        (None, "system/Patient.rs"),
    ],
)
def test_scopes_are_written_as_the_server_understands_them(
    hospital: Hospital, key_file: Path, supported: list[str] | None, scope: str
) -> None:
    """Version 1 where the server shows only that, else version 2; the types that are searched, no wildcard."""
    hospital.document = {**DOCUMENT, "scopes_supported": supported}
    header(hospital, key_file)
    scopes = hospital.form()["scope"].split()
    assert scopes[0] == scope
    assert "system/Medication." in hospital.form()["scope"]
    assert not any("*" in scope for scope in scopes)


def test_a_token_url_that_is_set_needs_no_document(hospital: Hospital, key_file: Path) -> None:
    """With token_url and scopes nothing is discovered; with token_url alone a missing document is no fault."""
    assert header(hospital, key_file, token_url=TOKEN_URL, scopes=("system/*.rs",)) == "Bearer token-1"
    assert hospital.discovered == []
    hospital.document = httpx.Response(404)
    assert header(hospital, key_file, token_url=TOKEN_URL) == "Bearer token-2"
    assert hospital.form()["scope"].startswith("system/Patient.rs ")


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://elsewhere.example/auth/token",
        "https://fhir.example.attacker.com/auth/token",
        "https://fhir.example@attacker.com/auth/token",
        "https://attacker.com#fhir.example/auth/token",
        "https://fhir.example:8443/auth/token",
        "http://fhir.example/auth/token",
        "https://fhir.example\\@attacker.com/auth/token",
        "https://fhir.example/r4/../../auth/token",
        "https://ｆhir.example/auth/token",
        "//attacker.com/token",
        "/auth/token",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://fhir.example/auth/token#fragment",
        " https://fhir.example/auth/token",
        "https://fhir.example/auth/token\r\nHost: attacker.com",
    ],
)
def test_a_token_endpoint_elsewhere_is_refused(hospital: Hospital, key_file: Path, endpoint: str) -> None:
    """What we sign goes to the FHIR server's own origin, or where the site wrote that it should; nothing is sent."""
    hospital.document = {"token_endpoint": endpoint}
    told = refusal(hospital, key_file)
    assert "[fhir.backend] token_url" in told
    assert "attacker" not in told
    assert (hospital.asked, hospital.elsewhere) == ([], [])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (httpx.Response(200, content=b"{" * 100_000), "not of the form"),
        (httpx.Response(200, content=b'{"a":"' + b"x" * 300_000 + b'"}'), "more than 262144 bytes"),
        (httpx.Response(200, content=b"<html>login</html>"), "not of the form"),
        (httpx.Response(200, content=b'{"token_endpoint": "\xff"}'), "not of the form"),
        (httpx.Response(200, json=[]), "not of the form"),
        (httpx.Response(200, json={"token_endpoint": [TOKEN_URL]}), "not of the form"),
        (httpx.Response(200, json={"token_endpoint": TOKEN_URL, "scopes_supported": "system/*.rs"}), "not of the form"),
        (httpx.Response(200, json={}), "names no token_endpoint"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example/"}), "redirects"),
        (httpx.Response(404), "HTTP status 404; write [fhir.backend] token_url"),
        (httpx.Response(200, content=b"x", headers={"content-encoding": "br"}), "packed"),
    ],
)
def test_a_hostile_document_is_refused(hospital: Hospital, key_file: Path, document: object, expected: str) -> None:
    """Too large, nested, no JSON, of other types, redirected, packed: told by name, and no token is asked for."""
    hospital.document = document
    assert expected in refusal(hospital, key_file)
    assert (hospital.asked, hospital.elsewhere) == ([], [])


TOKEN = {"access_token": "s3cret", "token_type": "bearer", "expires_in": 300}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            httpx.Response(400, json={"error": "invalid_client", "error_description": "s3cret"}),
            "invalid_client: compare",
        ),
        (httpx.Response(400, json={"error": "invalid_scope"}), "invalid_scope: set scopes"),
        (httpx.Response(400, json={"error": "s3cret"}), "HTTP status 400"),
        (httpx.Response(500, text="s3cret"), "HTTP status 500"),
        (httpx.Response(307, headers={"location": "https://elsewhere.example/"}), "redirects"),
        (httpx.Response(200, json={**TOKEN, "token_type": "mac"}), "no bearer token"),
        (httpx.Response(200, json={**TOKEN, "access_token": "s3cret\r\nX: y"}), "no bearer token"),
        (httpx.Response(200, json={**TOKEN, "access_token": ""}), "no bearer token"),
        (httpx.Response(200, json={**TOKEN, "expires_in": 0}), "has expired"),
        (httpx.Response(200, json={**TOKEN, "expires_in": "soon"}), "no token"),
        (httpx.Response(200, json={"token_type": "bearer"}), "no token"),
        (httpx.Response(200, text="s3cret"), "no token"),
        (httpx.Response(200, text="s3cret" * 100_000), "more than"),
    ],
)
def test_an_answer_that_is_no_token_is_told(
    hospital: Hospital, key_file: Path, caplog: pytest.LogCaptureFixture, answer: httpx.Response, expected: str
) -> None:
    """The message says what to compare, and holds nothing that was sent or came."""
    hospital.refuses = answer
    with caplog.at_level(logging.DEBUG):
        told = refusal(hospital, key_file)
    assert expected in told
    assert BASE in caplog.text
    for secret in ("s3cret", hospital.form()["client_assertion"], "BEGIN", CLIENT):
        assert secret not in told + caplog.text


def test_a_life_written_as_text_is_read(hospital: Hospital, key_file: Path) -> None:
    """Some servers write "300"; one that states no life gets five minutes."""

    async def play(office: Office) -> None:
        assert (await office.credentials.token()).seconds == 60
        hospital.clock.passed, hospital.answer = 61, {"token_type": "Bearer"}
        assert (await office.credentials.token()).seconds == 300

    hospital.answer = {"token_type": "Bearer", "expires_in": "60"}
    played(hospital, key_file, play)


def test_no_text_of_ours_holds_a_secret(hospital: Hospital, key_file: Path) -> None:
    """Tokens and keys hide from repr."""

    async def play(office: Office) -> None:
        token = await office.credentials.token()
        assert "token-1" not in repr((token, office.credentials, office.credentials._held))

    played(hospital, key_file, play)


def test_an_endpoint_that_cannot_be_reached_is_told(key_file: Path) -> None:
    """Without a connection there is no token, and the message says so without the address."""

    class Down(Hospital):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

    told = refusal(Down(), key_file)
    assert told == "smart-configuration: not reached (ConnectError)"
    assert issubclass(NotAuthorisedError, FhirError)
