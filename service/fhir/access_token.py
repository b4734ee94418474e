"""From a signed assertion to an access token (SMART App Launch 2.2, Backend Services; RFC 7523; RFC 6749, 4.4)."""

import re
import secrets

import httpx
import jwt
import msgspec

from service.errors import NotAuthorisedError
from service.fhir.json_answer import JsonAnswer, json_answer
from service.fhir.signing_key import SigningKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# An assertion may live five minutes. A minute of them is left to a clock of ours that is ahead: what we issue now must
# neither be from the future nor live too long for a server that is a minute behind.
LIFE_SECONDS = 180.0
SKEW_SECONDS = 60.0

_WHAT = "the token endpoint"
_TOKEN = re.compile(r"[!-~]{1,16384}")  # what may stand in a header
_LONGEST_SECONDS = 86_400.0
_UNSTATED_SECONDS = 300.0  # what SMART recommends at most; expires_in is required, and still left out by some
# RFC 6749, 5.2 -> what the site can do
_ERRORS = {
    "invalid_request": "look into the authorisation server's log",
    "invalid_client": "compare client_id, kid and the registered public key (`oncohooks keys`)",
    "invalid_grant": "compare the clocks and token_url",
    "unauthorized_client": "the client must be registered for client_credentials",
    "unsupported_grant_type": "the server does not do SMART Backend Services",
    "invalid_scope": "set scopes to what the client is registered for",
}


class AccessToken(msgspec.Struct, frozen=True):
    """A token of ours. `scope` is what was granted, `seconds` how long it lives. `repr` hides it."""

    text: str
    scope: str
    seconds: float

    def __repr__(self) -> str:
        return "AccessToken(***)"


class _Answer(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: float | None = None
    scope: str | None = None


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""


def assertion(key: SigningKey, client_id: str, token_url: str, now: float) -> str:
    """The signed claim to be `client_id`, good once and at `token_url` only; `now` in seconds since 1970."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "iat": int(now - SKEW_SECONDS),
        "exp": int(now + LIFE_SECONDS),
        "jti": secrets.token_urlsafe(24),
    }
    return jwt.encode(claims, key.private, key.algorithm, {"kid": key.kid, "typ": "JWT"})


async def request_token(
    http: httpx.AsyncClient, token_url: str, signed: str, scope: str, patience: float
) -> AccessToken:
    """Exchange an assertion. Raises NotAuthorisedError, which names no part of what was sent or came."""
    form = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    }
    answer = await json_answer(http, token_url, _WHAT, patience, form)
    if answer.status != httpx.codes.OK:
        raise NotAuthorisedError(_refusal(answer))
    try:
        found = msgspec.json.decode(answer.body, type=_Answer, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotAuthorisedError(f"{_WHAT} answered with what is no token") from None
    if found.token_type.lower() != "bearer" or not _TOKEN.fullmatch(found.access_token):
        raise NotAuthorisedError(f"{_WHAT} answered with a token that is no bearer token")
    seconds = _UNSTATED_SECONDS if found.expires_in is None else found.expires_in
    if not seconds > 0:
        raise NotAuthorisedError(f"{_WHAT} answered with a token that has expired")
    granted = scope if found.scope is None else found.scope
    return AccessToken(found.access_token, granted, min(seconds, _LONGEST_SECONDS))


def _refusal(answer: JsonAnswer) -> str:
    told = f"{_WHAT} answered with HTTP status {answer.status}"
    try:
        error = msgspec.json.decode(answer.body, type=_Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return told
    return f"{told}, {error}: {_ERRORS[error]}" if error in _ERRORS else told
