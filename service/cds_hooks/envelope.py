"""Body -> HookRequest: typed, limited, and without a member that stands twice.

Every JSON parser at hand takes the last of two equal keys silently, so that a filter in front of us and we could read
two different patients out of one body. Looking for duplicates in Python costs more than everything else; here each
object of the envelope is decoded into raw members, then walked from key to key: where the bytes at a key are not those
that were kept for it, or bytes are left over, a member stood twice.
"""

import re
from collections.abc import Callable, Collection, Mapping

import msgspec
import numpy as np

from fhir_mappings.decoding import Decoded, NotReadableError, decode
from fhir_mappings.finding import Issue
from fhir_mappings.versions import DEFAULT, Version
from service.cds_hooks.patient_reference import patient_id_of
from service.cds_hooks.wire import Context, FhirAuthorization, HookRequest
from service.errors import MalformedError, TooManyEntriesError

_MEMBERS = 1_000  # of one object of the envelope; a client sends a handful
_FLOOD = 100  # commas an entry; real ones have about 30
_KEY = re.compile(rb'[\s,{]*("(?:[^"\\]++|\\.)*+")\s*:\s*', re.DOTALL)
_END = re.compile(rb"[\s{]*\}\s*")  # `{` where the object is empty
_TOKEN = re.compile(r"[!-~]+")  # what may stand in a header
_NULL = memoryview(b"null")
_UNREADABLE = (msgspec.MsgspecError, RecursionError)

Members = Mapping[str, msgspec.Raw]


class _Counted(msgspec.Struct):
    resourceType: object = None  # noqa: N815
    entry: tuple[msgspec.Raw, ...] = ()


class _Kind(msgspec.Struct):
    resourceType: object = None  # noqa: N815


class _Known(msgspec.Struct, forbid_unknown_fields=True):
    """The members that CDS Hooks defines, so that one pass finds them all."""

    hook: msgspec.Raw = msgspec.Raw()
    hookInstance: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fhirServer: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fhirAuthorization: msgspec.Raw = msgspec.Raw()  # noqa: N815
    context: msgspec.Raw = msgspec.Raw()
    extension: msgspec.Raw = msgspec.Raw()
    prefetch: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


_RAW_MEMBERS = tuple(name for name in _Known.__struct_fields__ if name != "prefetch")
_known = msgspec.json.Decoder(_Known)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string = msgspec.json.Decoder(str)
_whole = msgspec.json.Decoder(int)
_counted = msgspec.json.Decoder(_Counted)
_kind = msgspec.json.Decoder(_Kind)


def read_request(
    body: bytes, entries_limit: int, wanted: Collection[str], version_of: Callable[[str], Version] = lambda _: DEFAULT
) -> HookRequest:
    """The hook call that a body states; of the prefetch, the keys `wanted`, in the FHIR version of its server.

    Raises MalformedError (no JSON; a member missing, of the wrong type, or twice) and TooManyEntriesError. Both name
    members and hold no value.
    """
    _refuse_other_than_utf8(body)
    commas = _commas(body)  # n entries have at least n - 1 between them
    if commas > entries_limit * _FLOOD:
        raise TooManyEntriesError(f"more than {entries_limit} entries")
    top, values = _top_and_prefetch(body)
    hook, context = _text(top, "hook", required=True), _inner(top, "context")
    orders = context.get("draftOrders", msgspec.Raw()) if hook == "order-sign" else msgspec.Raw()
    if commas >= entries_limit and sum(map(_entries, (orders, *values.values()))) > entries_limit:
        raise TooManyEntriesError(f"more than {entries_limit} entries")
    server = _text(top, "fhirServer")
    version = version_of(server)
    prefetch, issues = _decoded({key: value for key, value in values.items() if key in wanted}, version)
    request = HookRequest(
        hook=hook,
        hookInstance=_text(top, "hookInstance"),
        fhirServer=server,
        fhirAuthorization=_authorization(top, server),
        context=_context(context, server, _orders(orders, version)),
        prefetch=prefetch,
        issues=issues,
    )
    if request.fhirAuthorization and not request.fhirServer:
        raise MalformedError("fhirServer is missing; fhirAuthorization needs it")  # invariant cds-r-1
    return request


def _refuse_other_than_utf8(body: bytes) -> None:
    """The decoder looks at the strings that it keeps only, and stumbles over a wrong byte in them."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise MalformedError("the body is not UTF-8") from error


def _commas(body: bytes) -> int:
    """As `body.count`, which stops at every one and takes five times as long."""
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(",")))


def _top_and_prefetch(body: bytes) -> tuple[Members, Members]:
    """The members of the body but prefetch, and those of prefetch: in one pass, unless a member is unknown."""
    try:
        known = _known.decode(body)
    except _UNREADABLE:
        top = dict(_members(body, "the body"))
        inner = _inner(top, "prefetch") if _given(top, "prefetch") else {}
        top.pop("prefetch", None)
        return top, inner
    top = {name: value for name in _RAW_MEMBERS if memoryview(value := getattr(known, name))}
    if isinstance(known.prefetch, msgspec.UnsetType):
        _refuse_twice(body, top, "the body")
        return top, {}
    _refuse_twice(body, {**top, "prefetch": known.prefetch}, "the body or prefetch")
    return top, known.prefetch


def _members(body: bytes, where: str) -> Members:
    """The raw members of an object, each once."""
    try:
        members = _object.decode(body)
    except msgspec.ValidationError as error:
        raise MalformedError(f"{where} is not a JSON object") from error
    except _UNREADABLE as error:
        raise MalformedError(f"{where} is not JSON that can be followed") from error
    _refuse_twice(body, members, where)
    return members


def _refuse_twice(body: bytes, members: Mapping[str, msgspec.Raw | Members], where: str) -> None:
    if any(isinstance(value, dict) and len(value) > _MEMBERS for value in (members, *members.values())):
        raise MalformedError(f"{where} has more than {_MEMBERS} members")
    if _walk(body, 0, members) != len(body):
        raise MalformedError(f"{where} has a member twice")


def _walk(body: bytes, position: int, members: Mapping[str, msgspec.Raw | Members]) -> int:
    """Where the object that starts at `position` ends, provided that it holds exactly `members`; else -1."""
    for _ in members:
        key = _KEY.match(body, position)
        value = members.get(_string.decode(key[1])) if key else None
        if key is None or value is None:
            return -1
        if isinstance(value, msgspec.Raw):
            kept = memoryview(value)
            position = key.end() + len(kept) if body.startswith(kept, key.end()) else -1
        else:
            position = _walk(body, key.end(), value)
        if position < 0:
            return -1
    end = _END.match(body, position)
    return end.end() if end else -1


def _given(members: Members, name: str) -> bool:
    """Whether a member is there. CDS Hooks forbids null, some clients send it: it counts as not there."""
    return name in members and memoryview(members[name]) != _NULL


def _inner(top: Members, name: str) -> Members:
    if not _given(top, name):
        raise MalformedError(f"{name} is missing")
    return _members(bytes(top[name]), name)


def _text(members: Members, name: str, where: str = "", *, required: bool = False) -> str:
    if not _given(members, name):
        if required:
            raise MalformedError(f"{where}{name} is missing")
        return ""
    try:
        return _string.decode(members[name])
    except _UNREADABLE as error:
        raise MalformedError(f"{where}{name} is not a string") from error


def _context(members: Members, server: str, orders: Decoded | None) -> Context:
    return Context(
        patientId=patient_id_of(_text(members, "patientId", "context.", required=True), server),
        userId=_text(members, "userId", "context."),
        encounterId=_text(members, "encounterId", "context."),
        draftOrders=orders,
    )


def _orders(value: msgspec.Raw, version: Version) -> Decoded | None:
    """The draft orders; None where they are not there, or no Bundle: that says nothing of what is ordered."""
    try:
        return decode(value, version) if _counted.decode(value).resourceType == "Bundle" else None
    except (NotReadableError, *_UNREADABLE):
        return None


def _authorization(top: Members, server: str) -> FhirAuthorization | None:
    if not _given(top, "fhirAuthorization"):
        return None
    members = _inner(top, "fhirAuthorization")
    where = "fhirAuthorization."
    token = _text(members, "access_token", where, required=True)
    if not _TOKEN.fullmatch(token):
        raise MalformedError("fhirAuthorization.access_token cannot stand in a header")
    if _text(members, "token_type", where, required=True).lower() != "bearer":
        raise MalformedError("fhirAuthorization.token_type must be Bearer")
    _refuse_expired(members)
    return FhirAuthorization(
        access_token=token,
        subject=_text(members, "subject", where, required=True),
        scope=_text(members, "scope", where, required=True),
        patient=patient_id_of(_text(members, "patient", where), server),
    )


def _refuse_expired(authorization: Members) -> None:
    if not _given(authorization, "expires_in"):
        raise MalformedError("fhirAuthorization.expires_in is missing")
    try:
        seconds = _whole.decode(authorization["expires_in"])
    except _UNREADABLE as error:
        raise MalformedError("fhirAuthorization.expires_in is not a whole number") from error
    if seconds <= 0:
        raise MalformedError("fhirAuthorization.expires_in says that the token has expired")


def _entries(value: msgspec.Raw) -> int:
    try:
        return len(_counted.decode(value).entry)
    except _UNREADABLE:
        return 0  # no Bundle: `decode` says what it is instead


def _decoded(values: Members, version: Version) -> tuple[dict[str, Decoded | None], tuple[Issue, ...]]:
    prefetch: dict[str, Decoded | None] = {}
    issues = []
    for key, value in values.items():
        if not _given(values, key):
            prefetch[key] = None
            continue
        try:
            prefetch[key] = decode(value, version)
        except NotReadableError:
            issues.append(Issue("warning", "unreadable", f"prefetch {key} is no FHIR resource", f"prefetch.{key}"))
    return prefetch, tuple(issues)


def read_object(body: bytes, entries_limit: int, name: str) -> dict[str, msgspec.Raw]:
    """The raw members of a body that is no hook call; `name` is the one that holds a Bundle. Null counts as not there.

    Raises MalformedError (no JSON object, a member twice, no Bundle) and TooManyEntriesError.
    """
    _refuse_other_than_utf8(body)
    commas = _commas(body)
    if commas > entries_limit * _FLOOD:
        raise TooManyEntriesError(f"more than {entries_limit} entries")
    members = _members(body, "the body")
    given = {member: value for member, value in members.items() if _given(members, member)}
    bundle = given.get(name)
    if bundle is None:
        return given
    if commas >= entries_limit and _entries(bundle) > entries_limit:
        raise TooManyEntriesError(f"more than {entries_limit} entries")
    if not _is_bundle(bundle):
        raise MalformedError(f"{name} is no FHIR Bundle")
    return given


def _is_bundle(value: msgspec.Raw) -> bool:
    try:
        return _kind.decode(value).resourceType == "Bundle"
    except _UNREADABLE:
        return False
