"""Secrets and what identifies a patient, put into every field and sent down every path: where they must never come out.

The patient's id is in answers, as their `patient`; everywhere else it is a secret too.
"""

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.app import create_app
from service.settings import Settings
from tests.app.emergency_calls import PATH, at_hand, call, shipped
from tests.app.test_own_authority import Guarded
from tests.unit.service.cds_hooks.ehr import elliptic
from tests.unit.service.far_end import BASE, HOOK, JSON, PATIENT, bundle, hook_call, leave
from tests.unit.service.fhir.authorisation_server import CLIENT, TOKEN_URL, pem

TEXT, MRN, DISPLAY = "canary-text", "canary-mrn", "canary-display"
TOKENS = ("s3cret", "client_assertion")  # the hook's, and what ours is asked for with
SIGNED = "eyJ"  # how what is signed for ours begins
# The three letters alone stand in sealed bytes by chance, in one of fifty runs or so.
SIGNED_AMONG_BYTES = re.compile(r"eyJ[A-Za-z0-9_-]{8}")
OF_THE_RECORD = (TEXT, MRN, DISPLAY)
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception", "diagnostics": TEXT}]}


def marked(value: Any) -> Any:
    """A resource with text wherever FHIR has room for it."""
    if isinstance(value, list):
        return [marked(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: marked(one) for name, one in value.items()}
    if "code" in value and "system" in value and "value" not in value:
        found["display"] = DISPLAY
    if "coding" in value:
        found["text"] = TEXT
    if "reference" in value:
        found |= {"display": DISPLAY, "identifier": {"system": "urn:mrn", "value": MRN}}
    if "resourceType" in value:
        found |= {
            "text": {"status": "generated", "div": f"<div>{TEXT}</div>"},
            "identifier": [{"system": "urn:mrn", "value": MRN}],
            "note": [{"text": TEXT}],
            "extension": [{"url": "urn:x", "valueString": TEXT}],
        }
    if value.get("resourceType") == "Patient":
        found |= {"name": [{"family": TEXT, "given": [TEXT]}], "address": [{"text": TEXT}], "telecom": [{"value": MRN}]}
    return found


class Told:
    """All that came out: answers by path, logs, spans, meters, and the bytes of what is kept."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.elsewhere: dict[str, str] = {}


def failing(server: Guarded, *keys: str, text: str = TEXT) -> None:
    for key in keys:
        server.on(key, lambda _: httpx.Response(500, json=ERROR, headers={"content-type": JSON, "x-why": text}))


async def everything(app: Any, server: Guarded, told: Told) -> None:
    chart = marked(at_hand())
    person, conditions, observations = chart[0], chart[1:2], chart[2:]
    held = {"patient": person, "conditions": bundle(*conditions), "laboratory": bundle(*observations)}
    stranger = {**observations[0], "id": "x", "subject": {"reference": f"Patient/{MRN}", "display": TEXT}}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service.example", timeout=60) as client,
    ):

        async def post(name: str, path: str, body: Any, **headers: str) -> dict[str, Any]:
            answer = await client.post(path, json=body, headers=headers)
            told.answers[name] = f"{answer.status_code} {answer.headers} {answer.text}"
            await app.state.background.settled()
            found: dict[str, Any] = json.loads(answer.text) if answer.text.startswith("{") else {}
            return found

        async def round_of(name: str) -> dict[str, Any]:
            shown = await post(f"{name}, hook", HOOK, hook_call(fhirServer=BASE))
            by_token = hook_call(fhirServer=BASE, fhirAuthorization=leave("s3cret-hook"))
            await post(f"{name}, hook with a token", HOOK, by_token)
            gone = hook_call(fhirServer=BASE, fhirAuthorization=leave("s3cret-gone"))
            await post(f"{name}, hook with a token that is refused", HOOK, gone)
            for form in ("application/json", JSON, "text/event-stream"):
                await post(f"{name}, emergency {form}", PATH, call(patientId=PATIENT), accept=form)
                both = call(patientId=PATIENT, bundle=bundle(*chart), encounterId="stay")
                await post(f"{name}, emergency {form} with a Bundle", PATH, both, accept=form)
            return shown

        server.on("Encounter/stay", 404)
        server.holds(**held)
        shown = await round_of("good")
        await round_of("again")
        card = shown["cards"][0]["uuid"]
        feedback = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-06-30T08:30:00Z"}
        feedback["overrideReason"] = {"userComment": TEXT}
        await post("feedback", f"{HOOK}/feedback", {"feedback": [feedback]})
        await post("wrong feedback", f"{HOOK}/feedback", {"feedback": [{**feedback, "card": TEXT, "outcome": MRN}]})
        failing(server, "laboratory", "genetics")
        await round_of("partly failing")
        server.holds(**held, genetics=bundle(stranger))
        await round_of("another patient's")
        failing(server, "patient", "conditions")
        await round_of("failing")
        server.on("patient", 404)
        await round_of("unknown")
        server.on(TOKEN_URL, lambda _: httpx.Response(400, json={"error": "s3cret", "error_description": "s3cret"}))
        await post("malformed", PATH, {"patientId": TEXT * 20, MRN: 1})
        await post("malformed hook", HOOK, {"hook": "patient-view", "context": {"patientId": f"{MRN}/1"}, TEXT: TEXT})
        for path in ("/metrics", "/readyz", "/openapi.json"):
            told.elsewhere[path] = (await client.get(path)).text


@pytest.fixture
def told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Told:
    spans, server, found = InMemorySpanExporter(), Guarded(), Told()
    key, state = pem(elliptic(), tmp_path / "key.pem"), tmp_path / "state.db"
    settings = Settings(
        auth="off",
        clock="2026-06-30T08:30:00Z",
        fhir=[{"url": BASE, "backend": {"client_id": CLIENT, "key_file": key}}],  # type: ignore[arg-type]
        state={"file": state},  # type: ignore[arg-type]
        cache={"fresh_seconds": 0},  # type: ignore[arg-type]
        deadline_seconds=20,
    )
    with caplog.at_level(logging.DEBUG):
        app = create_app(settings, transport=server, spans=SimpleSpanProcessor(spans), package=shipped())
        asyncio.run(everything(app, server, found))
    found.elsewhere["log"] = caplog.text
    found.elsewhere["spans"] = "".join(span.to_json() for span in spans.get_finished_spans())
    kept = b"".join(file.read_bytes() for file in sorted(tmp_path.glob("state.db*")))
    found.elsewhere["kept"] = kept.decode("latin-1")
    return found


def test_no_secret_comes_out(told: Told) -> None:
    """Neither tokens nor text, names and numbers of the record, whatever is asked for and whatever fails."""
    statuses = {name: answer[:3] for name, answer in told.answers.items()}
    assert statuses["good, hook"] == statuses["partly failing, hook"] == "200"
    assert "stale" in told.answers["failing, hook"]
    assert statuses["unknown, hook"] == "404"
    assert "scored" in told.answers["good, emergency text/event-stream"]
    assert "prediction" in told.answers[f"good, emergency {JSON}"]
    assert "foreign-patient" in told.answers["another patient's, emergency application/json"]
    assert "search" in told.elsewhere["spans"]
    assert len(told.elsewhere["kept"]) > 10_000  # records, sealed
    hits = [
        (place, secret)
        for place, text in {**told.answers, **told.elsewhere}.items()
        for secret in (*TOKENS, *OF_THE_RECORD)
        if secret in text
    ]
    assert hits == []
    kept = told.elsewhere["kept"]
    assert [
        place for place, text in {**told.answers, **told.elsewhere}.items() if text != kept and SIGNED in text
    ] == []
    assert not SIGNED_AMONG_BYTES.search(kept)


def test_the_patients_id_is_in_answers_only(told: Told) -> None:
    """Logs, spans, meters and what is kept do not tell whose chart was opened."""
    assert f"Patient/{PATIENT}" in told.answers["good, emergency application/json"]
    assert [place for place, text in told.elsewhere.items() if PATIENT in text] == []
