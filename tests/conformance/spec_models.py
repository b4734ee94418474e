"""The protocol's objects, written from the text of CDS Hooks 2.0 (and 3.0's version fields) alone.

They share nothing with the service: strict, no unknown member, no null, nothing empty. Names are the protocol's.
"""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

# ruff: noqa: N815


def _absolute(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("must be an absolute URL")
    return url


def _reverse_domain(extension: dict[str, Any]) -> dict[str, Any]:
    if not all(re.fullmatch(r"[\w-]+(\.[\w-]+)+", name) for name in extension):
        raise ValueError("names must be globally unique")
    return extension


Text = Annotated[str, Field(strict=True, min_length=1)]
Url = Annotated[Text, AfterValidator(_absolute)]
Extension = Annotated[dict[str, Any], Field(min_length=1), AfterValidator(_reverse_domain)]
Resource = Annotated[dict[str, Any], Field(min_length=1)]


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _holds_no_null(cls, value: object) -> object:
        if isinstance(value, dict) and None in value.values():
            raise ValueError("null is not allowed")
        return value


class Coding(_Object):
    code: Text
    system: Text
    display: Text | None = None


class ReasonCoding(Coding):
    """A coding of override reasons, whose display is required."""

    display: Text


class Source(_Object):
    label: Text
    url: Url | None = None
    icon: Url | None = None
    topic: Coding | None = None


class Action(_Object):
    type: Literal["create", "update", "delete"]
    description: Text
    resource: Resource | None = None
    resourceId: Text | None = None
    extension: Extension | None = None

    @model_validator(mode="after")
    def _says_what_to_write(self) -> Self:
        if (self.type == "delete") != (self.resource is None) or (self.type == "delete" and not self.resourceId):
            raise ValueError("create and update need resource, delete needs resourceId")
        return self


class Suggestion(_Object):
    label: Text
    uuid: Text | None = None
    isRecommended: bool | None = None
    actions: Annotated[list[Action], Field(min_length=1)] | None = None


class Link(_Object):
    label: Text
    url: Url
    type: Literal["absolute", "smart"]
    appContext: Text | None = None

    @model_validator(mode="after")
    def _has_context_for_an_app_only(self) -> Self:
        if self.appContext is not None and self.type != "smart":
            raise ValueError("appContext goes with type smart")
        return self


class Card(_Object):
    uuid: Text | None = None
    summary: Annotated[Text, Field(max_length=139)]
    detail: Text | None = None
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: Annotated[list[Suggestion], Field(min_length=1)] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: Annotated[list[ReasonCoding], Field(min_length=1)] | None = None
    links: Annotated[list[Link], Field(min_length=1)] | None = None
    extension: Extension | None = None

    @model_validator(mode="after")
    def _says_how_to_choose(self) -> Self:
        recommended = sum(bool(suggestion.isRecommended) for suggestion in self.suggestions or ())
        if self.suggestions and self.selectionBehavior is None:
            raise ValueError("suggestions need selectionBehavior")
        if self.selectionBehavior == "at-most-one" and recommended > 1:
            raise ValueError("one suggestion at most may be recommended")
        return self


class SystemAction(_Object):
    """As an action of a suggestion, but nobody is asked, so it need not be described."""

    type: Literal["create", "update", "delete"]
    description: Text | None = None
    resource: Resource | None = None
    resourceId: Text | None = None
    extension: Extension | None = None


class HookResponse(_Object):
    cards: list[Card]
    systemActions: Annotated[list[SystemAction], Field(min_length=1)] | None = None
    extension: Extension | None = None


class Service(_Object):
    id: Text
    hook: Text
    title: Text | None = None
    description: Text
    prefetch: Annotated[dict[Text, Text], Field(min_length=1)] | None = None
    usageRequirements: Text | None = None
    version: Text | None = None  # 3.0
    hookVersion: Text | None = None  # 3.0
    extension: Extension | None = None


class Discovery(_Object):
    services: list[Service]
    extension: Extension | None = None


class AcceptedSuggestion(_Object):
    id: Text


class OverrideReason(_Object):
    reason: Coding | None = None
    userComment: Text | None = None


class Feedback(_Object):
    card: Annotated[Text, AfterValidator(lambda text: str(UUID(text)))]
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: Annotated[list[AcceptedSuggestion], Field(min_length=1)] | None = None
    overrideReason: OverrideReason | None = None
    outcomeTimestamp: Annotated[AwareDatetime, Field(strict=False)]
    extension: Extension | None = None

    @model_validator(mode="after")
    def _names_what_was_accepted(self) -> Self:
        if (self.outcome == "accepted") != (self.acceptedSuggestions is not None):
            raise ValueError("acceptedSuggestions goes with accepted")
        return self


class FeedbackRequest(_Object):
    feedback: Annotated[list[Feedback], Field(min_length=1)]
