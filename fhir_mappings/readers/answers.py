"""The value of an Observation or of one of its components, for one parameter."""

import math

import msgspec

from fhir_mappings.concepts import Catalogue, Concept
from fhir_mappings.finding import Issue, Severity
from fhir_mappings.formulas import ecog_of_karnofsky, isup_of_gleason_sum
from fhir_mappings.resources.datatypes import CodeableConcept, Quantity
from fhir_mappings.resources.r4 import Component, Observation
from fhir_mappings.units import Units, UnknownUnitError
from models.features import Feature

Node = Observation | Component

KARNOFSKY = frozenset({"89243-0", "761869008"})
GLEASON_SUM = "35266-6"

# Ordinals whose levels are also sent as a bare number that means the level itself. Others (HER2, MSI, receptors) are
# not read from numbers: a score of 1 there may be a ratio or a percentage.
_NUMBER_IS_LEVEL = frozenset(
    {
        "func_ecog",
        "func_gcs",
        "stage_uicc_stage",
        "stage_t_category",
        "stage_n_category",
        "stage_grade",
        "path_gleason_isup",
    }
)

UNIT_ASSUMED = "unit-assumed"  # flag of a value whose unit only the site's table states

_HUGE = 10**18


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A value in the parameter's canonical unit, with how it was written."""

    value: float
    original: float | None = None
    original_unit: str = ""
    flags: tuple[str, ...] = ()


class NotUsableError(Exception):
    """This value cannot be used for this parameter. `issue_code` and `severity` say why; no text of the record."""

    def __init__(self, issue_code: str, diagnostics: str, severity: Severity = "warning") -> None:
        super().__init__(diagnostics)
        self.issue_code = issue_code
        self.diagnostics = diagnostics
        self.severity: Severity = severity

    def issue(self, source: str) -> Issue:
        return Issue(self.severity, self.issue_code, self.diagnostics, source)


def quantity_of(node: Node) -> Quantity | None:
    """The number that a node states, as a Quantity; an integer has no unit. None where it states none.

    A number beside a reason for its absence is none (FHIR obs-6 forbids it; what is said to be an error is one).
    """
    if node.dataAbsentReason is not None:
        return None
    if node.valueQuantity is not None:
        return node.valueQuantity
    if node.valueInteger is not None:
        return Quantity(value=float(min(max(node.valueInteger, -_HUGE), _HUGE)))  # JSON integers have no limit
    return None


def measured(node: Node, feature: Feature, units: Units, factor: float | None = None, assumed_unit: str = "") -> Answer:
    """The node's number in the canonical unit of `feature`, times the code's own `factor` for mass concentrations.

    `assumed_unit`: what the site says of results of this code that bear no unit; the value is then marked.
    Raises NotUsableError: no value, a value that is not a number, an unknown unit, out of the plausible range.
    """
    if feature.kind == "binary" and node.valueBoolean is not None and node.dataAbsentReason is None:
        return Answer(float(node.valueBoolean))
    quantity = quantity_of(node)
    if quantity is None or quantity.value is None:
        raise _no_number(node, feature)
    flags = comparator_flag(quantity)
    if assumed_unit and not (quantity.code.strip() or quantity.unit.strip()):
        quantity, flags = Quantity(quantity.value, unit=assumed_unit), (*flags, UNIT_ASSUMED)
    value, spelling = canonical_value(quantity, feature, units)
    if factor is not None and "mol" not in spelling:
        value *= factor
    return Answer(plausible(feature, value), quantity.value, quantity.code or quantity.unit, flags)


def canonical_value(quantity: Quantity, feature: Feature, units: Units) -> tuple[float, str]:
    """The quantity in the canonical unit of `feature`, and the unit it was read in.

    Raises NotUsableError where there is no value or its unit is unknown.
    """
    if quantity.value is None:
        raise NotUsableError("no-value", f"{feature.key}: there is no value", "information")
    try:
        conversion, spelling = units.of_quantity(feature, quantity)
    except UnknownUnitError as error:
        raise NotUsableError(error.code, f"{feature.key}: {error.spelling or 'no unit'}") from error
    # written out, as a call costs more than the sum
    return quantity.value * conversion.factor + conversion.offset, spelling


def comparator_flag(quantity: Quantity) -> tuple[str, ...]:
    """`<5` is read as 5, and says so."""
    return ("comparator",) if quantity.comparator else ()


def level(node: Node, concept: Concept, feature: Feature, source: Catalogue) -> Answer:
    """The level that a coded, textual or bare numeric answer states; without one, a positive or negative verdict.

    Raises NotUsableError: no answer, an answer that the catalogue does not know, "unknown" stated, codings that
    contradict each other.
    """
    if node.dataAbsentReason is not None:
        raise _no_number(node, feature)
    if node.valueCodeableConcept is not None:
        return Answer(_coded_level(node.valueCodeableConcept, feature, source))
    if node.valueString is not None:
        return Answer(_stated(source.level(feature.key, "", node.valueString.strip()), feature, "text"))
    quantity = quantity_of(node)
    if quantity is None or quantity.value is None:
        return Answer(_interpreted_level(node, feature, source))
    if feature.key not in _NUMBER_IS_LEVEL:
        raise NotUsableError("answer-unknown", f"{feature.key}: a number where a coded answer is read")
    number = _from_scale(concept.code, quantity.value, feature)
    return Answer(plausible(feature, number), quantity.value, quantity.code or quantity.unit, comparator_flag(quantity))


def _from_scale(code: str, number: float, feature: Feature) -> float:
    if code in KARNOFSKY:
        grade = ecog_of_karnofsky(number)
    elif code == GLEASON_SUM:
        grade = isup_of_gleason_sum(int(number)) if number == int(number) else None
    else:
        return number
    if grade is None:
        raise NotUsableError("implausible", f"{feature.key}: the number is not on the scale or does not decide")
    return float(grade)


def _coded_level(answer: CodeableConcept, feature: Feature, source: Catalogue) -> float:
    stated = [source.level(feature.key, coding.system, coding.code) for coding in answer.coding]
    known = {value for value in stated if value is not None and not math.isnan(value)}
    if len(known) > 1:
        raise NotUsableError("coding-conflict", f"{feature.key}: codings state different levels")
    if known:
        return known.pop()
    if any(value is not None for value in stated):
        raise NotUsableError("stated-unknown", f"{feature.key}: recorded as unknown", "information")
    if answer.coding:
        raise NotUsableError("answer-unknown", f"{feature.key}: no coding of the answer is known")
    return _stated(source.level(feature.key, "", answer.text.strip()), feature, "text")


def _interpreted_level(node: Node, feature: Feature, source: Catalogue) -> float:
    """The level of POS or NEG where that is all there is; high, low or normal state no level."""
    verdicts = [coding for verdict in node.interpretation for coding in verdict.coding]
    stated = [source.level(feature.key, coding.system, coding.code) for coding in verdicts]
    if _is_valueless(node) and any(value is not None for value in stated):
        return _coded_level(CodeableConcept(tuple(verdicts)), feature, source)
    raise _no_number(node, feature)


def _stated(value: float | None, feature: Feature, what: str) -> float:
    if value is None:
        raise NotUsableError("answer-unknown", f"{feature.key}: {what} is not a known answer")
    if math.isnan(value):
        raise NotUsableError("stated-unknown", f"{feature.key}: recorded as unknown", "information")
    return value


def plausible(feature: Feature, value: float) -> float:
    """The value, where the parameter can have it. Raises NotUsableError where not (NaN included)."""
    if not feature.low <= value <= feature.high:
        raise NotUsableError(
            "implausible", f"{feature.key}: outside {feature.low:g} to {feature.high:g} {feature.unit}"
        )
    if feature.kind in {"ordinal", "binary"} and value != int(value):
        raise NotUsableError("implausible", f"{feature.key}: between two levels")
    return value


def _no_number(node: Node, feature: Feature) -> NotUsableError:
    if node.dataAbsentReason is not None:
        return NotUsableError("data-absent", f"{feature.key}: recorded as not available", "information")
    if not _is_valueless(node):
        return NotUsableError("not-a-number", f"{feature.key}: the value is no single number")
    if node.interpretation:
        return NotUsableError("interpretation-only", f"{feature.key}: interpreted, without a value", "information")
    return NotUsableError("no-value", f"{feature.key}: there is no value", "information")


def _is_valueless(node: Node) -> bool:
    """Whether none of the values is there that are read, or that show that the result is no single number."""
    written = (node.valueQuantity and node.valueQuantity.value, node.valueInteger, node.valueString, node.valueBoolean)
    structured = (node.valueCodeableConcept, node.valueRange, node.valueRatio, node.valueSampledData)
    return all(value is None for value in (*written, *structured))
