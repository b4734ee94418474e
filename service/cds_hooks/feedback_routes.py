"""POST /cds-services/{id}/feedback: what became of cards."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from service.cds_hooks.described import FEEDBACK
from service.cds_hooks.feedback import FeedbackEntry, read_feedback
from service.cds_hooks.override_reasons import reason_class
from service.cds_hooks.quiet_cards import QuietCards
from service.clock import Now
from service.errors import FeedbackTooLargeError, NotKeptError, TooLargeError, UnknownServiceError
from service.refusals import issuer_of
from service.request_body import body_of
from service.settings import FeedbackRules
from service.state.feedback import FeedbackGiven, FeedbackStore, StateDownError, oldest
from service.telemetry import Telemetry


class FeedbackService:
    """Takes feedback of all services; the same again changes nothing."""

    def __init__(
        self,
        rules: FeedbackRules,
        services: Collection[str],
        store: FeedbackStore,
        quiet: QuietCards,
        telemetry: Telemetry,
        now: Now,
        body_seconds: float,
    ) -> None:
        self._rules = rules
        self._body_seconds = body_seconds
        self._services = services
        self._store = store
        self._quiet = quiet
        self._telemetry = telemetry
        self._now = now

    async def take(self, service_id: str, request: Request) -> None:
        """Keep a batch, and count what of it is new. Raises ToldError, and then nothing was kept.

        Feedback on a card that is not known (shown while the store was down, or by somebody else) is kept as well.
        """
        if service_id not in self._services:
            raise UnknownServiceError("the part of the address before feedback is no service id")
        try:
            body = await body_of(request, self._rules.body_bytes, self._body_seconds)
        except TooLargeError as error:
            raise FeedbackTooLargeError(str(error)) from error
        client = issuer_of(request)
        feedback = [self._kept(entry, service_id, client) for entry in read_feedback(body, self._rules)]
        try:
            new = await self._store.given(feedback)
        except StateDownError as error:
            self._telemetry.not_kept("feedback")
            raise NotKeptError("feedback") from error
        for one in new:
            self._telemetry.feedback(one.outcome, reason_class(one.reason))
            await self._quiet.snooze(one)

    def _kept(self, entry: FeedbackEntry, service_id: str, client: str) -> FeedbackGiven:
        received = self._now().astimezone(UTC)
        return FeedbackGiven(
            card=entry.card_key,
            outcome=entry.outcome,
            at=entry.at.isoformat(),
            day=self._day(entry.at, received),
            received=received.date(),
            service=service_id,
            client=client,
            reason=entry.reason,
            comment=entry.comment if self._rules.keep_comments else "",
        )

    def _day(self, at: datetime, received: datetime) -> date:
        """The day that feedback counts for: a client's clock that cannot be right is not believed."""
        possible = datetime.combine(oldest(self._now, self._rules.days), time.min, UTC) <= at <= received
        return (at if possible else received).date()


def feedback_routes(service: FeedbackService) -> APIRouter:
    router = APIRouter(tags=["CDS Hooks"])

    @router.post("/cds-services/{id}/feedback", response_class=Response, openapi_extra=FEEDBACK)
    async def give_feedback(
        service_id: Annotated[str, Path(alias="id", description="an id from discovery")], request: Request
    ) -> Response:
        """Take what users did with cards; the same feedback may be sent again."""
        await service.take(service_id, request)
        return Response()

    return router
