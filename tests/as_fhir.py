"""A row of a cohort table written as FHIR resources, so that the two doors into the model can be compared.

Every value goes out under a code that the catalogue knows, in the canonical unit, at the moment of assessment. Derived
parameters are not written: reading has to derive them as the cohort builder did.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from fhir_mappings.concepts import ICD_O_3, LOINC, OWN, SNOMED, catalogue
from fhir_mappings.entities import Evidence, decide
from fhir_mappings.gene_rules import RULES, Rule
from fhir_mappings.histology import histology_flags
from fhir_mappings.resources.datatypes import Coding

UICC = "https://www.uicc.org/resources/tnm"
HGNC = "http://www.genenames.org/geneId"
MII_ONKO = "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/CodeSystem/mii-cs-onko-"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"

Resource = dict[str, Any]

# computed by the reader from other parameters of the row
DERIVED = frozenset(
    {"vital_bmi", "vital_map", "lab_egfr_ckdepi", "ratio_nlr", "ratio_albi", "ratio_anion_gap", "stage_n_met_sites"}
)
# parameter -> code of the Observation, answers by value
CODED: Mapping[str, tuple[tuple[str, str], tuple[str, Mapping[float, str]]]] = {
    "stage_uicc_stage": ((LOINC, "21902-2"), (UICC, {1: "I", 2: "II", 3: "III", 4: "IV"})),
    "stage_t_category": ((LOINC, "21899-0"), (UICC, {0: "T0", 1: "T1", 2: "T2", 3: "T3", 4: "T4"})),
    "stage_n_category": ((LOINC, "21900-6"), (UICC, {0: "N0", 1: "N1", 2: "N2", 3: "N3"})),
    "stage_m1": ((LOINC, "21901-4"), (UICC, {0: "M0", 1: "M1"})),
    "stage_grade": ((LOINC, "33732-9"), (MII_ONKO + "grading", {1: "1", 2: "2", 3: "3", 4: "4"})),
    "func_smoking_status": ((LOINC, "72166-2"), (SNOMED, {0: "266919005", 1: "8517006", 2: "449868002"})),
    "gene_msi_high": ((LOINC, "81695-9"), (LOINC, {0: "LA14122-8", 1: "LA26203-2"})),
    "gene_mgmt_methylated": ((LOINC, "64083-9"), (LOINC, {0: "LA6577-6", 1: "LA6576-8"})),
    "path_her2": ((LOINC, "85319-2"), (LOINC, {0: "LA6111-4", 1: "LA11841-6", 2: "LA11843-2"})),
    "path_p16_hpv": ((LOINC, "21440-3"), (LOINC, {0: "LA6577-6", 1: "LA6576-8"})),
    "path_lymphatic_invasion": ((SNOMED, "395715009"), (UICC, {0: "L0", 1: "L1"})),
    "path_venous_invasion": ((SNOMED, "371493002"), (UICC, {0: "V0", 1: "V1"})),
    "path_perineural_invasion": ((SNOMED, "371513001"), (UICC, {0: "Pn0", 1: "Pn1"})),
    "path_residual_status": ((LOINC, "84892-9"), (MII_ONKO + "residualstatus", {0: "R0", 1: "R1", 2: "R2"})),
    "path_ulceration": (
        (SNOMED, "6270001000004106"),
        (MII_ONKO + "melanom-ulzeration", {0: "N", 1: "J"}),
    ),
    "path_gleason_isup": ((SNOMED, "1515521000004104"), ("", {1: "", 2: "", 3: "", 4: "", 5: ""})),
}
DIABETES = "E11.9"


class NotWritableError(Exception):
    """This row holds a combination that no single FHIR record states (its entity contradicts its histology)."""


def resources_of(patient_id: str, row: Mapping[str, float], at: date) -> list[Resource]:
    """The record of one row: `row` maps each known parameter to its value in canonical units."""
    written: list[Resource] = [_patient(patient_id, row, at), _tumour(patient_id, row)]
    for key, value in sorted(row.items()):
        feature = catalogue().schema[key]
        if key in DERIVED or feature.is_entity or feature.modality == "demographics" or _told_by_tumour(key):
            continue
        if key.startswith("stage_met_") and row.get("stage_m1") == 0:
            continue  # M0 says so
        written += _written(patient_id, key, value, at)
    for number, resource in enumerate(written):
        resource.setdefault("id", f"{patient_id}-{number}")
    return written


def _told_by_tumour(key: str) -> bool:
    return key in _flags_of("8140/3") or key in {"path_colon_right_sided", "path_oropharynx"}


def _flags_of(morphology: str) -> dict[str, int]:
    return histology_flags(morphology)


def _patient(patient_id: str, row: Mapping[str, float], at: date) -> Resource:
    patient: Resource = {"resourceType": "Patient", "id": patient_id}
    if "demo_age_at_baseline" in row:
        patient["birthDate"] = date(at.year - int(row["demo_age_at_baseline"]), 1, 1).isoformat()
    if "demo_sex_female" in row:
        patient["gender"] = "female" if row["demo_sex_female"] == 1 else "male"
    return patient


def _tumour(patient_id: str, row: Mapping[str, float]) -> Resource:
    """A Condition whose code, site and cells yield exactly the entity and the histology flags of the row."""
    entity = next(key for key, value in row.items() if key.startswith("entity_") and value == 1)
    flags = {key: row[key] for key in _flags_of("8140/3") if key in row}
    female = None if "demo_sex_female" not in row else row["demo_sex_female"] == 1
    named = Coding(SNOMED, _snomed(entity))
    for site in _sites(entity, row):
        for morphology in _morphologies(flags):
            sites, cells = (Coding(ICD_O_3, site),) if site else (), (morphology,) if morphology else ()
            evidence = Evidence((named,) if not site or not morphology else (), sites, cells, female)
            if decide(evidence, catalogue(), "Condition/x").entity == entity:
                return _condition(patient_id, evidence.codes, site, morphology)
    raise NotWritableError(f"{entity} with {flags}")


def _snomed(entity: str) -> str:
    return next(r["code"] for r in catalogue().rows if r["key"] == entity and r["system"] == SNOMED)


def _sites(entity: str, row: Mapping[str, float]) -> list[str]:
    """Topographies of the entity that fit the subsite flags of the row."""
    found = [
        concept["code"] for concept in catalogue().rows
        if concept["key"] == entity and concept["system"] == ICD_O_3 and concept["code"].startswith("C")
    ]  # fmt: skip
    if row.get("path_colon_right_sided") is not None:
        found = {1: ["C18.2"], 0: ["C18.7", "C20.9"]}[int(row["path_colon_right_sided"])]
    elif entity == "entity_colon":
        found = ["C18.9"]
    if row.get("path_oropharynx") is not None:
        found = ["C10.9"] if row["path_oropharynx"] == 1 else ["C32.9"]
    elif entity == "entity_head_neck":
        found = [""]  # every site would say whether it is the oropharynx
    return found or ["C76.7"]


def _morphologies(flags: Mapping[str, float]) -> list[str]:
    """ICD-O-3 codes with exactly these flags; none where the row has no flags."""
    if not flags:
        return [""]
    return [f"{n}/3" for n in range(8011, 9581) if {k: float(v) for k, v in _flags_of(f"{n}/3").items()} == dict(flags)]


def _condition(patient_id: str, codes: tuple[Coding, ...], site: str, morphology: str) -> Resource:
    stated = [{"system": code.system, "code": code.code} for code in codes]
    stated += [{"system": ICD_O_3, "code": morphology}] if morphology else []
    return {
        "resourceType": "Condition",
        "verificationStatus": _concept(VERIFICATION, "confirmed"),
        "clinicalStatus": _concept(CLINICAL, "active"),
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": {"coding": stated},
    } | ({"bodySite": [_concept(ICD_O_3, site)]} if site else {})


def _written(patient_id: str, key: str, value: float, at: date) -> list[Resource]:
    if key == "comorb_diabetes":
        return [_diabetes(patient_id, present=value == 1)]
    if key.startswith("gene_") and key in {rule.key for rule in RULES.values()}:
        rules = [rule for rule in RULES.values() if rule.key == key]
        return [r for rule in rules for r in _variants(patient_id, rule, present=value == 1, at=at)]
    if key in CODED:
        return [_coded(patient_id, key, value, at)]
    return [_measured(patient_id, key, value, at)]


def _observation(patient_id: str, code: tuple[str, str], at: date | None) -> Resource:
    observation: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": _concept(*code),
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    if at is not None:
        observation["effectiveDateTime"] = at.isoformat()
    return observation


def _coded(patient_id: str, key: str, value: float, at: date) -> Resource:
    code, (system, answers) = CODED[key]
    # an undated M1 has no "months since": the cohorts of diagnosis do not know them either
    undated = key == "stage_m1" and value == 1
    observation = _observation(patient_id, code, None if undated else at)
    if answers[value]:
        observation["valueCodeableConcept"] = _concept(system, answers[value])
    else:
        observation["valueInteger"] = int(value)
    return observation


def _measured(patient_id: str, key: str, value: float, at: date) -> Resource:
    feature = catalogue().schema[key]
    code = next(
        ((r["system"], r["code"]) for r in catalogue().rows
         if r["key"] == key and r["meaning"] in {"value", "component"} and not r["factor"]
         and r["system"] in {LOINC, SNOMED, OWN}),
        (OWN, key),
    )  # fmt: skip
    observation = _observation(patient_id, code, at)
    unit = {"value": value, "system": "http://unitsofmeasure.org", "code": feature.unit, "unit": feature.unit}
    observation["valueQuantity"] = unit
    return observation


def _diabetes(patient_id: str, *, present: bool) -> Resource:
    return {
        "resourceType": "Condition",
        "verificationStatus": _concept(VERIFICATION, "confirmed" if present else "refuted"),
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": _concept("http://hl7.org/fhir/sid/icd-10", DIABETES),
    } | ({"clinicalStatus": _concept(CLINICAL, "active")} if present else {})


def _variants(patient_id: str, rule: Rule, *, present: bool, at: date) -> list[Resource]:
    """One pathogenic variant, or a negative report for each test without which the gene is not known to be 0."""
    if present:
        code, change = ("48004-6", rule.coding[0]) if rule.coding else ("48005-3", _pathogenic(rule))
        return [_variant(patient_id, rule, "LA9633-4", at, _hgvs(code, change))]
    negative: list[Resource] = []
    for test in rule.zero_needs:
        if test == "promoter":
            changes = [change for change in rule.coding if ">" in change]
            negative += [_variant(patient_id, rule, "LA9634-2", at, _hgvs("48004-6", change)) for change in changes]
        elif test == "copy_number":
            copies = {"code": _concept(LOINC, "82155-3"), "valueQuantity": {"value": 2}}
            negative.append(_variant(patient_id, rule, "LA9634-2", at, copies))
        else:
            negative.append(_variant(patient_id, rule, "LA9634-2", at))
    return negative


def _hgvs(code: str, change: str) -> Resource:
    return {"code": _concept(LOINC, code), "valueCodeableConcept": _concept("http://varnomen.hgvs.org", change)}


def _variant(patient_id: str, rule: Rule, presence: str, at: date, *components: Resource) -> Resource:
    observation = _observation(patient_id, (LOINC, "69548-6"), at)
    observation["valueCodeableConcept"] = _concept(LOINC, presence)
    hgnc = next(r["code"] for r in catalogue().rows if r["system"] == HGNC and r["display"] == rule.symbol)
    gene = {"code": _concept(LOINC, "48018-6"), "valueCodeableConcept": _concept(HGNC, hgnc, rule.symbol)}
    observation["component"] = [gene, *components]
    return observation


def _pathogenic(rule: Rule) -> str:
    """A protein change that the rule of the gene lists."""
    if rule.codons:
        codon = rule.codons[0][0]
        residue = rule.residues.get(codon, "G")
        return f"p.{residue}{codon}{'V' if residue != 'V' else 'A'}"
    return f"p.{rule.changes[0]}" if rule.changes else "p.R100*"


def _concept(system: str, code: str, display: str = "") -> Resource:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}
