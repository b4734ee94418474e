"""The RiskAssessment of an assessment."""

import json
import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.riskassessment import RiskAssessment

from models.manifest import ENTITY
from service.assessment import Assessment, assess
from service.emergency.change import Update
from service.fhir.risk_assessment import OUTCOME, PACKAGE, POSITION, relative_risk, risk_assessment
from service.language.sentences import language
from service.notices import notice
from tests.unit.service.golden_cards import shipped
from tests.unit.service.made_up_patients import AT, record

SCORED = ("demo-lung", "demo-colorectal", "demo-breast", "demo-treated")


def emergency(patient_id: str, **more: Any) -> Assessment:
    return assess(record(patient_id, **more), AT, shipped(), (notice("clock", at=AT),), emergency=True)


def written(assessment: Assessment, encounter: str = "") -> dict[str, Any]:
    """The resource, as fhir.resources takes it back."""
    content = risk_assessment(assessment, shipped(), encounter)
    assert RiskAssessment.model_validate_json(content)
    decoded: dict[str, Any] = json.loads(content)
    return decoded


@pytest.mark.parametrize("patient_id", SCORED)
def test_the_relative_risk_is_the_product_of_the_factors_of_the_position(patient_id: str) -> None:
    """exp(b * sum of (relevance - typical)) over the position's parameters: what a reader of the factors multiplies."""
    answer = emergency(patient_id)
    assert answer.position is not None
    counted = shipped().networks["acute"].manifest.groups[answer.position.group].typical
    factors = [
        factor.factor
        for factor in answer.attribution
        if (ENTITY if factor.feature.startswith("entity_") else factor.feature) in counted
    ]
    assert factors
    assert relative_risk(answer, shipped()) == pytest.approx(math.prod(factors), rel=2e-3)  # factors have 4 digits
    prediction = written(answer)["prediction"][0]
    assert Decimal(str(prediction["relativeRisk"])) == Decimal(f"{relative_risk(answer, shipped()):.4f}")


@pytest.mark.parametrize("network", ["acute", "as the record says"])
def test_borrowed_factors_do_not_move_it(network: str) -> None:
    """Only what the position is summed over counts: a term of another setting is in the attribution alone."""
    answer = assess(record("demo-lung"), AT, shipped(), emergency=network == "acute")
    without = tuple(f for f in answer.attribution if f.evidence and f.evidence.origin != "borrowed")
    assert relative_risk(msgspec.structs.replace(answer, attribution=without), shipped()) == pytest.approx(
        relative_risk(answer, shipped())
    )
    assert (len(without) < len(answer.attribution)) is (network != "acute")


def test_it_is_relative_only() -> None:
    """One prediction: relative risk and category, no probability, no time."""
    answer = emergency("demo-lung")
    (prediction,) = written(answer)["prediction"]
    assert prediction.keys() == {"outcome", "qualitativeRisk", "relativeRisk", "rationale"}
    assert prediction["outcome"]["coding"] == [{"system": OUTCOME, "code": "death"}]
    assert prediction["qualitativeRisk"] == {
        "coding": [{"system": POSITION, "code": "unclear"}],
        "text": "position unclear",
    }


def test_it_rests_on_every_resource_once() -> None:
    """`basis` names all sources of all inputs, sorted, Patient included."""
    answer = emergency("demo-lung")
    basis = [entry["reference"] for entry in written(answer)["basis"]]
    assert basis == sorted({source for factor in answer.attribution for source in factor.sources})
    assert "Patient/demo-lung" in basis
    assert any(reference.startswith("Observation/") for reference in basis)


def test_it_says_whose_it_is_and_what_made_it() -> None:
    """Patient, encounter, moment, package by its digest; marked as asserted by a model."""
    answer = emergency("demo-lung")
    resource = written(answer, "e-1")
    assert resource["subject"] == {"reference": "Patient/demo-lung"}
    assert resource["encounter"] == {"reference": "Encounter/e-1"}
    assert resource["occurrenceDateTime"] == "2026-06-30T12:00:00Z"
    (method,) = resource["method"]["coding"]
    assert (method["system"], method["code"], method["version"]) == (PACKAGE, shipped().digest, shipped().version)
    assert resource["performer"] == {"reference": "#model"}
    assert resource["contained"][0]["identifier"] == [{"system": PACKAGE, "value": shipped().digest}]
    assert resource["meta"]["security"][0]["code"] == "AIAST"
    assert "encounter" not in written(answer)


def test_its_notes_say_how_to_read_it() -> None:
    """Not triage, research, reversible causes, and how the service runs."""
    text = " ".join(note["text"] for note in written(emergency("demo-lung"))["note"])
    for part in ("Not triage", "Research use", "Reversible causes", "Assessed as of 2026-06-30"):
        assert part in text


def test_it_speaks_german_too() -> None:
    """Texts follow the language, codes do not."""
    content = json.loads(risk_assessment(emergency("demo-lung"), shipped(), language=language("de")))
    assert content["prediction"][0]["qualitativeRisk"]["text"] == "Lage unklar"
    assert content["prediction"][0]["qualitativeRisk"]["coding"][0]["code"] == "unclear"
    assert "Keine Triage" in content["note"][0]["text"]


@pytest.mark.parametrize("patient_id", ["demo-sparse", "demo-no-cancer", "demo-two-primaries"])
def test_who_is_not_scored_has_no_prediction(patient_id: str) -> None:
    """That no score can be given is a result: final, without prediction, with the reason and what could help."""
    resource = written(emergency(patient_id))
    assert resource["status"] == "final"
    assert not resource.keys() & {"prediction", "basis"}
    assert resource["note"][0]["text"].startswith("Not scored: ")
    assert len(resource["note"]) == 4


def test_of_a_restricted_record_it_says_nothing() -> None:
    """The patient, the model, and that the record is restricted."""
    answer = assess(record("demo-lung"), AT, shipped(), barred="restricted", emergency=True)
    resource = written(answer)
    assert not resource.keys() & {"prediction", "basis"}
    assert "restricted" in resource["note"][0]["text"]


def test_what_may_change_is_preliminary() -> None:
    """Where something was not read, or a further answer is to come."""
    assert written(emergency("demo-lung"))["status"] == "final"
    assert written(emergency("demo-lung", state="failed"))["status"] == "preliminary"
    for final, status in ((False, "preliminary"), (True, "final")):
        answer = msgspec.structs.replace(emergency("demo-lung"), update=Update(2, final))
        assert written(answer)["status"] == status
