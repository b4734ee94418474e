"""The 14 inputs that a first look at a patient in an emergency needs, in order, and which of them are there.

Some have no weights in the network that scores (saturation, lactate, neutrophils): they are asked for and shown, and
never named as able to change the estimate.
"""

from collections.abc import Mapping

import msgspec

from fhir_mappings.encoder import EncodedPatient

# Key -> parameters: all of a group, and any group will do ("creatinine or urea").
KEY_INPUTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "tumour_and_extent": (("entity", "stage_m1"),),
    "age": (("demo_age_at_baseline",),),
    "consciousness": (("func_gcs",),),
    "respiratory_rate": (("vital_resp_rate",),),
    "spo2_with_oxygen": (("vital_spo2", "oxygen"),),
    "blood_pressure": (("vital_map",), ("vital_sbp",)),
    "pulse": (("vital_heart_rate",),),
    "temperature": (("vital_temperature",),),
    "function": (("func_ecog",), ("func_adl_dependencies",)),
    "albumin": (("lab_albumin",),),
    "creatinine_or_urea": (("lab_creatinine",), ("lab_urea_nitrogen",)),
    "lactate": (("lab_lactate",),),
    "neutrophils": (("lab_neutrophils_abs",),),
    "bilirubin": (("lab_bilirubin_total",),),
}


class KeyInputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """Keys of `KEY_INPUTS`, each in one of the two, in their order."""

    known: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def key_inputs(encoded: EncodedPatient) -> KeyInputs:
    """Which key inputs the patient has: the parameters, the recognised tumour, and whether oxygen or air is stated."""
    held = {*encoded.findings}
    held |= {"entity"} if encoded.tumours.index else set()
    held |= {"oxygen"} if encoded.bedside.oxygen else set()
    known = tuple(key for key, groups in KEY_INPUTS.items() if any(held.issuperset(group) for group in groups))
    return KeyInputs(known, tuple(key for key in KEY_INPUTS if key not in known))
