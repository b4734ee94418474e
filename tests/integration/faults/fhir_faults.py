"""What a FHIR server, or what stands before it, can answer instead of the truth."""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

import msgspec
from starlette.responses import Response

from tests.integration.faults.far_end import JSON, Asked, Faithful, Fault, as_fhir

OTHER = "somebody-else"
_BOMB_MEBIBYTES = 200
_LOGIN = "<!doctype html><title>Sign in</title><form><input name=user><input name=password type=password></form>"


def status(code: int, retry_after: Callable[[], str] | None = None) -> Fault:
    """An OperationOutcome under this status, with `Retry-After` as it is at that moment."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "transient"}]}

    async def fault(_: Asked, __: Faithful) -> Response:
        headers = {"retry-after": retry_after()} if retry_after else {}
        return Response(msgspec.json.encode(outcome), code, headers, JSON)

    return fault


def http_date(**later: float) -> str:
    """From now on, as `Retry-After` has it (RFC 9110, 5.6.7)."""
    return format_datetime(datetime.now(UTC) + timedelta(**later), usegmt=True)


async def truncated_gzip(_: Asked, faithful: Faithful) -> Response:
    """The first half of a packed answer, although plain was asked for."""
    packed = gzip.compress(msgspec.json.encode(await faithful()))
    return Response(packed[: len(packed) // 2], 200, {"content-encoding": "gzip"}, JSON)


async def gzip_bomb(_: Asked, __: Faithful) -> Response:
    """200 MB of blanks in 200 KB."""
    return Response(_bomb(), 200, {"content-encoding": "gzip"}, JSON)


@cache
def _bomb() -> bytes:
    """A block that needs nothing before it, again and again (RFC 1951): packing all of it would take a second."""
    blank = b" " * 2**20
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(blank) + packer.flush(zlib.Z_FULL_FLUSH)
    checked = 0
    for _ in range(_BOMB_MEBIBYTES):
        checked = zlib.crc32(blank, checked)
    head, end = b"\x1f\x8b\x08" + bytes(6) + b"\xff", packer.flush()
    return head + block * _BOMB_MEBIBYTES + end + struct.pack("<II", checked, _BOMB_MEBIBYTES * 2**20)


async def login_page(_: Asked, __: Faithful) -> Response:
    """What a portal in front of the server answers when a session is over."""
    return Response(_LOGIN, 200, media_type="text/html")


async def login_page_as_fhir(_: Asked, __: Faithful) -> Response:
    """The same from a portal that keeps the content type."""
    return Response(_LOGIN, 200, media_type=JSON)


async def wrong_patient(_: Asked, faithful: Faithful) -> Response:
    """Everything is somebody else's."""
    return as_fhir(_of_other(await faithful()))


def _of_other(resource: dict[str, Any]) -> dict[str, Any]:
    if resource["resourceType"] == "Patient":
        return {**resource, "id": OTHER}
    if resource["resourceType"] == "Bundle":
        entries = [{**entry, "resource": _of_other(entry["resource"])} for entry in resource.get("entry", ())]
        return {**resource, "entry": entries}
    return {**resource, "subject": {"reference": f"Patient/{OTHER}"}}


def endless_next() -> Fault:
    """Every page has the entries of the first one, and links to one more that was never asked for before."""
    first: dict[str, Any] = {}

    async def fault(asked: Asked, faithful: Faithful) -> Response:
        first.update({} if first else await faithful())
        return as_fhir(_linking(first, [asked.following]))

    return fault


def duplicate_page() -> Fault:
    """The second page brings the entries of the first again, as where a record grows while it is read."""
    first: list[Any] = []

    async def fault(asked: Asked, faithful: Faithful) -> Response:
        bundle = await faithful()
        if asked.page == 1:
            first[:] = bundle["entry"]
            return as_fhir(bundle)
        return as_fhir({**bundle, "entry": [*first, *bundle["entry"]]})

    return fault


def following(address: str) -> Fault:
    """The true entries, and a link to this address."""

    async def fault(_: Asked, faithful: Faithful) -> Response:
        return as_fhir(_linking(await faithful(), [address]))

    return fault


def _linking(bundle: dict[str, Any], following: Iterable[str]) -> dict[str, Any]:
    others = [link for link in bundle["link"] if link["relation"] != "next"]
    return {**bundle, "link": [*others, *({"relation": "next", "url": url} for url in following)]}
