"""One request to a FHIR server and its answer, within a time and a size.

The server is trusted with the patient, not with us: what it answers is bounded, never redirected, never unpacked
without a limit.
"""

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress

import httpx
import msgspec

from service.errors import AnswerTooLargeError, NotFhirError, RefusedError, TimedOutError, UnreachableError
from service.fhir.pinned import NotAllowedError
from service.fhir.retrying import PASSING, AgainError, wait_of
from service.fhir.transport import HungUpError
from service.fhir.unpacking import PLAIN, unpacked
from service.fhir.unreachable import certificate_fault, why

_JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir", ""})
KEPT_TRIES = 3  # then it is no coincidence
_BEFORE_AN_ANSWER = (httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


class Reply(msgspec.Struct, frozen=True):
    """A 200 answer. `date` is the server's own clock as it states it."""

    body: bytes
    date: str = ""


async def exchange(http: httpx.AsyncClient, request: httpx.Request, seconds: float, limit: int) -> Reply:
    """Send the request, which only reads, and read the answer, at most `limit` bytes of it, all within `seconds`.

    Raises AgainError (no connection, reset before an answer, a status that may pass) with one of the following, and
    these themselves: NotFhirError (another content type, packed in an unknown way), RefusedError (any status but 200),
    AnswerTooLargeError, TimedOutError, UnreachableError.
    """
    response: httpx.Response | None = None
    try:
        async with asyncio.timeout(seconds):
            response = await _sent(http, request)
            try:
                return Reply(await _read(_expected(response), limit), response.headers.get("date", ""))
            finally:
                await response.aclose()
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOutError(f"no answer within {seconds:.3g} s") from error
    except NotAllowedError as error:
        raise UnreachableError(str(error)) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        told = UnreachableError(why(error))
        if response is None and not certificate_fault(error) and isinstance(error, _BEFORE_AN_ANSWER):
            raise AgainError(told) from error
        raise told from error


async def _sent(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send, and send again at once where a server closed a kept connection when the request was on its way.

    That is nobody's failure, and safe for what only reads (RFC 9112, 9.3.1): nothing is paid for it out of the budget,
    and the server's health is not judged by it.
    """
    for _ in range(KEPT_TRIES):
        with suppress(HungUpError):
            return await http.send(request, stream=True)
    return await http.send(request, stream=True)


def _expected(response: httpx.Response) -> AsyncIterable[bytes]:
    """The parts of the body, if it is what was asked for."""
    status, headers = response.status_code, response.headers
    if status != httpx.codes.OK:
        refused = RefusedError(f"answered with HTTP status {status}", status)
        if status in PASSING:
            raise AgainError(refused, wait_of(headers.get("retry-after", ""), headers.get("date", "")))
        raise refused
    if headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON:
        raise NotFhirError("answered in another format than FHIR JSON")
    encoding = headers.get("content-encoding", "").strip().lower()
    return response.aiter_bytes() if encoding in PLAIN else unpacked(response.aiter_raw(), encoding)


async def _read(parts: AsyncIterable[bytes], limit: int) -> bytes:
    kept: list[bytes] = []
    size = 0
    async for part in parts:
        size += len(part)
        if size > limit:
            raise AnswerTooLargeError(f"more than {limit} bytes")
        kept.append(part)
    return b"".join(kept)
