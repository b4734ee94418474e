"""FHIR data types as the demonstration charts write them, and the addresses of the code systems they use.

Written out here, not taken from the catalogue: a wrong address there must not be found right by our own patients.
"""

from typing import Any

Element = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
HGNC = "http://www.genenames.org/geneId"
HGVS = "http://varnomen.hgvs.org"
AJCC = "http://cancerstaging.org"
UICC = "https://www.uicc.org/resources/tnm"
ATC = "http://www.whocc.no/atc"
PARAMETER = "urn:oncohooks:parameter"  # the catalogue's own keys, for what has no public code
DICOM = "http://dicom.nema.org/resources/ontology/DCM"

_HL7 = "http://terminology.hl7.org/CodeSystem/"
ACT = _HL7 + "v3-ActCode"
CATEGORY = _HL7 + "observation-category"
CLINICAL = _HL7 + "condition-clinical"
VERIFICATION = _HL7 + "condition-ver-status"
CONDITION_CATEGORY = _HL7 + "condition-category"


def coding(system: str, code: str, display: str = "", **more: Any) -> Element:
    return {"system": system, "code": code, **({"display": display} if display else {}), **more}


def concept(*codings: Element, text: str = "") -> Element:
    return {"coding": list(codings), **({"text": text} if text else {})}


def loinc(code: str, display: str = "") -> Element:
    return coding(LOINC, code, display)


def snomed(code: str, display: str = "") -> Element:
    return coding(SNOMED, code, display)


def quantity(value: float, unit: str, code: str = "") -> Element:
    """A measured value; `unit` is what is printed, `code` its UCUM code where that differs."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit}


def uncoded(value: float, unit: str) -> Element:
    """A value whose unit is text only, as older laboratory systems send it."""
    return {"value": value, "unit": unit}
