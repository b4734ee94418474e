"""What a client may make the service do, and for how long: servers, places, tokens, what is kept for whom."""

import asyncio
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import httpx
import pytest

from service.errors import Category
from tests.app.emergency_calls import KEYS, NOW, PATH, HeldServer, at_hand, call, shipped
from tests.app.hospital import Card, Ward, on_a_ward
from tests.unit.service.cds_hooks.ehr import JWKS_URL, PUBLIC_URL, claims, elliptic, jwk, token
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import (
    BASE,
    HOOK,
    PATIENT,
    Caller,
    FhirServer,
    bundle,
    full_prefetch,
    hook_call,
    issue_of,
    leave,
)

OTHERS = "https://other-hospital.example/r4"
EHR = {"issuer": "https://ehr.example", "jwks_url": JWKS_URL}
ROLE = "https://role.example|oncologist"


@pytest.fixture
def server() -> Iterator[HeldServer]:
    """The hospital's FHIR server."""
    server = HeldServer()
    yield server
    assert not server.unmatched


def guarded(calling: MakeCaller, server: FhirServer, **client: Any) -> Caller:
    server.on(JWKS_URL, {"keys": [jwk(elliptic())]})
    return calling(
        auth="required", client=[{**EHR, **client}], public_url=PUBLIC_URL, fhir=[{"url": BASE}, {"url": OTHERS}],
        package=shipped(), now=lambda: NOW,
    )  # fmt: skip


def signed(path: str) -> dict[str, str]:
    now = time.time()
    return {"authorization": f"Bearer {token(claims(path, iat=now, exp=now + 300))}"}


@pytest.mark.parametrize("path", [HOOK, PATH])
def test_a_client_names_its_own_servers_only(calling: MakeCaller, server: HeldServer, path: str) -> None:
    """What a call brings no token for is read as the service itself: not for whom the server is none of theirs."""
    caller = guarded(calling, server, fhir=[BASE])
    server.holds_chart(at_hand())

    def answered(address: str) -> httpx.Response:
        body = hook_call(fhirServer=address) if path == HOOK else call(patientId=PATIENT, fhirServer=address)
        return caller.request("POST", path, json=body, headers=signed(path))

    assert answered(BASE).status_code == 200
    server.requests.clear()
    for address in (OTHERS, f"{OTHERS}/", OTHERS.upper().replace("/R4", "/r4")):
        refused = answered(address)
        assert (refused.status_code, issue_of(refused)["category"]) == (403, Category.SERVER_NOT_LISTED)
    assert server.requests == []


def test_without_a_list_a_client_names_any_server_of_the_site(calling: MakeCaller, server: HeldServer) -> None:
    """As a site with one EHR wants it."""
    caller = guarded(calling, server)
    body = hook_call(fhirServer=OTHERS, prefetch=full_prefetch())
    assert caller.request("POST", HOOK, json=body, headers=signed(HOOK)).status_code == 200


@pytest.mark.parametrize("path", [HOOK, PATH, f"{HOOK}/feedback"])
def test_a_body_that_does_not_come_holds_no_place(calling: MakeCaller, path: str) -> None:
    """Who sends half a body is told after some time, and the next one gets the slot."""
    limits = {
        "body_seconds": 0.05, "hooks_at_once": 1, "hooks_waiting": 1,
        "emergencies_at_once": 1, "emergencies_waiting": 1,
    }  # fmt: skip
    app = calling(package=shipped(), now=lambda: NOW, limits=limits).app
    answers: list[int] = []

    async def slowly() -> None:
        sent = iter([{"type": "http.request", "body": b"{", "more_body": True}])

        async def receive() -> dict[str, Any]:
            if (message := next(sent, None)) is not None:
                return message
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answers.append(message["status"])

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
        }  # fmt: skip
        await app(scope, receive, send)

    async def go() -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(slowly(), slowly())

    asyncio.run(go())
    assert answers == [400, 400]


def test_a_calls_token_is_used_no_longer_than_the_call(calling: MakeCaller, server: HeldServer) -> None:
    """The reader's role is being read when the call fails: that ends with the call."""
    server.holds(patient=404)
    server.on("PractitionerRole/7", {"resourceType": "PractitionerRole", "id": "7"})
    server.hold("PractitionerRole/7")
    caller = calling(quiet={"roles": [ROLE]})
    body = hook_call(
        fhirServer=BASE, fhirAuthorization=leave(), context={"userId": "PractitionerRole/7", "patientId": PATIENT}
    )

    async def go() -> None:
        transport = httpx.ASGITransport(caller.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.example") as client:
            answer = await client.post(HOOK, json=body)
        assert answer.status_code == 404
        assert server.busy == 0

    asyncio.run(go())


def test_what_is_read_for_nobody_in_particular_is_not_kept() -> None:
    """Two users' tokens look alike where the client names no user: each call reads for itself."""

    async def steps(ward: Ward) -> None:
        for user, is_kept in (("", False), ("Practitioner/1", True)):
            ward.hospital.asked.clear()
            for number in (1, 2):
                answer = await ward.call(context={"userId": user}, fhirAuthorization=leave(f"of-user-{number}"))
                await ward.settled()
                vias = {line["via"] for line in Card(answer.json()["cards"][0]).ledger.values()}
                assert vias == {"cache" if is_kept and number == 2 else "search"}
            assert len(ward.hospital.asked) == len(KEYS) * (1 if is_kept else 2)

    on_a_ward(steps)


def test_who_asks_is_part_of_what_is_kept() -> None:
    """Another user, scope or subject reads for itself, with the same token as with another; so does the service."""
    context = {"userId": "Practitioner/1"}
    calls: list[dict[str, Any]] = [
        {"fhirAuthorization": leave()},
        {"fhirAuthorization": leave(scope="patient/Observation.rs")},
        {"fhirAuthorization": leave(subject="another")},
        {"fhirAuthorization": leave(), "context": {"userId": "Practitioner/2"}},
        {},
    ]

    async def steps(ward: Ward) -> None:
        for members in calls:
            answer = await ward.call(**{"context": context, **members})
            await ward.settled()
            assert {line["via"] for line in Card(answer.json()["cards"][0]).ledger.values()} == {"search"}

    on_a_ward(steps)


def test_a_bundle_is_never_kept(calling: MakeCaller, server: HeldServer) -> None:
    """What one client sends is in no other answer, nor in its own next one."""
    server.holds_chart(at_hand()[:2])
    caller = calling(package=shipped(), now=lambda: NOW)
    for _ in range(2):
        found = caller.request("POST", PATH, json=call(patientId=PATIENT, bundle=bundle(*at_hand()))).json()
        assert found["status"] == "scored"
    found = caller.request("POST", PATH, json=call(patientId=PATIENT)).json()
    assert "attribution" not in found or {f["feature"] for f in found["attribution"]}.isdisjoint({"lab_albumin"})
