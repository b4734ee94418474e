"""GET /cds-services and POST /cds-services/{id}: one hook call from bytes to card, in one screen."""

import asyncio
from collections.abc import Collection
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response
from starlette.background import BackgroundTask

from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import Query
from models.package import Package
from service.assessment import Assessment
from service.cds_hooks.card_identity import IssuedCards, Recipient, as_if_read_now
from service.cds_hooks.cards import card_for
from service.cds_hooks.client_token import Client
from service.cds_hooks.described import DISCOVERY, HOOK_CALL
from service.cds_hooks.dialects import DIALECTS, shaped
from service.cds_hooks.envelope import read_request
from service.cds_hooks.order_sign import reason_for_no_card, with_foreign_orders
from service.cds_hooks.quiet import Reader, Silence
from service.cds_hooks.quiet_cards import QuietCards
from service.cds_hooks.readers import Readers
from service.cds_hooks.services import EMERGENCY_HOOK, published
from service.cds_hooks.spec_version import versioned
from service.cds_hooks.treating import reader_is
from service.cds_hooks.wire import Card, CardResponse, HookRequest
from service.clock import Now
from service.errors import (
    Category,
    TokenMismatchError,
    ToldError,
    UnknownServiceError,
    WrongHookError,
)
from service.fhir.gather import PatientCall, Reach, whole
from service.language.choice import chosen
from service.refusals import client_of
from service.request_body import body_of
from service.result_cache import Results
from service.scoring import Scoring, scoring
from service.settings import Settings
from service.survival import Showing
from service.telemetry import Telemetry, stage
from service.turns import turn

_encoder = msgspec.json.Encoder()
_JSON = "application/json"
_NO_CARD = _encoder.encode(CardResponse(()))


class CdsService:
    """The hook's way through the house."""

    def __init__(
        self,
        settings: Settings,
        package: Package,
        reach: Reach,
        queries: tuple[Query, ...],
        results: Results,
        issued: IssuedCards,
        quiet: QuietCards,
        telemetry: Telemetry,
        real: Now,
    ) -> None:
        self._settings = settings
        self._anyone = Client("", "", label="any", dialect=settings.dialect)
        self._moment = settings.moment
        self._package = package
        self._reach = reach
        self._queries = queries
        self._keys = frozenset(query.key for query in queries)
        self._results = results
        self._issued = issued
        self._quiet = quiet
        self._readers = Readers(reach.servers, settings.client)
        self._telemetry = telemetry
        self._real = real
        described = published(settings, queries)
        self._hooks = {service.id: service.hook for service in described.services}
        self._discovery = _encoder.encode(versioned(described, settings.cds_hooks_version))

    @property
    def ids(self) -> Collection[str]:
        """The ids of the services."""
        return self._hooks.keys()

    async def discover(self) -> Response:
        return Response(self._discovery, media_type=_JSON)

    async def answer(self, service_id: str, request: Request) -> Response:
        """Answer one hook call. Raises ToldError; whatever is raised is counted."""
        hook = self._hooks.get(service_id)
        if hook is None:
            raise UnknownServiceError("the last part of the address is no service id")
        try:
            client = client_of(request) or self._anyone
            call = await self._read(request, hook)
            client.check_server(call.fhirServer)
            patient_call = _patient_call(call, client)
            if reason := reason_for_no_card(call):
                self._telemetry.outcome(service_id, "silent", reason)
                self._telemetry.silenced(service_id, reason)
                return Response(_NO_CARD, media_type=_JSON)
            record, reader = await self._gathered(patient_call, call, client)
            self._telemetry.prefetch(client.label, call.prefetch.keys(), record.retrieval)
            self._telemetry.gaps(record.retrieval)
            record = with_foreign_orders(record, call.context.draftOrders)
            assessment = await self._results.assessment(self._scoring(record, reader, hook))
            user = call.context.userId
            recipient = self._recipient(call, client, service_id)
            card, read_now = self._card(assessment, request, client), as_if_read_now(assessment)
            alike = None if read_now is assessment else self._card(read_now, request, client)
            card = await self._issued.identified(card, recipient, alike)
            silence = await self._quiet.silence(assessment, recipient, user, reader)
            body = _encoder.encode(CardResponse(() if silence else (card,)))
        except ToldError as error:
            self._telemetry.outcome(service_id, "error", error.category)
            raise
        except Exception:
            self._telemetry.outcome(service_id, "error", Category.INTERNAL)
            raise
        abstained = assessment.abstained
        if assessment.is_of_another:
            self._telemetry.wrong_patient(client.label, service_id)
        self._telemetry.outcome(service_id, "abstained" if abstained else "scored", abstained.code if abstained else "")
        # kept once the answer is on its way: no clinician waits for the store
        keep = BackgroundTask(self._keep, card, recipient, user, assessment, silence)
        return Response(body, media_type=_JSON, background=keep)

    async def _gathered(
        self, patient_call: PatientCall, call: HookRequest, client: Client
    ) -> tuple[PatientRecord, Reader]:
        """The record and, where the site asks who reads, the reader, side by side."""
        gathering = whole(patient_call, self._reach, self._queries)
        for_survival = self._settings.card.asks_who_reads and not self._settings.demonstration
        if not (self._settings.quiet.asks_who_reads or for_survival):
            return await gathering, Reader()
        reading = asyncio.create_task(self._readers.reader(call, client.issuer))
        try:
            return await gathering, await reading
        finally:  # the call's token is used no longer than the call
            reading.cancel()
            await asyncio.wait([reading])

    def _scoring(self, record: PatientRecord, reader: Reader, hook: str) -> Scoring:
        return scoring(
            record,
            self._package,
            self._moment,
            demonstration=self._settings.demonstration,
            real=self._real,
            restricted=self._settings.restricted,
            showing=self._showing(reader),
            with_interactions=self._settings.card.interactions,
            emergency=hook == EMERGENCY_HOOK,
        )

    def _showing(self, reader: Reader) -> Showing:
        """What this reader may see of survival."""
        card = self._settings.card
        return Showing(card.survival, reader_is(reader, card), card.site, self._settings.demonstration)

    def _recipient(self, call: HookRequest, client: Client, service_id: str) -> Recipient:
        user = call.context.userId if self._settings.quiet.snooze_days else ""
        return Recipient(client.issuer, call.fhirServer, call.context.patientId, service_id, user)

    async def _keep(
        self, card: Card, recipient: Recipient, user: str, assessment: Assessment, silence: Silence | None
    ) -> None:
        """What was shown, or would have been but for shadow mode."""
        if silence in {None, Silence.SHADOW}:
            await self._issued.keep(card, recipient, assessment, shadow=silence is Silence.SHADOW)
            await self._quiet.keep(card, assessment, recipient, user)

    async def _read(self, request: Request, hook: str) -> HookRequest:
        limits = self._settings.limits
        body = await body_of(request, limits.body_bytes, limits.body_seconds)
        call = await self._understood(body)
        if await self._has_learnt_version(call):
            call = await self._understood(body)
        if call.hook != hook:
            raise WrongHookError(f"hook must be {hook}")
        return call

    async def _understood(self, body: bytes) -> HookRequest:
        async with turn():
            with stage("hook call"):
                entries = self._settings.limits.entries
                return read_request(body, entries, self._keys, self._reach.servers.version_of)

    async def _has_learnt_version(self, call: HookRequest) -> bool:
        """Whether the call's server turned out to speak another FHIR version than its prefetch was read as."""
        server = self._reach.servers.stated(call.fhirServer)
        sent = (call.context.draftOrders, *call.prefetch.values())
        if server is None or not any(one and one.is_of_other_version for one in sent):
            return False
        until = asyncio.get_running_loop().time() + self._reach.deadline  # for it as for the record, and no longer
        return server.version != await server.learn_version(until)

    def _card(self, assessment: Assessment, request: Request, client: Client) -> Card:
        with stage("card"):
            address = self._settings.public_url or str(request.base_url).rstrip("/")
            accepted = request.headers.get("accept-language", "")
            language = chosen(client.language, self._settings.language, accepted)
            rendering = DIALECTS[client.dialect].rendering
            in_summary = self._settings.card.survival == "summary"
            card = card_for(
                assessment, f"{address}/model", language=language, rendering=rendering, in_summary=in_summary
            )
            return shaped(card, client.dialect, client.links, scored=assessment.abstained is None)


def _patient_call(call: HookRequest, client: Client) -> PatientCall:
    leave = call.fhirAuthorization
    patient = call.context.patientId
    if leave and leave.patient and leave.patient != patient:
        raise TokenMismatchError("fhirAuthorization.patient is not context.patientId")
    token = leave.access_token if leave else ""
    # `subject` is the service's own id at the authorisation server: two users' tokens may have it in common
    user = call.context.userId
    reader = f"{leave.subject}\n{leave.scope}\n{user}" if leave and user else ""
    return PatientCall(patient, call.fhirServer, call.prefetch, call.issues, token, client.issuer, reader)


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
