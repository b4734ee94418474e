"""The settings `[[fhir]]`: a FHIR server of the site, and what the service shows there to be let in."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from fhir_mappings.versions import Version
from service.ca_file import CaFile
from service.errors import SettingsError
from service.fhir.origin import Base
from service.fhir.searching import SearchMethod

Seconds = Annotated[float, Field(gt=0, le=600)]

_SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749, 3.3
_CLOSED = "http is allowed to this server, on this machine or in a private network: everyone on the wire can read along"
_PRIVATE_NAMES = (".local", ".internal", ".localdomain")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Backend(_Table):
    """SMART Backend Services: the service signs for itself."""

    client_id: str = Field(min_length=1, description="id under which the service is registered at this server")
    key_file: Path = Field(
        description="private key (PEM, JWK or JWKS; P-384, or RSA of at least 2,048 bits), or a folder of such files;"
        " read again for each token"
    )
    kid: str = Field(
        default="", description="id of the key that signs; else the key's own, of several keys that of the last"
    )
    scopes: tuple[str, ...] = Field(
        default=(), description="what is asked for; else reading of each type that the service searches"
    )
    token_url: str | None = Field(
        default=None,
        description="token endpoint; else the one that the server's smart-configuration names, if it is of the server's"
        " own origin",
    )
    closed_network: bool = Field(default=False, description=_CLOSED)

    @field_validator("scopes")
    @classmethod
    def _are_scopes(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_SCOPE.fullmatch(scope) for scope in scopes):
            raise ValueError("each must be one scope, without spaces")
        return scopes

    @field_validator("token_url")
    @classmethod
    def _is_an_address(cls, text: str | None) -> str | None:
        if text is not None:
            Base.parse(text)
        return text


class Basic(_Table):
    """User and password, for closed networks."""

    user: str = Field(min_length=1, pattern=r"^[^:\x00-\x1f\x7f]+$", description="name of the service at this server")
    password: SecretStr | None = Field(default=None, description="its password; or one of the next two")
    password_file: Path | None = Field(default=None, description="file whose first line is the password")
    password_variable: str | None = Field(
        default=None, description="environment variable that holds the password; its name must not begin as ours do"
    )
    closed_network: bool = Field(default=False, description=_CLOSED)

    @model_validator(mode="after")
    def _has_one_password(self) -> Self:
        if sum(given is not None for given in (self.password, self.password_file, self.password_variable)) != 1:
            raise ValueError("one of password, password_file and password_variable is needed")
        return self

    def secret(self) -> str:
        """The password as it is now. Raises SettingsError, which names the setting and not what it holds."""
        if self.password_file is not None:
            try:
                lines = self.password_file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                told = getattr(error, "strerror", "") or "not UTF-8"
                raise SettingsError(f"[fhir.basic] password_file: cannot be read ({told})") from None
            return lines[0] if lines else ""
        if self.password_variable is not None:
            if self.password_variable not in os.environ:
                raise SettingsError("[fhir.basic] password_variable: there is no such environment variable")
            return os.environ[self.password_variable]
        return self.password.get_secret_value() if self.password else ""


class FhirServer(_Table):
    url: str = Field(description="FHIR base address; only these servers are ever called")
    timeout_seconds: Seconds = Field(default=5.0, description="longest wait for one answer of this server")
    version: Version | None = Field(
        default=None,
        description="FHIR version of this server, `R4`, `R4B` or `R5`; else R4, or what its CapabilityStatement states"
        " (asked for when a resource has the shape of another version)",
    )
    ca_file: CaFile = Field(
        default=None,
        description="certificates (PEM) that are trusted for this server besides the usual ones; verification is never"
        " off",
    )
    search: SearchMethod = Field(
        default="auto",
        description="how searches are sent: `get`, `post` (`[type]/_search`), or `auto`, GET unless the address is long"
        " or the server refuses it",
    )
    public_url: str | None = Field(
        default=None,
        description="address under which this server names itself in its answers, where that is not `url` (it stands"
        " behind a proxy): links to further pages are read from `url` instead, references are this server's; links to"
        " any third address are not followed",
    )
    backend: Backend | None = Field(
        default=None, description="table: the service's own authority by SMART Backend Services (docs/authorisation.md)"
    )
    basic: Basic | None = Field(default=None, description="table: its own authority by user and password, instead")

    @field_validator("url", "public_url")
    @classmethod
    def _is_a_base(cls, text: str | None) -> str | None:
        return text and Base.parse(text).url

    @model_validator(mode="after")
    def _shows_one_thing_on_a_closed_wire(self) -> Self:
        if self.backend and self.basic:
            raise ValueError("backend and basic: one of them at most")
        own = self.backend or self.basic
        for address in self._addresses_in_clear:
            if not (own and own.closed_network):
                raise ValueError("credentials are sent: url and token_url must be https, or closed_network set")
            if not _is_private(Base.parse(address).host):
                raise ValueError("closed_network: only for this machine, private addresses and local names")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where requests go: the server, and a token endpoint that the site has written down."""
        token_url = self.backend.token_url if self.backend else None
        return (self.url, token_url) if token_url else (self.url,)

    @property
    def sends_in_clear(self) -> bool:
        """Whether credentials go over the wire unencrypted."""
        return bool(self._addresses_in_clear)

    @property
    def _addresses_in_clear(self) -> tuple[str, ...]:
        """Those that are http, where there is something to protect."""
        if not (self.backend or self.basic):
            return ()
        return tuple(address for address in self.addresses if address.lower().startswith("http:"))


def _is_private(host: str) -> bool:
    """Whether a host is of this machine or a private network, as far as its name tells."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_NAMES)
