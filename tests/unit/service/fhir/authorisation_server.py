"""A hospital whose FHIR server wants a token, issued by an endpoint that keeps what it is shown; time is the test's."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fhir_mappings.retrieval import queries
from service.fhir.backend_services import BackendServices
from service.fhir.client import FhirClient, open_http
from service.fhir.origin import Base
from service.fhir.scopes import searched_types
from service.fhir_settings import Backend
from tests.unit.service.cds_hooks.ehr import NOW, PrivateKey, elliptic
from tests.unit.service.far_end import BASE, JSON

CLIENT = "oncohooks-at-site"
KINDS = searched_types(queries())
DISCOVERY = f"{BASE}/.well-known/smart-configuration"
TOKEN_URL = "https://fhir.example/auth/token"  # noqa: S105 - an address
DOCUMENT = {"token_endpoint": TOKEN_URL, "scopes_supported": ["system/*.read", "system/*.rs"]}


class Clock:
    """The time of both sides: seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1_000.0 + self.passed

    def wall(self) -> float:
        return NOW + self.passed


class Hospital(httpx.AsyncBaseTransport):
    """`takes` are the tokens that the FHIR server takes; every token that is issued is one of them, until revoked."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.document: object = DOCUMENT
        self.answer: Mapping[str, Any] = {"token_type": "bearer", "expires_in": 300}
        self.refuses: httpx.Response | None = None
        self.gate: asyncio.Event | None = None  # the token endpoint waits for it
        self.crowd: asyncio.Barrier | None = None  # the FHIR server answers so many at once
        self.discovered: list[httpx.Request] = []
        self.asked: list[httpx.Request] = []
        self.shown: list[str | None] = []  # to the FHIR server
        self.elsewhere: list[str] = []
        self.takes: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if url == DISCOVERY:
            self.discovered.append(request)
            return (
                self.document if isinstance(self.document, httpx.Response) else httpx.Response(200, json=self.document)
            )
        if url == TOKEN_URL:
            return await self._token(request)
        if url.startswith(f"{BASE}/"):
            return await self._resource(request)
        self.elsewhere.append(url)
        return httpx.Response(599)

    async def _token(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        number = len(self.asked)
        if self.gate is not None:
            await self.gate.wait()
        if self.refuses is not None:
            return self.refuses
        token = f"token-{number}"
        self.takes.add(f"Bearer {token}")
        return httpx.Response(200, json={"access_token": token, **self.answer})

    async def _resource(self, request: httpx.Request) -> httpx.Response:
        header = request.headers.get("authorization")
        if self.crowd is not None:
            await self.crowd.wait()
        self.shown.append(header)
        status, body = (200, {"resourceType": "Patient"}) if header in self.takes else (401, {})
        return httpx.Response(status, json=body, headers={"content-type": JSON})

    def form(self, number: int = -1) -> dict[str, str]:
        """What was posted to the token endpoint."""
        return {name: value for name, (value,) in parse_qs(self.asked[number].content.decode()).items()}

    def claims(self, key: PrivateKey | None = None, number: int = -1) -> dict[str, Any]:
        """The claims of an assertion, once the public key of `key` has verified it for this endpoint."""
        signed = self.form(number)["client_assertion"]
        found: dict[str, Any] = jwt.decode(
            signed,
            (key or elliptic()).public_key(),
            algorithms=["ES384", "RS384"],
            audience=TOKEN_URL,
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "jti", "iss", "sub"]},
        )
        return found


class Office:
    """The service's side: its registration, its credentials, and the client that uses them."""

    def __init__(self, hospital: Hospital, key_file: Path, **registered: Any) -> None:
        self.hospital = hospital
        self.http = open_http(hospital)
        clock = hospital.clock
        backend = Backend(client_id=CLIENT, key_file=key_file, **registered)
        base = Base.parse(BASE)
        self.credentials = BackendServices(base, self.http, backend, 5.0, KINDS, clock.monotonic, clock.wall)
        self.client = FhirClient(base, self.http, 5.0, 10_000, credentials=self.credentials)

    async def header(self) -> str:
        return await self.credentials.header(float("inf"))

    async def settled(self) -> None:
        """Until what goes on beside the calls is done."""
        if self.credentials._asking is not None:
            await self.credentials._asking


def pem(key: PrivateKey, file: Path) -> Path:
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def private_jwk(key: PrivateKey, **members: Any) -> dict[str, Any]:
    """The whole key as a JWK."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), **members}
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True), **members}
