"""When no score is given, and what is said instead."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient
from models.package import Package
from models.setting import Network
from service.labels import listed
from service.language.sentences import ENGLISH, Language
from service.unit_suspicion import suspected_units

ENOUGH_INPUTS = 5
ENOUGH_PATIENTS = 50
ACUTE = "acute"
_ADULT = 18
_AGE = "demo_age_at_baseline"

# Asked for first where too little is known, in this order; a network names only what it has weights for.
_MOST_USEFUL = (
    "stage_uicc_stage",
    "stage_m1",
    "stage_grade",
    "func_ecog",
    "lab_albumin",
    "lab_hemoglobin",
    "stage_t_category",
)
# in hospital unplanned: what is asked for first in an emergency (clinical review, section 4)
_MOST_USEFUL_ACUTE = (
    "stage_m1",
    "func_gcs",
    "vital_resp_rate",
    "vital_map",
    "vital_heart_rate",
    "vital_temperature",
    "lab_albumin",
    "lab_creatinine",
)

Code = Literal[
    "foreign-patient", "restricted", "objection-unknown", "record-replaced", "deceased", "under-18", "no-solid-tumour",
    "several-primaries", "tumour-inactive", "entity-not-scored", "too-little", "unusual-unit", "unusual",
]  # fmt: skip


class Abstained(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why there is no score: a code, one line, and a sentence on what could help, both in English.

    `features` are the parameters and `count` the number that it speaks of: with them `texts` says it in any language.
    """

    code: str
    text: str
    detail: str
    features: tuple[str, ...] = ()
    count: int = 0


def reason_to_abstain(encoded: EncodedPatient, network: Network, package: Package) -> Abstained | None:
    """The first reason that holds, gravest first; None where the patient is scored (or too unusual for it)."""
    if encoded.foreign:
        return because("foreign-patient")
    if encoded.person.replaced:
        return because("record-replaced")
    if encoded.person.deceased:
        return because("deceased")
    if encoded.person.age is not None and encoded.person.age < _ADULT:
        return because("under-18")
    return _tumour(encoded, network, package) or _too_little(encoded, network) or _wrong_unit(encoded, network)


def because(code: Code, features: Sequence[str] = (), count: int = 0) -> Abstained:
    unsaid = Abstained(code, "", "", tuple(features), count)
    text, detail = texts(unsaid, ENGLISH)
    return msgspec.structs.replace(unsaid, text=text, detail=detail)


def texts(abstained: Abstained, language: Language) -> tuple[str, str]:
    """The line and the sentence in a language; as the assessment has them where the code is none of ours."""
    no_age = abstained.code == "too-little" and _AGE in abstained.features
    found = language.abstentions.get("no-age" if no_age else abstained.code)
    if found is None:
        return abstained.text, abstained.detail
    arguments = {
        "names": listed(abstained.features, len(abstained.features), language),
        "count": abstained.count,
        "recognised": len(catalogue().schema.entities),
        "enough_inputs": ENOUGH_INPUTS,
        "enough_patients": ENOUGH_PATIENTS,
    }
    detail = found.detail.format(**arguments)
    if abstained.code == "too-little" and not abstained.features:
        detail = language.say("further-inputs")
    return found.reason.format(**arguments), detail


def _tumour(encoded: EncodedPatient, network: Network, package: Package) -> Abstained | None:
    # in hospital unplanned all patients with cancer are one group: that the package knows the type is enough
    patients = package.entity_patients if network.setting == ACUTE else network.entity_patients
    match encoded.tumours.state:
        case "none":
            entities = catalogue().schema.entities
            return because("no-solid-tumour", count=sum(patients(key) >= ENOUGH_PATIENTS for key in entities))
        case "several":
            return because("several-primaries", [t.entity for t in encoded.tumours.tumours if t.active])
        case "inactive":
            return because("tumour-inactive")
    entity = encoded.tumours.index.entity if encoded.tumours.index else ""
    return because("entity-not-scored", [entity]) if patients(entity) < ENOUGH_PATIENTS else None


def _wrong_unit(encoded: EncodedPatient, network: Network) -> Abstained | None:
    """A value that no training patient had, and that would be usual in another unit."""
    values = {key: finding.value for key, finding in encoded.findings.items()}
    suspected = suspected_units(values, network.manifest.trained)
    return because("unusual-unit", [one.feature for one in suspected]) if suspected else None


def _too_little(encoded: EncodedPatient, network: Network) -> Abstained | None:
    """Age, entity and at least five more inputs that the network has weights for."""
    further = network.trained.intersection(encoded.findings).difference(catalogue().schema.entities, [_AGE])
    has_age = _AGE in encoded.findings
    if has_age and len(further) >= ENOUGH_INPUTS:
        return None
    wanted = _MOST_USEFUL_ACUTE if network.setting == ACUTE else _MOST_USEFUL
    useful = [key for key in wanted if key in network.trained and key not in encoded.findings][:3]
    return because("too-little", useful if has_age else [_AGE, *useful], len(further))
