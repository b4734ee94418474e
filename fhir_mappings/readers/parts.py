"""Values that need a second number: percentages of leukocytes, multiples of a limit, parts of a sum or a ratio.

A finding of a part carries the part's name instead of a parameter's; the encoder derives the parameter from the parts.
"""

import math

import msgspec

from fhir_mappings.concepts import LOINC, SNOMED, Catalogue, Concept
from fhir_mappings.readers.answers import (
    Answer,
    Node,
    NotUsableError,
    canonical_value,
    comparator_flag,
    plausible,
    quantity_of,
)
from fhir_mappings.units import Units
from models.features import Feature

FIO2, PO2 = "part/fio2", "part/po2_arterial"
PARTS: dict[tuple[str, str], str] = {
    (LOINC, "9267-6"): "part/gcs_eyes",
    (LOINC, "9270-0"): "part/gcs_verbal",
    (LOINC, "9268-4"): "part/gcs_motor",
    (LOINC, "2703-7"): PO2,
    (LOINC, "19994-3"): FIO2,
    (LOINC, "3150-0"): FIO2,
    (LOINC, "71835-3"): FIO2,
    (SNOMED, "250774007"): FIO2,
    (SNOMED, "384994009"): "part/gleason_primary",
    (SNOMED, "384995005"): "part/gleason_secondary",
    (LOINC, "49683-6"): "part/her2_ratio",
}

# What each part can be at all; a sum or ratio of parts that are possible may still be judged as a whole.
_RANGES: dict[str, tuple[float, float]] = {
    "part/gcs_eyes": (1, 4),
    "part/gcs_verbal": (1, 5),
    "part/gcs_motor": (1, 6),
    PO2: (10, 760),
    FIO2: (0.15, 1),
    "part/gleason_primary": (1, 5),
    "part/gleason_secondary": (1, 5),
    "part/her2_ratio": (0.1, 100),
}
_PERCENT = frozenset({"%", "{/100}", "percent"})
_FRACTION = frozenset({"", "1", "{ratio}", "{fraction}", "L/L"})


def part_answer(name: str, node: Node, feature: Feature, source: Catalogue, units: Units) -> Answer:
    """The number of a part: a quantity, a ratio, or a coded answer of the level table (`name` is its key there).

    The oxygen pressure is read in the unit of its quotient (`feature`); an inspired fraction without a unit is a
    percentage above 1. Raises NotUsableError.
    """
    answer = _number(name, node, feature, units)
    if answer is None and node.valueCodeableConcept is not None and node.dataAbsentReason is None:
        stated = (source.level(name, coding.system, coding.code) for coding in node.valueCodeableConcept.coding)
        answer = next((Answer(value) for value in stated if value is not None and not math.isnan(value)), None)
    if answer is None:
        raise NotUsableError("no-value", f"{name}: there is no number", "information")
    low, high = _RANGES[name]
    if not low <= answer.value <= high:
        raise NotUsableError("implausible", f"{name}: outside {low:g} to {high:g}")
    return answer


def _number(name: str, node: Node, feature: Feature, units: Units) -> Answer | None:
    quantity = quantity_of(node)
    if quantity is None or quantity.value is None:
        ratio = node.valueRatio if node.dataAbsentReason is None else None
        over, under = (ratio.numerator.value, ratio.denominator.value) if ratio else (None, None)
        return Answer(over / under) if over is not None and under else None
    unit = quantity.code or quantity.unit
    value = quantity.value
    if name == PO2:
        value, _ = canonical_value(quantity, feature, units)
    elif name == FIO2:
        if unit not in _PERCENT | _FRACTION:
            raise NotUsableError("unit-unknown", f"{name}: neither a percentage nor a fraction")
        value = value / 100 if unit in _PERCENT or value > 1 else value
    return Answer(value, quantity.value, unit, comparator_flag(quantity))


def percent_of_leukocytes(node: Node, concept: Concept) -> Answer:
    """A share of leukocytes, 0 to 100. Raises NotUsableError for anything else."""
    quantity = quantity_of(node)
    if quantity is None or quantity.value is None or not 0 <= quantity.value <= 100:
        raise NotUsableError("not-a-number", f"{concept.key}: no percentage of leukocytes")
    if (quantity.code or quantity.unit) not in {"%", ""}:
        raise NotUsableError("unit-unknown", f"{concept.key}: a percentage was expected")
    return Answer(quantity.value, quantity.value, "%", comparator_flag(quantity))


def multiple_of_limit(node: Node, feature: Feature) -> Answer:
    """The value divided by the upper reference limit of the same result.

    Raises NotUsableError without exactly one such limit in the same unit.
    """
    quantity = quantity_of(node)
    limits = [r.high for r in node.referenceRange if r.high is not None and r.high.value]
    if quantity is None or quantity.value is None or len(limits) != 1 or not limits[0].value:
        raise NotUsableError("no-limit", f"{feature.key}: needs the upper limit given with the result", "information")
    if (limits[0].code or limits[0].unit) != (quantity.code or quantity.unit):
        raise NotUsableError("unit-conflict", f"{feature.key}: limit and result differ in unit")
    value = plausible(feature, quantity.value / limits[0].value)
    return Answer(value, quantity.value, quantity.code or quantity.unit, comparator_flag(quantity))


def over_a_day(answer: Answer, hours: float | None, feature: Feature) -> Answer:
    """An amount collected over `hours`, scaled to 24 hours.

    Raises NotUsableError where the time of collection is unknown or shorter than 6 hours.
    """
    if hours is None or hours < 6:
        raise NotUsableError("period-unknown", f"{feature.key}: needs the hours of collection, at least 6")
    return msgspec.structs.replace(answer, value=plausible(feature, answer.value * 24 / hours))
