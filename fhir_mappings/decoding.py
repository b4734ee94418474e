"""Bytes -> typed resources. The whole body at once where possible, entry by entry where one entry is bad.

Decoding straight into typed structs is the speed (one pass, only the members that a reader uses); the fallback is the
safety: a broken entry costs itself and nothing else.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import get_args

import msgspec

from fhir_mappings.finding import Issue
from fhir_mappings.resources import r5
from fhir_mappings.resources.datatypes import Reference
from fhir_mappings.resources.r4 import AnyResource, Bundle, BundleEntry, BundleLink, EntrySearch, Patient
from fhir_mappings.salvage import MARK, salvaged
from fhir_mappings.versions import DEFAULT, Version

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_ID_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,40}")
_PATH = re.compile(r" - at `(\$[A-Za-z0-9.\[\]]{0,120})`$")

# An entry that was not read may have said anything: what is not there cannot be concluded to be absent.
TYPE_NOT_READ = "type-not-read"
UNREAD_CODES = frozenset({"unreadable", "other-version"})
_BUNDLES_DEEP = 4  # Bundles within Bundles that are searched for other patients; each level is decoded anew


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


class _Whose(msgspec.Struct):
    subject: Reference = Reference()
    patient: Reference = Reference()


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A resource that no reader uses, or that could not be read, and whom it is about: it may be somebody else."""

    source: str
    subject: Reference


class _RawEntry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()
    fullUrl: str = ""  # noqa: N815
    search: EntrySearch | None = None


class _Holding(msgspec.Struct):
    """What an entry or a Bundle holds, whatever else is wrong with it."""

    resource: msgspec.Raw = msgspec.Raw()
    entry: tuple[msgspec.Raw, ...] = ()


class _RawBundle(msgspec.Struct):
    type: str = ""
    total: object = None
    link: tuple[BundleLink, ...] = ()
    entry: tuple[msgspec.Raw, ...] = ()


class Decoded(msgspec.Struct, frozen=True):
    """What a body held: its entries, the issues of those that could not be read, the next page's address.

    `unread` are those of types that no reader uses, and those that could not be read, as far as they say whom they are
    about. `total` is what a Bundle states (0: nothing), `size` how many entries it has, readable or not.
    """

    entries: tuple[BundleEntry, ...] = ()
    issues: tuple[Issue, ...] = ()
    next: str = ""
    unread: tuple[Unread, ...] = ()
    total: int = 0
    size: int = 0

    @property
    def is_of_other_version(self) -> bool:
        """Whether a resource had the shape of another version than the one it was decoded as."""
        return any(issue.code == "other-version" for issue in self.issues)


class _Shape(msgspec.Struct, frozen=True):
    """How one version is decoded: a whole body, one resource, and the types that are read of it."""

    body: Callable[[bytes | msgspec.Raw], Decoded]
    resource: Callable[[bytes | msgspec.Raw], AnyResource]
    types: frozenset[str]


_r4_body = msgspec.json.Decoder(Bundle | AnyResource)
_r5_body = msgspec.json.Decoder(r5.Bundle | r5.AnyResource)
_r5_resource = msgspec.json.Decoder(r5.AnyResource)
_peek = msgspec.json.Decoder(_Peek)
_whose = msgspec.json.Decoder(_Whose)
_raw_bundle = msgspec.json.Decoder(_RawBundle)
_raw_entry = msgspec.json.Decoder(_RawEntry)
_holding = msgspec.json.Decoder(_Holding)


class NotReadableError(ValueError):
    """The body as a whole is not JSON, or not a FHIR resource."""


_UNREADABLE = (msgspec.MsgspecError, RecursionError, r5.AmbiguousError)


def _body_of_r4(body: bytes | msgspec.Raw) -> Decoded:
    whole = _r4_body.decode(body)
    if isinstance(whole, Bundle):
        return Decoded(whole.entry, next=whole.next, total=_total(whole), size=len(whole.entry))
    return Decoded((BundleEntry(whole),))


def _body_of_r5(body: bytes | msgspec.Raw) -> Decoded:
    whole = _r5_body.decode(body)
    if isinstance(whole, r5.Bundle):
        entries = tuple(entry.as_r4() for entry in whole.entry)
        return Decoded(entries, next=_next(whole.link), total=_total(whole), size=len(whole.entry))
    return Decoded((BundleEntry(r5.as_r4(whole)),))


def _total(bundle: Bundle | r5.Bundle | _RawBundle) -> int:
    return bundle.total if isinstance(bundle.total, int) else 0


def _resource_of_r5(raw: bytes | msgspec.Raw) -> AnyResource:
    return r5.as_r4(_r5_resource.decode(raw))


READ_TYPES = frozenset(kind.__name__ for kind in get_args(AnyResource))
_R4 = _Shape(_body_of_r4, msgspec.json.Decoder(AnyResource).decode, READ_TYPES)
_R5 = _Shape(_body_of_r5, _resource_of_r5, frozenset(kind.__name__ for kind in get_args(r5.AnyResource)))
_SHAPES: Mapping[Version, _Shape] = {"R4": _R4, "R4B": _R4, "R5": _R5}


def decode(body: bytes | msgspec.Raw, version: Version = DEFAULT) -> Decoded:
    """Decode one resource or a Bundle of any type (searchset, transaction, collection); what comes out is R4.

    Raises NotReadableError when the body is no JSON object with a resourceType.
    """
    try:
        whole = _SHAPES[version].body(body)
    except _UNREADABLE:
        whole = _entry_by_entry(body, version)
    return whole if _have_fhir_ids(whole.entries) else _without_other_ids(whole, version)


def _have_fhir_ids(entries: Iterable[BundleEntry]) -> bool:
    """Findings, issues and cards name resources by their ids. One look at all together costs least."""
    ids = [entry.resource.id for entry in entries if entry.resource is not None]
    together = "".join(ids)
    is_fhir = together.isascii() and not together.encode().translate(None, _ID_CHARACTERS)
    return is_fhir and max(map(len, ids), default=0) <= 64


def _without_other_ids(whole: Decoded, version: Version) -> Decoded:
    named = [entry for entry in whole.entries if _have_fhir_ids((entry,))]
    issues = [
        Issue("warning", "unreadable", f"not as FHIR {version} defines it, at $.id", f"{entry.resource.type}/?")
        for entry in whole.entries
        if entry.resource is not None and not _have_fhir_ids((entry,))
    ]
    about = [one for entry in whole.entries if not _have_fhir_ids((entry,)) for one in _about_nameless(entry)]
    return msgspec.structs.replace(
        whole, entries=tuple(named), issues=(*whole.issues, *issues), unread=(*whole.unread, *about)
    )


def _about_nameless(entry: BundleEntry) -> tuple[Unread, ...]:
    return _about(msgspec.json.encode(entry.resource), f"{entry.resource.type}/?") if entry.resource else ()


def _entry_by_entry(body: bytes | msgspec.Raw, version: Version) -> Decoded:
    try:
        peek, bundle = _opened(body)
        is_cut = False
    except _UNREADABLE:
        body, is_cut = salvaged(bytes(body)), True
        try:
            peek, bundle = _opened(body)
        except _UNREADABLE as error:
            why = "a Bundle whose entries cannot be told apart" if _peeked(body) else "not a JSON object"
            raise NotReadableError(why) from error
    if not isinstance(peek.resourceType, str):
        raise NotReadableError("no resourceType")
    if bundle is None:
        return _one(msgspec.Raw(bytes(body)), version, is_cut=is_cut)
    entries: list[BundleEntry] = []
    issues: list[Issue] = []
    unread: list[Unread] = []
    for number, raw in enumerate(bundle.entry):
        one = _decode_entry(raw, number, version, is_cut=is_cut)
        entries += one.entries
        issues += one.issues
        unread += one.unread
    size = len(bundle.entry)
    return Decoded(tuple(entries), tuple(issues), _next(bundle.link), tuple(unread), _total(bundle), size)


def _opened(body: bytes | msgspec.Raw) -> tuple[_Peek, _RawBundle | None]:
    peek = _peek.decode(body)
    return peek, _raw_bundle.decode(body) if peek.resourceType == "Bundle" else None


def _next(links: Iterable[BundleLink]) -> str:
    return next((link.url for link in links if link.relation == "next"), "")


def _decode_entry(raw: msgspec.Raw, number: int, version: Version, *, is_cut: bool) -> Decoded:
    try:
        entry = _raw_entry.decode(raw)
    except _UNREADABLE:
        issue = Issue("warning", "unreadable", f"entry {number} is not a Bundle entry")
        return Decoded(issues=(issue,), unread=_about_entry(raw, _BUNDLES_DEEP))
    if not bytes(entry.resource):
        return Decoded((BundleEntry(None, entry.fullUrl, entry.search),))
    return _one(entry.resource, version, entry.fullUrl, entry.search, is_cut=is_cut)


def _one(
    raw: msgspec.Raw, version: Version, full_url: str = "", search: EntrySearch | None = None, *, is_cut: bool
) -> Decoded:
    """The resource of one entry. `is_cut`: the body was salvaged, so that this may hold the mark of it."""
    if is_cut and MARK in bytes(raw):
        issue = _why_not(raw, None, version)
        return Decoded(issues=(issue,), unread=_about(raw, issue.source))
    try:
        return Decoded((BundleEntry(_SHAPES[version].resource(raw), full_url, search),))
    except _UNREADABLE as error:
        issue = _why_not(raw, error, version)
        return Decoded(issues=(issue,), unread=_about(raw, issue.source))


def _about(raw: bytes | msgspec.Raw, source: str, depth: int = _BUNDLES_DEEP) -> tuple[Unread, ...]:
    """A Patient is about itself, a Bundle about all that its entries are about."""
    if source.startswith(f"{Bundle.__name__}/"):
        return tuple(one for entry in _held(raw).entry for one in _about_entry(entry, depth - 1)) if depth else ()
    if source.startswith(f"{Patient.__name__}/") and not source.endswith("/?"):
        return (Unread(source, Reference(source)),)
    try:
        whose = _whose.decode(raw)
    except _UNREADABLE:
        return ()  # a type whose `subject` is something else
    return tuple(Unread(source, one) for one in (whose.subject, whose.patient) if one != Reference())


def _about_entry(raw: msgspec.Raw, depth: int) -> tuple[Unread, ...]:
    resource = _held(raw).resource
    peek = _peeked(resource)
    return _about(resource, peek.source, depth) if peek else ()


def _held(raw: bytes | msgspec.Raw) -> _Holding:
    try:
        return _holding.decode(raw)
    except _UNREADABLE:
        return _Holding()


def _why_not(raw: msgspec.Raw, error: Exception | None, version: Version) -> Issue:
    peek = _peeked(raw) or _peeked(salvaged(bytes(raw)))
    if peek is None:
        return Issue("warning", "unreadable", "an entry is not a JSON object")
    if peek.kind == "?":
        return Issue("warning", "unreadable", "its type is none of FHIR's", peek.source)
    if peek.kind not in _SHAPES[version].types and peek.kind != Bundle.__name__:  # in a Bundle: it may hold anything
        return Issue("information", TYPE_NOT_READ, f"{peek.kind} is not read", peek.source)
    if error is None or isinstance(error, RecursionError):
        text = "nested too deep, or holds a number or character that JSON does not have"
        return Issue("warning", "unreadable", text, peek.source)
    other = next((name for name, shape in _SHAPES.items() if _fits(raw, shape)), None)
    if other is not None:
        return Issue("warning", "other-version", f"shaped as FHIR {other}, expected {version}", peek.source)
    return Issue("warning", "unreadable", f"not as FHIR {version} defines it, at {_path(error)}", peek.source)


def _peeked(raw: bytes | msgspec.Raw) -> _Peek | None:
    try:
        return _peek.decode(raw)
    except _UNREADABLE:
        return None


def _fits(raw: msgspec.Raw, shape: _Shape) -> bool:
    try:
        shape.resource(raw)
    except _UNREADABLE:
        return False
    return True


def _path(error: Exception) -> str:
    """Where it was: names of FHIR's members and positions only, never a word of the record."""
    found = _PATH.search(str(error))
    return found[1] if found else str(error) if isinstance(error, r5.AmbiguousError) else "$"
