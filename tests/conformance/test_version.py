"""What the text after 2.0 adds to discovery is there when asked for, and only then."""

import asyncio
from typing import Any, Literal

import pytest

from service.app import create_app
from service.settings import Settings
from tests.conformance.exchange import Case
from tests.conformance.recording import DISCOVERY, Client, Hospital
from tests.conformance.spec_models import Discovery
from tests.unit.service.far_end import unlearned_package


@pytest.mark.parametrize(("version", "said"), [("2.0", {}), ("3.0", {"version": "3.0.0", "hookVersion": "1.0"})])
def test_discovery_says_its_version_from_3_on(version: Literal["2.0", "3.0"], said: dict[str, Any]) -> None:
    """With 2.0 no service has a version member; with 3.0 each names the version of CDS Hooks and of its hook."""
    hospital = Hospital()
    app = create_app(Settings(auth="off", cds_hooks_version=version), transport=hospital, package=unlearned_package())
    body = asyncio.run(Client(app, hospital).call(Case.DISCOVERY, "GET", DISCOVERY)).body
    assert Discovery.model_validate(body).services
    for service in body["services"]:
        assert {name: value for name, value in service.items() if "ersion" in name} == said
