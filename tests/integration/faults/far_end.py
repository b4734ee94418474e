"""A FHIR server on a real socket that serves one demonstration patient faithfully, unless told otherwise.

What it does wrong is scripted by query and page. It caps pages as servers do, so that every longer search has several.
"""

import base64
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from demo.fhir_endpoint import PATH, create_endpoint
from demo.patients import demo_patients
from fhir_mappings.retrieval import queries
from service.site_queries import CONSENTS, FLAGS
from tests.integration.faults.row import EVERY

JSON = "application/fhir+json"


class Asked(msgspec.Struct, frozen=True):
    """One request: the key of its query ("" where it is none), which page of it, and the address of the next page."""

    key: str
    page: int
    following: str


Faithful = Callable[[], Awaitable[dict[str, Any]]]
Fault = Callable[[Asked, Faithful], Awaitable[Response]]


class _Scripted(msgspec.Struct):
    fault: Fault
    page: int
    left: float


class FarEnd:
    """ASGI. `arrived` counts by what was scripted the answers that a fault made, `asked` all requests by query."""

    def __init__(self, patient: str, page: int) -> None:
        self.patient = patient
        self.page = page
        self.asked: Counter[str] = Counter()
        self.arrived: Counter[str] = Counter()
        self.date = ""  # of every answer; "" leaves it out
        self._endpoint = create_endpoint(demo_patients()[patient])
        self._script: dict[str, _Scripted] = {}

    def on(self, key: str, fault: Fault, *, page: int = 1, times: float = math.inf) -> None:
        """From `page` of a query on (or of EVERY) answer by the fault, so many times."""
        self._script[key] = _Scripted(fault, page, times)

    def lift(self) -> None:
        self._script.clear()
        self.date = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        form = (await request.body()).decode() if request.method == "POST" else ""
        searched = [*parse_qsl(request.url.query), *parse_qsl(form)]
        path = request.url.path.removeprefix(PATH).strip("/").removesuffix("/_search")
        asked = self._asked(f"{request.url.scheme}://{request.url.netloc}{PATH}", path, searched)
        self.asked[asked.key] += 1
        response = await self._answer(asked, scope, searched, path)
        if self.date:
            response.headers["date"] = self.date
        await response(scope, receive, send)

    async def _answer(self, asked: Asked, scope: Scope, searched: list[tuple[str, str]], path: str) -> Response:
        capped = [(name, str(min(int(value), self.page)) if name == "_count" else value) for name, value in searched]

        async def faithful() -> dict[str, Any]:
            told = {**scope, "method": "GET", "path": f"{PATH}/{path}", "query_string": urlencode(capped).encode()}
            return await _answered(self._endpoint, told)

        name = asked.key if asked.key in self._script else EVERY
        scripted = self._script.get(name)
        if scripted is None or asked.page < scripted.page or not scripted.left:
            return as_fhir(await faithful())
        scripted.left -= 1
        self.arrived[name] += 1
        return await scripted.fault(asked, faithful)

    def _asked(self, base: str, path: str, searched: Sequence[tuple[str, str]]) -> Asked:
        """A further page's address holds the whole search."""
        page, whole = 1, f"{path}?{urlencode(searched)}"
        if "_getpages" in dict(searched):
            page = int(dict(searched)["_getpagesoffset"]) // self.page + 1
            whole = base64.urlsafe_b64decode(dict(searched)["_getpages"]).decode()
        kind, _, criteria = whole.partition("?")
        place = {"_getpages": base64.urlsafe_b64encode(whole.encode()), "_getpagesoffset": page * self.page}
        following = f"{base}?{urlencode({**place, '_count': self.page})}"
        return Asked(query_of(kind, dict(parse_qsl(criteria)), self.patient), page, following)


def query_of(path: str, searched: Mapping[str, str], patient: str) -> str:
    """The key of the query that asks for this, "" where none does: its type, and the codes where it has some."""
    for query in (*queries(), FLAGS, CONSENTS):
        wanted_path, _, wanted = query.url(patient).partition("?")
        codes = [set(dict(source).get(name, "").split(",")) for source in (dict(parse_qsl(wanted)), searched)
                 for name in ("code", "component-code")]  # fmt: skip
        if path == wanted_path and codes[0] >= codes[2] and codes[1] >= codes[3]:
            return query.key
    return ""


def asks_for(key: str, patient: str) -> Callable[[bytes], bool]:
    """Whether the bytes of an HTTP request ask for this query; for the fault proxy."""

    def asks(request: bytes) -> bool:
        target = request.rpartition(b" HTTP/1.1\r\n")[0].rpartition(b" ")[2].decode("latin-1")
        path, _, searched = target.partition("?")
        return query_of(path.removeprefix(PATH).strip("/"), dict(parse_qsl(searched)), patient) == key

    return asks


def as_fhir(resource: object) -> Response:
    failed = isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome"
    return Response(msgspec.json.encode(resource), 404 if failed else 200, media_type=JSON)


async def _answered(endpoint: Callable[[Scope, Receive, Send], Awaitable[None]], scope: Scope) -> dict[str, Any]:
    """What the endpoint answers, as JSON."""
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        parts.append(message.get("body", b""))

    await endpoint(scope, receive, send)
    resource: dict[str, Any] = msgspec.json.decode(b"".join(parts))
    return resource
