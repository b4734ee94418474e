"""POST /emergency/assessments: one emergency from bytes to answers, in one screen."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from fastapi import APIRouter, Request, Response

from fhir_mappings.record import PatientRecord
from fhir_mappings.retrieval import Query
from models.package import Package
from service.assessment import Assessment
from service.clock import Now
from service.emergency.answer_form import Form, form_of
from service.emergency.described import EMERGENCY
from service.emergency.pictures import Pictures
from service.emergency.request import Asked, read_asked
from service.emergency.stream import (
    RETRY,
    EventStream,
    assessment_event,
    error_event,
    last_number,
    told,
    with_heartbeats,
)
from service.emergency.unless_gone import unless_gone
from service.emergency.updates import alone
from service.emergency.whose import EmergencyCall, call_of
from service.errors import Category, ToldError
from service.fhir.gather import Reach, gather
from service.fhir.risk_assessment import risk_assessment
from service.fhir.written import MEDIA_TYPE as FHIR
from service.fhir.written import operation_outcome
from service.language.choice import chosen
from service.language.sentences import language
from service.logs import told as fault_told
from service.refusals import client_of, issuer_of
from service.request_body import body_of
from service.scoring import scoring
from service.settings import Settings
from service.telemetry import Telemetry, stage
from service.turns import turn

_logger = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()
_SERVICE = "emergency-assessments"  # in the meters
_TAKING_SECONDS = 5.0  # beyond the deadline, for a client to take the last answer
_READING_SECONDS = 1.0  # beyond the deadline: that of a call is ours to keep, and not the reading's


class EmergencyService:
    """The emergency's way through the house."""

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
        self._package = package
        self._reach = reach
        self._queries = queries
        self._telemetry = telemetry
        self._real = real
        self._pictures = Pictures(self._scored)

    async def answer(self, request: Request) -> Response:
        """Answer one call. Raises ToldError; whatever is raised is counted."""
        arrived = asyncio.get_running_loop().time()
        try:
            asked = await self._read(request)
            call = call_of(asked, self._reach.servers, self._queries, issuer_of(request), self._reach.public_names)
            if (client := client_of(request)) and call.reading:
                client.check_server(call.reading.server)
        except ToldError as error:
            self._telemetry.outcome(_SERVICE, "error", error.category)
            raise
        seconds = self._settings.limits.emergency_seconds if asked.deadline_ms is None else asked.deadline_ms / 1000
        form = form_of(request.headers.get("accept", ""))
        answers = self._answers(request, call, arrived + seconds, form)
        if form == "stream":
            return EventStream(with_heartbeats(self._events(answers)), arrived + seconds + _TAKING_SECONDS)
        last = await unless_gone(request.receive, self._last(answers))
        if last is None:
            return Response(status_code=499)  # nobody reads it
        body, media_type = _encoder.encode(last), "application/json"
        if form == "fhir":
            async with turn():
                body, media_type = self._as_fhir(last, asked.encounter_id, request), FHIR
        return Response(body, media_type=media_type, headers={"Cache-Control": "no-store"})

    def _as_fhir(self, assessment: Assessment, encounter: str, request: Request) -> bytes:
        client, accepted = client_of(request), request.headers.get("accept-language", "")
        words = language(chosen(client.language if client else None, self._settings.language, accepted))
        named = "" if assessment.is_of_another else encounter  # it may be the other's stay
        return risk_assessment(assessment, self._package, named, words)

    async def _read(self, request: Request) -> Asked:
        limits = self._settings.limits
        body = await body_of(request, limits.body_bytes, limits.body_seconds)
        async with turn():
            with stage("emergency call"):
                return read_asked(body, limits.entries, self._reach.servers.version_of)

    def _answers(
        self, request: Request, call: EmergencyCall, deadline: float, form: Form
    ) -> AsyncGenerator[Assessment]:
        left = deadline - asyncio.get_running_loop().time() + _READING_SECONDS
        reach = msgspec.structs.replace(self._reach, deadline=left)
        reading = gather(call.reading, reach, call.queries(self._queries)) if call.reading else None
        pictures = self._pictures.of(call, reading, deadline, refined=form == "stream")
        return self._counted(request, told(pictures, last_number(request)))

    async def _counted(self, request: Request, answers: AsyncGenerator[Assessment]) -> AsyncGenerator[Assessment]:
        """The answers; what became of the call is counted at its end."""
        client = client_of(request)
        try:
            async with aclosing(answers):
                async for answer in answers:
                    if answer.update and answer.update.final:
                        self._count(answer, client.label if client else "any")
                    yield answer
        except ToldError as error:
            self._telemetry.outcome(_SERVICE, "error", error.category)
            raise
        except Exception:
            self._telemetry.outcome(_SERVICE, "error", Category.INTERNAL)
            raise

    def _count(self, answer: Assessment, client: str) -> None:
        self._telemetry.gaps(answer.retrieval)
        if answer.is_of_another:
            self._telemetry.wrong_patient(client, _SERVICE)
        abstained = answer.abstained
        self._telemetry.outcome(_SERVICE, "abstained" if abstained else "scored", abstained.code if abstained else "")

    async def _last(self, answers: AsyncGenerator[Assessment]) -> Assessment:
        last = None
        async with aclosing(answers):
            async for answer in answers:
                last = answer
        assert last is not None  # noqa: S101 - there is a last one, or an error
        return alone(last)

    async def _events(self, answers: AsyncGenerator[Assessment]) -> AsyncGenerator[bytes]:
        """Every answer as an event. The answer has begun: what goes wrong from here on is an event too."""
        yield RETRY
        try:
            async with aclosing(answers):
                async for answer in answers:
                    yield assessment_event(answer)
        except ToldError as error:
            _logger.warning("%s: %s", error.category, error)
            yield error_event(operation_outcome(error.category, str(error)))
        except Exception as error:  # noqa: BLE001 - the last resort, as in Gate
            incident = secrets.token_hex(4)
            _logger.error("incident %s: %s", incident, fault_told(error))  # noqa: TRY400 - a traceback holds messages
            yield error_event(operation_outcome(Category.INTERNAL, f"incident {incident}"))

    def _scored(self, record: PatientRecord) -> Assessment:
        return scoring(
            record,
            self._package,
            self._settings.moment,
            demonstration=self._settings.demonstration,
            real=self._real,
            restricted=self._settings.restricted,
            emergency=True,
        ).assessment()


def emergency_routes(service: EmergencyService) -> APIRouter:
    router = APIRouter(tags=["emergency"])

    @router.post("/emergency/assessments", response_class=Response, openapi_extra=EMERGENCY)
    async def assess_emergency(request: Request) -> Response:
        """Assess an emergency from what is at hand, at once; as a stream, better answers follow as data arrive."""
        return await service.answer(request)

    return router
