"""Which missing value that can still be asked or ordered could change the estimate most. Pure.

The network answers itself: it scores the patient anew with each missing value at either end of what is common among
the training patients of the group (`Group.common`). What follows from a value by formula (creatinine: eGFR) goes with
it. An input without weights cannot change the estimate and is never named here.
"""

from collections.abc import Iterator
from functools import cache

import msgspec
import numpy as np

from fhir_mappings.concepts import catalogue
from fhir_mappings.derive import CHANGES, FORMULAS
from fhir_mappings.encoder import EncodedPatient
from models.features import Feature
from models.setting import Network

# What a department asks for first (clinical review, section 4), as far as a network may have weights for it.
KEY = frozenset(
    {
        "stage_m1", "stage_uicc_stage", "func_gcs", "vital_resp_rate", "vital_spo2", "vital_map", "vital_sbp",
        "vital_heart_rate", "vital_temperature", "func_ecog", "func_adl_dependencies", "lab_albumin", "lab_creatinine",
        "lab_urea_nitrogen", "lab_lactate", "lab_neutrophils_abs", "lab_bilirubin_total",
    }
)  # fmt: skip
_STAGE = frozenset({"stage_m1", "stage_uicc_stage", "stage_t_category", "stage_n_category"})
_ORDERED = frozenset({"function", "laboratory"})  # modalities
_COMPUTED = frozenset(formula.key for formula in FORMULAS if not formula.prefers_reported)  # nobody orders an ALBI
_OVER_TIME = frozenset(change.key for change in CHANGES)


class NextInput(msgspec.Struct, frozen=True):
    """A missing input, and the position's percentile if its value were known.

    `low` is that at the end of the common values that is more favourable, `high` at the other one.
    """

    feature: str
    label: str
    low: int
    high: int


def next_inputs(encoded: EncodedPatient, network: Network, entity: str | None) -> tuple[NextInput, ...]:
    """The missing inputs, key inputs first, each part by how far apart their ends lie, ties by key.

    None whose ends lie at the same percentile; none at all by a package that does not know what is common.
    """
    common = network.common(entity)
    askable = [key for key in _askable(network) if key in common and key not in encoded.findings]
    if not askable:
        return ()
    ends = np.tile(encoded.vector.values, (2 * len(askable), 1))
    tried = [(key, value) for key in askable for value in common[key]]
    for row, (key, value) in enumerate(tried):
        for column, known in _filled_by(key, value, encoded):
            ends[row, column] = known
    places = network.percentiles(ends, entity).reshape(-1, 2)
    found = [_next(key, pair) for key, pair in zip(askable, places.tolist(), strict=True)]
    telling = [one for one in found if one.high > one.low]
    return tuple(sorted(telling, key=lambda one: (one.feature not in KEY, one.low - one.high, one.feature)))


@cache
def _askable(network: Network) -> tuple[str, ...]:
    """The inputs with weights that a department can ask, examine or order."""
    return tuple(sorted(key for key in network.trained if _can_be_asked(catalogue().schema[key])))


def _can_be_asked(feature: Feature) -> bool:
    if feature.key in _COMPUTED or feature.key in _OVER_TIME:
        return False
    return feature.key in KEY or feature.key in _STAGE or feature.modality in _ORDERED


def _filled_by(key: str, value: float, encoded: EncodedPatient) -> Iterator[tuple[int, float]]:
    """The columns that a value fills: its own, and those of what follows from it and other values by formula."""
    schema, findings = catalogue().schema, encoded.findings
    yield schema.index[key], value
    for formula in FORMULAS:
        others = [part for part in formula.parts if part != key]
        if key in formula.parts and formula.key not in findings and all(part in findings for part in others):
            values = (value if part == key else findings[part].value for part in formula.parts)
            follows = formula.compute(*values)
            if follows is not None and schema[formula.key].plausible(follows):
                yield schema.index[formula.key], follows


def _next(key: str, places: list[int]) -> NextInput:
    return NextInput(key, catalogue().schema[key].label_en, min(places), max(places))
