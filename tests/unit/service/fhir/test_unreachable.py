"""Each way of not being reached is told in words, and no address is among them."""

import ssl
from socket import EAI_NONAME, gaierror

import httpx
import pytest

from service.fhir.unreachable import certificate_fault, why


def caused(told: Exception, *causes: Exception) -> Exception:
    """Each raised from the next, the first one outermost."""
    for error, cause in zip((told, *causes), causes, strict=False):
        error.__cause__ = cause
    return told


def certificate(told: str = "certificate has expired") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "verify failed: hospital.example")
    error.verify_message = told
    return error


def tls() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] hospital.example")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            caused(
                httpx.ConnectError("All connection attempts failed"),
                OSError("All connection attempts failed"),
                ConnectionRefusedError(111, "Connect call failed ('10.0.0.9', 443)"),
            ),
            "connection refused",
        ),
        (caused(httpx.ReadError("hospital.example"), ConnectionResetError(104, "reset")), "connection reset by peer"),
        (caused(httpx.ConnectError("x"), gaierror(EAI_NONAME, "hospital.example")), "its name cannot be resolved"),
        (
            caused(httpx.ConnectError("x"), certificate()),
            "its certificate is refused: certificate has expired",
        ),
        (
            caused(
                httpx.ConnectError("x"),
                certificate("Hostname mismatch, certificate is not valid for 'hospital.example'."),
            ),
            "its certificate is refused: Hostname mismatch",
        ),
        (
            caused(
                httpx.ConnectError("x"), certificate("IP address mismatch, certificate is not valid for '10.0.0.9'.")
            ),
            "its certificate is refused: IP address mismatch",
        ),
        (caused(httpx.ConnectError("x"), tls()), "TLS failed: wrong version number"),
        (httpx.ConnectError("hospital.example"), "no connection"),
        (httpx.ReadError("hospital.example"), "the connection broke"),
        (
            httpx.RemoteProtocolError("hospital.example"),
            "the connection ended too early, or what came is not HTTP",
        ),
        (httpx.DecodingError("hospital.example"), "no answer"),
    ],
)
def test_why(error: Exception, told: str) -> None:
    """What the system says of it comes first."""
    assert why(error) == told


def test_only_a_refused_certificate_is_a_fault_of_one() -> None:
    """It decides whether trying again helps."""
    assert certificate_fault(caused(httpx.ConnectError("x"), certificate()))
    assert not certificate_fault(caused(httpx.ConnectError("x"), tls()))
