"""What can go wrong, and what the caller is told.

    OncohooksError
    ├── StartError                     the process does not start; one line says why
    │   └── SettingsError              site.toml or ONCOHOOKS_*
    └── ToldError                      the caller is told, in the words of `TABLE`
        ├── CallerError                whoever called can mend it
        │   ├── MalformedError         no JSON, a member missing, of the wrong type or twice
        │   ├── WrongHookError         the service answers another hook
        │   ├── UnknownServiceError    no such service id
        │   ├── TooLargeError          body over the limit
        │   ├── TooManyEntriesError    more entries than one patient has
        │   ├── FeedbackTooLargeError  feedback over a limit
        │   ├── ServerNotListedError   something must be read from a FHIR server that is not on the site's list
        │   ├── TokenMismatchError     the access token is for another patient
        │   └── UnobtainableError      Patient or Condition neither sent nor readable
        ├── NotKeptError               the store of feedback is down
        └── FhirError                  the hospital's FHIR server
            ├── UnreachableError       no connection, or lost during the answer
            │   └── NotAskedError      left alone, since it failed several times in a row
            ├── TimedOutError          no answer in time
            ├── NotFhirError           answered, but not in FHIR JSON
            ├── AnswerTooLargeError    answered with more than the limit
            ├── RefusedError           answered with an error status
            ├── NotAuthorisedError     there is no token of our own for it
            ├── LostPageError          a search could not be read to its end
            └── UnknownPatientError    no such patient

A message names members, settings and settings' files, never values of the request, of the record or of a person.
`models.package.PackageError` stands beside StartError: models knows nothing above it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Literal

import msgspec

Severity = Literal["fatal", "error", "warning", "information"]


class Category(StrEnum):
    """The closed list of errors; the value is the code in `OperationOutcome.issue.details` and in the metrics."""

    MALFORMED = "malformed"
    WRONG_HOOK = "wrong-hook"
    UNKNOWN_SERVICE = "unknown-service"
    NOT_FOUND = "not-found"
    METHOD = "method-not-allowed"
    UNAUTHORISED = "unauthorised"
    TOO_LARGE = "too-large"
    TOO_MANY_ENTRIES = "too-many-entries"
    FEEDBACK_TOO_LARGE = "feedback-too-large"
    SERVER_NOT_LISTED = "server-not-listed"
    TOKEN_MISMATCH = "token-of-another-patient"  # noqa: S105 - an error's name
    UNOBTAINABLE = "data-unobtainable"
    UNKNOWN_PATIENT = "unknown-patient"
    FHIR_UNREACHABLE = "fhir-unreachable"
    FHIR_TIMEOUT = "fhir-timeout"
    FHIR_NOT_FHIR = "fhir-not-fhir"
    FHIR_TOO_LARGE = "fhir-too-large"
    FHIR_REFUSED = "fhir-refused"
    FHIR_NOT_AUTHORISED = "fhir-not-authorised"
    FHIR_PAGE_LOST = "fhir-page-lost"
    NOT_KEPT = "not-kept"
    OVERLOADED = "overloaded"
    INTERNAL = "internal"


class Told(msgspec.Struct, frozen=True):
    """How an error is told: HTTP status, FHIR issue type (hl7.org/fhir/R4/valueset-issue-type.html), words."""

    status: int
    issue_code: str
    meaning: str
    action: str
    severity: Severity = "error"


TABLE: Mapping[Category, Told] = {
    Category.MALFORMED: Told(
        400,
        "invalid",
        "The request is not as CDS Hooks or /openapi.json defines it.",
        "Correct the member that is named.",
    ),
    Category.WRONG_HOOK: Told(
        400, "value", "This service does not answer that hook.", "Call it on the hook that discovery names."
    ),
    Category.UNKNOWN_SERVICE: Told(
        404, "not-found", "There is no such CDS service here.", "Use an id from GET /cds-services."
    ),
    Category.NOT_FOUND: Told(404, "not-found", "There is nothing at this address.", "See /openapi.json."),
    Category.METHOD: Told(
        405, "not-supported", "This address does not take that method.", "Use the methods of the Allow header."
    ),
    Category.UNAUTHORISED: Told(
        401,
        "login",
        "The caller did not show that it may call. The answer has no body.",
        "Register the client as [[client]] in site.toml; log and meter `oncohooks_not_admitted` say why.",
    ),
    Category.TOO_LARGE: Told(
        413, "too-long", "The body is larger than the limit.", "Send less, or raise limits.body_bytes."
    ),
    Category.TOO_MANY_ENTRIES: Told(
        413, "too-costly", "Prefetch or Bundle hold more entries than the limit.", "Send less, or raise limits.entries."
    ),
    Category.FEEDBACK_TOO_LARGE: Told(
        413,
        "too-long",
        "The feedback is larger than the limit. Nothing of it was kept.",
        "Send fewer entries in a call or shorter comments, or raise the limit in [feedback].",
    ),
    Category.SERVER_NOT_LISTED: Told(
        403,
        "forbidden",
        "Something would have to be read from a FHIR server that is not on this site's list.",
        "Send every published prefetch key (of an emergency: Patient and Condition in `bundle`), or add the server to"
        " [[fhir]] of site.toml.",
    ),
    Category.TOKEN_MISMATCH: Told(
        403,
        "security",
        "The access token was issued for another patient than the one in the context.",
        "Check which chart is open, then the client's token handling.",
    ),
    Category.UNOBTAINABLE: Told(
        412,
        "required",
        "Patient and Condition are needed and were neither sent nor readable.",
        "Send the prefetch that discovery asks for (of an emergency: both in `bundle`), or a fhirServer from this"
        " site's list.",
    ),
    Category.UNKNOWN_PATIENT: Told(
        404,
        "not-found",
        "The FHIR server knows no such patient.",
        "Check patientId, and that fhirServer is the server it belongs to.",
    ),
    Category.FHIR_UNREACHABLE: Told(
        502, "transient", "The FHIR server could not be reached.", "Run `oncohooks check`; try again.", "fatal"
    ),
    Category.FHIR_TIMEOUT: Told(
        504,
        "timeout",
        "The FHIR server did not answer in time.",
        "Try again; if it stays, raise hard_deadline_seconds or timeout_seconds.",
        "fatal",
    ),
    Category.FHIR_NOT_FHIR: Told(
        502,
        "structure",
        "The FHIR server's answer is not FHIR JSON.",
        "Check that url in [[fhir]] is the FHIR base, not a web page or a login.",
        "fatal",
    ),
    Category.FHIR_TOO_LARGE: Told(
        502, "too-long", "The FHIR server's answer is larger than the limit.", "Raise limits.fhir_body_bytes.", "fatal"
    ),
    Category.FHIR_REFUSED: Told(
        502,
        "processing",
        "The FHIR server answered a query with an error, so that what it holds is not known.",
        "Run `oncohooks check`: it tries every query; look into the FHIR server's log.",
        "fatal",
    ),
    Category.FHIR_NOT_AUTHORISED: Told(
        502,
        "security",
        "The service could not show the FHIR server that it may read: it got no token of its own.",
        "Run `oncohooks check`; compare [fhir.backend] of site.toml with the registration (docs/authorisation.md).",
        "fatal",
    ),
    Category.FHIR_PAGE_LOST: Told(
        502,
        "incomplete",
        "The diagnoses could not be read to their end, and a part of them is not scored.",
        "Try again; if it stays, look into the FHIR server's log.",
        "fatal",
    ),
    Category.NOT_KEPT: Told(
        503,
        "transient",
        "The store of feedback does not answer. Nothing of the call was kept.",
        "Send it again: what is known already is not counted twice. Look at state.redis or state.file.",
    ),
    Category.OVERLOADED: Told(
        503,
        "throttled",
        "More calls are under way than can be answered in time. Nothing of this one was looked at.",
        "Call again after the seconds of Retry-After; if it stays, add replicas, then raise limits.hooks_at_once"
        " or limits.emergencies_at_once.",
    ),
    Category.INTERNAL: Told(
        500,
        "exception",
        "The service failed. No score was computed.",
        "Report the incident number; the log has it too.",
        "fatal",
    ),
}


class OncohooksError(Exception):
    """Everything this service raises on purpose."""


class StartError(OncohooksError):
    pass


class SettingsError(StartError):
    pass


class ToldError(OncohooksError):
    """The message adds to the words of `TABLE` which member or query it was."""

    category: ClassVar[Category]


class CallerError(ToldError):
    pass


class MalformedError(CallerError):
    category = Category.MALFORMED


class WrongHookError(CallerError):
    category = Category.WRONG_HOOK


class UnknownServiceError(CallerError):
    category = Category.UNKNOWN_SERVICE


class TooLargeError(CallerError):
    category = Category.TOO_LARGE


class TooManyEntriesError(CallerError):
    category = Category.TOO_MANY_ENTRIES


class FeedbackTooLargeError(CallerError):
    category = Category.FEEDBACK_TOO_LARGE


class ServerNotListedError(CallerError):
    category = Category.SERVER_NOT_LISTED


class TokenMismatchError(CallerError):
    category = Category.TOKEN_MISMATCH


class UnobtainableError(CallerError):
    category = Category.UNOBTAINABLE


class NotKeptError(ToldError):
    category = Category.NOT_KEPT


class FhirError(ToldError):
    pass


class UnreachableError(FhirError):
    category = Category.FHIR_UNREACHABLE


class NotAskedError(UnreachableError):
    pass


class TimedOutError(FhirError):
    category = Category.FHIR_TIMEOUT


class NotFhirError(FhirError):
    category = Category.FHIR_NOT_FHIR


class AnswerTooLargeError(FhirError):
    category = Category.FHIR_TOO_LARGE


class RefusedError(FhirError):
    """`status` is what the server answered."""

    category = Category.FHIR_REFUSED

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotAuthorisedError(FhirError):
    """`unreachable`: who issues tokens did not answer."""

    category = Category.FHIR_NOT_AUTHORISED

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class LostPageError(FhirError):
    category = Category.FHIR_PAGE_LOST


class UnknownPatientError(FhirError):
    category = Category.UNKNOWN_PATIENT
