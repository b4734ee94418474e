"""A card's uuid, and the record that the card was shown."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from service.assessment import assess
from service.cds_hooks.card_identity import IssuedCards, Recipient, card_uuid, leading_factor, reader_name
from service.cds_hooks.cards import card_for
from service.cds_hooks.wire import Card
from service.state.feedback import ProcessFeedback, StateDownError
from service.state.site_key import SiteKey
from service.telemetry import Telemetry
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import BASE, PATIENT, Caller, full_prefetch, patient
from tests.unit.service.made_up_patients import AT, package, record

KEY = b"k" * 32
RECIPIENT = Recipient("https://ehr.example", BASE, PATIENT, "pan-cancer-prognosis")


def card_of(patient_id: str = "demo-lung") -> Card:
    return card_for(assess(record(patient_id), AT, package()), "https://service.example/model")


def uuid_of(response: httpx.Response) -> str:
    (card,) = response.json()["cards"]
    found: str = card["uuid"]
    return found


def test_a_uuid_is_one_and_repeats() -> None:
    """It is a UUID that every library accepts, the same for the same card and recipient (requirements 80-82)."""
    uuid = card_uuid(card_of(), RECIPIENT, KEY)
    assert (str(UUID(uuid)), UUID(uuid).version) == (uuid, 4)
    assert card_uuid(card_of(), RECIPIENT, KEY) == uuid


@pytest.mark.parametrize("member", Recipient.__struct_fields__)
def test_whoever_differs_has_another_uuid(member: str) -> None:
    """Another client, server, patient or service: another uuid, also where two members together read the same."""
    other = msgspec.structs.replace(RECIPIENT, **{member: "x"})
    shifted = Recipient(RECIPIENT.client + RECIPIENT.server, "", RECIPIENT.patient, RECIPIENT.service)
    uuids = {card_uuid(card_of(), recipient, KEY) for recipient in (RECIPIENT, other, shifted)}
    assert len(uuids) == 3


def test_a_readers_name_is_that_of_one_user_before_one_chart() -> None:
    """Another user, client, server, patient or service has another; the slash at a server's end is none."""
    others = [msgspec.structs.replace(RECIPIENT, **{m: "x"}) for m in ("client", "server", "patient", "service")]
    named = [reader_name(one, "anna", KEY) for one in (RECIPIENT, *others)]
    assert len({*named, reader_name(RECIPIENT, "bert", KEY), reader_name(RECIPIENT, "anna", b"x" * 32)}) == 7
    slash = msgspec.structs.replace(RECIPIENT, server=f"{BASE}/", user="anna")
    assert reader_name(slash, "anna", KEY) == named[0]


@pytest.mark.parametrize(("member", "value"), [("summary", "x"), ("indicator", "warning"), ("detail", "x")])
def test_other_content_has_another_uuid(member: str, value: str) -> None:
    """What people read decides; the uuid itself, and how often the record was asked, do not."""
    card = card_of()
    changed: dict[str, Any] = {member: value}
    assert card_uuid(msgspec.structs.replace(card, **changed), RECIPIENT, KEY) != card_uuid(card, RECIPIENT, KEY)
    again = msgspec.structs.replace(card, uuid="u", extension={"org.oncohooks.assessment": {"assessedAt": "later"}})
    assert card_uuid(again, RECIPIENT, KEY) == card_uuid(card, RECIPIENT, KEY)


def test_without_the_key_nothing_follows() -> None:
    """Another key gives another uuid: whoever guesses a patient cannot check the guess."""
    assert card_uuid(card_of(), RECIPIENT, KEY) != card_uuid(card_of(), RECIPIENT, b"x" * 32)


def test_a_trailing_slash_is_no_other_server() -> None:
    """The same FHIR server, written with and without its last slash, is the same."""
    slash = msgspec.structs.replace(RECIPIENT, server=f"{BASE}/")
    assert card_uuid(card_of(), slash, KEY) == card_uuid(card_of(), RECIPIENT, KEY)


def test_the_hook_repeats_a_card_and_never_shares_it(caller: Caller) -> None:
    """Called twice, at two moments, the same record gives the same uuid, another patient's another."""
    first, again = (uuid_of(caller.hook(prefetch=full_prefetch())) for _ in range(2))
    context = {"userId": "Practitioner/1", "patientId": "other"}
    other = uuid_of(caller.hook(prefetch=full_prefetch(patient=patient("other")), context=context))
    assert first == again != other


def test_every_card_offers_reasons(caller: Caller) -> None:
    """Each with code, system and display (CDS Hooks 2.0, requirements 98-100, 136, 219)."""
    (card,) = caller.hook(prefetch=full_prefetch()).json()["cards"]
    assert len(card["overrideReasons"]) == 5
    assert all(reason.keys() == {"code", "system", "display"} for reason in card["overrideReasons"])


def test_the_key_is_the_sites_or_the_stores(calling: MakeCaller, tmp_path: Path) -> None:
    """Replicas agree by the setting or by what they share; processes that share nothing do not."""

    def uuids(**state: str) -> set[str]:
        return {uuid_of(calling(state=state).hook(prefetch=full_prefetch())) for _ in range(2)}

    assert len(uuids(key="k" * 32)) == 1
    assert len(uuids(file=str(tmp_path / "state.sqlite"))) == 1
    assert len(uuids()) == 2


class Down(ProcessFeedback):
    """A store that is down until it is told otherwise."""

    down = True

    async def issued(self, card: Any) -> None:
        if self.down:
            raise StateDownError
        await super().issued(card)

    async def key(self, fresh: bytes) -> bytes:  # noqa: ARG002
        if self.down:
            raise StateDownError
        return KEY


def now() -> datetime:
    return datetime(2026, 6, 30, tzinfo=UTC)


def test_a_store_that_is_down_stops_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile the process has a key of its own and counts what it could not keep; then all is as it should be."""
    telemetry, store = Telemetry(), Down(now, 400)
    key = SiteKey(store, None)
    issued = IssuedCards(store, telemetry, now, key)
    assessment = assess(record("demo-lung"), AT, package())

    async def run() -> list[str]:
        first = await issued.identified(card_of(), RECIPIENT)
        await issued.keep(first, RECIPIENT, assessment)
        store.down = False
        second = await issued.identified(card_of(), RECIPIENT)  # not asked again so soon
        monkeypatch.setattr(key, "_ask_at", 0.0)
        third = await issued.identified(card_of(), RECIPIENT)
        await issued.keep(third, RECIPIENT, assessment)
        (kept,) = (await store.kept(now().date())).cards
        assert (kept.card, kept.entity, kept.factor) == (third.uuid, "entity_nsclc", leading_factor(assessment))
        return [first.uuid, second.uuid, third.uuid]

    first, second, third = asyncio.run(run())
    assert first == second != third == card_uuid(card_of(), RECIPIENT, KEY)
    assert b'oncohooks_not_kept_total{what="card"} 1.0' in telemetry.exposition()


def test_the_leading_factor_is_the_first_that_a_reader_sees() -> None:
    """The tumour type, which tells nobody of the group apart, does not count; an abstention has none."""
    assessment = assess(record("demo-lung"), AT, package())
    first = next(f for f in assessment.attribution if not f.feature.startswith("entity_"))
    assert leading_factor(assessment) == first.feature
    assert leading_factor(assess(record("demo-no-cancer"), AT, package())) == ""


def test_nothing_of_a_patient_is_kept(calling: MakeCaller, tmp_path: Path) -> None:
    """The file holds neither the patient's id nor the server's address."""
    file = tmp_path / "state.sqlite"
    calling(state={"file": str(file)}).hook(prefetch=full_prefetch(), fhirServer=BASE)
    written: Callable[[Path], bytes] = Path.read_bytes
    content = b"".join(written(part) for part in tmp_path.iterdir())
    assert b"pan-cancer-prognosis" in content
    assert PATIENT.encode() not in content
    assert b"fhir.example" not in content
