"""Why something could not be reached, in words that hold no address."""

import os
import ssl
from collections.abc import Iterator
from socket import gaierror

import httpx

_OTHERWISE = (
    (httpx.ConnectError, "no connection"),
    (httpx.RemoteProtocolError, "the connection ended too early, or what came is not HTTP"),
    (httpx.NetworkError, "the connection broke"),
)


def certificate_fault(error: BaseException) -> str:
    """Why the server's certificate was refused; empty where that is not what failed. Trying again would not help."""
    faults = (one for one in _with_causes(error) if isinstance(one, ssl.SSLCertVerificationError))
    return next((f"its certificate is refused: {_without_host(one.verify_message)}" for one in faults), "")


def _without_host(told: str) -> str:
    """Python says after the comma of a mismatch which host was asked for."""
    return told.partition(",")[0]


def why(error: BaseException, otherwise: str = "no answer") -> str:
    """What the system says of it (`connection refused`), else what is known by its type."""
    if fault := certificate_fault(error):
        return fault
    for one in _with_causes(error):
        if isinstance(one, gaierror):
            return "its name cannot be resolved"
        if isinstance(one, ssl.SSLError):
            return f"TLS failed: {(one.reason or 'no reason is given').replace('_', ' ').lower()}"
        if isinstance(one, OSError) and one.errno:
            return os.strerror(one.errno).lower()
    return next((told for kind, told in _OTHERWISE if isinstance(error, kind)), otherwise)


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
