"""The guard against another patient's data, through the hook: every way in which FHIR can name someone."""

from functools import reduce
from typing import Any

from tests.unit.service.far_end import (
    BASE,
    PATIENT,
    Caller,
    FhirServer,
    Resource,
    assessment_of,
    bundle,
    full_prefetch,
    meters,
    observation,
    patient,
)

OWN = {"system": "urn:hospital", "value": "17"}
ANOTHERS = {"system": "urn:hospital", "value": "18"}
URN = "urn:uuid:7d0e4ac4-5bde-4a0c-9b0e-0a3ac8a5a8e1"
ANOTHER_URN = "urn:uuid:7d0e4ac4-5bde-4a0c-9b0e-0a3ac8a5a8e2"
DEEP: list[Any] = reduce(lambda inner, _: [inner], range(400), [])


def about(subject: Resource, **members: Any) -> dict[str, Any]:
    """A result about whoever `subject` names."""
    return {**observation(1), "subject": subject, **members}


def by(reference: str) -> dict[str, Any]:
    return about({"reference": reference})


FOREIGN = {
    "relative": by("Patient/other"),
    "of an id that begins alike": by(f"Patient/{PATIENT}1"),
    "in other letters": by(f"Patient/{PATIENT.upper()}"),
    "absolute, same server": by(f"{BASE}/Patient/other"),
    "absolute, same id on another server": by(f"https://elsewhere.example/r4/Patient/{PATIENT}"),
    "absolute, same id on a server that begins alike": by(f"{BASE}.attacker.example/Patient/{PATIENT}"),
    "versioned": by("Patient/other/_history/3"),
    "absolute and versioned": by(f"{BASE}/Patient/other/_history/3"),
    "contained": about(
        {"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p", "identifier": [ANOTHERS]}]
    ),
    "contained, of the same id": about({"reference": f"#{PATIENT}"}, contained=[patient()]),
    "by identifier": about({"type": "Patient", "identifier": ANOTHERS}),
    "by the value of another system": about({"identifier": {"system": "urn:elsewhere", "value": OWN["value"]}}),
    "urn of an entry that is not there": by(ANOTHER_URN),
    "oid": by("urn:oid:1.2.3"),
    "a group": by("Group/1"),
    "conditional": by(f"Patient?identifier={OWN['system']}|{OWN['value']}"),
    "a Patient": patient("other"),
    "a sequence": {"resourceType": "MolecularSequence", "id": "s", "patient": {"reference": "Patient/other"}},
    "an encounter": {"resourceType": "Encounter", "id": "e", "subject": {"reference": "Patient/other"}},
    "a drug": {"resourceType": "MedicationStatement", "id": "m", "subject": {"reference": "Patient/other"}},
    "a type that nobody reads": {
        "resourceType": "DiagnosticReport", "id": "d", "subject": {"reference": f"{BASE}/Patient/other"}
    },
    "another such type": {"resourceType": "Immunization", "id": "i", "patient": {"reference": "Patient/other"}},
    "such a type, by identifier": {"resourceType": "Flag", "id": "f", "subject": {"identifier": ANOTHERS}},
    "one that cannot be read": {**by("Patient/other"), "valueQuantity": "13"},
    "one that cannot be read, by identifier": {**about({"identifier": ANOTHERS}), "status": 7},
    "one that is nested too deep": {**by("Patient/other"), "note": DEEP},
    "one with an id that is none of FHIR's": {**by("Patient/other"), "id": "a b"},
    "a Patient that cannot be read": {**patient("other"), "birthDate": 7},
    "one in a Bundle in the answer": bundle(by(f"Patient/{PATIENT}"), by("Patient/other")),
    "a Patient in a Bundle in a Bundle": bundle(bundle(patient("other"))),
    "a type that nobody reads, in a Bundle": bundle(
        {"resourceType": "Immunization", "id": "i", "patient": {"reference": "Patient/other"}}
    ),
    "one in a Bundle that is nested too deep": bundle({**by("Patient/other"), "note": DEEP}),
    "one in a Bundle, beside an entry that is none": {
        "resourceType": "Bundle", "link": 7, "entry": [7, {"fullUrl": 7, "resource": by("Patient/other")}]
    },
    "in Bundles, as deep as is looked": bundle(bundle(bundle(bundle(by("Patient/other"))))),
}  # fmt: skip
HERS = {
    "relative": by(f"Patient/{PATIENT}"),
    "absolute": by(f"{BASE}/Patient/{PATIENT}"),
    "relative, with a Patient contained": about({"reference": f"Patient/{PATIENT}"}, contained=[patient()]),
    "versioned": by(f"Patient/{PATIENT}/_history/3"),
    "absolute and versioned": by(f"{BASE}/Patient/{PATIENT}/_history/3"),
    "by identifier": about({"identifier": OWN}),
    "urn of her entry": by(URN),
    "nobody": about({"display": "somebody"}),
    "half an identifier": about({"identifier": {"value": "18"}}),
    "a type that nobody reads": {
        "resourceType": "DiagnosticReport",
        "id": "d",
        "subject": {"reference": f"Patient/{PATIENT}/_history/2"},
    },
    "one that cannot be read": {**by(f"{BASE}/Patient/{PATIENT}"), "valueQuantity": "13"},
    "one that cannot be read, about no person": {**by("Location/other"), "status": 7},
    "a Patient that cannot be read": {**patient(), "birthDate": 7},
    "such a type about no person": {"resourceType": "Flag", "id": "f", "subject": {"reference": "Location/other"}},
    "a Bundle in the answer": bundle(patient(), by(f"{BASE}/Patient/{PATIENT}"), {"resourceType": "Device", "id": "d"}),
    "such a type, by an identifier of another kind": {
        "resourceType": "Flag",
        "id": "g",
        "subject": {"identifier": {"system": "urn:ward", "value": "18"}},
    },
    "a type with another kind of subject": {"resourceType": "Library", "id": "l", "subject": "other"},
}


def prefetched(resource: Resource) -> dict[str, Any]:
    """A prefetch in which the patient has an identifier and a `urn:uuid:` address."""
    chart = bundle()
    chart["entry"] = [{"fullUrl": URN, "resource": {**patient(), "identifier": [OWN]}}]
    return full_prefetch(patient=chart, laboratory=bundle(observation(2), resource))


def test_another_patients_resource_is_never_scored(caller: Caller) -> None:
    """However it names another patient: a warning card without a score, and the alarm is counted."""
    for form, resource in FOREIGN.items():
        response = caller.hook(prefetch=prefetched(resource), fhirServer=BASE)
        assert response.json()["cards"][0]["indicator"] == "warning", form
        assessment = assessment_of(response)
        assert assessment["abstained"]["code"] == "foreign-patient", form
        assert assessment.keys().isdisjoint({"riskScore", "position", "attribution", "coverage"}), form
    assert meters(caller, "oncohooks_wrong_patient_total") == {("any", "pan-cancer-prognosis"): len(FOREIGN)}


def test_the_patients_own_resource_is_no_alarm(caller: Caller) -> None:
    """However it names the patient, or nobody in an answer to a query for the patient, it is hers."""
    for form, resource in HERS.items():
        response = caller.hook(prefetch=prefetched(resource), fhirServer=BASE)
        assert assessment_of(response)["abstained"]["code"] != "foreign-patient", form
    assert not meters(caller, "oncohooks_wrong_patient_total")


def test_an_entry_that_is_none_hides_nobody(caller: Caller) -> None:
    """What its resource says is looked at, whatever else is wrong with it."""
    chart = {**bundle(), "entry": [{"fullUrl": 7, "resource": FOREIGN["relative"]}]}
    response = caller.hook(prefetch=full_prefetch(laboratory=chart), fhirServer=BASE)
    assert assessment_of(response)["abstained"]["code"] == "foreign-patient"


def test_what_a_server_sends_of_another_patient_is_told(caller: Caller, server: FhirServer) -> None:
    """A search is looked at as prefetch is."""
    server.holds(laboratory=bundle(FOREIGN["relative"]))
    assert assessment_of(caller.hook(fhirServer=BASE))["abstained"]["code"] == "foreign-patient"
