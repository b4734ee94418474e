"""Values that need a second number: percentages of leukocytes, multiples of a limit, parts of a sum or a ratio.

A finding of a part carries the part's name instead of a parameter's; the encoder derives the parameter from the parts.
"""

from fhir_mappings.concepts import LOINC, SNOMED, Catalogue, Concept
from fhir_mappings.readers.answers import Answer, Node, NotUsableError, quantity_of

PARTS: dict[tuple[str, str], str] = {
    (LOINC, "9267-6"): "part/gcs_eyes",
    (LOINC, "9270-0"): "part/gcs_verbal",
    (LOINC, "9268-4"): "part/gcs_motor",
    (LOINC, "2703-7"): "part/po2_arterial",
    (LOINC, "19994-3"): "part/fio2",
    (LOINC, "3150-0"): "part/fio2",
    (LOINC, "71835-3"): "part/fio2",
    (SNOMED, "250774007"): "part/fio2",
    (SNOMED, "384994009"): "part/gleason_primary",
    (SNOMED, "384995005"): "part/gleason_secondary",
    (LOINC, "49683-6"): "part/her2_ratio",
}


def part_answer(name: str, node: Node, source: Catalogue) -> Answer | None:
    """The number of a part: a quantity, a ratio, or a coded answer of the level table (`name` is its key there).

    An inspired oxygen fraction above 1 is a percentage.
    """
    quantity = quantity_of(node)
    if quantity is not None and quantity.value is not None:
        value = quantity.value / 100 if name == "part/fio2" and quantity.value > 1 else quantity.value
        return Answer(value, quantity.value, quantity.code or quantity.unit)
    if node.valueRatio is not None:
        over, under = node.valueRatio.numerator.value, node.valueRatio.denominator.value
        return Answer(over / under) if over is not None and under else None
    if node.valueCodeableConcept is not None:
        stated = (source.level(name, coding.system, coding.code) for coding in node.valueCodeableConcept.coding)
        return next((Answer(value) for value in stated if value is not None), None)
    return None


def percent_of_leukocytes(node: Node, concept: Concept) -> Answer:
    """A share of leukocytes, 0 to 100. Raises NotUsableError for anything else."""
    quantity = quantity_of(node)
    if quantity is None or quantity.value is None or not 0 <= quantity.value <= 100:
        raise NotUsableError("not-a-number", f"{concept.key}: no percentage of leukocytes")
    if (quantity.code or quantity.unit) not in {"%", ""}:
        raise NotUsableError("unit-unknown", f"{concept.key}: a percentage was expected")
    return Answer(quantity.value, quantity.value, "%")


def multiple_of_limit(node: Node, concept: Concept) -> Answer:
    """The value divided by the upper reference limit of the same result.

    Raises NotUsableError without exactly one such limit in the same unit.
    """
    quantity = quantity_of(node)
    limits = [r.high for r in node.referenceRange if r.high is not None and r.high.value]
    if quantity is None or quantity.value is None or len(limits) != 1 or not limits[0].value:
        raise NotUsableError("no-limit", f"{concept.key}: needs the upper limit given with the result", "information")
    if (limits[0].code or limits[0].unit) != (quantity.code or quantity.unit):
        raise NotUsableError("unit-conflict", f"{concept.key}: limit and result differ in unit")
    return Answer(quantity.value / limits[0].value, quantity.value, quantity.code or quantity.unit)
