"""Checks of typed/observations.txt: an Observation with the code gives the parameter the typed value."""

import re
from functools import partial

from fhir_mappings.concepts import ICD_O_3, LOINC, OWN, SNOMED, catalogue
from tests.catalogue.check import Check, differs, lines
from tests.unit.fhir_mappings.resources_of import TISSUES, UCUM, Resource, concept, encoded, measured, observation

_MII = "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/CodeSystem/"
SYSTEMS = {
    "loinc": LOINC,
    "snomed": SNOMED,
    "own": OWN,
    "icdo3": ICD_O_3,
    "boa": TISSUES,
    "iso11073": "urn:iso:std:iso:11073:10101",
    "ncit": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "fhir": "http://hl7.org/fhir",
    "act": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "admit": "http://terminology.hl7.org/CodeSystem/admit-source",
    "obds": _MII + "mii-cs-onko-fernmetastasen",
    "obdsu": _MII + "mii-cs-onko-melanom-ulzeration",
    "therapy": _MII + "mii-cs-onko-therapie-typ",
}
_STATED = re.compile(r"(?P<answer>.+) = (?P<value>\S+)")


def observation_checks() -> list[Check]:
    found = []
    for head, rest in lines("observations.txt"):
        system, key, said = head.split(maxsplit=2)
        for code in rest.split():
            about = frozenset({key, f"{SYSTEMS[system]}|{code}"})
            name = f"{system} {code}: {key} {said}"
            stated = _STATED.fullmatch(said)
            if said.startswith("as "):
                meaning = said.removeprefix("as ")
                found.append(Check(name, about, partial(not_meant, SYSTEMS[system], code, key, meaning), by_value=True))
            elif said.startswith("excluded "):
                resources = answered(code, SYSTEMS[system], said.removeprefix("excluded "))
                found.append(Check(name, about, partial(_not_excluded, key, resources)))
            elif stated:
                resources = answered(code, SYSTEMS[system], stated["answer"])
                found.append(Check(name, about, partial(_misread, key, resources, float(stated["value"]))))
            else:
                raise ValueError(f"observations.txt: {head}")
    return found


def samples(days: float = 1) -> dict[str, tuple[list[Resource], float]]:
    """Per parameter the first Observation that states it, so many days ago, and its value."""
    found: dict[str, tuple[list[Resource], float]] = {}
    for head, rest in lines("observations.txt"):
        system, key, said = head.split(maxsplit=2)
        stated = _STATED.fullmatch(said)
        if stated and key not in found:
            resources = answered(rest.split()[0], SYSTEMS[system], stated["answer"], days)
            found[key] = (resources, float(stated["value"]))
    return found


def answered(code: str, system: str, answer: str, days: float = 1) -> list[Resource]:
    """The Observation of a typed answer: `5.2 10*9/L`, `@LA6576-8`, `'T2'`, `true`, `60 % of 10`, `30 of 15 ng/L`."""
    if answer.startswith("@"):
        name, _, own = answer[1:].rpartition(":")
        answers = SYSTEMS[name] if name else LOINC if own.startswith("LA") else SNOMED
        return [observation(code, system, days, valueCodeableConcept=concept(own, answers))]
    if answer.startswith("'"):
        return [observation(code, system, days, valueString=answer.strip("'"))]
    if answer == "true":
        return [observation(code, system, days, valueBoolean=True)]
    words = answer.split()
    if words[1:3] == ["%", "of"]:  # of leukocytes, that many 10*9/L
        share = _amount(words[0], "%")
        return [
            observation(code, system, days, valueQuantity=share),
            measured("6690-2", float(words[3]), "10*9/L", days),
        ]
    if words[1] == "of":  # of the upper limit given with the result
        limit = [{"high": _amount(words[2], words[3])}]
        return [observation(code, system, days, valueQuantity=_amount(words[0], words[3]), referenceRange=limit)]
    return [observation(code, system, days, valueQuantity=_amount(*words))]


def _amount(number: str, unit: str) -> Resource:
    return {"value": float(number), "unit": unit, "code": unit, "system": UCUM}


def not_meant(system: str, code: str, key: str, meaning: str) -> str | None:
    """None where the code has that meaning for the parameter in the catalogue."""
    meanings = [c.meaning for c in catalogue().lookup(system, code) if c.key == key]
    return None if meaning in meanings else f"{key} has {meanings or 'nothing'} for it"


def _misread(key: str, resources: list[Resource], expected: float) -> str | None:
    found = encoded(*resources).findings.get(key)
    return differs(found.value if found else None, expected)


def _not_excluded(key: str, resources: list[Resource]) -> str | None:
    patient = encoded(*resources)
    if key in patient.findings:
        return f"{key} is read from it"
    said = any(issue.code == "code-excluded" and key in issue.diagnostics for issue in patient.issues)
    return None if said else "its exclusion is not said"
