"""The service of a site with codes of its own."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from fhir_mappings.concepts import LOINC, catalogue, use_site
from fhir_mappings.retrieval import queries
from fhir_mappings.table_rows import OverlayError
from service.app import create_app
from service.clock import Moment
from service.result_cache import label_of
from service.scoring import scoring
from service.settings import Settings
from tests.site import LAB, overlay, reading_by
from tests.unit.service.made_up_patients import AT, package, record

ALBUMIN = f"{LAB},ALB1,lab_albumin,,g/L"


def got(app: FastAPI, address: str) -> Any:
    async def get() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return (await client.get(address)).json()

    return asyncio.run(get())


def test_templates_and_model_tell_of_the_sites_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discovery asks for them, /model names their digest; the app reads them from the folder of the site."""
    (tmp_path / "site.toml").write_text("")
    monkeypatch.setenv("ONCOHOOKS_SITE", str(overlay(tmp_path, ALBUMIN)))
    with monkeypatch.context() as without:
        without.delenv("ONCOHOOKS_SITE")
        plain = got(create_app(Settings(auth="off"), package=package()), "/model")["mapping"]
    assert "site" not in plain
    with reading_by(tmp_path) as source:
        app = create_app(Settings(auth="off"), package=package())
        assert ",ALB1&" in got(app, "/cds-services")["services"][0]["prefetch"]["laboratory"]
        assert got(app, "/model")["mapping"] == {**plain, "site": source.site.digest}


def test_a_process_serves_one_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second app with other codes is refused at its start: it would read by the first one's."""
    create_app(Settings(auth="off"), package=package())
    assert catalogue().site.digest == ""
    (tmp_path / "site.toml").write_text("")
    monkeypatch.setenv("ONCOHOOKS_SITE", str(overlay(tmp_path, ALBUMIN)))
    with pytest.raises(OverlayError, match="another site"):
        create_app(Settings(auth="off"), package=package())
    use_site(None)
    assert ",ALB1" not in "".join(query.search for query in queries())


def test_a_wrong_table_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.toml").write_text("")
    monkeypatch.setenv("ONCOHOOKS_SITE", str(overlay(tmp_path, f"{LOINC},1751-7,lab_crp,,")))
    catalogue.cache_clear()
    with pytest.raises(OverlayError, match="line 2"):
        create_app(Settings(auth="off"))
    use_site(None)


def test_a_result_is_kept_under_the_sites_codes(tmp_path: Path) -> None:
    """Replicas with another table share a Redis while they are replaced: none serves the other's results."""
    of_lung = scoring(record("demo-lung"), package(), Moment("now"), real=lambda: AT)
    plain = label_of(of_lung)
    with reading_by(overlay(tmp_path, ALBUMIN)) as source:
        assert label_of(of_lung) != plain
        mapping = of_lung.assessment().mapping
        assert mapping is not None
        assert mapping.site == source.site.digest
    assert label_of(of_lung) == plain
