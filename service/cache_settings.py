"""`[cache]`: how long answers of FHIR servers, and results, are kept."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Cache(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    fresh_seconds: Annotated[float, Field(ge=0, le=3_600)] = Field(
        default=60.0,
        description="answers of a FHIR server that are not older are used without asking it, and results of the same"
        " record, a minute at most, without scoring it again; 0 = it is always asked, and scored",
    )
    kept_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        default=900,
        description="older answers, up to this age, stand in where the server fails or is late, and the card says so;"
        " 0 = nothing is kept",
    )
    shared: bool = Field(
        default=False,
        description="what was read for one reader serves all readers of the same client; only where everyone who may"
        " call may see every record",
    )

    @model_validator(mode="after")
    def _fresh_are_kept(self) -> Self:
        if self.fresh_seconds > self.kept_seconds > 0:
            raise ValueError("fresh_seconds: must not be more than kept_seconds")
        return self
