"""GET /cds-services and POST /cds-services/{id}: one hook call from bytes to card, in one screen."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response
from starlette.requests import ClientDisconnect

from fhir_mappings.retrieval import Query
from models.package import Package
from service.assessment import Assessment
from service.cds_hooks.cards import card_for
from service.cds_hooks.described import DISCOVERY, HOOK_CALL
from service.cds_hooks.envelope import read_body, read_request
from service.cds_hooks.services import discovery
from service.cds_hooks.wire import CardResponse, HookRequest
from service.clock import Now
from service.errors import (
    Category,
    MalformedError,
    TokenMismatchError,
    ToldError,
    UnknownServiceError,
    WrongHookError,
)
from service.fhir.gather import PatientCall, Reach, gather
from service.scoring import score
from service.settings import Settings
from service.telemetry import Telemetry, stage

_encoder = msgspec.json.Encoder()
_JSON = "application/json"


class CdsService:
    """The hook's way through the house."""

    def __init__(
        self,
        settings: Settings,
        package: Package,
        reach: Reach,
        queries: tuple[Query, ...],
        telemetry: Telemetry,
        real: Now,
    ) -> None:
        self._settings = settings
        self._moment = settings.moment
        self._package = package
        self._reach = reach
        self._queries = queries
        self._keys = frozenset(query.key for query in queries)
        self._telemetry = telemetry
        self._real = real
        described = discovery(queries)
        self._hooks = {service.id: service.hook for service in described.services}
        self._discovery = _encoder.encode(described)

    async def discover(self) -> Response:
        return Response(self._discovery, media_type=_JSON)

    async def answer(self, service_id: str, request: Request) -> Response:
        """Answer one hook call. Raises ToldError; whatever is raised is counted."""
        hook = self._hooks.get(service_id)
        if hook is None:
            raise UnknownServiceError("the last part of the address is no service id")
        try:
            call = await self._read(request, hook)
            record = await gather(_patient_call(call), self._reach, self._queries)
            assessment = score(
                record, self._package, self._moment, demonstration=self._settings.demonstration, real=self._real
            )
            body = self._card(assessment, request)
        except ToldError as error:
            self._telemetry.outcome(service_id, "error", error.category)
            raise
        except Exception:
            self._telemetry.outcome(service_id, "error", Category.INTERNAL)
            raise
        abstained = assessment.abstained
        self._telemetry.outcome(service_id, "abstained" if abstained else "scored", abstained.code if abstained else "")
        return Response(body, media_type=_JSON)

    async def _read(self, request: Request, hook: str) -> HookRequest:
        limits = self._settings.limits
        try:
            body = await read_body(request.stream(), request.headers.get("content-length"), limits.body_bytes)
        except ClientDisconnect as error:
            raise MalformedError("the body ended before its end") from error
        with stage("hook call"):
            call = read_request(body, limits.entries, self._keys, self._reach.servers.version_of)
            if await self._has_learnt_version(call):
                call = read_request(body, limits.entries, self._keys, self._reach.servers.version_of)
        if call.hook != hook:
            raise WrongHookError(f"hook must be {hook}")
        return call

    async def _has_learnt_version(self, call: HookRequest) -> bool:
        """Whether the call's server turned out to speak another FHIR version than its prefetch was read as."""
        server = self._reach.servers.stated(call.fhirServer)
        if server is None or not any(sent and sent.is_of_other_version for sent in call.prefetch.values()):
            return False
        return server.version != await server.learn_version()

    def _card(self, assessment: Assessment, request: Request) -> bytes:
        with stage("card"):
            address = self._settings.public_url or str(request.base_url).rstrip("/")
            return _encoder.encode(CardResponse((card_for(assessment, f"{address}/model"),)))


def _patient_call(call: HookRequest) -> PatientCall:
    leave = call.fhirAuthorization
    patient = call.context.patientId
    if leave and leave.patient and leave.patient.removeprefix("Patient/") != patient:
        raise TokenMismatchError("fhirAuthorization.patient is not context.patientId")
    token = leave.access_token if leave else ""
    return PatientCall(patient, call.fhirServer, call.prefetch, call.issues, token)


def cds_routes(service: CdsService) -> APIRouter:
    router = APIRouter(tags=["CDS Hooks"])

    @router.get("/cds-services", response_class=Response, openapi_extra=DISCOVERY)
    async def cds_services() -> Response:
        """What CDS services there are, and the prefetch that each can use."""
        return await service.discover()

    @router.post("/cds-services/{id}", response_class=Response, openapi_extra=HOOK_CALL)
    async def call_cds_service(
        service_id: Annotated[str, Path(alias="id", description="an id from discovery")], request: Request
    ) -> Response:
        """Answer a hook call with a card that says where the patient stands, or why there is no score."""
        return await service.answer(service_id, request)

    return router
