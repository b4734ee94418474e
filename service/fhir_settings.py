"""`[[fhir]]`: the site's FHIR servers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fhir_mappings.versions import Version
from service.fhir.origin import Base

Seconds = Annotated[float, Field(gt=0, le=600)]


class FhirServer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="FHIR base address; only these servers are ever called")
    timeout_seconds: Seconds = Field(default=5.0, description="longest wait for one answer of this server")
    version: Version | None = Field(
        default=None,
        description="FHIR version of this server, `R4`, `R4B` or `R5`; else R4, or what its CapabilityStatement states"
        " (asked for when a resource has the shape of another version)",
    )

    public_url: str | None = Field(
        default=None,
        description="address under which this server names itself in its answers, where that is not `url` (it stands"
        " behind a proxy): links to further pages are read from `url` instead, references are this server's; links to"
        " any third address are not followed",
    )

    @field_validator("url", "public_url")
    @classmethod
    def _is_a_base(cls, text: str | None) -> str | None:
        return text and Base.parse(text).url
