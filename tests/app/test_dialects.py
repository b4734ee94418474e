"""Calls as the clients of each dialect send them, and the replies that they get."""

import json
import time
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from fhir_mappings.retrieval import queries
from service.cds_hooks.dialects import DIALECTS, shaped
from service.cds_hooks.wire import Card, Link, Source
from service.ehr_settings import DialectName
from tests.unit.service.cds_hooks.ehr import JWKS_URL, PUBLIC_URL, claims, elliptic, jwk, token
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import HOOK, ORDER, Caller, FhirServer, bundle, full_prefetch, meters
from tests.unit.service.made_up_patients import AT, package

FILES = Path(__file__).parent / "dialects"
NAMES: tuple[DialectName, ...] = get_args(DialectName)
CARD = Card(
    summary="s",
    indicator="info",
    source=Source("oncohooks", "https://oncohooks.example/model"),
    detail="**Position:** 7 \\[of\\] 9\n\n| Input | Value |\n|---|---|\n| a\\|b | **1** \\*10 |",
    links=(Link("page", "https://oncohooks.example/page/1", "absolute"), Link("x", "https://x.example", "absolute")),
    extension={"org.x": {"a": 1}},
)


def fixture(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FILES / f"{name}.json").read_text())
    return read


def without_assessment(reply: dict[str, Any]) -> dict[str, Any]:
    """What people and clients read of a reply; the assessment and the uuid have tests of their own.

    The digest of the made-up package is left out: it changes with whatever a manifest holds.
    """
    for card in reply["cards"]:
        card["detail"] = card["detail"].replace(package().digest[:8], "00000000")
        assert card.pop("uuid")
        assert card["extension"].pop("org.oncohooks.assessment")["status"]
        if not card["extension"]:
            del card["extension"]
    return reply


def called(calling: MakeCaller, server: FhirServer, name: str) -> Caller:
    """A service for one registered client of this dialect, with the setting `links` of its file."""
    server.on(JWKS_URL, {"keys": [jwk(elliptic())]})
    ehr = {
        "issuer": "https://ehr.example",
        "jwks_url": JWKS_URL,
        "label": f"an-{name}",
        "dialect": name,
        "links": fixture(name).get("links", ()),
    }
    return calling(auth="required", client=[ehr], public_url=PUBLIC_URL, package=package(), now=lambda: AT)


@pytest.mark.parametrize("name", NAMES)
def test_a_call_in_a_dialect_is_answered_in_it(calling: MakeCaller, server: FhirServer, name: str) -> None:
    """Requests with all their oddities are taken; the reply is the one of the file, which people have read."""
    case, now = fixture(name), time.time()
    call = case["request"]
    for query in queries():
        server.on(query.url(case["patient"]), bundle())
    path = ORDER if call["hook"] == "order-sign" else HOOK
    caller = called(calling, server, name)
    signed = {"authorization": f"Bearer {token(claims(path, iat=now, exp=now + 300))}"}
    response = caller.request("POST", path, json=call, headers=signed)
    assert response.status_code == 200, response.text
    reply = without_assessment(response.json())
    assert reply == case["reply"], "the reply must be:\n" + json.dumps(reply, indent=2, ensure_ascii=False)
    assert {labels[0] for labels in meters(caller, "oncohooks_prefetch_total")} == {f"an-{name}"}


def test_the_dialect_of_unregistered_callers_is_a_setting(calling: MakeCaller) -> None:
    """With `auth = "off"` everyone is answered in the site's dialect."""
    prefetch = full_prefetch()
    (spec,), (epic,) = (calling(dialect=name).hook(prefetch=prefetch).json()["cards"] for name in ("spec", "epic"))
    assert "topic" not in spec["source"]
    assert epic["source"]["topic"]["code"] == "OncohooksNotScored"


@pytest.mark.parametrize("name", NAMES)
def test_topics_are_what_epic_takes(name: DialectName) -> None:
    """Letters and digits, at most 100, the same every time; a warning has another than what may be set aside."""
    warning = msgspec.structs.replace(CARD, indicator="warning")
    codes = [
        card.source.topic.code if card.source.topic else ""
        for card in (shaped(CARD, name), shaped(CARD, name, scored=False), shaped(warning, name, scored=False))
    ]
    if DIALECTS[name].topics:
        assert codes == ["OncohooksPrognosis", "OncohooksNotScored", "OncohooksWrongPatient"]
        assert all(code.isalnum() and code.isascii() and len(code) <= 100 for code in codes)
    else:
        assert codes == ["", "", ""]


def test_the_specification_changes_nothing() -> None:
    """The card is made as CDS Hooks describes it."""
    assert shaped(CARD, "spec") == shaped(CARD, "sandbox") == shaped(CARD, "oracle") == CARD


def test_epic_is_told_what_the_detail_is() -> None:
    """Plain text with its content type beside our own extension, and `any`."""
    card = shaped(CARD, "epic")
    assert card.extension == {"org.x": {"a": 1}, "com.epic.cdshooks.card.detail.content-type": "text/plain"}
    assert card.selectionBehavior == "any"
    assert DIALECTS["epic"].rendering == "plain"
