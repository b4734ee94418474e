"""HAPI's own validator accepts the RiskAssessment that we write."""

import json
from typing import Any

import httpx
import pytest

from service.assessment import assess
from service.fhir.risk_assessment import risk_assessment
from tests.integration.hapi_server import Hapi
from tests.unit.service.golden_cards import shipped
from tests.unit.service.made_up_patients import AT, record

pytestmark = pytest.mark.integration

# AIAST is younger than FHIR R4: HAPI's validator looks it up in the code system that was published with R4.
YOUNGER_THAN_R4 = "Unknown code 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue#AIAST'"


def complaints(hapi: Hapi, content: bytes) -> list[str]:
    """Errors that `$validate` tells of; the resource is not stored."""
    answer = httpx.post(
        f"{hapi.base_url}/RiskAssessment/$validate",
        content=content,
        headers={"content-type": "application/fhir+json"},
        timeout=120,
    )
    issues: list[dict[str, Any]] = answer.json()["issue"]
    return [issue["diagnostics"] for issue in issues if issue["severity"] in {"error", "fatal"}]


@pytest.mark.parametrize("patient_id", ["demo-lung", "demo-treated", "demo-sparse", "demo-no-cancer"])
def test_it_is_valid(hapi: Hapi, patient_id: str) -> None:
    """Scored or not, `$validate` has nothing against it but that it does not know the label AIAST."""
    answer = assess(record(patient_id), AT, shipped(), emergency=True)
    content = risk_assessment(answer, shipped(), "e-1")
    assert set(complaints(hapi, content)) <= {YOUNGER_THAN_R4}
    unlabelled = {name: value for name, value in json.loads(content).items() if name != "meta"}
    assert complaints(hapi, json.dumps(unlabelled).encode()) == []


@pytest.mark.parametrize(
    "planted",
    [{"status": "done"}, {"subject": None}, {"prediction": [{"relativeRisk": "high"}]}, {"colour": "red"}],
    ids=lambda planted: next(iter(planted)),
)
def test_the_judge_is_awake(hapi: Hapi, planted: dict[str, Any]) -> None:
    """A wrong code, a missing subject, a wrong type and an unknown member are errors."""
    answer = assess(record("demo-lung"), AT, shipped(), emergency=True)
    resource = {**json.loads(risk_assessment(answer, shipped())), **planted}
    content = json.dumps({name: value for name, value in resource.items() if value is not None}).encode()
    assert set(complaints(hapi, content)) - {YOUNGER_THAN_R4}
