"""Is this token the registered client's, for this address, now? (CDS Hooks 2.0, Trusting CDS Clients; RFC 7519, 8725).

Pure: keys and time are arguments. Signatures are PyJWT's work; the claims are read here, strictly typed, because the
library takes a token without `exp` or `aud`, and numbers written as text.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

import jwt
import msgspec

from service.ehr_settings import DialectName
from service.errors import ServerNotListedError
from service.fhir.origin import Base, NotABaseError
from service.language.sentences import LanguageCode

ALGORITHMS = ("ES384", "RS384")  # what CDS Hooks recommends; none and HMAC are forbidden by it
SKEW_SECONDS = 60.0
_LONGEST = 8_192  # characters
_ONE_TOKEN = re.compile(r"[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+")


class Reason(StrEnum):
    """Why a call was not admitted. Counted and logged, never told to the caller."""

    NO_TOKEN = "no-token"  # noqa: S105 - a reason's name
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    ISSUER = "issuer-not-registered"
    JKU = "jku-not-registered"
    KEY = "key-unknown"
    KEYS_UNAVAILABLE = "keys-unavailable"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not-yet-valid"
    LIFETIME = "lives-too-long"
    TENANT = "tenant"
    REPLAYED = "replayed"
    MEMORY_DOWN = "memory-of-tokens-down"


class NotAdmittedError(Exception):
    """The caller did not show that it may call."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Header(msgspec.Struct, frozen=True):
    """The JOSE header; `kid` and `typ` are required by CDS Hooks, `jku` is optional."""

    alg: str
    kid: str
    typ: str
    jku: str | None = None
    crit: msgspec.Raw | None = None
    b64: msgspec.Raw | None = None


class Claims(msgspec.Struct, frozen=True):
    """The payload. All but `nbf` and `tenant` are required."""

    iss: str
    aud: str | list[str]
    exp: float
    iat: float
    jti: str
    nbf: float | None = None
    tenant: str | None = None


class Client(msgspec.Struct, frozen=True):
    """A registered EHR: who signs, where its keys are, how long its tokens may live, and how it wants to be answered.

    `label` stands for it in meters: it is from the closed list of the register. `links` are the addresses under which a
    card's links may lead, empty where that does not matter. `servers` are the FHIR servers that its calls may name,
    empty where all may be.
    """

    issuer: str
    jwks_url: str
    tenants: Sequence[str] = ()
    longest_seconds: float = 900.0
    label: str = ""
    dialect: DialectName = "spec"
    links: Sequence[Base] = ()
    language: LanguageCode | None = None
    servers: Sequence[Base] = ()

    def check_server(self, address: str) -> None:
        """Whether its calls may name this FHIR server; one that is no address is nobody's.

        Raises ServerNotListedError: else what is read with the service's own authority would be anybody's to have.
        """
        if not self.servers or not address:
            return
        try:
            named = Base.parse(address)
        except NotABaseError:
            return
        if named not in self.servers:
            raise ServerNotListedError("fhirServer is none of this client's")


class Token(msgspec.Struct, frozen=True):
    """A token whose signature has not been looked at yet."""

    text: str
    header: Header
    claims: Claims


_header = msgspec.json.Decoder(Header)
_claims = msgspec.json.Decoder(Claims)
_signatures = jwt.PyJWS(algorithms=list(ALGORITHMS))


def read(text: str) -> Token:
    """Take a token apart. Raises NotAdmittedError (malformed, algorithm)."""
    if len(text) > _LONGEST or not _ONE_TOKEN.fullmatch(text):
        raise NotAdmittedError(Reason.MALFORMED)
    try:
        head, body, _ = (jwt.utils.base64url_decode(part) for part in text.split("."))
        header, claims = _header.decode(head), _claims.decode(body)
    except (ValueError, RecursionError) as error:  # msgspec's and base64's errors are ValueErrors
        raise NotAdmittedError(Reason.MALFORMED) from error
    if header.alg not in ALGORITHMS:
        raise NotAdmittedError(Reason.ALGORITHM)
    if header.typ.upper() != "JWT" or header.crit is not None or header.b64 is not None:
        raise NotAdmittedError(Reason.MALFORMED)
    if not header.kid or not 0 < len(claims.jti) <= 1_024:
        raise NotAdmittedError(Reason.MALFORMED)
    return Token(text, header, claims)


def check_client(token: Token, client: Client) -> None:
    """`jku` is never followed: it may only repeat what is registered. Raises NotAdmittedError (jku, tenant)."""
    if token.header.jku is not None and token.header.jku != client.jwks_url:
        raise NotAdmittedError(Reason.JKU)
    if client.tenants and token.claims.tenant not in client.tenants:
        raise NotAdmittedError(Reason.TENANT)


def check_signature(token: Token, key: jwt.PyJWK) -> None:
    """Raises NotAdmittedError where the key did not sign it, or is not of the kind that the token names."""
    try:
        _signatures.decode(token.text, key, algorithms=[token.header.alg])
    except jwt.PyJWTError as error:
        raise NotAdmittedError(Reason.SIGNATURE) from error


def check_claims(claims: Claims, client: Client, address: str, now: float) -> None:
    """Whether the token is for `address` (the exact one that was called) at `now` (seconds since 1970).

    Raises NotAdmittedError (audience, expired, not-yet-valid, lives-too-long).
    """
    if address not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):
        raise NotAdmittedError(Reason.AUDIENCE)
    if not now < claims.exp + SKEW_SECONDS:
        raise NotAdmittedError(Reason.EXPIRED)
    if max(claims.iat, claims.nbf or claims.iat) > now + SKEW_SECONDS:
        raise NotAdmittedError(Reason.NOT_YET)
    if not 0 < claims.exp - claims.iat <= client.longest_seconds:
        raise NotAdmittedError(Reason.LIFETIME)
