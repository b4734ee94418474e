"""Errors -> HTTP answers. Whatever goes wrong, the answer is an OperationOutcome that says so, never an empty reply."""

import logging
import secrets

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.cds_hooks.client_token import Client, NotAdmittedError
from service.cds_hooks.clients import Register
from service.errors import TABLE, Category, ToldError
from service.fhir.written import MEDIA_TYPE, operation_outcome
from service.logs import told
from service.telemetry import Telemetry

_logger = logging.getLogger(__name__)
_CATEGORIES = {404: Category.NOT_FOUND, 405: Category.METHOD}
_PUBLIC = frozenset({"/livez", "/readyz", "/startupz", "/metrics", "/model", "/model/card", "/openapi.json"})


def refusal(category: Category, diagnostics: str = "") -> Response:
    """The answer to an error of this category."""
    return Response(operation_outcome(category, diagnostics), TABLE[category].status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer our own errors, and the framework's, as OperationOutcomes."""

    async def ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, ToldError)  # noqa: S101 - registered for nothing else
        _logger.warning("%s: %s", error.category, error)
        return refusal(error.category, str(error))

    async def framework(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        answer = refusal(_CATEGORIES.get(status, Category.MALFORMED))
        if isinstance(error, HTTPException) and error.headers:
            answer.headers.update(error.headers)
        return answer

    app.add_exception_handler(ToldError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, framework)  # FastAPI's own answer echoes the input


class Gate:
    """Measures every request, lets only public ones pass where a client's token is required, catches what nobody did.

    A fault is answered with an incident number, which the log has too, beside types and places in the code: no
    exception reaches the server's own log, which would print its message.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry, register: Register | None) -> None:
        """Without a register everyone may call."""
        self._app = app
        self._telemetry = telemetry
        self._register = register

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._telemetry.request(scope["method"]) as measured:
            answered = False

            async def watched(message: Message) -> None:
                nonlocal answered
                if message["type"] == "http.response.start":
                    answered = True
                    measured.status = message["status"]
                await send(message)

            try:
                inner = await self._inner(scope)
                await inner(scope, receive, watched)
            except Exception as error:  # noqa: BLE001 - the last resort
                incident = secrets.token_hex(4)
                _logger.error("incident %s: %s", incident, told(error))  # noqa: TRY400 - a traceback holds messages
                if not answered:
                    await refusal(Category.INTERNAL, f"incident {incident}")(scope, receive, watched)
            measured.route = getattr(scope.get("route"), "path", measured.route)

    async def _inner(self, scope: Scope) -> ASGIApp:
        if self._register is None or scope["path"] in _PUBLIC:
            return self._app
        try:
            scope.setdefault("state", {})["client"] = await self._register.admit(_authorization(scope), _path(scope))
        except NotAdmittedError as refused:
            self._telemetry.not_admitted(refused.reason)
            _logger.warning("call not admitted: %s", refused.reason)
            # bare: a caller who may not call learns nothing, not even which addresses there are
            return Response(status_code=TABLE[Category.UNAUTHORISED].status, headers={"WWW-Authenticate": "Bearer"})
        return self._app


def client_of(request: Request) -> Client | None:
    """The registered client that calls; None where everyone may."""
    client: Client | None = getattr(request.state, "client", None)
    return client


def issuer_of(request: Request) -> str:
    """The registered client's name; empty where everyone may call."""
    client = client_of(request)
    return client.issuer if client else ""


def _authorization(scope: Scope) -> str:
    """The header, if there is just one: of two, a proxy may have looked at the other."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    return sent[0].decode("latin-1") if len(sent) == 1 else ""


def _path(scope: Scope) -> str:
    """As it was called, escapes and all: the token names the address in that form."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1")
