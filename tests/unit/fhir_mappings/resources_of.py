"""Small FHIR resources as JSON, and the record or the encoded patient that they make. Days count back from `AT`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from fhir_mappings.concepts import ATC, ICD10_GM, LOINC, OPS, SNOMED, catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.finding import Finding, Issue
from fhir_mappings.record import PatientRecord, Retrieval, entries_of

AT = datetime(2024, 5, 20, 12, tzinfo=UTC)
PATIENT = "p"
BASE = "https://hospital.example/fhir"
UCUM = "http://unitsofmeasure.org"
UICC = "https://www.uicc.org/resources/tnm"
HGNC = "http://www.genenames.org/geneId"
HGVS = "http://varnomen.hgvs.org"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ADMIT_SOURCE = "http://terminology.hl7.org/CodeSystem/admit-source"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
TISSUES = "https://uk-essen.de/fhir/ValueSet/boa/tissues"

Resource = dict[str, Any]
_numbers = count(1)


def ago(days: float) -> str:
    """The time so many days before the assessment."""
    return (AT - timedelta(days=days)).isoformat()


def concept(code: str, system: str = LOINC, display: str = "") -> Resource:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def reference(address: str) -> Resource:
    return {"reference": address}


def resource(kind: str, **members: Any) -> Resource:
    """Any resource of the patient; a member given as None is left out."""
    own = {"patient" if kind == "MolecularSequence" else "subject": reference(f"Patient/{PATIENT}")}
    whole = {"resourceType": kind, "id": f"x{next(_numbers)}"} | (own if kind != "Patient" else {}) | members
    return {name: value for name, value in whole.items() if value is not None}


def patient(**members: Any) -> Resource:
    return resource("Patient", **({"id": PATIENT, "birthDate": "1960-01-01", "gender": "female"} | members))


def observation(code: str, /, system: str = LOINC, days: float = 1, **members: Any) -> Resource:
    whole = {"status": "final", "code": concept(code, system), "effectiveDateTime": ago(days)}
    return resource("Observation", **(whole | members))


def measured(code: str, /, value: float, unit: str, days: float = 1, **members: Any) -> Resource:
    """A quantity with a UCUM code."""
    quantity = {"value": value, "unit": unit, "code": unit, "system": UCUM}
    return observation(code, days=days, **({"valueQuantity": quantity} | members))


def coded(code: str, /, answer: str, answers: str = LOINC, days: float = 1, **members: Any) -> Resource:
    return observation(code, days=days, **({"valueCodeableConcept": concept(answer, answers)} | members))


def component(code: str, /, **members: Any) -> Resource:
    return {"code": concept(code)} | members


def condition(code: str, /, system: str = ICD10_GM, days: float = 400, **members: Any) -> Resource:
    """A confirmed, active diagnosis."""
    whole = {
        "code": concept(code, system),
        "verificationStatus": concept("confirmed", VERIFICATION),
        "clinicalStatus": concept("active", CLINICAL),
        "onsetDateTime": ago(days),
        "recordedDate": ago(days),
    }
    return resource("Condition", **(whole | members))


def refuted(code: str, /, days: float = 10, **members: Any) -> Resource:
    status = {"verificationStatus": concept("refuted", VERIFICATION), "clinicalStatus": None, "onsetDateTime": None}
    return condition(code, days=days, **(status | members))


def tumour(site: str = "C34.1", morphology: str = "", **members: Any) -> Resource:
    """A Condition with ICD-O-3 site and, in mCODE's extension, morphology."""
    url = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
    cells = [{"url": url, "valueCodeableConcept": concept(morphology, ICD_O_3)}] if morphology else None
    return condition(site, **({"bodySite": [concept(site, ICD_O_3)], "extension": cells} | members))


def histology(morphology: str, days: float = 50, **members: Any) -> Resource:
    return coded("59847-4", morphology, ICD_O_3, days, **members)


def encounter(kind: str = "AMB", /, days: float = 30, length: float = 0.1, **members: Any) -> Resource:
    whole = {
        "status": "finished",
        "class": {"system": ACT_CODE, "code": kind},
        "period": {"start": ago(days), "end": ago(days - length)},
    }
    return resource("Encounter", **(whole | members))


def arrival(hours: float, **members: Any) -> Resource:
    """An emergency contact that began so many hours ago and is going on."""
    period = {"start": ago(hours / 24)}
    return encounter("EMER", **({"id": "er", "status": "in-progress", "period": period} | members))


def documented() -> list[Resource]:
    """A completed encounter with a coded diagnosis that is no parameter (a sprained ankle)."""
    visit = encounter(id="visit")
    return [visit, condition("S93.4", encounter=reference("Encounter/visit"), days=30)]


def variant(gene: str, name: str = "", protein: str = "", present: str = "LA9633-4", **members: Any) -> Resource:
    """A variant of Genomics Reporting; `gene` is an HGNC id."""
    parts = [component("48018-6", valueCodeableConcept=concept(gene, HGNC, name))]
    if protein:
        parts.append(component("48005-3", valueCodeableConcept=concept(protein, HGVS)))
    parts += members.pop("parts", [])
    return coded("69548-6", present, component=parts, **members)


def sequence(accession: str, start: int, observed: str, replaced: str, **members: Any) -> Resource:
    """A MolecularSequence with one variant on a chromosome, counted from 1."""
    whole = {
        "coordinateSystem": 1,
        "referenceSeq": {"referenceSeqId": concept(accession, "http://www.ncbi.nlm.nih.gov/nuccore")},
        "variant": [
            {
                "start": start,
                "end": start + max(len(replaced.strip("-")), 1) - 1,
                "observedAllele": observed,
                "referenceAllele": replaced,
            }
        ],
    }
    return resource("MolecularSequence", **(whole | members))


def body_composition(
    cavity: str | None = "361473009", volumes: Mapping[str, float] | None = None, **members: Any
) -> Resource:
    """Tissue volumes of one cavity (abdominal unless said otherwise), in mL."""
    amounts = {"91727004": 3000.0, "3138006": 1500.0} if volumes is None else volumes
    parts = [
        {
            "code": concept(tissue, TISSUES),
            "valueQuantity": {"value": amount, "unit": "mL", "code": "mL", "system": UCUM},
        }
        for tissue, amount in amounts.items()
    ]
    site = concept(cavity, SNOMED) if cavity else None
    return observation("bca", "urn:x", **({"component": parts, "bodySite": site} | members))


def imaging_study(modality: str = "CT", /, days: float = 20, **members: Any) -> Resource:
    whole = {"status": "available", "modality": [{"system": "dcm", "code": modality}], "started": ago(days)}
    return resource("ImagingStudy", **(whole | members))


def given(drug: str, /, days: float = 10, system: str = ATC, **members: Any) -> Resource:
    """A dose that was given."""
    whole = {
        "status": "completed",
        "medicationCodeableConcept": concept(drug, system),
        "effectiveDateTime": ago(days),
    }
    return resource("MedicationAdministration", **(whole | members))


def taken(drug: str, /, days: float = 10, until: float | None = None, system: str = ATC, **members: Any) -> Resource:
    """A statement that a drug has been taken, still or until some day."""
    whole = {
        "status": "active" if until is None else "completed",
        "medicationCodeableConcept": concept(drug, system),
        "effectivePeriod": {"start": ago(days)} | ({} if until is None else {"end": ago(until)}),
    }
    return resource("MedicationStatement", **(whole | members))


def ordered(drug: str, /, days: float = 10, system: str = ATC, **members: Any) -> Resource:
    """An active order."""
    whole = {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(drug, system),
        "authoredOn": ago(days),
    }
    return resource("MedicationRequest", **(whole | members))


def procedure(code: str, /, system: str = OPS, days: float = 100, **members: Any) -> Resource:
    whole = {"status": "completed", "code": concept(code, system), "performedDateTime": ago(days)}
    return resource("Procedure", **(whole | members))


def listing(code: str, /, *addresses: str, system: str = LOINC, days: float = 5, **members: Any) -> Resource:
    """A current list of what there is; without an address it says that nothing is known."""
    entries = {"entry": [{"item": reference(address)} for address in addresses]}
    whole = {"status": "current", "mode": "snapshot", "code": concept(code, system), "date": ago(days)}
    return resource("List", **(whole | (entries if addresses else {"emptyReason": concept("nilknown", "x")}) | members))


def bundle(*resources: Resource, urls: Mapping[str, str] | None = None) -> bytes:
    """A searchset; `urls` gives entries of some ids a full address."""
    entries = [
        {"resource": r} | ({"fullUrl": urls[r["id"]]} if urls and r.get("id") in urls else {}) for r in resources
    ]
    return msgspec.json.encode({"resourceType": "Bundle", "type": "searchset", "entry": entries})


def record(
    *resources: Resource,
    scoped: bool = True,
    retrieval: tuple[Retrieval, ...] = (),
    urls: Mapping[str, str] | None = None,
) -> PatientRecord:
    """The patient's record; without a Patient among the resources one is added."""
    given = [*resources] if any(r.get("resourceType") == "Patient" for r in resources) else [patient(), *resources]
    decoded = decode(bundle(*given, urls=urls))
    return PatientRecord(PATIENT, entries_of(decoded.entries, scoped=scoped), (BASE,), retrieval, decoded.issues)


def encoded(*resources: Resource, at: datetime = AT, emergency: bool = False) -> EncodedPatient:
    return encode(record(*resources), catalogue().schema, at, emergency=emergency)


def value(key: str, *resources: Resource, at: datetime = AT, emergency: bool = False) -> float | None:
    """What the record gives for one parameter; None where it is missing."""
    found = encoded(*resources, at=at, emergency=emergency).findings.get(key)
    return None if found is None else found.value


def finding(key: str, *resources: Resource, at: datetime = AT, emergency: bool = False) -> Finding:
    return encoded(*resources, at=at, emergency=emergency).findings[key]


def issues(*resources: Resource, at: datetime = AT) -> list[Issue]:
    return list(encoded(*resources, at=at).issues)


def codes(*resources: Resource, at: datetime = AT) -> set[str]:
    """The issue codes that the record raises."""
    return {issue.code for issue in issues(*resources, at=at)}
