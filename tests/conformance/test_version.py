"""What the text after 2.0 adds to discovery is there when asked for, and only then."""

import asyncio
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from fhir_mappings.concepts import catalogue
from service.app import create_app
from service.settings import Settings
from tests.conformance.exchange import Case
from tests.conformance.recording import DISCOVERY, Client, Hospital
from tests.conformance.spec_models import Discovery
from tests.unit.service.far_end import HOOK, bundle, full_prefetch, hook_call, observation, unlearned_package

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


def test_from_3_on_a_site_may_ask_for_the_newest_only() -> None:
    """In every template that is sorted by date, so that what is cut is the oldest; in no other."""
    prefetch = discovered(cds_hooks_version="3.0", cds_hooks_max_results=500)["services"][0]["prefetch"]
    limited = {key for key, template in prefetch.items() if template.endswith("&_maxresults=500")}
    assert limited == {key for key, template in prefetch.items() if "&_sort=-" in template}
    assert {"laboratory", "encounters"} <= limited
    assert not {"patient", "conditions"} & limited
    assert "_maxresults" not in str(discovered(cds_hooks_version="3.0"))
    with pytest.raises(ValidationError, match="cds_hooks_version"):
        Settings(cds_hooks_max_results=500)


@pytest.mark.parametrize(("most", "state"), [(1, "partial"), (2, "complete")])
def test_an_answer_with_as_many_as_were_asked_for_may_be_cut(most: int, state: str) -> None:
    """It looks like a whole one, and nothing that it lacks is absent."""
    hospital = Hospital()
    settings = Settings(auth="off", cds_hooks_version="3.0", cds_hooks_max_results=most)
    client = Client(create_app(settings, transport=hospital, package=unlearned_package()), hospital)
    sent = full_prefetch(laboratory=bundle(observation(1)))
    card = asyncio.run(client.call(Case.CALL, "POST", HOOK, hook_call(prefetch=sent))).body["cards"][0]
    lines = {line["key"]: line for line in card["extension"]["org.oncohooks.assessment"]["retrieval"]}
    assert lines["laboratory"]["state"] == state
    assert lines["conditions"]["state"] in {"complete", "empty"}
