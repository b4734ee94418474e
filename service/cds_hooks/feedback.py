"""Body -> feedback on cards (CDS Hooks 2.0, Feedback), in the specification's spelling and in Epic's.

A batch is taken whole or not at all. What a clinician typed stays in `userComment` and goes no further unless the site
keeps comments; a display is not read at all.
"""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from service.cds_hooks.override_reasons import NONE, reason_key
from service.errors import FeedbackTooLargeError, MalformedError
from service.settings import FeedbackRules

# ruff: noqa: N815

# Epic may send its own category in place of a coded reason (its CDS Hooks tutorial, Feedback).
_EPIC_CATEGORY = "com.epic.cdshooks.feedback.overrideReason.reasonCategory"

Text = Annotated[str, Field(strict=True)]


class _Wire(BaseModel):
    """Unknown members are passed over; null, which CDS Hooks forbids and some clients send, counts as not there."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ReasonCoding(_Wire):
    """`display` may be missing (the public sandbox sends none) and is not read."""

    code: Text
    system: Text | None = None


class OverrideReason(_Wire):
    reason: ReasonCoding | None = None
    userComment: Text | None = None
    extension: dict[str, Any] | None = None


def _several(value: object) -> object:
    """Epic's plural names one object in its samples."""
    return () if value is None else value if isinstance(value, list) else (value,)


class AcceptedSuggestion(_Wire):
    id: Text


class FeedbackEntry(_Wire):
    """What became of one card. `overrideReasons` is Epic's spelling of `overrideReason`."""

    card: Annotated[str, Field(strict=True, min_length=1, max_length=200, description="uuid of the card")]
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: Annotated[
        datetime, Field(strict=True, description="when the user acted; UTC unless it says else")
    ]
    acceptedSuggestions: tuple[AcceptedSuggestion, ...] | None = Field(
        default=None, description="required by CDS Hooks with `accepted`; our cards hold none, so it is not missed"
    )
    overrideReason: OverrideReason | None = None
    overrideReasons: Annotated[
        tuple[OverrideReason, ...],
        BeforeValidator(_several, json_schema_input_type=OverrideReason | tuple[OverrideReason, ...] | None),
    ] = ()

    @property
    def card_key(self) -> str:
        """The card as it is kept: our cards have UUIDs. Anything else may say anything, and is kept as a hash."""
        try:
            return str(UUID(self.card))
        except ValueError:
            return "sha256:" + hashlib.sha256(self.card.encode()).hexdigest()

    @property
    def at(self) -> datetime:
        moment = self.outcomeTimestamp
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:  # the first and the last day of the calendar
            return moment.replace(tzinfo=UTC)

    @property
    def reason(self) -> str:
        """Why it was overridden, as it is kept (`override_reasons.reason_key`)."""
        if self.outcome == "accepted":
            return NONE
        for override in self._overrides:
            if override.reason:
                return reason_key(override.reason.system or "", override.reason.code)
            category = (override.extension or {}).get(_EPIC_CATEGORY)
            if isinstance(category, str | int):
                return reason_key(_EPIC_CATEGORY, str(category))
        return NONE

    @property
    def comment(self) -> str:
        return "\n".join(override.userComment for override in self._overrides if override.userComment)

    @property
    def _overrides(self) -> tuple[OverrideReason, ...]:
        return (self.overrideReason, *self.overrideReasons) if self.overrideReason else self.overrideReasons


class FeedbackRequest(_Wire):
    """The body of POST /cds-services/{id}/feedback."""

    feedback: tuple[FeedbackEntry, ...]


def read_feedback(body: bytes, limits: FeedbackRules) -> tuple[FeedbackEntry, ...]:
    """The entries of a body.

    Raises MalformedError, and FeedbackTooLargeError (more entries, or a longer comment, than the limit); both name
    members and hold no value.
    """
    try:
        entries = FeedbackRequest.model_validate_json(body).feedback
    except ValidationError as error:
        raise MalformedError(_told(error)) from None
    if len(entries) > limits.entries:
        raise FeedbackTooLargeError(f"more than {limits.entries} entries")
    for number, entry in enumerate(entries):
        if len(entry.comment) > limits.comment_characters:
            raise FeedbackTooLargeError(
                f"feedback.{number}: userComment of over {limits.comment_characters} characters"
            )
    return entries


def _told(error: ValidationError) -> str:
    """The first fault, by member."""
    detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in detail["loc"]) or "the body"
    return f"{where}: {detail['msg']}"
