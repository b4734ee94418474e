"""A site that says which flags and consents object: from the settings to the card, whichever way a record comes."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.fhir.capability import OFFER
from service.site_queries import CONSENTS, FLAGS
from tests.app.emergency_calls import KEYS, NOW, PATH, HeldServer, Stream, at_hand, call, shipped
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import (
    BASE,
    EMERGENCY,
    HOOK,
    PATIENT,
    Caller,
    FhirServer,
    bundle,
    full_prefetch,
    hook_call,
    meters,
    outcome,
    patient,
)

SITE = "https://hospital.example/objections"
RULES = {"flags": [f"{SITE}|no-ai"], "consents": [f"{SITE}|ai"]}
WHO, OTHER = {"reference": f"Patient/{PATIENT}"}, {"reference": "Patient/other"}
NO_AI = {"coding": [{"system": SITE, "code": "no-ai"}]}
FLAG = {"resourceType": "Flag", "id": "f", "status": "active", "subject": WHO, "code": NO_AI}
DENIED = {"type": "deny", "code": [{"coding": [{"system": SITE, "code": "ai"}]}]}
CONSENT = {"resourceType": "Consent", "id": "c", "status": "active", "patient": WHO, "provision": DENIED}
R5 = {"resourceType": "Consent", "id": "c", "status": "active", "subject": WHO, "decision": "permit"}
R5_CONSENT = {**R5, "provision": [{"code": DENIED["code"]}]}
STU3_CONSENT = {
    "resourceType": "Consent",
    "id": "c",
    "status": "active",
    "patient": WHO,
    "except": [{"type": "deny", "code": [{"system": SITE, "code": "ai"}]}],
}
UNKNOWN = "objection-unknown"
FLAGS_URL, CONSENTS_URL = FLAGS.url(PATIENT), CONSENTS.url(PATIENT)


@pytest.fixture
def caller(calling: MakeCaller) -> Caller:
    return calling(restricted=RULES)


def code_of(response: httpx.Response) -> str:
    (card,) = response.json()["cards"]
    return str(card["extension"]["org.oncohooks.assessment"].get("abstained", {}).get("code", ""))


def holds(server: FhirServer, flags: Any = None, consents: Any = None) -> None:
    server.holds()
    server.on(FLAGS_URL, bundle() if flags is None else flags)
    server.on(CONSENTS_URL, bundle() if consents is None else consents)


class TestHooks:
    def test_discovery_asks_for_them_where_the_site_does(self, calling: MakeCaller) -> None:
        """After patient and conditions, among those that matter most; nothing where no code is set."""
        [with_both, without] = [
            calling(restricted=rules).get("/cds-services").json()["services"][0] for rules in (RULES, {})
        ]
        assert list(with_both["prefetch"])[:5] == ["patient", "conditions", "flags", "consents", "tumour"]
        assert "patient, conditions, flags, consents, tumour" in with_both["usageRequirements"]
        assert "flags" not in without["prefetch"]
        document = calling(restricted=RULES).get("/openapi.json").json()
        keys = document["components"]["schemas"]["HookRequest"]["properties"]["prefetch"]["properties"]
        assert {"flags", "consents"} <= keys.keys()

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ({"flags": bundle(FLAG), "consents": bundle()}, "restricted"),
            ({"flags": None, "consents": bundle(CONSENT)}, "restricted"),
            ({"flags": bundle(), "consents": None}, "no-solid-tumour"),
            ({"flags": bundle({**FLAG, "status": ["active"]}), "consents": None}, UNKNOWN),
            ({"flags": {**bundle(), "total": 3}, "consents": None}, UNKNOWN),
            ({"flags": bundle(following="https://fhir.example/r4?page=2"), "consents": None}, UNKNOWN),
            ({"flags": outcome(), "consents": None}, UNKNOWN),
            ({"consents": None}, UNKNOWN),
            ({"flags": bundle(outcome=outcome(code="4101")), "consents": None}, "no-solid-tumour"),
            ({"flags": bundle(patient()), "consents": None}, UNKNOWN),
            ({"flags": bundle({"resourceType": "Basic", "id": "b", "subject": WHO}), "consents": None}, UNKNOWN),
            ({"flags": {"resourceType": "Parameters"}, "consents": None}, UNKNOWN),
            ({"flags": {**bundle(), "entry": [{"response": {"status": "403"}}]}, "consents": None}, UNKNOWN),
            ({"flags": {**bundle(outcome=outcome("warning")), "total": 1}, "consents": None}, UNKNOWN),
            ({"flags": None, "consents": bundle(STU3_CONSENT)}, UNKNOWN),
        ],
    )
    def test_prefetch_is_enough(self, caller: Caller, sent: dict[str, Any], code: str) -> None:
        """What the client sends decides; what it could not get, cut or left out is not known."""
        response = caller.hook(prefetch=full_prefetch(**sent))
        assert code_of(response) == code
        assert (code, "abstained", "pan-cancer-prognosis") in meters(caller, "oncohooks_outcomes_total")

    @pytest.mark.parametrize(
        ("flags", "consents", "code"),
        [
            (bundle(FLAG), bundle(), "restricted"),
            (bundle(), bundle(CONSENT), "restricted"),
            (bundle(), bundle(), "no-solid-tumour"),
            (500, bundle(), UNKNOWN),
            (bundle(), 403, UNKNOWN),
            (bundle(FLAG), 403, "restricted"),
            (bundle(following=f"{BASE}/Flag?page=2"), bundle(), UNKNOWN),
        ],
    )
    def test_the_server_is_asked(
        self, caller: Caller, server: FhirServer, flags: Any, consents: Any, code: str
    ) -> None:
        """Every page; what it does not answer is not known."""
        holds(server, flags, consents)
        server.on("Flag?page=2", 500)
        response = caller.hook(fhirServer=BASE)
        assert code_of(response) == code
        assert [str(request.url).rpartition("/")[2].partition("?")[0] for request in server.requests][2:4] == [
            "Flag",
            "Consent",
        ]

    def test_of_an_objection_that_is_not_known_the_gap_is_told(self, caller: Caller, server: FhirServer) -> None:
        """On the card, in its ledger, and in the meter of gaps."""
        holds(server, 500)
        (card,) = caller.hook(fhirServer=BASE).json()["cards"]
        assert card["summary"] == "Not scored: whether the patient objects could not be read."
        ledger = {line["key"]: line["state"] for line in card["extension"]["org.oncohooks.assessment"]["retrieval"]}
        assert ledger == {"flags": "failed", "consents": "empty"}
        assert meters(caller, "oncohooks_gaps_total") == {("flags", "failed"): 1}

    @pytest.mark.parametrize(("key", "url"), [("flags", FLAGS_URL), ("consents", CONSENTS_URL)])
    def test_what_the_client_could_not_get_is_read(
        self, caller: Caller, server: FhirServer, key: str, url: str
    ) -> None:
        """As Patient and Condition are: nobody is scored without."""
        holds(server)
        sent = full_prefetch(**{"flags": bundle(), "consents": bundle(), key: outcome()})
        assert code_of(caller.hook(fhirServer=BASE, prefetch=sent)) == "no-solid-tumour"
        assert [str(request.url) for request in server.requests] == [f"{BASE}/{url}"]

    @pytest.mark.parametrize(
        "found",
        [
            {"flags": bundle({**FLAG, "subject": OTHER})},
            {"consents": bundle({**CONSENT, "patient": OTHER})},
            {"flags": bundle(FLAG), "consents": bundle({**CONSENT, "patient": OTHER})},
        ],
    )
    def test_another_patients_is_an_alarm(self, caller: Caller, server: FhirServer, found: dict[str, Any]) -> None:
        """Before anything else is said."""
        holds(server, **found)
        assert code_of(caller.hook(fhirServer=BASE)) == "foreign-patient"
        assert sum(meters(caller, "oncohooks_wrong_patient_total").values()) == 1

    @pytest.mark.parametrize(("version", "consent"), [("R4", CONSENT), ("R4B", CONSENT), ("R5", R5_CONSENT)])
    def test_every_version_is_read(
        self, calling: MakeCaller, server: FhirServer, version: str, consent: dict[str, Any]
    ) -> None:
        """As the server speaks it."""
        holds(server, None, bundle(consent))
        caller = calling(restricted=RULES, fhir=[{"url": BASE, "version": version}])
        assert code_of(caller.hook(fhirServer=BASE)) == "restricted"

    @pytest.mark.parametrize("clock", ["latest", "2020-01-01"])
    @pytest.mark.parametrize("path", [HOOK, PATH])
    def test_what_the_clock_says_does_not_make_an_objection_wait(
        self, calling: MakeCaller, server: FhirServer, clock: str, path: str
    ) -> None:
        """It begins when the patient says so, whatever the moment of assessment."""
        since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        holds(server, bundle({**FLAG, "period": {"start": since}}), bundle())
        caller = calling(restricted=RULES, clock=clock)
        if path == HOOK:
            assert code_of(caller.hook(fhirServer=BASE)) == "restricted"
        else:
            told = caller.request("POST", path, json=call(patientId=PATIENT)).json()
            assert told["abstained"]["code"] == "restricted"

    def test_without_the_setting_they_are_not_asked_for_nor_looked_at(self, calling: MakeCaller) -> None:
        """A client that sends them all the same changes nothing."""
        sent = full_prefetch(flags=bundle(FLAG), consents=bundle(CONSENT))
        assert code_of(calling().hook(prefetch=sent)) == "no-solid-tumour"
        assert code_of(calling(restricted={"flags": RULES["flags"]}).hook(prefetch=full_prefetch(flags=None))) == (
            "no-solid-tumour"
        )

    def test_a_fresh_answer_is_known_and_an_older_one_is_not(self, calling: MakeCaller, server: FhirServer) -> None:
        """A call later the server is not asked again; once it is and fails, the older answer does not count."""
        moment = [datetime.now(UTC)]
        caller = calling(
            restricted=RULES, now=lambda: moment[0], cache={"fresh_seconds": 30, "kept_seconds": 600, "shared": True}
        )
        codes = []

        async def run() -> None:
            transport = httpx.ASGITransport(caller.app)
            async with (
                caller.app.router.lifespan_context(caller.app),
                httpx.AsyncClient(transport=transport, base_url="http://service.example") as client,
            ):
                for seconds, flags in ((0, bundle()), (10, 500), (60, 500), (0, bundle(FLAG))):
                    moment[0] += timedelta(seconds=seconds)
                    holds(server, flags)
                    codes.append(code_of(await client.post(HOOK, json=hook_call(fhirServer=BASE))))
                    await caller.app.state.background.settled()

        server.on(OFFER, 404)
        asyncio.run(run())
        assert codes == ["no-solid-tumour", "no-solid-tumour", UNKNOWN, "restricted"]


@pytest.fixture
def held() -> Iterator[HeldServer]:
    """A server that can be held back, with the patient of the example, who objects to nothing."""
    server = HeldServer()
    server.holds_chart(at_hand())
    server.on(FLAGS_URL, bundle())
    server.on(CONSENTS_URL, bundle())
    yield server
    assert not server.unmatched


class TestEmergencies:
    @pytest.fixture
    def server(self, held: HeldServer) -> HeldServer:
        return held

    @pytest.fixture
    def caller(self, calling: MakeCaller) -> Caller:
        return calling(restricted=RULES, package=shipped(), now=lambda: NOW)

    def answer(self, caller: Caller, **members: Any) -> dict[str, Any]:
        response = caller.request("POST", PATH, json=call(**members))
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def events(self, caller: Caller, server: HeldServer, *keys: str, **members: Any) -> list[dict[str, Any]]:
        """Of a stream of which these queries are let go at last."""
        server.hold(*keys)

        async def listen() -> list[dict[str, Any]]:
            async with Stream(caller.app, call(patientId=PATIENT, **members)) as stream:
                await server.asked(len(KEYS) + 2)
                await asyncio.sleep(0.3)  # time for a picture of the rest, if there were to be one
                server.let_go(*keys)
                return [event.data for event in await stream.events()]

        return asyncio.run(listen())

    @pytest.mark.parametrize("members", [{}, {"bundle": bundle(*at_hand())}])
    def test_no_score_is_told_before_it_is_known_that_nobody_objects(
        self, caller: Caller, server: HeldServer, members: dict[str, Any]
    ) -> None:
        """Whatever is at hand: what is told begins once both answers are there."""
        events = self.events(caller, server, FLAGS_URL, **members)
        assert {event["status"] for event in events} == {"scored"}
        assert all({"flags", "consents"} <= {line["key"] for line in event["retrieval"]} for event in events)

    @pytest.mark.parametrize(("url", "found"), [(FLAGS_URL, FLAG), (CONSENTS_URL, CONSENT)])
    def test_an_objection_is_the_last_word(
        self, caller: Caller, server: HeldServer, url: str, found: dict[str, Any]
    ) -> None:
        """However late, and the first one too."""
        server.on(url, bundle(found))
        (last,) = self.events(caller, server, url, bundle=bundle(*at_hand()))
        assert (last["abstained"]["code"], last["update"]) == ("restricted", {"number": 1, "final": True})
        assert "retrieval" not in last

    def test_an_objection_at_hand_ends_the_reading(self, caller: Caller, server: HeldServer) -> None:
        """The server is not asked for more."""
        assert self.answer(caller, bundle=bundle(*at_hand(), FLAG))["abstained"]["code"] == "restricted"
        whole = self.answer(caller, patientId=PATIENT, bundle=bundle(*at_hand(), CONSENT))
        assert whole["abstained"]["code"] == "restricted"
        assert not server.requests

    @pytest.mark.parametrize("status", [403, 500])
    def test_what_the_server_does_not_say_is_not_known(self, caller: Caller, server: HeldServer, status: int) -> None:
        """The last answer says so, and nothing of the record; the gap is counted."""
        server.on(CONSENTS_URL, status)
        server.on("Encounter/none", 404)
        last = self.answer(caller, patientId=PATIENT, bundle=bundle(*at_hand()), encounterId="none")
        assert last["abstained"]["code"] == UNKNOWN
        assert {line["key"]: line["state"] for line in last["retrieval"]} == {"flags": "empty", "consents": "failed"}
        assert not {"entity", "coverage", "issues", "notices"} & last.keys()
        assert meters(caller, "oncohooks_gaps_total") == {("consents", "failed"): 1}

    def test_they_are_asked_for_before_what_a_score_can_do_without(self, caller: Caller, server: HeldServer) -> None:
        """Right after Patient and Condition."""
        self.answer(caller, patientId=PATIENT)
        asked = [request.url.path.rpartition("/")[2] for request in server.requests[:4]]
        assert asked == [PATIENT, "Condition", "Flag", "Consent"]

    def test_what_does_not_come_in_time_is_not_known(self, caller: Caller, server: HeldServer) -> None:
        """At the deadline the answer is that, and not an error."""
        server.hold(FLAGS_URL)
        last = self.answer(caller, patientId=PATIENT, deadlineMs=600)
        assert (last["abstained"]["code"], last["update"]["final"]) == (UNKNOWN, True)

    def test_a_bundle_alone_does_not_say_that_nobody_objects(self, caller: Caller) -> None:
        """Nobody was asked: neither a score, nor anything of the record."""
        whole = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in at_hand()]}
        for members in ({}, {"patientId": PATIENT, "fhirServer": "https://elsewhere.example/fhir"}):
            last = self.answer(caller, bundle=whole, **members)
            assert last["abstained"]["code"] == UNKNOWN

    def test_the_hook_of_an_emergency_is_the_same(self, caller: Caller, server: HeldServer) -> None:
        """As every hook."""
        server.on(FLAGS_URL, bundle(FLAG))
        context = {"userId": "Practitioner/1", "patientId": PATIENT, "encounterId": "e"}
        assert code_of(caller.hook(EMERGENCY, hook="encounter-start", context=context, fhirServer=BASE)) == "restricted"
