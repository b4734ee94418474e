import asyncio
import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.cds_hooks.client_token import Reason
from service.errors import Category
from service.fhir.retrying import ATTEMPTS
from tests.unit.service.cds_hooks.ehr import ISSUER, JWKS_URL, PUBLIC_URL, claims, elliptic, jwk, token
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import HOOK, PATIENT, Caller, FhirServer, full_prefetch, hook_call, issue_of

PUBLIC = ["/livez", "/readyz", "/startupz", "/metrics", "/model", "/model/card", "/openapi.json"]
ORIGIN = "https://ehr.example"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}
CAPABILITIES = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
PING = "metadata?_elements=fhirVersion,software"


@pytest.mark.parametrize("path", PUBLIC)
def test_public_addresses_need_no_token(calling: MakeCaller, server: FhirServer, path: str) -> None:
    """Probes, meters, the model's description and the OpenAPI document are for everyone."""
    server.on(PING, CAPABILITIES)
    assert calling(auth="required").get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/cds-services"), ("POST", HOOK), ("POST", "/cds-services/x"), ("GET", "/nowhere"), ("GET", "/model/")],
)
def test_everything_else_is_a_bare_401(calling: MakeCaller, server: FhirServer, method: str, path: str) -> None:
    """Every other address answers 401 without a word, whatever there is at it."""
    for headers in ({}, {"authorization": "Bearer abc"}):
        response = calling(auth="required").request(method, path, headers=headers)
        assert (response.status_code, response.content) == (401, b"")
        assert response.headers["www-authenticate"] == "Bearer"
    assert server.requests == []


@pytest.mark.parametrize("path", ["/cds-services", HOOK])
def test_browsers_may_call(calling: MakeCaller, path: str) -> None:
    """A preflight is answered without a token, for the two headers and methods that CDS Hooks needs."""
    response = calling(auth="required").request("OPTIONS", path, headers=PREFLIGHT)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "POST" in response.headers["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= {
        name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")
    }
    assert "access-control-allow-credentials" not in response.headers


def test_browsers_can_read_every_answer(calling: MakeCaller) -> None:
    """Cards and refusals, 401 included, are readable for pages of other origins."""
    headers = {"origin": ORIGIN}
    for auth in ("off", "required"):
        for answer in (
            calling(auth=auth).get("/cds-services", headers=headers),
            calling(auth=auth).request("POST", HOOK, content=b"{", headers=headers),
        ):
            assert answer.headers["access-control-allow-origin"] == "*"


def test_only_listed_origins_may_call(calling: MakeCaller) -> None:
    """Where the site lists origins, no other may call."""
    caller = calling(cors_origins=[ORIGIN])
    allowed = caller.request("OPTIONS", HOOK, headers=PREFLIGHT)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    refused = caller.request("OPTIONS", HOOK, headers={**PREFLIGHT, "origin": "https://attacker.example"})
    assert "access-control-allow-origin" not in refused.headers


def test_readiness_names_everything(calling: MakeCaller, server: FhirServer) -> None:
    """`/readyz` says how the service runs and names model and FHIR servers, without their addresses."""
    server.on(PING, CAPABILITIES)
    body = calling(clock="latest", demonstration=True, quiet={"shadow": True}).get("/readyz").json()
    assert (body["status"], body["auth"], body["clock"]) == ("ready", "off", "latest")
    assert body["demonstration"] is body["shadow"] is True
    assert body["dependencies"]["model"] == {
        "status": "up",
        "name": "unlearned",
        "version": "0.0.1",
        "digest": "d" * 64,
    }
    assert body["dependencies"]["fhir 1"] == {"status": "up"}
    assert "example" not in str(body)


def test_a_fhir_server_that_is_down_does_not_decide(caller: Caller, server: FhirServer) -> None:
    """An outage of the FHIR server is named and leaves the service ready; it is asked only now and then."""

    def down(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    server.on(PING, down)
    for _ in range(3):
        response = caller.get("/readyz")
        assert response.status_code == 200
        assert response.json()["dependencies"]["fhir 1"] == {"status": "down: fhir-unreachable"}
    assert len(server.requests) == ATTEMPTS  # of one ping


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz"])
def test_a_probe_may_ask_for_the_head_alone(calling: MakeCaller, path: str) -> None:
    """Some load balancers send HEAD."""
    assert calling(fhir=[]).request("HEAD", path).status_code == 200


def test_draining_decides(calling: MakeCaller) -> None:
    """Once the process is told to end, no further calls should come, and those under way are answered."""
    caller = calling(fhir=[])
    caller.app.state.readiness.draining = True
    response = caller.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "draining")
    assert caller.get("/livez").json() == {"status": "alive"}
    assert caller.hook(prefetch=full_prefetch()).status_code == 200


def test_the_model_is_described(caller: Caller) -> None:
    """`/model` says name, version, digest, what is trained, and on whose data under which licence."""
    body = caller.get("/model").json()
    assert (body["name"], body["version"], body["digest"], body["parameters"]) == ("unlearned", "0.0.1", "d" * 64, 350)
    diagnosis = body["settings"]["diagnosis"]
    assert (diagnosis["trained"], diagnosis["members"]) == (0, 5)
    assert diagnosis["cohorts"][0]["licence"] == "CC0"
    assert caller.get("/model/card").text == "# Model card"


def test_the_openapi_document_describes_the_hook(caller: Caller) -> None:
    """The OpenAPI document knows every path, the hook's body and its answers."""
    document = caller.get("/openapi.json").json()
    assert document["paths"].keys() == {
        *PUBLIC,
        "/cds-services",
        "/cds-services/{id}",
        "/cds-services/{id}/feedback",
        "/emergency/assessments",
    } - {"/openapi.json"}
    call = document["paths"]["/cds-services/{id}"]["post"]
    assert call["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/HookRequest")
    assert {"200", "400", "403", "404", "412", "413", "502", "504"} <= call["responses"].keys()
    feedback = document["paths"]["/cds-services/{id}/feedback"]["post"]
    assert feedback["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/FeedbackRequest")
    assert {"200", "400", "404", "413", "503"} <= feedback["responses"].keys()
    schemas = document["components"]["schemas"]
    assert {"HookRequest", "CardResponse", "Card", "OperationOutcome", "FeedbackEntry"} <= schemas.keys()
    referred = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))
    assert set(referred) <= schemas.keys()


@pytest.mark.parametrize("auth", ["required", "off"])
def test_the_openapi_document_says_who_may_call(calling: MakeCaller, auth: str) -> None:
    """All but the public addresses want the client's token, unless nobody is asked; no status that never comes."""
    document = calling(auth=auth).get("/openapi.json").json()
    operations = {path: operation for path, by_method in document["paths"].items() for operation in by_method.values()}
    asked = {path for path, operation in operations.items() if operation.get("security") == [{"clientToken": []}]}
    assert asked == (operations.keys() - set(PUBLIC) if auth == "required" else set())
    assert ("clientToken" in document["components"].get("securitySchemes", {})) is (auth == "required")
    assert not any("422" in operation["responses"] for operation in operations.values())


@pytest.mark.parametrize("path", ["/cds-services/", f"{HOOK}/", f"{HOOK}/feedback/", "/emergency/assessments/"])
def test_a_slash_too_many_is_not_led_elsewhere(caller: Caller, path: str) -> None:
    """A token is for one address: whoever followed a redirect would be refused there, or send its body twice."""
    answer = caller.request("POST", path, json={})
    assert (answer.status_code, issue_of(answer)["category"]) == (404, Category.NOT_FOUND)


def test_starting_and_ending(calling: MakeCaller, caplog: pytest.LogCaptureFixture) -> None:
    """The start says what is unsafe; the end drains."""
    app = calling(clock="latest").app

    async def live() -> bool:
        async with app.router.lifespan_context(app):
            return bool(app.state.readiness.draining)

    assert not asyncio.run(live())
    assert app.state.readiness.draining
    assert {record.message.partition(" is ")[0] for record in caplog.records} >= {"auth", "clock"}


def test_nothing_of_a_patient_is_logged(
    calling: MakeCaller, server: FhirServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a reading nor a refusal leaves the patient's id in any log line."""
    caplog.set_level(logging.DEBUG)
    caller = calling(cache={"fresh_seconds": 0, "kept_seconds": 0})
    server.holds()
    caller.hook(fhirServer="https://fhir.example/r4")
    server.holds(laboratory=500, conditions=500)
    response = caller.hook(fhirServer="https://fhir.example/r4")
    assert issue_of(response)["category"] == Category.FHIR_REFUSED
    assert caplog.records
    assert PATIENT not in caplog.text


EHR = {"issuer": ISSUER, "jwks_url": JWKS_URL}


def guarded(calling: MakeCaller, server: FhirServer) -> Caller:
    server.on(JWKS_URL, {"keys": [jwk(elliptic())]})
    return calling(auth="required", client=[EHR], public_url=PUBLIC_URL)


def bearer(path: str, **changed: Any) -> dict[str, str]:
    now = time.time()
    return {"authorization": f"Bearer {token(claims(path, **{'iat': now, 'exp': now + 300, **changed}))}"}


def test_a_registered_client_may_call(calling: MakeCaller, server: FhirServer) -> None:
    """With a token for the address that it calls, discovery and hooks answer as they do without the door."""
    caller = guarded(calling, server)
    assert caller.get("/cds-services", headers=bearer("/cds-services")).json()["services"]
    call = hook_call(prefetch=full_prefetch())
    response = caller.request("POST", HOOK, json=call, headers=bearer(HOOK))
    assert response.status_code == 200
    assert response.json()["cards"]


def test_a_client_gets_its_language(calling: MakeCaller, server: FhirServer) -> None:
    """The client's entry decides, whatever the browser asks for; discovery stays as it is."""
    server.on(JWKS_URL, {"keys": [jwk(elliptic())]})
    caller = calling(auth="required", client=[{**EHR, "language": "de"}], public_url=PUBLIC_URL)
    headers = {**bearer(HOOK), "accept-language": "en"}
    reply = caller.request("POST", HOOK, json=hook_call(prefetch=full_prefetch()), headers=headers)
    assert reply.json()["cards"][0]["summary"].startswith("Nicht bewertet: ")


def test_a_token_for_another_address_is_refused_bare(calling: MakeCaller, server: FhirServer) -> None:
    """The reason is counted and logged, the caller is not told, and a forger learns nothing of the paths there are."""
    caller = guarded(calling, server)
    for path, headers in (
        (HOOK, bearer("/cds-services")),
        (HOOK, {"authorization": "Basic eDp5"}),
        (HOOK, {}),
        ("/nowhere", bearer(HOOK)),
    ):
        response = caller.request("POST", path, json=hook_call(), headers=headers)
        assert (response.status_code, response.content) == (401, b"")
    counted = caller.get("/metrics").text
    assert 'oncohooks_not_admitted_total{reason="audience"} 2.0' in counted
    assert 'oncohooks_not_admitted_total{reason="no-token"} 2.0' in counted


def test_two_authorization_headers_are_none(calling: MakeCaller, server: FhirServer) -> None:
    """A proxy may have looked at the other one."""
    good = bearer("/cds-services")["authorization"]
    response = guarded(calling, server).get(
        "/cds-services", headers=[("authorization", good), ("authorization", "Bearer x")]
    )
    assert response.status_code == 401


def test_a_token_is_nowhere_in_the_logs(
    calling: MakeCaller, server: FhirServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a refused call the reason is logged and nothing of the token."""
    headers = bearer("/cds-services", iss="https://evil.example")
    guarded(calling, server).get("/cds-services", headers=headers)
    assert "issuer-not-registered" in caplog.text
    assert headers["authorization"].split(".")[1] not in caplog.text
    assert "evil" not in caplog.text


PAGE = (Path(__file__).parents[2] / "docs" / "client-tokens.md").read_text(encoding="utf-8")


def test_the_test_ehr_of_the_documentation_is_admitted(calling: MakeCaller, server: FhirServer) -> None:
    """What the page shows makes a key set and tokens that open the door."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(code, shown)  # noqa: S102 - the page's own example
    server.on(JWKS_URL, shown["jwks"])
    caller = calling(auth="required", client=[EHR], public_url=PUBLIC_URL)
    signed = {"authorization": f"Bearer {shown['token'](PUBLIC_URL + '/cds-services')}"}
    assert caller.get("/cds-services", headers=signed).status_code == 200


def test_the_documentation_names_every_reason() -> None:
    """And no other."""
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## Refused")[2], re.MULTILINE)
    assert set(rows) == {reason.value for reason in Reason}
