"""The embedded FHIR R4 endpoint: read-only, in memory, for the demonstration and for fast tests.

As strict as HAPI, so that what works here works there: an unknown parameter is refused, a page is at most 200 entries
whatever was asked for, the next page has an opaque address on the root of the server, `total` is only there where all
is on one page. `python -m demo.fhir_endpoint` serves the demonstration patients.
"""

import argparse
import base64
import binascii
import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.fhir_store import RefusedSearchError, Row, Store
from demo.patients import demo_patients
from demo.search_parameters import PARAMETERS, Resource
from demo.server import announce

PATH = "/fhir"
DEFAULT_COUNT = 20
MAX_COUNT = 200
_FHIR_JSON = "application/fhir+json;charset=utf-8"

Criteria = Sequence[tuple[str, str]]


class Reply(NamedTuple):
    status: HTTPStatus
    body: Mapping[str, Any] | msgspec.Raw


def create_endpoint(resources: Iterable[Resource]) -> Starlette:
    """An ASGI app that serves these resources, Bundles taken apart, under /fhir. They keep their ids."""
    fhir = _Endpoint(Store(resources))

    async def respond(request: Request) -> Response:
        base = f"{request.url.scheme}://{request.url.netloc}{PATH}"
        path = request.url.path.removeprefix(PATH).strip("/")
        query = parse_qsl(request.url.query, keep_blank_values=True)
        if request.method == "GET":
            reply = fhir.get(base, path, query)
        else:
            reply = fhir.post(base, path, query, await request.body())
        return Response(msgspec.json.encode(reply.body), reply.status, media_type=_FHIR_JSON)

    async def elsewhere(request: Request, error: Exception) -> Response:
        status = HTTPStatus(getattr(error, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR))
        outcome = _refusal(status, f"{request.method} {request.url.path} is not answered here")
        return Response(msgspec.json.encode(outcome.body), status, media_type=_FHIR_JSON)

    return Starlette(
        routes=[Route(path, respond, methods=["GET", "POST"]) for path in (PATH, PATH + "/{path:path}")],
        exception_handlers={404: elsewhere, 405: elsewhere, Exception: elsewhere},
    )


class _Endpoint:
    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, base: str, path: str, query: Criteria) -> Reply:
        match path.split("/"):
            case ["metadata"]:
                return Reply(HTTPStatus.OK, _capabilities(base))
            case [""]:
                return self._next(base, dict(query))
            case [kind]:
                return self._search(base, kind, query)
            case [kind, name]:
                row = self._store.read(kind, name)
                if row is None:
                    return _refusal(HTTPStatus.NOT_FOUND, f"{kind}/{name} is not known")
                return Reply(HTTPStatus.OK, row.body)
            case _:
                return _refusal(HTTPStatus.BAD_REQUEST, f"{path} is not supported")

    def post(self, base: str, path: str, query: Criteria, body: bytes) -> Reply:
        match path.split("/"):
            case [""]:
                return self._batch(base, body)
            case [kind, "_search"]:
                form = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
                return self._search(base, kind, [*query, *form])
            case _:
                return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this server is read-only")

    def _search(self, base: str, kind: str, criteria: Criteria, offset: int = 0) -> Reply:
        """One page of a search. The whole search is in its next link: nothing is kept, and no page gets lost."""
        if kind not in PARAMETERS:
            return _refusal(HTTPStatus.NOT_FOUND, f"unknown resource type {kind}; known: {', '.join(PARAMETERS)}")
        try:
            count = _count(criteria)
            rows = self._store.search(kind, criteria)
        except RefusedSearchError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))
        page = rows[offset : offset + count]
        links = [{"relation": "self", "url": f"{base}/{kind}?{urlencode(criteria)}"}]
        if page and offset + count < len(rows):
            links.append({"relation": "next", "url": _next_link(base, kind, criteria, offset + count, count)})
        bundle: dict[str, Any] = {"resourceType": "Bundle", "id": str(uuid.uuid4()), "type": "searchset", "link": links}
        if len(page) == len(rows) or ("_total", "accurate") in criteria:
            bundle["total"] = len(rows)
        if page:
            bundle["entry"] = [
                *(_entry(base, row, "match") for row in page),
                *(_entry(base, row, "include") for row in self._store.included(page, criteria)),
            ]
        return Reply(HTTPStatus.OK, bundle)

    def _next(self, base: str, query: Mapping[str, str]) -> Reply:
        try:
            searched = base64.urlsafe_b64decode(query["_getpages"]).decode()
            offset = max(0, int(query["_getpagesoffset"]))
        except (KeyError, ValueError, binascii.Error):
            return _refusal(HTTPStatus.GONE, "this page does not exist, or has expired")
        kind, _, criteria = searched.partition("?")
        return self._search(base, kind, parse_qsl(criteria, keep_blank_values=True), offset)

    def _batch(self, base: str, body: bytes) -> Reply:
        """GETs, each answered or refused for itself."""
        try:
            bundle = msgspec.json.decode(body)
            requests = [entry["request"] for entry in bundle.get("entry", ())]
            addresses = [(request["method"], urlsplit(request["url"])) for request in requests]
            is_batch = (bundle["resourceType"], bundle["type"]) == ("Bundle", "batch")
        except (ValueError, TypeError, KeyError, AttributeError):
            is_batch = False
        if not is_batch:
            return _refusal(HTTPStatus.BAD_REQUEST, "not a Bundle of type batch")
        entries = []
        for method, address in addresses:
            if method != "GET":
                reply = _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this server is read-only")
            else:
                reply = self.get(base, address.path.strip("/"), parse_qsl(address.query, keep_blank_values=True))
            response: dict[str, Any] = {"status": f"{reply.status.value} {reply.status.phrase}"}
            if reply.status is HTTPStatus.OK:
                entries.append({"resource": reply.body, "response": response})
            else:
                entries.append({"response": {**response, "outcome": reply.body}})
        return Reply(HTTPStatus.OK, {"resourceType": "Bundle", "type": "batch-response", "entry": entries})


def _entry(base: str, row: Row, mode: Literal["match", "include"]) -> dict[str, Any]:
    return {"fullUrl": f"{base}/{row.kind}/{row.id}", "resource": row.body, "search": {"mode": mode}}


def _count(criteria: Criteria) -> int:
    asked = next((value for name, value in criteria if name == "_count"), str(DEFAULT_COUNT))
    if not asked.removeprefix("-").isdecimal():
        raise RefusedSearchError(f"invalid _count: {asked[:20]}")
    return max(0, min(int(asked), MAX_COUNT))


def _next_link(base: str, kind: str, criteria: Criteria, offset: int, count: int) -> str:
    search = base64.urlsafe_b64encode(f"{kind}?{urlencode(criteria)}".encode()).decode()
    place = {"_getpages": search, "_getpagesoffset": offset, "_count": count, "_bundletype": "searchset"}
    return f"{base}?{urlencode(place)}"


def _refusal(status: HTTPStatus, diagnostics: str) -> Reply:
    issue = {"severity": "error", "code": "processing", "diagnostics": diagnostics}
    return Reply(status, {"resourceType": "OperationOutcome", "issue": [issue]})


def _capabilities(base: str) -> dict[str, Any]:
    types = [
        {
            "type": kind,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [
                {"name": name, "type": "reference" if parameter.kind == "patient" else parameter.kind}
                for name, parameter in known.items()
            ],
        }
        for kind, known in PARAMETERS.items()
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2025-01-01",
        "kind": "instance",
        "software": {"name": "oncohooks demonstration endpoint"},
        "implementation": {"description": "Read-only, in memory, invented patients", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{"mode": "server", "resource": types, "interaction": [{"code": "batch"}]}],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo.fhir_endpoint", description="Serve the demonstration patients on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    options = parser.parse_args()
    everything = [resource for resources in demo_patients().values() for resource in resources]
    announce(create_endpoint(everything), port=options.port, path=PATH)


if __name__ == "__main__":
    main()
