"""Several copies of one resource: the newest stands, whatever the order in which they came."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from fhir_mappings.resources.datatypes import Meta
from fhir_mappings.resources.r4 import Clinical
from fhir_mappings.timing import instant

_R = TypeVar("_R", bound=Clinical)


def newest(copies: Sequence[_R]) -> _R | None:
    """The version that `meta.lastUpdated`, else a numeric `meta.versionId`, says is the last; None where neither does.

    Copies that differ in nothing but `meta` are the same version (a proxy may drop it). FHIR R4 2.27.1.1: `versionId`
    is no order by itself, but servers that count it up tell no other.
    """
    plain = [msgspec.structs.replace(copy, meta=Meta()) for copy in copies]
    if all(copy == plain[0] for copy in plain[1:]):
        return max(copies, key=lambda copy: (copy.meta.lastUpdated, copy.meta.versionId))
    orders: tuple[Callable[[Meta], datetime | int | None], ...] = (_updated, _number)
    for order in orders:
        known = [(place, copy) for copy in copies if (place := order(copy.meta)) is not None]
        last = [copy for place, copy in known if place == max(place for place, _ in known)]
        if len(known) == len(copies) and all(copy == last[0] for copy in last):
            return last[0]
    return None


def _updated(meta: Meta) -> datetime | None:
    return instant(meta.lastUpdated) if meta.lastUpdated else None


def _number(meta: Meta) -> int | None:
    return int(meta.versionId) if meta.versionId.isdecimal() and len(meta.versionId) < 19 else None
