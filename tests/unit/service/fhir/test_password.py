import asyncio
import base64
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from service.app import credentials_of
from service.errors import RefusedError, SettingsError
from service.fhir.client import FhirClient, open_http
from service.fhir.origin import Base
from service.fhir_settings import FhirServer
from tests.unit.service.far_end import BASE, JSON


class Closed(httpx.AsyncBaseTransport):
    """A FHIR server that takes one password."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.shown: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.shown.append(base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode())
        status = 200 if self.shown[-1] == f"oncohooks:{self.password}" else 401
        return httpx.Response(status, json={}, headers={"content-type": JSON})


def entry(**basic: Any) -> FhirServer:
    return FhirServer.model_validate({"url": BASE, "basic": {"user": "oncohooks", **basic}})


async def read(server: Closed, listed: FhirServer, times: int = 1) -> None:
    async with open_http(server) as http:
        client = FhirClient(Base.parse(listed.url), http, 5.0, 100, credentials=credentials_of(listed, http, ()))
        for _ in range(times):
            await client.read("Patient/1")


@pytest.mark.parametrize("source", ["password", "password_file", "password_variable"])
def test_a_password_comes_from_setting_file_or_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """However it is given, it is shown to the server."""
    (tmp_path / "secret").write_text("pä:ss\nsecond line\n", encoding="utf-8")
    monkeypatch.setenv("FHIR_PASSWORD", "pä:ss")
    given = {"password": "pä:ss", "password_file": tmp_path / "secret", "password_variable": "FHIR_PASSWORD"}
    server = Closed("pä:ss")
    asyncio.run(read(server, entry(**{source: given[source]})))
    assert server.shown == ["oncohooks:pä:ss"]


def test_a_password_that_was_changed_in_its_file_is_read_anew(tmp_path: Path) -> None:
    """After a 401 the file is read again; a wrong password is shown once a read and not again."""
    file = tmp_path / "secret"
    file.write_text("old")
    server, listed = Closed("new"), entry(password_file=file)

    async def run() -> None:
        async with open_http(server) as http:
            client = FhirClient(Base.parse(BASE), http, 5.0, 100, credentials=credentials_of(listed, http, ()))
            with pytest.raises(RefusedError):
                await client.read("Patient/1")
            assert server.shown == ["oncohooks:old"]
            await asyncio.to_thread(file.write_text, "new")
            await client.read("Patient/1")

    asyncio.run(run())
    assert server.shown == ["oncohooks:old", "oncohooks:old", "oncohooks:new"]


def test_a_password_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    """The setting is named."""
    for listed, setting in (
        (entry(password_file=tmp_path / "none"), "password_file"),
        (entry(password_variable="NO_SUCH_VARIABLE"), "password_variable"),  # noqa: S106 - a name
    ):
        with pytest.raises(SettingsError, match=rf"\[fhir.basic\] {setting}"):
            asyncio.run(read(Closed(""), listed))


@pytest.mark.parametrize(
    ("url", "table", "allowed"),
    [
        ("https://fhir.example", {}, True),
        ("http://fhir.example", {}, False),
        ("http://fhir.example", {"closed_network": True}, False),
        ("http://8.8.8.8/fhir", {"closed_network": True}, False),
        ("http://127.0.0.1:8080/fhir", {}, False),
        ("http://127.0.0.1:8080/fhir", {"closed_network": True}, True),
        ("http://[::1]/fhir", {"closed_network": True}, True),
        ("http://10.1.2.3/fhir", {"closed_network": True}, True),
        ("http://fhir:8080/fhir", {"closed_network": True}, True),
        ("http://fhir.hospital.internal/fhir", {"closed_network": True}, True),
    ],
)
@pytest.mark.parametrize("kind", ["basic", "backend"])
def test_credentials_go_in_clear_only_where_a_site_says_that_nobody_listens(
    kind: str, url: str, table: dict[str, Any], allowed: bool
) -> None:
    """Http needs closed_network and a private address; then it is warned of at every start."""
    own = {"user": "a", "password": "pw-canary"} if kind == "basic" else {"client_id": "a", "key_file": "/key"}
    if allowed:
        listed = FhirServer.model_validate({"url": url, kind: {**own, **table}})
        assert listed.sends_in_clear is url.startswith("http:")
        assert "pw-canary" not in repr(listed)
        return
    with pytest.raises(ValidationError, match="closed_network") as caught:
        FhirServer.model_validate({"url": url, kind: {**own, **table}})
    assert "pw-canary" not in str(caught.value.errors(include_input=False))
