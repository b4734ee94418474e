"""Bytes -> typed resources. The whole body at once where possible, entry by entry where one entry is bad.

Decoding straight into typed structs is the speed (one pass, only the members that a reader uses); the fallback is the
safety: a broken entry costs itself and nothing else.
"""

import re
from typing import get_args

import msgspec

from fhir_mappings.finding import Issue
from fhir_mappings.resources.r4 import AnyResource, Bundle, BundleEntry, BundleLink, EntrySearch

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,40}")


class _Peek(msgspec.Struct):
    resourceType: object = None  # noqa: N815
    id: object = None

    @property
    def source(self) -> str:
        """Type and id, each only if it is what FHIR allows: a source may be shown and logged."""
        name = self.id if isinstance(self.id, str) and _ID.fullmatch(self.id) else "?"
        return f"{self.kind}/{name}"

    @property
    def kind(self) -> str:
        return self.resourceType if isinstance(self.resourceType, str) and _TYPE.fullmatch(self.resourceType) else "?"


class _RawEntry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()
    fullUrl: str = ""  # noqa: N815
    search: EntrySearch | None = None


class _RawBundle(msgspec.Struct):
    type: str = ""
    link: tuple[BundleLink, ...] = ()
    entry: tuple[msgspec.Raw, ...] = ()


class Decoded(msgspec.Struct, frozen=True):
    """What a body held: its entries, the issues of those that could not be read, the next page's address."""

    entries: tuple[BundleEntry, ...] = ()
    issues: tuple[Issue, ...] = ()
    next: str = ""


_resource = msgspec.json.Decoder(AnyResource)
_either = msgspec.json.Decoder(Bundle | AnyResource)
_peek = msgspec.json.Decoder(_Peek)
_raw_bundle = msgspec.json.Decoder(_RawBundle)
_raw_entry = msgspec.json.Decoder(_RawEntry)

READ_TYPES = frozenset(kind.__name__ for kind in get_args(AnyResource))


class NotReadableError(ValueError):
    """The body as a whole is not JSON, or not a FHIR resource."""


def decode(body: bytes | msgspec.Raw) -> Decoded:
    """Decode one resource or a Bundle of any type (searchset, transaction, collection).

    Raises NotReadableError when the body is no JSON object with a resourceType, or nested beyond what can be followed.
    """
    try:
        whole = _either.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return _entry_by_entry(body)
    if isinstance(whole, Bundle):
        return Decoded(whole.entry, next=whole.next)
    return Decoded((BundleEntry(whole),))


def _entry_by_entry(body: bytes | msgspec.Raw) -> Decoded:
    try:
        peek = _peek.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotReadableError("not a JSON object") from error
    if not isinstance(peek.resourceType, str):
        raise NotReadableError("no resourceType")
    if peek.resourceType != "Bundle":
        return _one(msgspec.Raw(bytes(body)))
    try:
        bundle = _raw_bundle.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotReadableError("a Bundle whose entries or links cannot be told apart") from error
    entries: list[BundleEntry] = []
    issues: list[Issue] = []
    for number, raw in enumerate(bundle.entry):
        one = _decode_entry(raw, number)
        entries += one.entries
        issues += one.issues
    following = next((link.url for link in bundle.link if link.relation == "next"), "")
    return Decoded(tuple(entries), tuple(issues), following)


def _decode_entry(raw: msgspec.Raw, number: int) -> Decoded:
    try:
        entry = _raw_entry.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return Decoded(issues=(Issue("warning", "unreadable", f"entry {number} is not a Bundle entry"),))
    if not bytes(entry.resource):
        return Decoded()
    return _one(entry.resource, entry.fullUrl, entry.search)


def _one(raw: msgspec.Raw, full_url: str = "", search: EntrySearch | None = None) -> Decoded:
    try:
        return Decoded((BundleEntry(_resource.decode(raw), full_url, search),))
    except (msgspec.MsgspecError, RecursionError) as error:
        return Decoded(issues=(_why_not(raw, error),))


def _why_not(raw: msgspec.Raw, error: Exception) -> Issue:
    try:
        peek = _peek.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return Issue("warning", "unreadable", "an entry is not a JSON object")
    if peek.kind not in READ_TYPES:
        return Issue("information", "type-not-read", f"{peek.kind} is not read", peek.source)
    where = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "nesting"
    return Issue("warning", "unreadable", f"not as FHIR R4 defines it, at {where[:120]}", peek.source)
