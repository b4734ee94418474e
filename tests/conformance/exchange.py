"""What a client sent and what it got: the checks see nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Case(StrEnum):
    """What the client did. The case says what has to come, so that a wrong status cannot excuse a wrong reply."""

    DISCOVERY = "reads discovery"
    CALL = "calls a hook with all of the prefetch"
    READ = "calls a hook without prefetch, with a FHIR server and a token for it"
    CLIENT_FAILED = "calls a hook with an OperationOutcome in place of a prefetched search"
    FOREIGN = "calls a hook with a result of another patient among the prefetch"
    UNOBTAINABLE = "calls a hook without prefetch and without a FHIR server"
    NOT_JSON = "calls a hook with a body that is not JSON"
    WRONG_HOOK = "calls a service on a hook that is not its own"
    UNKNOWN_SERVICE = "calls a service that discovery does not list"
    FEEDBACK = "gives feedback on a card"
    FEEDBACK_NOT_JSON = "gives feedback that is not JSON"
    PREFLIGHT = "asks whether a page of another origin may call"
    SIGNED_ES384 = "reads discovery with a token signed by ES384"
    SIGNED_RS384 = "reads discovery with a token signed by RS384"
    SIGNED_WITH_JKU = "reads discovery with a token that repeats the registered jku"
    ANONYMOUS = "reads discovery without a token"
    UNSIGNED = "reads discovery with an unsigned token"
    SIGNED_BY_HMAC = "reads discovery with a token signed by HMAC"
    SIGNED_RS256 = "reads discovery with a token signed by RS256"
    SIGNED_BY_STRANGER = "reads discovery with a token of an issuer that is not registered"
    SIGNED_WITH_OTHER_JKU = "reads discovery with a token whose jku is not registered"


ANSWERED = frozenset({Case.CALL, Case.READ, Case.CLIENT_FAILED, Case.FOREIGN})
FAULTS = frozenset(
    {
        Case.UNOBTAINABLE,
        Case.NOT_JSON,
        Case.WRONG_HOOK,
        Case.UNKNOWN_SERVICE,
        Case.FEEDBACK_NOT_JSON,
    }
)


@dataclass(frozen=True)
class Exchange:
    """One request and its reply. `headers` are the reply's, names in lower case; `body` is None where it is no JSON.

    `read` lists what the service asked of the FHIR server meanwhile: address and Authorization header.
    """

    case: Case
    path: str
    sent: Any
    status: int
    headers: Mapping[str, str]
    body: Any
    read: tuple[tuple[str, str], ...] = field(default=())

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]
