"""Observation -> what a bedside score needs and no parameter holds: air or oxygen, the saturation scale, mucositis.

The shapes in which emergency systems send them, each from a published guide: a code alone that states a finding
(CareConnect NEWS2: 722742002 breathing room air, 371825009 patient on oxygen), the same codes with yes or no (Dutch
acute care), as a boolean (Czech vital signs: 57485005 oxygen therapy) or with a flow in L/min (England). A flow rate
and an inspired fraction are read as parameters and parts (`observations.py`), beside a saturation as components too.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from fhir_mappings.concepts import LOINC, OWN, SNOMED, addresses_of, canonical
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.answers import Node, quantity_of
from fhir_mappings.readers.by_code import ByCode, Code
from fhir_mappings.readers.usable import MARKS, STATUS_RANK, effective, unusable
from fhir_mappings.resources.r4 import Observation

OXYGEN, SCALE_2, MUCOSITIS = "bedside/oxygen", "bedside/spo2_scale_2", "bedside/mucositis_grade"

# What the code itself states where nothing else is said (or "yes" is); "no" states the contrary.
_STATED: Mapping[Code, tuple[str, bool]] = {
    (SNOMED, "371825009"): (OXYGEN, True),  # patient on oxygen
    (SNOMED, "57485005"): (OXYGEN, True),  # oxygen therapy; a code alone may be an order, so it needs a value
    (SNOMED, "722742002"): (OXYGEN, False),  # breathing room air
    # which of the two scales a clinician scored by (RCP NEWS2, UK edition); the points are not read
    (SNOMED, "1104321000000108"): (SCALE_2, True),
    (SNOMED, "1104311000000102"): (SCALE_2, False),
}
_NEEDS_VALUE = (SNOMED, "57485005")
_MUCOSITIS = (OWN, "mucositis_grade")  # no public code names the grade
_HIGHEST_GRADE = 5
_ADDRESSED = {(address, code): (own, code) for own, code in (*_STATED, _MUCOSITIS) for address in addresses_of(own)}

_YES = frozenset({(SNOMED, "373066001"), (LOINC, "LA33-6")})
_NO = frozenset({(SNOMED, "373067005"), (LOINC, "LA32-8")})

# Asked for beside the codes of the catalogue; the score itself, whose components name the scale, with them.
BEDSIDE_CODES = (*sorted(code for _, code in _STATED), "1104051000000101", _MUCOSITIS[1])


def read_bedside(observations: ByCode, at: datetime) -> Reading:
    """A finding for each Observation or component that states one; an issue where it does and cannot be used."""
    reading = Reading()
    for observation in _speaking(observations):
        when = effective(observation, at)
        issue = unusable(observation, when, at)
        if issue is not None:
            reading.issues.append(issue)
            continue
        nodes: tuple[Node, ...] = (observation, *observation.component)
        for node in nodes:
            read = _read(node, observation)
            if isinstance(read, Issue):
                reading.issues.append(read)
            elif read is not None:
                reading.findings.append(_dated(read, observation, when))
    return reading


def _speaking(observations: ByCode) -> Iterable[Observation]:
    for code in _ADDRESSED:
        yield from observations.single.get(code, ())
    for observation in observations.mixed:
        if _code_of(observation) or any(_code_of(part) for part in observation.component):
            yield observation


def _code_of(node: Node) -> Code | None:
    """The first of its codes that is read here, under the catalogue's own address of the system."""
    for coding in node.code.coding:
        if (coding.system, coding.code) in _ADDRESSED:
            return _ADDRESSED[coding.system, coding.code]
    return None


def _read(node: Node, observation: Observation) -> Finding | Issue | None:
    code = _code_of(node)
    if code is None:
        return None
    name = MUCOSITIS if code == _MUCOSITIS else _STATED[code][0]
    if node.dataAbsentReason is not None:
        return Issue("information", "data-absent", f"{name}: recorded as not available", observation.address)
    value = _grade(node) if code == _MUCOSITIS else _stated(code, node)
    if value is None:
        return Issue("warning", "answer-unknown", f"{name}: no answer that is known", observation.address)
    return Finding(name, float(value), "{grade}" if name == MUCOSITIS else "1", None, (), rule=f"{name} by {code[1]}")


def _stated(code: Code, node: Node) -> bool | None:
    name, positive = _STATED[code]
    if name == SCALE_2:  # points of the one or the other scale: that they were given says which
        return positive
    said = _yes_or_no(node)
    if said is None and not (_is_bare(node) and code != _NEEDS_VALUE):
        return None
    return positive if said is None or said else not positive


def _yes_or_no(node: Node) -> bool | None:
    if node.valueBoolean is not None:
        return node.valueBoolean
    quantity = quantity_of(node)
    if quantity is not None and quantity.value is not None:
        return quantity.value > 0  # a flow, in whatever unit
    answers = node.valueCodeableConcept.coding if node.valueCodeableConcept else ()
    said = {(canonical(answer.system), answer.code) for answer in answers}
    return None if bool(said & _YES) == bool(said & _NO) else bool(said & _YES)


def _grade(node: Node) -> int | None:
    quantity = quantity_of(node)
    if quantity is None or quantity.value is None or quantity.value not in range(_HIGHEST_GRADE + 1):
        return None
    return int(quantity.value)


def _is_bare(node: Node) -> bool:
    values = (node.valueQuantity, node.valueCodeableConcept, node.valueString, node.valueInteger, node.valueBoolean)
    return all(value is None for value in (*values, node.valueRange, node.valueRatio, node.valueSampledData))


def _dated(finding: Finding, observation: Observation, when: datetime | None) -> Finding:
    return msgspec.structs.replace(
        finding,
        effective=when,
        sources=(observation.address,),
        rank=STATUS_RANK[observation.status],
        flags=MARKS.get(observation.status, ()),
    )
