"""Settings of `[limits]`: how large, how many, how long. What is over a limit is refused, never cut."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(gt=0)]


class Limits(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    body_bytes: Count = Field(default=16 * 2**20, description="largest request body")
    body_seconds: float = Field(
        default=10.0, gt=0, le=60, description="longest time in which a request body has to arrive, from its head"
    )
    entries: Count = Field(default=10_000, description="most entries in a prefetch, and most read by one search")
    fhir_body_bytes: Count = Field(default=32 * 2**20, description="largest single answer of a FHIR server")
    fhir_pages: Count = Field(default=500, description="most pages of one search")
    fhir_concurrency: Count = Field(default=12, description="most requests to FHIR servers at a time, for one patient")
    fhir_connections: Count = Field(
        default=48,
        description="most requests to one FHIR server at a time, for all patients; others wait for room, emergencies"
        " first",
    )
    fhir_address_characters: Count = Field(
        default=2_000, description="longest address of a search that is sent with GET, where `search` is `auto`"
    )
    hooks_at_once: Count = Field(default=16, description="most hook calls in work at a time, by this process")
    hooks_waiting: int = Field(
        default=16, ge=0, description="most hook calls that wait for that; others get 503 at once (docs/emergency.md)"
    )
    emergencies_at_once: Count = Field(default=100, description="most emergency calls in work, beside the hook calls")
    emergencies_waiting: int = Field(
        default=100, ge=0, description="most emergency calls that wait; while it is full no hook call is let in either"
    )
    emergency_seconds: float = Field(
        default=10.0, gt=0, le=60, description="time of an emergency call that names no `deadlineMs`"
    )
