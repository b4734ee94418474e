"""Emergency calls through the whole app: what is answered at once, later, and when something goes wrong."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.riskassessment import RiskAssessment

from service.errors import TABLE, Category
from tests.app.emergency_calls import (
    KEYS,
    NOW,
    PATH,
    STREAM,
    HeldServer,
    Stream,
    at_hand,
    call,
    changed,
    named,
    shipped,
)
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import BASE, JSON, PATIENT, Caller, bundle, hook_call, issue_of, meters

CANARY = "Mrs Canary"
OTHERS = ("genetics", "sequences", "procedures")


@pytest.fixture
def server() -> Iterator[HeldServer]:
    """The hospital's FHIR server, which can be held back."""
    server = HeldServer()
    yield server
    assert not server.unmatched


@pytest.fixture
def caller(calling: MakeCaller) -> Caller:
    """A department, half an hour after the patient of the example arrived."""
    return calling(package=shipped(), now=lambda: NOW)


def asked(caller: Caller, **members: object) -> httpx.Response:
    return caller.request("POST", PATH, json=call(**members))


def found(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assessment: dict[str, Any] = response.json()
    return assessment


def code_of(assessment: dict[str, Any]) -> str:
    return str(assessment["abstained"]["code"])


def ledger(assessment: dict[str, Any]) -> dict[str, str]:
    return {line["key"]: line["state"] for line in assessment["retrieval"]}


def test_the_examples_of_the_document_are_answered(caller: Caller, server: HeldServer) -> None:
    """Each example of the OpenAPI document is a call that gets a score."""
    server.holds_chart(at_hand("ed-1"), "ed-1")
    server.on("Encounter/arrival-1", 404)
    document = caller.get("/openapi.json").json()
    described = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    assert described["schema"]["$ref"].rpartition("/")[2] in document["components"]["schemas"]
    for name, example in described["examples"].items():
        assert found(asked(caller, **example["value"]))["status"] == "scored", name


def test_a_bundle_is_scored_by_itself(caller: Caller, server: HeldServer) -> None:
    """Without a patient id the Bundle is all there is: nothing is read, and the one answer is final."""
    response = asked(caller, bundle=bundle(*at_hand()))
    assessment = found(response)
    assert response.headers["cache-control"] == "no-store"
    assert (assessment["status"], assessment["patient"]) == ("scored", f"Patient/{PATIENT}")
    assert (assessment["setting"]["key"], assessment["setting"]["rule"]) == ("acute", "A")
    assert "survival" not in assessment
    assert assessment["update"] == {"number": 1, "final": True}
    assert ledger(assessment) == {"bundle": "complete"}
    assert server.requests == []


def test_the_answer_may_be_a_risk_assessment(caller: Caller) -> None:
    """For who accepts FHIR, scored or not; it names the encounter of the call and holds no probability."""
    for resources, predictions in ((at_hand(), 1), (at_hand()[:1], 0)):
        body = call(bundle=bundle(*resources), encounterId="arrival")
        response = caller.request("POST", PATH, json=body, headers={"accept": JSON})
        written = RiskAssessment.model_validate_json(response.content)
        assert response.headers["content-type"] == JSON
        assert written.encounter is not None
        assert written.encounter.reference == "Encounter/arrival"
        assert len(written.prediction or ()) == predictions
        assert "probability" not in response.text


def test_the_only_server_need_not_be_named(caller: Caller, server: HeldServer) -> None:
    """A patient id alone is read from the site's only server, what an emergency turns on first."""
    server.holds_chart(at_hand())
    assessment = found(asked(caller, patientId=PATIENT))
    assert assessment["status"] == "scored"
    assert [line["key"] for line in assessment["retrieval"]][:3] == ["patient", "conditions", "function"]
    assert set(ledger(assessment)) == set(KEYS)


def test_the_first_answer_does_not_wait(caller: Caller, server: HeldServer) -> None:
    """What is at hand is scored before anything is read, then better answers come, the last one final."""
    server.holds_chart(at_hand(), function=bundle(changed(named("pulse", at_hand()), id="later")))
    server.hold(*KEYS)

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT, bundle=bundle(*at_hand()[:-1]))) as stream:
            first = await stream.event()
            assert first is not None
            assert (first.name, first.id, first.data["status"]) == ("assessment", "1", "scored")
            assert first.data["update"] == {"number": 1, "final": False}
            assert ledger(first.data)["laboratory"] == "failed"
            server.let_go("patient", "conditions", "laboratory")
            second = await stream.event()
            assert second is not None
            before, update = first.data["position"], second.data["update"]
            assert update["previous"] == {name: before[name] for name in ("percentile", "low", "high")}
            assert (update["number"], update["final"]) == (2, False)
            assert second.data["changedBy"][0]["feature"] == "lab_albumin"
            server.let_go(*KEYS)
            *_, last = await stream.events()
            assert last.data["update"]["final"]
            assert int(last.id) == last.data["update"]["number"]
            assert set(ledger(last.data).values()) <= {"complete", "empty"}

    asyncio.run(listen())


def test_what_says_nothing_new_is_not_sent(caller: Caller, server: HeldServer) -> None:
    """Queries that bring nothing do not make an event; the last one comes all the same."""
    server.holds_chart(at_hand())
    server.hold(*OTHERS)

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT)) as stream:
            first = await stream.event()
            for key in OTHERS:
                server.let_go(key)
            (last,) = await stream.events()
            assert first is not None
            assert (first.id, last.id) == ("1", "2")
            assert "changedBy" not in last.data

    asyncio.run(listen())


def test_too_little_so_far_is_no_answer(caller: Caller, server: HeldServer) -> None:
    """The first event is a score or final, never that too little is known so far."""
    server.holds_chart(at_hand())

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT, bundle=bundle(*at_hand()[:2]))) as stream:
            first = await stream.event()
            assert first is not None
            assert (first.id, first.data["status"]) == ("1", "scored")
            await stream.events()

    asyncio.run(listen())


def test_a_correction_replaces_the_value(caller: Caller, server: HeldServer) -> None:
    """A newer version of what was at hand replaces it, for better or for worse, and the answer says so."""
    resources = at_hand()
    albumin = changed(named("albumin", resources), meta={"lastUpdated": "2026-06-30T08:12:00Z"})
    corrected = changed(
        albumin,
        status="corrected",
        meta={"lastUpdated": "2026-06-30T08:20:00Z"},
        valueQuantity={**albumin["valueQuantity"], "value": 41},
    )
    server.holds_chart([*resources[:-1], corrected])

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT, bundle=bundle(*resources[:-1], albumin))) as stream:
            first, *_, last = await stream.events()
            values = [
                {factor["feature"]: factor["value"] for factor in event.data["attribution"]} for event in (first, last)
            ]
            assert [value["lab_albumin"] for value in values] == [2.7, 4.1]

    asyncio.run(listen())


@pytest.mark.parametrize(("mine", "theirs"), [("", "2026-06-30T08:20:00Z"), ("2026-06-30T08:20:00Z", ""), ("", "")])
def test_of_two_copies_that_do_not_say_which_is_newer_the_servers_stands(
    caller: Caller, server: HeldServer, mine: str, theirs: str
) -> None:
    """A department's copy need not say when it was updated; the tumour is not lost by that."""
    resources = at_hand()
    copies = [
        changed(
            named("tumour", resources), onsetDateTime=onset, **({"meta": {"lastUpdated": moment}} if moment else {})
        )
        for onset, moment in (("2025-11-03", mine), ("2024-11-03", theirs))
    ]
    others = [resource for resource in resources if resource["id"] != "tumour"]
    server.holds_chart([*others, copies[1]])
    assessment = found(asked(caller, patientId=PATIENT, bundle=bundle(*others, copies[0])))
    assert (assessment["status"], assessment["entity"]["key"]) == ("scored", "entity_colon")
    assert "version-unclear" not in {issue["code"] for issue in assessment.get("issues", ())}


def test_a_later_value_counts_though_it_is_worse(caller: Caller, server: HeldServer) -> None:
    """A worse creatinine that was drawn later stands in the place of the first, and its factor is told."""
    resources = at_hand()
    creatinine = named("creatinine", resources)
    quantity = {**creatinine["valueQuantity"], "value": 4.2}
    later = changed(creatinine, id="second", effectiveDateTime="2026-06-30T08:25:00Z", valueQuantity=quantity)
    server.holds_chart(resources, function=bundle(later))

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT, bundle=bundle(*resources))) as stream:
            events = await stream.events()
            changes = [change for event in events for change in event.data.get("changedBy", ())]
            (told,) = [change for change in changes if change["feature"] == "lab_creatinine"]
            assert told["factor"] > 1

    asyncio.run(listen())


def down(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(CANARY)


def test_a_server_that_dies_leaves_the_best_score(caller: Caller, server: HeldServer) -> None:
    """The FHIR server fails in the middle of a stream: the last event is the score so far, and says what happened."""
    server.holds_chart(at_hand(), genetics=down)
    server.hold("genetics")

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT)) as stream:
            first = await stream.event()
            server.let_go("genetics")
            *_, last = await stream.events()
            assert first is not None
            assert (first.data["status"], last.data["status"]) == ("scored", "scored")
            assert last.data["update"]["final"]
            assert "incomplete" in last.codes - first.codes
            assert ledger(last.data)["genetics"] == "failed"

    asyncio.run(listen())
    assert meters(caller, "oncohooks_gaps_total") == {("genetics", "failed"): 1}


def test_a_server_that_is_down_is_told(caller: Caller, server: HeldServer) -> None:
    """With nothing to score, a failing server is an error: as a status, or as the last event of a stream."""
    server.holds_chart(at_hand(), patient=down)
    response = asked(caller, patientId=PATIENT)
    assert (response.status_code, issue_of(response)["category"]) == (502, Category.FHIR_UNREACHABLE)

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT)) as stream:
            (last,) = await stream.events()
            assert (stream.status, last.name) == (200, "error")
            assert last.data["issue"][0]["details"]["coding"][0]["code"] == Category.FHIR_UNREACHABLE
            assert CANARY not in str(last)

    asyncio.run(listen())


def test_an_unknown_patient_is_told(caller: Caller, server: HeldServer) -> None:
    """A patient whom the server does not know is 404."""
    server.holds_chart(at_hand(), patient=404)
    response = asked(caller, patientId=PATIENT)
    assert (response.status_code, issue_of(response)["category"]) == (404, Category.UNKNOWN_PATIENT)


def test_what_belongs_to_another_ends_the_stream(caller: Caller, server: HeldServer) -> None:
    """Another patient's data that arrive late end the stream without a score, the rest is not read, an alarm counts."""
    stranger = changed(named("albumin", at_hand()), id="x", subject={"reference": "Patient/other"})
    server.holds_chart(at_hand(), tumour=bundle(stranger))
    server.hold("tumour", "genetics")

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT, bundle=bundle(*at_hand()))) as stream:
            first = await stream.event()
            server.let_go("tumour")
            *_, last = await stream.events()
            assert first is not None
            assert first.data["status"] == "scored"
            assert (code_of(last.data), last.data["update"]["final"]) == ("foreign-patient", True)
            assert last.data.keys().isdisjoint({"riskScore", "position", "attribution"})
        assert server.busy == 0

    asyncio.run(listen())
    assert meters(caller, "oncohooks_wrong_patient_total") == {("any", "emergency-assessments"): 1}


@pytest.mark.parametrize(
    ("member", "value"),
    [("tag", "Patient/other"), ("absolute", f"https://elsewhere.example/r4/Patient/{PATIENT}")],
)
def test_a_bundle_is_all_the_patients(caller: Caller, server: HeldServer, member: str, value: str) -> None:
    """One resource of another patient in the Bundle, and nothing is scored, with a patient id as without."""
    stranger = changed(named("albumin", at_hand()), id=member, subject={"reference": value})
    for who in (None, PATIENT):
        assert code_of(found(asked(caller, patientId=who, bundle=bundle(*at_hand(), stranger)))) == "foreign-patient"
    assert server.requests == []


def test_a_bundle_of_two_patients_is_no_ones(caller: Caller) -> None:
    """Without a patient id it is a wrong call; with one, the other Patient is another patient's resource."""
    two = bundle(*at_hand(), {"resourceType": "Patient", "id": "other"})
    response = asked(caller, bundle=two)
    assert (response.status_code, issue_of(response)["category"]) == (400, Category.MALFORMED)
    assert "2 Patients" in issue_of(response)["diagnostics"]
    assert code_of(found(asked(caller, bundle=two, patientId=PATIENT))) == "foreign-patient"


SETTLED: dict[str, dict[str, Any]] = {
    "deceased": {"deceasedBoolean": True},
    "under-18": {"birthDate": "2015-01-01"},
    "record-replaced": {"active": False, "link": [{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]},
    "restricted": {
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    },
}


@pytest.mark.parametrize("code", SETTLED)
def test_who_is_not_scored_learns_it_at_once(caller: Caller, server: HeldServer, code: str) -> None:
    """What more data cannot change is the last word, whatever the server is still looking for."""
    person, *others = at_hand()
    person |= SETTLED[code]
    server.holds_chart([person, *others])
    server.hold(*(key for key in KEYS if key not in {"patient", "conditions"}))

    async def listen() -> None:
        calls: tuple[dict[str, Any], ...] = ({"bundle": bundle(person, *others)}, {})
        for members in calls:
            async with Stream(caller.app, call(patientId=PATIENT, **members)) as stream:
                (last,) = await stream.events()
                assert (code_of(last.data), last.data["update"]) == (code, {"number": 1, "final": True})
            assert server.busy == 0

    asyncio.run(listen())


def test_no_tumour_is_final_once_the_diagnoses_are_read(caller: Caller, server: HeldServer) -> None:
    """Who has no known solid tumour learns it when Conditions and pathology are complete, and not before."""
    person = at_hand()[0]
    server.holds_chart([person])
    server.hold(*(key for key in KEYS if key != "patient"))

    async def listen() -> None:
        async with Stream(caller.app, call(patientId=PATIENT, bundle=bundle(person))) as stream:
            waiting = asyncio.ensure_future(stream.event())
            server.let_go("conditions", "function")
            server.let_go("tumour")
            last = await waiting
            assert last is not None
            assert (code_of(last.data), last.data["update"]["final"]) == ("no-solid-tumour", True)
            assert await stream.events() == []
        assert server.busy == 0

    asyncio.run(listen())


def test_the_deadline_ends_the_waiting(caller: Caller, server: HeldServer) -> None:
    """What had not arrived is missing, and the answer says so; nothing more is read for it."""
    server.holds_chart(at_hand())
    server.hold(*OTHERS)
    assessment = found(asked(caller, patientId=PATIENT, deadlineMs=300))
    assert assessment["status"] == "scored"
    assert "incomplete" in {notice["code"] for notice in assessment["notices"]}
    assert {key for key, state in ledger(assessment).items() if state == "failed"} == set(OTHERS)
    assert server.busy == 0


def test_the_deadline_may_come_before_anything(caller: Caller, server: HeldServer) -> None:
    """Where nothing was read and nothing is at hand, it is a timeout; what is at hand is scored all the same."""
    server.holds_chart(at_hand())
    server.hold(*KEYS)
    response = asked(caller, patientId=PATIENT, deadlineMs=60)
    assert (response.status_code, issue_of(response)["category"]) == (504, Category.FHIR_TIMEOUT)
    server.hold(*KEYS)
    assessment = found(asked(caller, patientId=PATIENT, deadlineMs=60, bundle=bundle(*at_hand())))
    assert assessment["status"] == "scored"


@pytest.mark.parametrize("deadline", [0, -1, 49, 60_001, 600_000, 1.5, "500", True, 10**30])
def test_a_deadline_that_is_none_is_refused(caller: Caller, deadline: object) -> None:
    """From 50 ms to a minute; anything else is a wrong call that names the member."""
    response = asked(caller, bundle=bundle(*at_hand()), deadlineMs=deadline)
    assert (response.status_code, issue_of(response)["category"]) == (400, Category.MALFORMED)
    assert issue_of(response)["diagnostics"].startswith("deadlineMs: ")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "patientId or bundle"),
        ({"patientId": None}, "patientId or bundle"),
        ({"patientId": "a/b"}, "patientId: "),
        ({"patientId": ".."}, "patientId: "),
        ({"patientId": PATIENT, "encounterId": "../metadata"}, "encounterId: "),
        ({"patientId": 1}, "patientId: "),
        ({"patientId": PATIENT, "fhirServer": ""}, "fhirServer: "),
        ({"bundle": {"resourceType": "Patient", "id": "a"}}, "bundle is no FHIR Bundle"),
        ({"bundle": []}, "bundle is no FHIR Bundle"),
        ({"bundle": bundle()}, "0 Patients"),
        ({"patientId": PATIENT, CANARY: 1}, "a member that is not known"),
    ],
)
def test_a_wrong_call_is_told(caller: Caller, members: dict[str, object], said: str) -> None:
    """Which member is wrong is named; what the caller wrote is not repeated."""
    response = caller.request("POST", PATH, json=members)
    assert (response.status_code, issue_of(response)["category"]) == (400, Category.MALFORMED)
    assert said in issue_of(response)["diagnostics"]
    assert CANARY not in response.text


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"\xff", b'{"patientId":"a","patientId":"b"}', b'{"bundle":{"resourceType":"Bundle","entry":['],
)
@pytest.mark.parametrize("headers", [{}, STREAM])
def test_a_body_that_is_no_call_is_told(caller: Caller, body: bytes, headers: dict[str, str]) -> None:
    """Before a stream begins, what is wrong with the call is a status."""
    response = caller.request("POST", PATH, content=body, headers=headers)
    assert (response.status_code, issue_of(response)["category"]) == (400, Category.MALFORMED)


def test_a_bundle_of_20_megabytes_is_too_large(caller: Caller) -> None:
    """The limits of a hook call hold: bytes of the body, and entries."""
    response = caller.request("POST", PATH, content=b'{"bundle":"' + b" " * (20 * 2**20) + b'"}')
    assert (response.status_code, issue_of(response)["category"]) == (413, Category.TOO_LARGE)


def test_a_bundle_of_too_many_entries_is_refused(calling: MakeCaller) -> None:
    """As in a prefetch."""
    response = asked(calling(limits={"entries": 5}), bundle=bundle(*at_hand()))
    assert (response.status_code, issue_of(response)["category"]) == (413, Category.TOO_MANY_ENTRIES)


def test_a_broken_entry_costs_itself(caller: Caller) -> None:
    """The others are scored, and the issue names it."""
    broken = changed(named("albumin", at_hand()), status=["final"])
    assessment = found(asked(caller, bundle=bundle(*at_hand()[:-1], broken)))
    assert assessment["status"] == "scored"
    assert ledger(assessment) == {"bundle": "partial"}
    assert ("unreadable", "Observation/albumin") in {(i["code"], i["source"]) for i in assessment["issues"]}


def test_which_server_must_be_clear(calling: MakeCaller, server: HeldServer) -> None:
    """With several it has to be named; one that is not listed matters only where something must be read."""
    options: dict[str, Any] = {"package": shipped(), "now": lambda: NOW}
    several = calling(fhir=[{"url": BASE}, {"url": "https://second.example/r4"}], **options)
    elsewhere = "https://elsewhere.example/r4"
    told = [
        asked(several, patientId=PATIENT),
        asked(several, patientId=PATIENT, fhirServer=elsewhere),
        asked(several, patientId=PATIENT, fhirServer=elsewhere, bundle=bundle(at_hand()[0])),
        asked(calling(fhir=[], **options), patientId=PATIENT),
    ]
    categories = [Category.MALFORMED, *[Category.SERVER_NOT_LISTED] * 2, Category.UNOBTAINABLE]
    assert [issue_of(response)["category"] for response in told] == categories
    assert [response.status_code for response in told] == [TABLE[category].status for category in categories]
    at_home = json.loads(json.dumps(bundle(*at_hand())).replace(BASE, elsewhere))
    assessment = found(asked(several, patientId=PATIENT, fhirServer=elsewhere, bundle=at_home))
    assert assessment["status"] == "scored"
    assert ledger(assessment) == {"bundle": "complete", **dict.fromkeys(KEYS, "notAsked")}
    assert server.requests == []


def test_an_unknown_encounter_is_said_and_does_no_harm(caller: Caller, server: HeldServer) -> None:
    """The patient is scored; a notice and an issue say that the encounter is not to be had."""
    server.holds_chart(at_hand())
    server.on("Encounter/nowhere", 404)
    for members in ({"patientId": PATIENT}, {"bundle": bundle(*at_hand())}):
        assessment = found(asked(caller, encounterId="nowhere", **members))
        assert assessment["status"] == "scored"
        assert "encounter-unknown" in {notice["code"] for notice in assessment["notices"]}
        assert "Encounter/nowhere" in {issue.get("source") for issue in assessment["issues"]}


@pytest.mark.parametrize(("subject", "code"), [("Patient/other", "foreign-patient"), (f"Patient/{PATIENT}", "")])
def test_an_encounter_is_looked_at_for_whose_it_is(caller: Caller, server: HeldServer, subject: str, code: str) -> None:
    """An encounter of another patient stops everything, the patient's own is read."""
    arrival = {
        "resourceType": "Encounter",
        "id": "arrival",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "subject": {"reference": subject},
        "period": {"start": "2026-06-30T08:00:00Z"},
    }
    server.holds_chart(at_hand())
    server.on("Encounter/arrival", arrival)
    assessment = found(asked(caller, patientId=PATIENT, encounterId="arrival"))
    assert assessment.get("abstained", {}).get("code", "") == code
    if not code:
        assert assessment["setting"]["timeZero"] == "2026-06-30T08:00:00+00:00"
        assert "encounter-unknown" not in {notice["code"] for notice in assessment["notices"]}


@pytest.mark.parametrize("headers", [STREAM, {"accept": "application/json"}])
def test_a_client_that_goes_away_stops_the_work(caller: Caller, server: HeldServer, headers: dict[str, str]) -> None:
    """No request to the FHIR server is left when the client is gone."""
    server.holds_chart(at_hand())
    server.hold("laboratory", "genetics")

    async def go() -> None:
        stream = Stream(caller.app, call(patientId=PATIENT, deadlineMs=60_000), **headers)
        running = asyncio.create_task(stream.run())
        await server.asked(len(KEYS))
        stream.leave()
        async with asyncio.timeout(20):
            await running
        assert server.busy == 0

    asyncio.run(go())


def test_a_stream_is_taken_up_where_it_was_lost(caller: Caller, server: HeldServer) -> None:
    """With Last-Event-ID the numbers go on, and the first event is the best there is; nonsense counts as none."""
    server.holds_chart(at_hand())

    async def first_id(said: str) -> str:
        headers = {"last-event-id": said}
        async with Stream(caller.app, call(bundle=bundle(*at_hand())), **headers) as stream:
            (only,) = await stream.events()
            assert only.data["update"]["number"] == int(only.id)
            return only.id

    ids = [asyncio.run(first_id(said)) for said in ("7", "0", "", "x", "-3", "1" * 40)]
    assert ids == ["8", "1", "1", "1", "1", "1"]


def test_two_emergencies_of_one_patient_do_not_disturb_each_other(caller: Caller, server: HeldServer) -> None:
    """Each has its own numbers and its own last event, and both say the same."""
    server.holds_chart(at_hand())

    async def one() -> list[Any]:
        async with Stream(caller.app, call(patientId=PATIENT)) as stream:
            return await stream.events()

    async def both() -> None:
        one_, other = await asyncio.gather(one(), one())
        assert one_[0].id == other[0].id == "1"
        assert one_[-1].data["update"]["final"]
        assert other[-1].data["update"]["final"]
        assert one_[-1].data["position"] == other[-1].data["position"]

    asyncio.run(both())


def test_only_clients_may_ask(calling: MakeCaller) -> None:
    """As of the hooks: without a token there is nothing but 401."""
    response = asked(calling(auth="required"), bundle=bundle(*at_hand()))
    assert (response.status_code, response.content) == (401, b"")


def test_under_overload_charts_are_turned_away_and_emergencies_are_not(calling: MakeCaller, server: HeldServer) -> None:
    """A chart-open call that does not fit is 503 with Retry-After, an emergency is answered; it is counted."""
    limits = {"hooks_at_once": 1, "hooks_waiting": 0}
    caller = calling(package=shipped(), now=lambda: NOW, limits=limits)
    server.holds_chart(at_hand())
    server.hold("laboratory")

    async def go() -> None:
        transport = httpx.ASGITransport(caller.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.example") as client:
            path = "/cds-services/pan-cancer-prognosis"
            first = asyncio.create_task(client.post(path, json=hook_call(fhirServer=BASE)))
            await server.asked(len(KEYS))
            second = await client.post(path, json=hook_call(fhirServer=BASE))
            assert (second.status_code, second.headers["retry-after"]) == (503, "1")
            assert issue_of(second)["category"] == Category.OVERLOADED
            emergency = await client.post(PATH, json=call(bundle=bundle(*at_hand())))
            assert emergency.json()["status"] == "scored"
            assert (await client.get("/cds-services")).status_code == 200
            server.let_go("laboratory")
            assert (await first).status_code == 200

    asyncio.run(go())
    assert meters(caller, "oncohooks_shed_total") == {("chart-open",): 1}


def test_what_became_of_emergencies_is_counted(caller: Caller) -> None:
    """Scored, abstained and refused calls are in the meter of outcomes."""
    asked(caller, bundle=bundle(*at_hand()))
    asked(caller, bundle=bundle(at_hand()[0]))
    asked(caller, deadlineMs=0)
    counted = meters(caller, "oncohooks_outcomes_total")
    assert counted == {
        ("", "scored", "emergency-assessments"): 1,
        ("no-solid-tumour", "abstained", "emergency-assessments"): 1,
        ("malformed", "error", "emergency-assessments"): 1,
    }
