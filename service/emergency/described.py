"""The emergency call for the OpenAPI document: its body is read within limits, FastAPI does not know it by itself."""

from typing import Any

import msgspec

from fhir_mappings.concepts import LOINC
from service.assessment import Assessment
from service.emergency.request import EmergencyRequest

_REF = "#/components/schemas/{name}"
_SCHEMA = _REF.format(name=EmergencyRequest.__name__)
_FAULT = {
    "description": "an OperationOutcome that says what is wrong and what to do",
    "content": {"application/fhir+json": {"schema": {"$ref": _REF.format(name="OperationOutcome")}}},
}
_OVERLOADED = {
    **_FAULT,
    "description": "too many calls; an OperationOutcome, and in Retry-After the seconds to wait",
    "headers": {"Retry-After": {"schema": {"type": "integer"}}},
}
_HL7 = "http://terminology.hl7.org/CodeSystem"
_ARRIVAL = "2026-06-30T08:10:00Z"  # of the made-up patient


def _measured(name: str, code: str, value: float, unit: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/ed-1"},
        "effectiveDateTime": _ARRIVAL,
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit},
    }


_TUMOUR = {
    "resourceType": "Condition",
    "id": "tumour",
    "clinicalStatus": {"coding": [{"system": f"{_HL7}/condition-clinical", "code": "active"}]},
    "verificationStatus": {"coding": [{"system": f"{_HL7}/condition-ver-status", "code": "confirmed"}]},
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "C18.7"}]},
    "subject": {"reference": "Patient/ed-1"},
    "onsetDateTime": "2025-11-03",
}
AT_HAND: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": resource}
        for resource in (
            {"resourceType": "Patient", "id": "ed-1", "birthDate": "1952-04-17", "gender": "female"},
            _TUMOUR,
            _measured("pulse", "8867-4", 112, "/min"),
            _measured("breathing", "9279-1", 24, "/min"),
            _measured("temperature", "8310-5", 38.4, "Cel"),
            _measured("pressure", "8478-0", 68, "mm[Hg]"),
            _measured("sodium", "2951-2", 131, "mmol/L"),
            _measured("creatinine", "2160-0", 1.4, "mg/dL"),
            _measured("albumin", "1751-7", 27, "g/L"),
        )
    ],
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "bundle": {"summary": "What is at hand, and nothing else", "value": {"bundle": AT_HAND, "deadlineMs": 1_000}},
    "patient": {
        "summary": "A patient of the site's FHIR server",
        "value": {"patientId": "ed-1", "encounterId": "arrival-1", "deadlineMs": 3_000},
    },
    "both": {
        "summary": "What is at hand at once, then what the FHIR server holds",
        "value": {"patientId": "ed-1", "bundle": AT_HAND, "deadlineMs": 3_000},
    },
}
_EVENTS = {
    "type": "string",
    "description": "server-sent events: `assessment` with an Assessment as data and its number as id; the last has"
    " `update.final` true, or is an `error` with an OperationOutcome",
}
EMERGENCY: dict[str, Any] = {
    "parameters": [
        {
            "name": "Last-Event-ID",
            "in": "header",
            "schema": {"type": "string"},
            "description": "number of the last event that was seen: those of this stream go on from it",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": _SCHEMA}, "examples": EXAMPLES}},
    },
    "responses": {
        "200": {
            "description": "scored, or not scored and why: JSON, a RiskAssessment, or a stream of better answers",
            "content": {
                "application/json": {"schema": {"$ref": _REF.format(name=Assessment.__name__)}},
                "application/fhir+json": {"schema": {"$ref": _REF.format(name="Resource")}},
                "text/event-stream": {"schema": _EVENTS},
            },
        },
        "401": {"description": "no client's token"},
        **dict.fromkeys(("400", "403", "404", "412", "413", "500", "502", "504"), _FAULT),
        "503": _OVERLOADED,
    },
}


def emergency_components() -> dict[str, Any]:
    """The schemas that the description above refers to."""
    _, written = msgspec.json.schema_components((Assessment,), ref_template=_REF)
    request = EmergencyRequest.model_json_schema(ref_template=_REF.format(name="{model}"))
    request["anyOf"] = [{"required": ["patientId"]}, {"required": ["bundle"]}]
    return {**written, EmergencyRequest.__name__: request}
