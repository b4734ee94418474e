"""A CDS service, ours or anybody's, as its clients reach it: bounded in size and time, no redirect followed."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import click
import httpx
import msgspec

from service.commands.client_token_options import Authority, authority, token_options
from service.commands.failure import Failure
from service.errors import FhirError
from service.fhir.client import open_http
from service.fhir.destinations import Destination
from service.fhir.origin import Base, NotABaseError
from service.fhir.pinned import NotAllowedError
from service.fhir.unpacking import PLAIN, unpacked
from service.fhir.unreachable import why

PATH = "cds-services"
_LARGEST = 16 * 2**20


class Answer(msgspec.Struct, frozen=True):
    """What came back. `leads_to`: where a redirect would lead. Headers are found by names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float
    leads_to: str = ""

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class CdsService:
    """One origin, asked with what the options of `service_options` say."""

    def __init__(self, http: httpx.AsyncClient, shown: Authority, seconds: float) -> None:
        self._http = http
        self._shown = shown
        self._seconds = seconds

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        """One request and what came back, whatever its status. Raises Failure (3) where nothing came, or too much.

        A browser asks beforehand (OPTIONS) without a token.
        """
        shown = self._shown(url) if method != "OPTIONS" else ""
        sent = {"Accept": "application/json", **({"Authorization": shown} if shown else {}), **(headers or {})}
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream(method, url, headers=sent, content=content, timeout=self._seconds) as response,
            ):
                body = await _body(response, url)
        except (TimeoutError, httpx.TimeoutException):
            raise Failure(f"{url}: no answer within {self._seconds:g} s", 3) from None
        except NotAllowedError as error:
            raise Failure(f"{url}: not called: {error}", 3) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Failure(f"{url}: not reached: {why(error)}", 3) from error
        spent = (time.perf_counter() - started) * 1_000
        leads_to = urljoin(url, response.headers.get("location", "")) if response.is_redirect else ""
        return Answer(response.status_code, response.headers, body, spent, leads_to)


def service_options(command: Any) -> Any:
    """Adds what every command that calls a service takes; `opened` is given them as they come."""
    seconds = click.FloatRange(0.1, 600)
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    trusted = "Certificates (PEM) that are trusted besides the usual ones."
    command = click.option("--timeout", type=seconds, default=30.0, show_default=True, help="Seconds to wait.")(command)
    return token_options(click.option("--ca-file", type=file, help=trusted)(command))


def address_of(text: str, option: str) -> Base:
    """Raises Failure (2) for what is no web address."""
    try:
        return Base.parse(text)
    except NotABaseError as error:
        raise Failure(f"{option}: {error}, without a query", 2) from None


@asynccontextmanager
async def opened(
    base: Base,
    network: httpx.AsyncBaseTransport | None,
    *,
    timeout: float,  # noqa: ASYNC109 - an option of the command, for each request
    ca_file: Path | None,
    **shown: Any,
) -> AsyncIterator[CdsService]:
    """The service at this origin; `network` stands for the network (tests). Raises Failure (2) for unfit options."""
    authorised = authority(**shown)
    try:
        http = open_http(network, [Destination.of(base.url, ca_file)], connections=1)
    except OSError as error:
        raise Failure(f"--ca-file: holds no certificates in PEM ({type(error).__name__})", 2) from None
    async with http:
        yield CdsService(http, authorised, timeout)


async def _body(response: httpx.Response, url: str) -> bytes:
    """Raises Failure (3) for too much, also of what was packed although plain was asked for."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    parts = response.aiter_bytes() if encoding in PLAIN else unpacked(response.aiter_raw(), encoding)
    body = bytearray()
    try:
        async for part in parts:
            body += part
            if len(body) > _LARGEST:
                raise Failure(f"{url}: answered with more than {_LARGEST >> 20} MiB", 3)
    except FhirError as error:
        raise Failure(f"{url}: {error}", 3) from error
    return bytes(body)
