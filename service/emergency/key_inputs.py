"""The 14 key inputs of an emergency, in the order in which they are asked for (clinical review, section 4)."""

from collections.abc import Mapping

import msgspec

from fhir_mappings.encoder import EncodedPatient

TUMOUR = "tumour"
_EXTENT = ("stage_m1", "stage_uicc_stage")

# Each is known where one of its parameters is; the tumour needs its type too.
KEY_INPUTS: Mapping[str, tuple[str, ...]] = {
    TUMOUR: _EXTENT,
    "age": ("demo_age_at_baseline",),
    "consciousness": ("func_gcs",),
    "respiratoryRate": ("vital_resp_rate",),
    "oxygen": ("vital_spo2",),
    "bloodPressure": ("vital_map", "vital_sbp"),
    "pulse": ("vital_heart_rate",),
    "temperature": ("vital_temperature",),
    "function": ("func_ecog", "func_adl_dependencies"),
    "albumin": ("lab_albumin",),
    "kidney": ("lab_creatinine", "lab_urea_nitrogen"),
    "lactate": ("lab_lactate",),
    "neutrophils": ("lab_neutrophils_abs",),
    "bilirubin": ("lab_bilirubin_total",),
}


class KeyInputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which of the 14 are known and which are missing, in their order."""

    known: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def key_inputs(encoded: EncodedPatient) -> KeyInputs:
    has = {name: any(key in encoded.findings for key in keys) for name, keys in KEY_INPUTS.items()}
    has[TUMOUR] = has[TUMOUR] and encoded.tumours.index is not None
    return KeyInputs(
        tuple(name for name, known in has.items() if known), tuple(name for name, known in has.items() if not known)
    )
