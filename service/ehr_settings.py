"""The settings `[[client]]`: the EHRs that may call."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.ca_file import CaFile
from service.fhir.origin import Base
from service.language.sentences import LanguageCode
from service.quiet_settings import CodeWithSystem

# How a client wants to be answered: `service/cds_hooks/dialects.py` declares what is different.
DialectName = Literal["spec", "sandbox", "epic", "oracle"]

_THIS_MACHINE = frozenset({"127.0.0.1", "[::1]", "localhost"})


class EhrClient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1, description="`iss` of the EHR's tokens")
    jwks_url: str = Field(description="where the EHR publishes its keys; read from there and from nowhere else")
    tenants: tuple[str, ...] = Field(default=(), description="`tenant` must be one of these; empty: it does not matter")
    ca_file: CaFile = Field(
        default=None, description="certificates (PEM) that are trusted for `jwks_url` besides the usual ones"
    )
    token_minutes: float = Field(default=15.0, gt=0, le=60, description="longest life of a token, from iat to exp")
    label: str = Field(
        default="",
        pattern=r"^([a-z0-9][a-z0-9\-]{0,31})?$",
        description="short name that stands for this EHR in the meters; else `client-1` for the first, and so on",
    )
    dialect: DialectName = Field(
        default="spec", description="how it wants to be answered: `spec`, `sandbox`, `epic` or `oracle` (docs/hooks.md)"
    )
    links: tuple[str, ...] = Field(
        default=(),
        description="web addresses under which a card's links may lead, as the EHR's own list has them; others are left"
        " out; empty: all may",
    )

    @field_validator("links")
    @classmethod
    def _are_addresses(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(Base.parse(text).url for text in texts)

    fhir: tuple[str, ...] = Field(
        default=(),
        description="addresses of `[[fhir]]` that this client's calls may name; empty: all. With several clients and"
        " several servers it must be set: what a call brings no token for is read with the service's own authority",
    )

    @field_validator("fhir")
    @classmethod
    def _are_bases(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(Base.parse(text).url for text in texts)

    role: CodeWithSystem | None = Field(
        default=None,
        description="role of this client's readers (a code with its system) where `userId` is no PractitionerRole that"
        " can be read",
    )
    speciality: CodeWithSystem | None = Field(default=None, description="their speciality, likewise")
    language: LanguageCode | None = Field(
        default=None, description="of this client's cards, `en` or `de`; else `language`"
    )

    @field_validator("jwks_url")
    @classmethod
    def _is_an_address(cls, text: str) -> str:
        base = Base.parse(text)
        if base.scheme != "https" and base.host not in _THIS_MACHINE:
            raise ValueError("must be https: whoever can change the answer can sign as the EHR")
        return text
