"""Generated hook calls: one patient, complete prefetch, as large as the ones EHRs send."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fhir_mappings.concepts import LOINC, catalogue
from fhir_mappings.retrieval import queries
from models.package import Package

PATIENT = "bench"
OBSERVATIONS = 300
PACKAGE = Path("models/packages/pan-cancer")
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_PADDING = "Result of the central laboratory, verified. " * 5  # narrative that servers send and nobody reads


@cache
def _usual() -> Mapping[str, tuple[float, float]]:
    """What training patients of the shipped package have, per parameter: a patient unlike them is not scored."""
    settings = Package.load(PACKAGE, catalogue().schema).manifest.settings.values()
    trained = [setting.trained for setting in settings]
    return {key: one.usual for inputs in trained for key, one in inputs.items() if one.usual}


def _ordinary(key: str) -> float:
    feature = catalogue().schema[key]
    low, high = _usual().get(key, (feature.low, feature.high))
    return round((low * high) ** 0.5 if low > 0 else (low + high) / 2, 2)


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"fullUrl": f"https://fhir.example/{r['resourceType']}/{r['id']}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _observation(number: int, key: str, code: str, now: datetime) -> dict[str, Any]:
    feature = catalogue().schema[key]
    taken = (now - timedelta(hours=6 * (number // 20))).isoformat()
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "meta": {"versionId": "1", "lastUpdated": taken, "source": "urn:example:laboratory"},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{_PADDING}</div>'},
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": code, "display": feature.label_en}], "text": feature.label_en},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": taken,
        "issued": taken,
        "valueQuantity": {
            "value": _ordinary(key), "unit": feature.unit, "system": "http://unitsofmeasure.org", "code": feature.unit
        },
    }  # fmt: skip


def _observed(count: int, now: datetime) -> list[dict[str, Any]]:
    numeric = [
        (row["key"], row["code"]) for row in catalogue().rows
        if row["system"] == LOINC and row["meaning"] == "value" and row["key"].startswith(("lab_", "vital_"))
    ]  # fmt: skip
    return [_observation(n, *numeric[n % len(numeric)], now) for n in range(count)]


def record_bundle(observations: int, now: datetime) -> bytes:
    """A searchset of one patient: age, lung cancer, stage and so many results of years."""
    return json.dumps(_bundle([_PATIENT, _condition(now), *_stage(now), *_observed(observations, now)])).encode()


def hook_body(now: datetime | None = None) -> bytes:
    """A patient-view call of about 335 KB with 300 Observations and every published prefetch key."""
    now = now or datetime.now(UTC)
    filled: dict[str, Any] = {query.key: _bundle([]) for query in queries()}
    filled |= {
        "patient": _PATIENT,
        "conditions": _bundle([_condition(now)]),
        "laboratory": _bundle(_observed(OBSERVATIONS, now)),
        "tumour": _bundle(_stage(now)),
    }
    call = {
        "hook": "patient-view",
        "hookInstance": "11111111-2222-4333-8444-555555555555",
        "context": {"userId": "Practitioner/1", "patientId": PATIENT},
        "prefetch": filled,
    }
    return json.dumps(call).encode()


def unseen(body: bytes, number: int) -> bytes:
    """The same call with another record, so that no result of an earlier one serves it."""
    return body.replace(b'"id": "o0"', b'"id": "o0-%d"' % number, 1)


# What an emergency has at hand: code, value, unit.
_BEDSIDE = (
    ("8867-4", 112, "/min"), ("9279-1", 24, "/min"), ("8310-5", 38.2, "Cel"), ("8480-6", 98, "mm[Hg]"),
    ("8478-0", 70, "mm[Hg]"), ("2708-6", 93, "%"),
)  # fmt: skip
_DRAWN = (
    ("2951-2", 131, "mmol/L"), ("2823-3", 4.4, "mmol/L"), ("2160-0", 1.3, "mg/dL"), ("1751-7", 28, "g/L"),
    ("718-7", 10.1, "g/dL"), ("6690-2", 12.4, "10*3/uL"), ("777-3", 310, "10*3/uL"), ("1975-2", 0.9, "mg/dL"),
    ("2345-7", 132, "mg/dL"), ("2524-7", 2.1, "mmol/L"),
)  # fmt: skip


def searchset(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return _bundle(resources)


def emergency_record(now: datetime, repeats: int = 1) -> list[dict[str, Any]]:
    """A patient with lung cancer an hour after arrival, the Patient first; the laboratory `repeats` times, daily."""
    bedside = [_measured(f"b{code}", code, value, unit, now) for code, value, unit in _BEDSIDE]
    drawn = [
        _measured(f"l{code}-{day}", code, value, unit, now - timedelta(days=day))
        for day in range(repeats)
        for code, value, unit in _DRAWN
    ]
    return [_PATIENT, _condition(now), *_stage(now), *bedside, *drawn]


def _measured(name: str, code: str, value: float, unit: str, at: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": (at - timedelta(hours=1)).isoformat(),
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit},
    }


_PATIENT = {"resourceType": "Patient", "id": PATIENT, "gender": "female", "birthDate": "1960-03-01"}


def _condition(now: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "verificationStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]
        },
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "C34.1"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "onsetDateTime": (now - timedelta(days=20)).isoformat(),
    }


def _stage(now: datetime) -> list[dict[str, Any]]:
    tnm = "https://www.uicc.org/resources/tnm"
    answers = (("21902-2", "IIIA"), ("21899-0", "T2"), ("21900-6", "N1"), ("21901-4", "M0"))
    return [
        {
            "resourceType": "Observation",
            "id": f"s{code}",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": code}]},
            "subject": {"reference": f"Patient/{PATIENT}"},
            "effectiveDateTime": now.isoformat(),
            "valueCodeableConcept": {"coding": [{"system": tnm, "code": answer}]},
        }
        for code, answer in answers
    ]
