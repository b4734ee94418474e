"""What a FHIR server says of its authorisation (SMART App Launch 2.2, `.well-known/smart-configuration`).

The document comes from the server's own base, and still it does not decide where our key's signature goes: an endpoint
of another origin counts only once the site has written it down (CVE-2026-47664: a named address got the credentials).
"""

import httpx
import msgspec

from service.errors import NotAuthorisedError
from service.fhir.json_answer import json_answer
from service.fhir.origin import Base
from service.fhir.scopes import Style, style_of

_NAME = "smart-configuration"


class SmartConfiguration(msgspec.Struct, frozen=True):
    """The document, as far as it is read."""

    token_endpoint: str = ""
    scopes_supported: tuple[str, ...] | None = None
    capabilities: tuple[str, ...] | None = None

    @property
    def style(self) -> Style:
        return style_of(self.scopes_supported or (), self.capabilities or ())


async def discover(http: httpx.AsyncClient, base: Base, patience: float) -> SmartConfiguration:
    """The server's document. Raises NotAuthorisedError."""
    answer = await json_answer(http, f"{base.url}/.well-known/{_NAME}", _NAME, patience)
    if answer.status != httpx.codes.OK:
        raise NotAuthorisedError(
            f"{_NAME} answered with HTTP status {answer.status}; write [fhir.backend] token_url if there is none"
        )
    try:
        return msgspec.json.decode(answer.body, type=SmartConfiguration)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotAuthorisedError(f"{_NAME} is not of the form that SMART defines") from None


def trusted_endpoint(document: SmartConfiguration, base: Base) -> str:
    """The token endpoint that the document names, letter for letter: it is the audience of what we sign.

    Raises NotAuthorisedError where there is none, or it is of another origin than the FHIR server.
    """
    named = document.token_endpoint
    if not named:
        raise NotAuthorisedError(f"{_NAME} names no token_endpoint; write [fhir.backend] token_url")
    origin = msgspec.structs.replace(base, path="/")
    if "://" not in named.partition("?")[0] or origin.resolve(named) is None:
        raise NotAuthorisedError(
            f"{_NAME} names a token_endpoint of another origin than the server's;"
            " if it is right, write it as [fhir.backend] token_url"
        )
    return named
