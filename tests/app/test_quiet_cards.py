"""The policy at work, through the hook: what is silent, what is remembered, what is counted."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from service.app import reach_of
from service.assessment import Assessment
from service.cds_hooks import readers
from service.cds_hooks.card_identity import IssuedCards, Recipient
from service.cds_hooks.quiet import Reader, Silence
from service.cds_hooks.quiet_cards import QuietCards
from service.cds_hooks.readers import Readers
from service.cds_hooks.wire import Card, Context, HookRequest, Source
from service.clock import now
from service.ehr_settings import EhrClient
from service.fhir.client import FhirServers, open_http
from service.fhir.retrying import ATTEMPTS
from service.fhir_settings import FhirServer as Listed
from service.quiet_settings import QuietRules
from service.settings import Settings
from service.state.expiring import ProcessExpiring
from service.state.feedback import SHADOW, CardIssued, FeedbackGiven, ProcessFeedback, StateDownError
from service.state.feedback_file import SqliteFeedback
from service.state.site_key import SiteKey
from service.telemetry import Telemetry
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import (
    BASE,
    HOOK,
    PATIENT,
    Caller,
    FhirServer,
    bundle,
    full_prefetch,
    meters,
    observation,
)

SERVICE = "pan-cancer-prognosis"
ANNA, BERT = "Practitioner/anna", "Practitioner/bert"
V3 = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ROLE, OTHER = "http://terminology.hl7.org/CodeSystem/practitioner-role|doctor", "https://e|nurse"


def shown(caller: Caller, user: str = ANNA, patient: str = PATIENT, **prefetch: object) -> list[dict[str, Any]]:
    """The cards of a call with a complete prefetch."""
    who = {"resourceType": "Patient", "id": patient, "birthDate": "1950-01-01"}
    sent = full_prefetch(**{"patient": who, **prefetch})
    response = caller.hook(context={"userId": user, "patientId": patient}, prefetch=sent, fhirServer=BASE)
    assert response.status_code == 200, response.text
    cards: list[dict[str, Any]] = response.json()["cards"]
    return cards


def silenced(caller: Caller) -> dict[tuple[str, ...], float]:
    return meters(caller, "oncohooks_silenced_total")


def set_aside(caller: Caller, uuid: str, reason: str = "already-discussed", at: str = "") -> None:
    chosen = {"reason": {"code": reason, "system": "urn:oncohooks:override-reason"}}
    at = at or now().isoformat()
    entry = {"card": uuid, "outcome": "overridden", "outcomeTimestamp": at, "overrideReason": chosen}
    assert caller.request("POST", f"{HOOK}/feedback", json={"feedback": [entry]}).status_code == 200


def issued(file: Path) -> Sequence[CardIssued]:
    async def run() -> Sequence[CardIssued]:
        store = SqliteFeedback(file, now, 400)
        kept = await store.kept(date(2000, 1, 1))
        await store.close()
        return kept.cards

    return asyncio.run(run())


def test_a_silent_answer_is_an_empty_list_and_counted(calling: MakeCaller) -> None:
    """`cards: []`, the reason in the meter, the outcome counted as ever, and nothing kept as shown."""
    caller = calling(quiet={"no_tumour": True})
    response = caller.hook(prefetch=full_prefetch())
    assert (response.status_code, response.json()) == (200, {"cards": []})
    assert silenced(caller) == {("no-tumour", SERVICE): 1}
    assert meters(caller, "oncohooks_outcomes_total") == {("no-solid-tumour", "abstained", SERVICE): 1}


def test_an_error_is_never_silent(calling: MakeCaller, server: FhirServer) -> None:
    """A fault stays an OperationOutcome under every rule."""
    server.holds(conditions=503)
    caller = calling(quiet={"no_tumour": True, "repeat": "changed", "shadow": True})
    assert caller.hook(fhirServer=BASE).status_code == 502
    assert silenced(caller) == {}


def test_a_card_is_shown_once_to_each_user(calling: MakeCaller, tmp_path: Path) -> None:
    """The same user and patient see it once until it changes; others, and who does not say who reads, see theirs."""
    caller = calling(quiet={"repeat": "changed"}, state={"file": str(tmp_path / "state.sqlite")})
    assert [len(shown(caller)) for _ in range(2)] == [1, 0]
    assert [len(shown(caller, BERT)), len(shown(caller, patient="other"))] == [1, 1]
    assert [len(shown(caller, "")) for _ in range(2)] == [1, 1]
    foreign = bundle(observation(1, "Patient/elsewhere"))
    assert [len(shown(caller, laboratory=foreign)) for _ in range(2)] == [1, 1]
    assert silenced(caller) == {("unchanged", SERVICE): 1}
    content = b"".join(part.read_bytes() for part in tmp_path.iterdir())
    assert not any(secret in content for secret in (b"anna", PATIENT.encode()))


def test_what_was_set_aside_is_snoozed_for_that_user(calling: MakeCaller) -> None:
    """By the reasons that the site names, for the user who gave one; the same picture is another user's own card."""
    caller = calling(quiet={"snooze_days": {"already-discussed": 30}})
    (anna,), (bert,) = shown(caller), shown(caller, BERT)
    set_aside(caller, anna["uuid"], "disagree")
    assert len(shown(caller)) == 1
    set_aside(caller, anna["uuid"])
    assert [len(shown(caller)), len(shown(caller, BERT)), len(shown(caller, patient="other"))] == [0, 1, 1]
    assert silenced(caller) == {("snoozed", SERVICE): 1}
    assert anna["uuid"] != bert["uuid"]
    set_aside(caller, bert["uuid"], at="2026-01-01T10:00:00Z")  # long over
    set_aside(caller, "5e0a3a1e-3283-4575-ab82-028d55fe2719")  # nobody's
    assert len(shown(caller, BERT)) == 1


def test_only_the_client_that_got_a_card_can_set_it_aside() -> None:
    """The same uuid named by another client, or for another service, snoozes nothing; accepting it neither."""
    telemetry, store, today = Telemetry(), ProcessExpiring(now), now().date()
    kept = ProcessFeedback(now, 400)
    issued = IssuedCards(kept, telemetry, now, SiteKey(kept, "k" * 32))
    quiet = QuietCards(QuietRules(snooze_days={"disagree": 2}), store, issued, telemetry)
    recipient = Recipient("https://ehr", BASE, PATIENT, SERVICE, ANNA)
    good = FeedbackGiven("u1", "overridden", "", today, today, SERVICE, "https://ehr", "disagree")
    changes: list[dict[str, Any]] = [
        {"client": "https://other"}, {"service": "other"}, {"card": "u2"}, {"outcome": "accepted"},
        {"reason": "data-wrong"}, {"day": today - timedelta(2)}, {"day": today - timedelta(1)},
    ]  # fmt: skip

    async def run() -> list[Silence | None]:
        card = Card("", "info", Source(""), "u1")
        await quiet.keep(card, Assessment(), recipient, ANNA)
        found = []
        for change in changes:
            await quiet.snooze(msgspec.structs.replace(good, **change))
            found.append(await quiet.silence(Assessment(), recipient, ANNA, Reader()))
        return found

    assert asyncio.run(run()) == [*[None] * 6, Silence.SNOOZED]


def test_without_snooze_users_share_a_card(calling: MakeCaller) -> None:
    """The uuid is that of client, patient, service and content."""
    caller = calling(quiet={"repeat": "changed"})
    (anna,), (bert,) = shown(caller), shown(caller, BERT)
    assert anna["uuid"] == bert["uuid"]


def test_shadow_mode_keeps_everything_and_shows_nothing(calling: MakeCaller, tmp_path: Path) -> None:
    """The card is kept as a shadow; once the mode is off, nobody has seen it yet."""
    file = tmp_path / "state.sqlite"
    rules = {"repeat": "changed", "shadow": True}
    shadow = calling(quiet=rules, state={"file": str(file)})
    assert [shown(shadow), shown(shadow)] == [[], []]
    assert silenced(shadow) == {("shadow", SERVICE): 1, ("unchanged", SERVICE): 1}
    assert meters(shadow, "oncohooks_outcomes_total") == {("no-solid-tumour", "abstained", SERVICE): 2}
    (kept,) = issued(file)
    (card,) = shown(calling(quiet={**rules, "shadow": False}, state={"file": str(file)}))
    assert (kept.card, kept.is_shadow) == (SHADOW + card["uuid"], True)


def test_a_memory_that_is_down_shows_the_card(calling: MakeCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted for each call, asked again only after a while; what cannot be kept is counted too."""
    asked = []

    async def down(*_: object) -> None:
        asked.append(1)
        raise StateDownError

    caller = calling(quiet={"repeat": "changed", "snooze_days": {"disagree": 1}}, cache={"kept_seconds": 0})
    monkeypatch.setattr(ProcessExpiring, "get", down)
    monkeypatch.setattr(ProcessExpiring, "put", down)
    (card,) = [shown(caller) for _ in range(2)][1]
    assert len(asked) == 1 + 2  # one reading, a writing for each call
    assert meters(caller, "oncohooks_shown_memory_down_total") == {(): 2}
    set_aside(caller, card["uuid"], "disagree")
    assert meters(caller, "oncohooks_not_kept_total") == {("shown",): 2, ("snooze",): 1}


def test_a_restricted_record_abstains(calling: MakeCaller) -> None:
    """The site's labels reach the hook."""
    who = {"resourceType": "Patient", "id": PATIENT, "meta": {"security": [{"system": V3, "code": "R"}]}}
    caller = calling()
    shown(caller, patient=PATIENT, conditions=bundle())
    response = caller.hook(prefetch=full_prefetch(patient=who))
    assert response.json()["cards"][0]["summary"] == "Not scored: this record is restricted."
    assert ("restricted", "abstained", SERVICE) in meters(caller, "oncohooks_outcomes_total")


def role(code: str = "doctor", role_id: str = "r1") -> dict[str, Any]:
    system = ROLE.partition("|")[0]
    return {
        "resourceType": "PractitionerRole",
        "id": role_id,
        "code": [{"coding": [{"system": system, "code": code, "display": "Mrs Canary"}]}],
        "specialty": [{"coding": [{"system": "https://e", "code": "oncology"}]}],
    }


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"roles": [OTHER, ROLE], "specialities": ["https://e|oncology"]}, None),
        ({"roles": [ROLE], "specialities": ["https://e|surgery"]}, "speciality"),
    ],
)
def test_a_role_is_read_once(
    calling: MakeCaller, server: FhirServer, rules: dict[str, Any], reason: str | None
) -> None:
    """Code and specialty of the PractitionerRole, from the call's server, whichever way the user is written."""
    server.on("PractitionerRole/r1", role())
    caller = calling(quiet=rules)
    for user in ("PractitionerRole/r1", f"{BASE}/PractitionerRole/r1", "PractitionerRole/r1/_history/2"):
        assert len(shown(caller, user)) == (reason is None)
    assert len(server.requests) == 1
    assert silenced(caller) == ({(reason, SERVICE): 3} if reason else {})


def broken(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def test_a_reader_of_whom_nothing_is_known_sees_the_card(
    calling: MakeCaller, server: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No PractitionerRole, or one that is another server's, cannot be had, is not the one asked for, or comes late."""
    server.on("PractitionerRole/gone", 404)
    server.on("PractitionerRole/broken", broken)
    server.on("PractitionerRole/swapped", role(role_id="other"))
    server.on("PractitionerRole/patient", {"resourceType": "Patient"})
    server.on("PractitionerRole/late", role())
    caller = calling(quiet={"roles": [OTHER]})
    for name in ("gone", "broken", "swapped", "patient"):
        assert len(shown(caller, f"PractitionerRole/{name}")) == 1
    asked = len(server.requests)
    assert asked == 4 - 1 + ATTEMPTS  # the broken one is tried again
    for user in ("", ANNA, "PractitionerRole/a/b", "https://elsewhere.example/r4/PractitionerRole/r1"):
        assert len(shown(caller, user)) == 1
    assert len(shown(caller, "PractitionerRole/gone")) == 1
    assert len(server.requests) == asked  # not asked again so soon
    monkeypatch.setattr(readers, "_PATIENCE", 0.0)
    assert len(shown(caller, "PractitionerRole/late")) == 1


def test_without_a_rule_on_readers_none_is_asked_for(calling: MakeCaller, server: FhirServer) -> None:
    """No request is made for what nobody wants to know."""
    assert len(shown(calling(), "PractitionerRole/r1")) == 1
    assert server.requests == []


def test_the_clients_entry_stands_for_its_readers() -> None:
    """Where the user's role cannot be told, what site.toml says of the client counts, else nothing."""
    entry = EhrClient(issuer="https://e", jwks_url="https://e/keys", role=OTHER)
    known = Readers(FhirServers(()), [entry])
    call = HookRequest("patient-view", Context(PATIENT, "PractitionerRole/r1"), fhirServer=BASE)
    found = [asyncio.run(known.reader(call, issuer)) for issuer in ("https://e", "https://other", "")]
    assert found == [Reader(frozenset({OTHER})), Reader(), Reader()]


def test_a_role_is_taken_from_the_calls_server_and_the_rest_from_the_clients_entry(server: FhirServer) -> None:
    """What the PractitionerRole does not say is the client's; one on another server, listed too, is not read."""
    entry = EhrClient(issuer="https://e", jwks_url="https://e/keys", role=OTHER, speciality=OTHER)
    server.on("PractitionerRole/r1", {**role(), "code": []})
    listed = (Listed(url=BASE), Listed(url="https://other.example/r4"))
    known = Readers(reach_of(Settings(fhir=listed), open_http(server)).servers, [entry])

    def found(user: str) -> Reader:
        call = HookRequest("patient-view", Context(PATIENT, user), fhirServer=BASE)
        return asyncio.run(known.reader(call, "https://e"))

    assert found("PractitionerRole/r1") == Reader(frozenset({OTHER}), frozenset({"https://e|oncology"}))
    assert found("https://other.example/r4/PractitionerRole/r1") == Reader(frozenset({OTHER}), frozenset({OTHER}))
