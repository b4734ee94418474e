"""The far ends of the service's tests: a FHIR server, a caller, a model package that knows nothing."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import httpx
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from fhir_mappings.retrieval import queries
from models.manifest import FORMAT, Manifest, Setting, TrainingCohort
from models.package import Package

BASE = "https://fhir.example/r4"
PATIENT = "canary-4711"
HOOK = "/cds-services/pan-cancer-prognosis"
DISCHARGE, ORDER, EMERGENCY = f"{HOOK}-discharge", f"{HOOK}-order", f"{HOOK}-emergency"
JSON = "application/fhir+json"

Answer = Callable[[httpx.Request], httpx.Response]
Resource = Mapping[str, Any]


def bundle(*resources: Resource, following: str = "", outcome: Resource | None = None) -> dict[str, Any]:
    """A searchset of these resources."""
    entries = [{"fullUrl": f"{BASE}/{r['resourceType']}/{r.get('id')}", "resource": r} for r in resources]
    if outcome:
        entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    links = [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def patient(patient_id: str = PATIENT) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": patient_id, "birthDate": "1950-01-01", "gender": "female"}


def observation(number: int, subject: str = f"Patient/{PATIENT}") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2026-01-02",
        "valueQuantity": {"value": 13.2, "system": "http://unitsofmeasure.org", "code": "g/dL"},
    }


def outcome(severity: str = "error", code: str = "") -> dict[str, Any]:
    details = {"coding": [{"code": code}]} if code else {}
    issue = {"severity": severity, "code": "processing", "details": details}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def full_prefetch(**replaced: object) -> dict[str, Any]:
    """Every key that discovery asks for, with nothing but the Patient unless replaced."""
    return {**dict.fromkeys((query.key for query in queries()), bundle()), "patient": patient(), **replaced}


def hook_call(**members: object) -> dict[str, Any]:
    """A patient-view call; a member given as None is left out."""
    call = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": PATIENT},
        **members,
    }
    return {name: value for name, value in call.items() if value is not None}


def leave(token: str = "abc", /, **members: object) -> dict[str, Any]:  # noqa: S107 - a made-up one
    """A fhirAuthorization; a member given as None is left out."""
    given = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "oncohooks",
        **members,
    }
    return {name: value for name, value in given.items() if value is not None}


class FhirServer(httpx.AsyncBaseTransport):
    """Answers what a test told it to, records everything, and knows nothing else."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.unmatched: list[str] = []
        self.seconds = 0.0  # that every answer takes
        self.running = self.most_running = 0
        self._answers: dict[str, Answer] = {}

    def on(self, address: str, answer: Resource | Answer | int) -> None:
        """Answer an address (relative to the base, a query's key, or absolute) with a resource, a status, or a call."""
        known = {query.key: query.url(PATIENT) for query in queries()}
        address = known.get(address, address)
        url = str(httpx.URL(address if "://" in address else f"{BASE}/{address}"))
        if isinstance(answer, int):
            self._answers[url] = lambda _: httpx.Response(answer, json=outcome(), headers={"content-type": JSON})
        elif callable(answer):
            self._answers[url] = answer
        else:
            body = json.dumps(answer)
            self._answers[url] = lambda _: httpx.Response(200, text=body, headers={"content-type": JSON})

    def holds(self, **found: Resource | Answer | int) -> None:
        """Answer every query: with what is given, else with an empty searchset (the Patient is there)."""
        for key, answer in {**full_prefetch(), **found}.items():
            self.on(key, answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.running -= 1
        url = await _searched(request)
        answer = self._answers.get(url)
        if answer is None:
            self.unmatched.append(url)
            return httpx.Response(599)
        return answer(request)


async def _searched(request: httpx.Request) -> str:
    """The address of a request; a search by POST is the same as by GET."""
    url = str(request.url)
    if request.method != "POST" or not url.endswith("/_search"):
        return url
    return f"{url.removesuffix('/_search')}?{(await request.aread()).decode()}"


class Caller:
    """Calls an app as a client over HTTP would."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://service.example") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def hook(self, path: str = HOOK, /, **members: object) -> httpx.Response:
        return self.request("POST", path, json=hook_call(**members))


class KnowsNothing:
    """A network without a single weight: every patient is answered with an abstention."""

    setting = "diagnosis"
    trained: frozenset[str] = frozenset()

    def entity_patients(self, _: str) -> int:
        return 0


class Unlearned:
    """A model package that was never trained."""

    name, version, digest, card = "unlearned", "0.0.1", "d" * 64, "# Model card"
    manifest = Manifest(
        format=FORMAT,
        name="unlearned",
        version="0.0.1",
        synthetic=True,
        schema_digest="",
        parameters=350,
        opset=18,
        settings={
            "diagnosis": Setting(
                time_zero="diagnosis",
                members=5,
                trained={},
                entities={},
                slope=1.0,
                slope_interval=(0.9, 1.1),
                cohorts=(TrainingCohort("tcga", 10, 5, "a source", "CC0", "an attribution"),),
                groups={},
                baselines={},
                anchor="tcga",
                recipe={},
            )
        },
        files={},
    )

    def network(self, _: str) -> KnowsNothing:
        return KnowsNothing()

    def entity_patients(self, _: str) -> int:
        return 0


def unlearned_package() -> Package:
    return cast("Package", Unlearned())


def issue_of(response: httpx.Response) -> dict[str, Any]:
    """The one issue of an OperationOutcome, with its code on top."""
    assert response.headers["content-type"] == JSON
    body = response.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    return {**issue, "category": issue["details"]["coding"][0]["code"]}


def assessment_of(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    (card,) = response.json()["cards"]
    assessment: dict[str, Any] = card["extension"]["org.oncohooks.assessment"]
    return assessment


def meters(caller: Caller, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one meter by the values of their labels, without the buckets."""
    families = text_string_to_metric_families(caller.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {tuple(value for _, value in sorted(s.labels.items())): s.value for s in samples}


def ledger_of(response: httpx.Response) -> dict[str, tuple[str, str]]:
    """Per key: how it was answered, and how completely."""
    return {line["key"]: (line["via"], line["state"]) for line in assessment_of(response)["retrieval"]}
