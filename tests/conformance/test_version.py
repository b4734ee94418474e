"""What the text after 2.0 adds to discovery is there when asked for, and only then."""

import asyncio
from typing import Any, Literal

import pytest

from fhir_mappings.concepts import catalogue
from service.app import create_app
from service.settings import Settings
from tests.conformance.exchange import Case
from tests.conformance.recording import DISCOVERY, Client, Hospital
from tests.conformance.spec_models import Discovery
from tests.unit.service.far_end import unlearned_package

LABORATORY = ("lab_hba1c", "lab_tsh", "lab_albumin", "lab_ldh")


def discovered(**settings: Any) -> Any:
    hospital = Hospital()
    app = create_app(Settings(auth="off", **settings), transport=hospital, package=unlearned_package())
    return asyncio.run(Client(app, hospital).call(Case.DISCOVERY, "GET", DISCOVERY)).body


@pytest.mark.parametrize(("version", "said"), [("2.0", {}), ("3.0", {"version": "3.0.0", "hookVersion": "1.0"})])
def test_discovery_says_its_version_from_3_on(version: Literal["2.0", "3.0"], said: dict[str, Any]) -> None:
    """With 2.0 no service has a version member; with 3.0 each names the version of CDS Hooks and of its hook."""
    body = discovered(cds_hooks_version=version)
    assert Discovery.model_validate(body).services
    for service in body["services"]:
        assert {name: value for name, value in service.items() if "ersion" in name} == said


def test_from_3_on_the_laboratory_is_not_asked_for_what_is_too_old() -> None:
    """Only there every window is limited; with a clock that moves a client's today is not ours."""
    prefetch = discovered(cds_hooks_version="3.0")["services"][0]["prefetch"]
    assert [key for key, template in prefetch.items() if "today()" in template] == ["laboratory"]
    assert "&date=ge{{today() - 182 days}}&_sort=-date" in prefetch["laboratory"]
    assert max(catalogue().schema[key].window_days or 0 for key in LABORATORY) == 180
    for settings in ({}, {"cds_hooks_version": "3.0", "clock": "latest"}):
        assert "today()" not in str(discovered(**settings))
