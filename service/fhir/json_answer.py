"""One JSON answer of an authorisation server: bounded in size and time, not redirected, not packed."""

import asyncio
from collections.abc import Mapping

import httpx
import msgspec

from service.errors import NotAuthorisedError
from service.fhir.origin import Base

LARGEST = 256 * 1024


class JsonAnswer(msgspec.Struct, frozen=True):
    """What came, whatever its status. The body may hold a token."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"JsonAnswer({self.status}, ***)"


async def json_answer(
    http: httpx.AsyncClient, url: str, what: str, patience: float, form: Mapping[str, str] | None = None
) -> JsonAnswer:
    """GET an address, or POST a form to it; `what` names it in messages, `patience` is the longest wait in seconds.

    Raises NotAuthorisedError where it is not reached, too slow, too large, packed, or redirected.
    """
    method = "GET" if form is None else "POST"
    try:
        async with (
            asyncio.timeout(patience),
            http.stream(
                method, _read_alike(url, what), data=form, headers={"Accept": "application/json"}, timeout=patience
            ) as response,
        ):
            if response.is_redirect:
                raise NotAuthorisedError(f"{what} redirects, which is not followed")
            if response.headers.get("content-encoding", "identity").lower() not in {"identity", ""}:
                raise NotAuthorisedError(f"{what} answered packed, although asked for plain")
            return JsonAnswer(response.status_code, await _body(response, what))
    except (TimeoutError, httpx.TimeoutException) as error:
        raise NotAuthorisedError(f"{what}: no answer within {patience:g} s", unreachable=True) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise NotAuthorisedError(f"{what}: not reached ({type(error).__name__})", unreachable=True) from error


def _read_alike(url: str, what: str) -> httpx.URL:
    """The address as it will be connected to, provided that it is read there as it was when it was checked."""
    try:
        base, read = Base.parse(url.partition("?")[0]), httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise NotAuthorisedError(f"{what}: its address is none") from None
    same_host = read.raw_host.decode().strip("[]") == base.host.strip("[]")
    if not same_host or (read.scheme, read.port or base.default_port) != (base.scheme, base.port):
        raise NotAuthorisedError(f"{what}: its address is none")
    return read


async def _body(response: httpx.Response, what: str) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():  # plain: the packed was refused
        body += chunk
        if len(body) > LARGEST:
            raise NotAuthorisedError(f"{what} answered with more than {LARGEST} bytes")
    return body
