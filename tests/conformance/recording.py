"""Plays every case against the app and writes down what was sent and what came back."""

import asyncio
import hmac
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from demo.fhir_endpoint import create_endpoint
from demo.patients import demo_patients
from service.app import create_app
from service.cache_settings import Cache
from service.ehr_settings import DialectName, EhrClient
from service.fhir_settings import FhirServer
from service.settings import Settings
from tests.conformance.exchange import Case, Exchange
from tests.unit.service.cds_hooks.ehr import (
    ISSUER,
    JWKS_URL,
    PUBLIC_URL,
    claims,
    elliptic,
    jwk,
    part,
    rsa_key,
    signed_by_hand,
    token,
)

FHIR = "https://fhir.example/fhir"
ORIGIN = "https://ehr.example"
LEAVE = "leave-to-read"
DISCOVERY = "/cds-services"
NEEDED = {"patient", "conditions"}
OTHERS_OBSERVATION = {
    "resourceType": "Observation",
    "id": "of-somebody-else",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
    "subject": {"reference": "Patient/somebody-else"},
}
CLIENTS_FAILURE = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}


class Hospital(httpx.AsyncBaseTransport):
    """The network as the service sees it: the demonstration patients' FHIR server and an EHR's key server."""

    def __init__(self) -> None:
        resources = chain.from_iterable(demo_patients().values())
        self._fhir = httpx.ASGITransport(create_endpoint(resources))
        self.read: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == JWKS_URL:
            return httpx.Response(200, json={"keys": [jwk(elliptic()), jwk(rsa_key(), "k2")]})
        self.read.append((str(request.url), request.headers.get("authorization", "")))
        return await self._fhir.handle_async_request(request)


class Client:
    """An EHR in a browser: its calls name its origin."""

    def __init__(self, app: FastAPI, hospital: Hospital) -> None:
        self._hospital = hospital
        self._service = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=PUBLIC_URL, headers={"origin": ORIGIN}
        )
        self._fhir = httpx.AsyncClient(transport=hospital)

    async def call(
        self, case: Case, method: str, path: str, sent: Any = None, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        content = sent if isinstance(sent, bytes | None) else json.dumps(sent).encode()
        self._hospital.read.clear()
        answer = await self._service.request(
            method, path, content=content, headers={"content-type": "application/json", **(headers or {})}
        )
        return Exchange(case, path, sent, answer.status_code, answer.headers, _json(answer), tuple(self._hospital.read))

    async def prefetch(self, service: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        """What the service's templates bring for this context; a key that brings nothing is left out, as clients do."""
        found = {key: await self._fetch(template, context) for key, template in service["prefetch"].items()}
        return {key: value for key, value in found.items() if value is not None}

    async def _fetch(self, template: str, context: Mapping[str, Any]) -> Any:
        for name, value in context.items():
            template = template.replace(f"{{{{context.{name}}}}}", str(value))
        answer = await self._fhir.get(f"{FHIR}/{template}")
        return answer.json() if answer.is_success else None


def context_of(patient: str) -> dict[str, Any]:
    """The members that any of the hooks needs; each passes over those of the others."""
    return {
        "userId": "Practitioner/1",
        "patientId": patient,
        "encounterId": f"{patient}-encounter",
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _order(patient)}]},
    }


def _order(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "L01XA02"}]},
    }


def hook_call(hook: str, patient: str, **more: Any) -> dict[str, Any]:
    return {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context_of(patient), **more}


@cache
def exchanges() -> Sequence[Exchange]:
    """All cases, for every service that discovery lists; played once a run."""
    return asyncio.run(_play())


async def _play() -> list[Exchange]:
    client = _client("spec")
    discovery = await client.call(Case.DISCOVERY, "GET", DISCOVERY)
    played = [discovery]
    for service in discovery.body["services"]:
        played += await _calls(client, service)
        played += await _faults(client, service)
    played.append(await client.call(Case.UNKNOWN_SERVICE, "POST", f"{DISCOVERY}/none", hook_call("patient-view", "1")))
    return played + await _calls(_client("epic"), discovery.body["services"][0]) + await _admissions()


def _client(dialect: DialectName) -> Client:
    hospital = Hospital()
    settings = Settings(
        auth="off", dialect=dialect, fhir=(FhirServer(url=FHIR),), cache=Cache(fresh_seconds=0), deadline_seconds=20
    )
    return Client(create_app(settings, transport=hospital), hospital)


async def _calls(client: Client, service: Mapping[str, Any]) -> list[Exchange]:
    path, hook = f"{DISCOVERY}/{service['id']}", service["hook"]
    played = []
    for patient in demo_patients():
        prefetch = await client.prefetch(service, context_of(patient))
        played.append(await client.call(Case.CALL, "POST", path, hook_call(hook, patient, prefetch=prefetch)))
    patient = next(iter(demo_patients()))  # one with a score
    prefetch = await client.prefetch(service, context_of(patient))
    german, call = {"accept-language": "de"}, hook_call(hook, patient, prefetch=prefetch)
    played.append(await client.call(Case.CALL, "POST", path, call, german))
    leave = {
        "access_token": LEAVE,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "client",
        "patient": patient,
    }
    reading = hook_call(hook, patient, fhirServer=FHIR, fhirAuthorization=leave)
    played.append(await client.call(Case.READ, "POST", path, reading))
    failed = {**prefetch, _searched(prefetch): CLIENTS_FAILURE}
    played.append(await client.call(Case.CLIENT_FAILED, "POST", path, hook_call(hook, patient, prefetch=failed)))
    foreign = {**prefetch, _searched(prefetch): _with(prefetch[_searched(prefetch)], OTHERS_OBSERVATION)}
    played.append(await client.call(Case.FOREIGN, "POST", path, hook_call(hook, patient, prefetch=foreign)))
    return played + await _feedback(client, path, played)


def _searched(prefetch: Mapping[str, Any]) -> str:
    """A search of Observations, which can be done without."""
    return "laboratory" if "laboratory" in prefetch else next(key for key in prefetch if key not in NEEDED)


def _with(bundle: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    return {**bundle, "entry": [*bundle.get("entry", ()), {"resource": resource}]}


async def _feedback(client: Client, path: str, played: Iterable[Exchange]) -> list[Exchange]:
    shown = next(card for exchange in played for card in exchange.body["cards"])
    reason = {name: value for name, value in shown["overrideReasons"][0].items() if name != "display"}
    given = {"card": shown["uuid"], "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    sent = {"feedback": [{**given, "outcome": "overridden", "overrideReason": {"reason": reason}}]}
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    return [
        await client.call(Case.FEEDBACK, "POST", f"{path}/feedback", sent),
        await client.call(Case.FEEDBACK_NOT_JSON, "POST", f"{path}/feedback", b"{"),
        *[await client.call(Case.PREFLIGHT, "OPTIONS", asked, None, asking) for asked in (path, f"{path}/feedback")],
    ]


async def _faults(client: Client, service: Mapping[str, Any]) -> list[Exchange]:
    path, hook = f"{DISCOVERY}/{service['id']}", service["hook"]
    patient = next(iter(demo_patients()))
    asking = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    return [
        await client.call(Case.UNOBTAINABLE, "POST", path, hook_call(hook, patient)),
        await client.call(Case.NOT_JSON, "POST", path, b"hook=" + hook.encode()),
        await client.call(Case.WRONG_HOOK, "POST", path, hook_call("appointment-book", patient)),
        await client.call(Case.PREFLIGHT, "OPTIONS", DISCOVERY, None, asking),
    ]


async def _admissions() -> list[Exchange]:
    """Discovery where clients must show who they are."""
    hospital = Hospital()
    settings = Settings(client=(EhrClient(issuer=ISSUER, jwks_url=JWKS_URL),), public_url=PUBLIC_URL)
    client = Client(create_app(settings, transport=hospital), hospital)
    played = [await client.call(Case.ANONYMOUS, "GET", DISCOVERY)]
    for case, text in _tokens():
        played.append(await client.call(case, "GET", DISCOVERY, headers={"authorization": f"Bearer {text}"}))
    return played


def _tokens() -> Iterator[tuple[Case, str]]:
    now = time.time()

    def said(**changed: Any) -> dict[str, Any]:
        return claims(DISCOVERY, iat=now - 5, exp=now + 295, **changed)

    rsa = {"kid": "k2"}
    yield Case.SIGNED_ES384, token(said())
    yield Case.SIGNED_RS384, token(said(), rsa_key(), "RS384", rsa)
    yield Case.SIGNED_WITH_JKU, token(said(), headers={"jku": JWKS_URL})
    for unsigned in ("none", "None"):
        yield Case.UNSIGNED, f"{part({'alg': unsigned, 'kid': 'k1', 'typ': 'JWT'})}.{part(said())}."
        yield Case.UNSIGNED, signed_by_hand({"alg": unsigned, "kid": "k1", "typ": "JWT"}, said())
    for algorithm in ("sha256", "sha384", "sha512"):
        yield Case.SIGNED_BY_HMAC, _signed_by_hmac(algorithm, said())
    yield Case.SIGNED_RS256, token(said(), rsa_key(), "RS256", rsa)
    yield Case.SIGNED_BY_STRANGER, token(said(iss="https://elsewhere.example"))
    yield Case.SIGNED_WITH_OTHER_JKU, token(said(), headers={"jku": "https://elsewhere.example/jwks.json"})


def _signed_by_hmac(digest: str, said: Mapping[str, Any]) -> str:
    """With the EHR's public key as the secret, which everyone knows. PyJWT refuses to write such a token."""
    secret = elliptic().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': f'HS{digest[3:]}', 'kid': 'k1', 'typ': 'JWT'})}.{part(said)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), digest))}"


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
