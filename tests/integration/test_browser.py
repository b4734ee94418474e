"""A browser EHR of another origin, in a real Chromium, with signed tokens: discovery, hook, card, feedback."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from benchmarks.load import free_port
from demo.fhir_endpoint import create_endpoint
from demo.patients import demo_patients
from demo.server import in_process, in_thread
from tests.conformance.exchange import Case
from tests.conformance.recording import exchanges
from tests.integration.browser import BrowserMissing, opened
from tests.integration.missing import missing
from tests.unit.service.cds_hooks.ehr import elliptic, jwk

PAGE = Path(__file__).parent / "browser_ehr"
PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def service_url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def ehr(service_url: str) -> Iterator[str]:
    """The EHR's own server: its page, its keys and its FHIR endpoint. Gives its origin."""
    private = jwt.algorithms.ECAlgorithm.to_jwk(elliptic(), as_dict=True)

    async def setup(request: Any) -> JSONResponse:
        own = str(request.base_url).rstrip("/")
        said = {"service": service_url, "fhir": f"{own}/fhir", "issuer": own, "key": {**private, "kid": "k1"}}
        return JSONResponse({**said, "patient": next(iter(demo_patients()))})

    async def keys(_: object) -> JSONResponse:
        return JSONResponse({"keys": [jwk(elliptic())]})

    done = asyncio.Event()

    async def running(_: object) -> Response:
        done.clear()
        await done.wait()
        return Response()

    async def ends(_: object) -> Response:
        done.set()
        return Response()

    own = [Route("/setup.json", setup), Route("/jwks.json", keys), Route("/running", running), Route("/done", ends)]
    page = Mount("/page", StaticFiles(directory=PAGE, html=True))
    fhir = create_endpoint(chain.from_iterable(demo_patients().values()))
    with in_thread(Starlette(routes=[*own, page, Mount("/", fhir)])) as origin:
        yield origin


@pytest.fixture(scope="module")
def service(service_url: str, ehr: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`oncohooks serve` as a hospital runs it: clients must sign, and only pages of the EHR may call."""
    folder = tmp_path_factory.mktemp("site")
    folder.joinpath("site.toml").write_text(
        f'public_url = "{service_url}"\ncors_origins = ["{ehr}"]\n'
        f'[[fhir]]\nurl = "{ehr}/fhir"\n[[client]]\nissuer = "{ehr}"\njwks_url = "{ehr}/jwks.json"\n'
    )
    command = [
        sys.executable,
        "-m",
        "service.cli",
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        service_url.rpartition(":")[2],
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ONCOHOOKS_")}
    with in_process(command, env={**inherited, "ONCOHOOKS_SITE": str(folder)}):
        yield service_url


def shown(address: str, folder: Path, screenshot: Path | None = None) -> str:
    try:
        return unescape(opened(f"{address}/page/", folder, screenshot))
    except BrowserMissing as why:
        missing(f"Chromium: {why}")


def expected_summary() -> str:
    """What the same service says in process of the same chart, when it can read all of it."""
    read = (exchange for exchange in exchanges() if exchange.case is Case.READ)
    (card,) = next(exchange.body["cards"] for exchange in read if exchange.sent["hook"] == "patient-view")
    summary: str = card["summary"]
    return summary


def test_a_browser_ehr_shows_the_card_and_gives_feedback(ehr: str, service: str, tmp_path: Path) -> None:
    """Across origins and with a token for each call: three answers of 200, the card on the page, feedback counted."""
    picture = tmp_path / "card.png"
    dom = shown(ehr, tmp_path / "profile", picture)

    assert 'data-state="done"' in dom
    calls = re.findall(r"<li>(\S+) \S+ (\d+)</li>", dom)
    assert calls == [("GET", "200"), ("POST", "200"), ("POST", "200")], dom[-2_000:]
    assert re.findall(r"<h2>(.+?)</h2>", dom) == [expected_summary()]
    assert len(re.findall(r"<tr>", dom)) > 3
    assert "**" not in dom
    assert picture.read_bytes().startswith(PNG)
    counted = [line for line in httpx.get(f"{service}/metrics").text.splitlines() if "feedback_total{" in line]
    assert [line.rpartition(" ")[2] for line in counted] == ["1.0"]


def test_a_page_of_another_origin_may_not_call(ehr: str, service: str, tmp_path: Path) -> None:
    """The same page under an address that is not in cors_origins reaches nothing: the browser itself refuses."""
    assert service
    dom = shown(ehr.replace("127.0.0.1", "localhost"), tmp_path / "profile")
    assert "failed: Failed to fetch" in dom
    assert "<section" not in dom
