"""When no score is given, and what is said instead."""

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient
from models.setting import Network

ENOUGH_INPUTS = 5
ENOUGH_PATIENTS = 50
_ADULT = 18

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


class Abstained(msgspec.Struct, frozen=True):
    """Why there is no score: a code of the closed list below, one line, and a sentence on what could help."""

    code: str
    text: str
    detail: str


RESTRICTED = Abstained(
    "restricted",
    "this record is restricted.",
    "It bears a label under which this site does not have records assessed. Nothing of it is shown here.",
)


def reason_to_abstain(encoded: EncodedPatient, network: Network) -> Abstained | None:
    """The first reason that holds, gravest first; None where the patient is scored."""
    if encoded.foreign:
        return Abstained(
            "foreign-patient",
            "data of another patient were delivered with this request.",
            "Nothing was used. At least one resource names a different patient. "
            "Please check that the right chart is open.",
        )
    if encoded.person.replaced:
        return Abstained(
            "record-replaced",
            "this record was merged into another one.",
            "What is known now is in the record that replaced it. Please open that chart.",
        )
    if encoded.person.deceased:
        return Abstained("deceased", "a death is recorded.", "The service assesses living patients only.")
    if encoded.person.age is not None and encoded.person.age < _ADULT:
        return Abstained("under-18", "adults only.", "The model was trained on patients of 18 years and older.")
    return _tumour(encoded, network) or _too_little(encoded, network)


def _tumour(encoded: EncodedPatient, network: Network) -> Abstained | None:
    schema = catalogue().schema
    match encoded.tumours.state:
        case "none":
            scored = sum(network.entity_patients(key) >= ENOUGH_PATIENTS for key in schema.entities)
            return Abstained(
                "no-solid-tumour",
                "no confirmed solid tumour found in this record.",
                f"The service recognises {len(schema.entities)} solid tumours in adults and scores {scored} of them. "
                "Suspected, in-situ and blood cancers are not included. "
                "If a tumour is known, its coded diagnosis is missing here.",
            )
        case "several":
            named = ", ".join(schema[t.entity].label_en for t in encoded.tumours.tumours if t.active)
            return Abstained(
                "several-primaries",
                "more than one active tumour is recorded.",
                f"Recorded: {named}. The model was trained on patients with one.",
            )
        case "inactive":
            return Abstained(
                "tumour-inactive",
                "the recorded tumour is marked inactive or resolved.",
                "If it is active, its status needs correction at the source.",
            )
    entity = encoded.tumours.index.entity if encoded.tumours.index else ""
    if network.entity_patients(entity) < ENOUGH_PATIENTS:
        return Abstained(
            "entity-not-scored",
            f"{schema[entity].label_en} is recognised, but too few such patients were in the training data.",
            f"Fewer than {ENOUGH_PATIENTS} patients with this tumour stand behind the model.",
        )
    return None


def _too_little(encoded: EncodedPatient, network: Network) -> Abstained | None:
    """Age, entity and at least five more inputs that the network has weights for."""
    schema = catalogue().schema
    further = [
        key for key in encoded.findings
        if key in network.trained and not schema[key].is_entity and key != "demo_age_at_baseline"
    ]  # fmt: skip
    has_age = "demo_age_at_baseline" in encoded.findings
    if has_age and len(further) >= ENOUGH_INPUTS:
        return None
    useful = [key for key in _MOST_USEFUL if key in network.trained and key not in encoded.findings][:3]
    labels = ", ".join(schema[key].label_en for key in useful)
    age = "age" if has_age else "no age"
    return Abstained(
        "too-little",
        f"too little is recorded ({age}, tumour type and {len(further)} of at least {ENOUGH_INPUTS} further inputs).",
        f"Most useful next: {labels}." if labels else "Further inputs of the model are needed.",
    )
