"""Observation -> findings: laboratory, vital signs, performance, stage, pathology, scores.

The loop stands once; what each code means is in the catalogue. Variants and body composition, whose meaning is spread
over components, have readers of their own.
"""

from collections.abc import Iterable
from datetime import datetime

from fhir_mappings.concepts import LOINC, Catalogue, Concept, canonical
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.answers import Answer, Node, NotUsableError, level, measured
from fhir_mappings.readers.parts import PARTS, multiple_of_limit, over_a_day, part_answer, percent_of_leukocytes
from fhir_mappings.readers.usable import MARKS, STATUS_RANK, effective, hours_of, is_haemolysed, unusable
from fhir_mappings.record import Resolve
from fhir_mappings.resources.datatypes import CodeableConcept
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.units import Units
from models.features import Feature

METHOD_RANK = {"pathological": 20, "clinical": 10, "point of care": -20}
_A_NUMBER, _A_WORD = 1, 0  # a percentage says more than "positive"

_SPOILT_BY_HAEMOLYSIS = frozenset({"lab_potassium", "lab_ldh", "lab_nse", "ratio_ldh_uln_ratio"})
_URINE, _URINE_OF_A_DAY = "func_urine_output", "9192-6"
_VOLUME = frozenset({"mL", "ml"})

# Marks of a stage after treatment, at recurrence or at autopsy (y, r, a): what they stand beside is no initial stage.
_LATER_STAGE = frozenset({"101658-3", "101659-1", "101660-9"})


class ObservationReader:
    def __init__(self, source: Catalogue, units: Units) -> None:
        self._catalogue = source
        self._units = units

    def read(self, observations: Iterable[Observation], at: datetime, address_of: Resolve) -> Reading:
        """Findings and issues of all observations; `at` is the moment of assessment (nothing after it is read)."""
        reading = Reading()
        usable: list[tuple[Observation, datetime | None]] = []
        for observation in observations:
            when = effective(observation, at)
            issue = unusable(observation, when, at)
            if issue is None:
                usable.append((observation, when))
            else:
                reading.issues.append(issue)
        later = _later_stages([observation for observation, _ in usable], address_of)
        for observation, when in usable:
            reading.add(self._read_one(observation, when, is_later_stage=observation.address in later))
        return reading

    def _read_one(self, observation: Observation, when: datetime | None, *, is_later_stage: bool) -> Reading:
        reading = self._read_node(observation, observation, when)
        for component in observation.component:
            reading.add(self._read_node(component, observation, when))
        if is_later_stage:
            kept = [f for f in reading.findings if not self._is_initial_stage(f)]
            if len(kept) < len(reading.findings):
                reading.findings = kept
                text = "stage after treatment or at recurrence"
                reading.issues.append(Issue("information", "stage-not-initial", text, observation.address))
        if not reading.findings and not reading.issues:
            reading.issues.append(self._nothing_read(observation))
        return reading

    def _nothing_read(self, observation: Observation) -> Issue:
        known = any(self._catalogue.lookup(coding.system, coding.code) for coding in observation.code.coding)
        code = "parts-elsewhere" if known else "code-unknown"
        return Issue("information", code, _codes(observation.code), observation.address)

    def _read_node(self, node: Node, observation: Observation, when: datetime | None) -> Reading:
        """One finding per parameter and node, whichever of its codings names it; a failure stands for all of them."""
        findings: dict[str, Finding] = {}
        failures: dict[str, Issue] = {}  # issues, not errors: an error keeps the whole record alive by its frames
        for coding in node.code.coding:
            for concept in self._catalogue.lookup(coding.system, coding.code):
                if concept.key in findings or concept.key in failures:
                    continue
                try:
                    found = self._interpret(node, (canonical(coding.system), coding.code), concept, observation)
                except NotUsableError as error:
                    if error.issue_code != "code-excluded" or len(node.code.coding) == 1:
                        failures[concept.key] = error.issue(observation.address)
                    continue
                if found is not None:
                    name, answer = found
                    findings[concept.key] = self._finding(name, answer, concept, observation, when)
        return Reading(list(findings.values()), list(failures.values()))

    def _interpret(  # noqa: PLR0911 - one line per meaning of the catalogue's closed list
        self, node: Node, code: tuple[str, str], concept: Concept, observation: Observation
    ) -> tuple[str, Answer] | None:
        """The parameter (or part) that this code states, with its value; None where the code states nothing alone."""
        key, feature = concept.key, self._catalogue.schema[concept.key]
        if key in _SPOILT_BY_HAEMOLYSIS and is_haemolysed(observation):
            raise NotUsableError("haemolysed", f"{key}: the sample is haemolysed")
        coded = node.valueCodeableConcept is not None and feature.kind in {"ordinal", "binary"}
        match concept.meaning:
            case "level":
                return key, level(node, concept, feature, self._catalogue)
            case "value" | "component" if coded:
                return key, level(node, concept, feature, self._catalogue)
            case "value" | "component":
                return key, _of_a_day(measured(node, feature, self._units, concept.factor), code, feature, observation)
            case "percent_of_leukocytes":
                return f"part/percent/{key}", percent_of_leukocytes(node, concept)
            case "multiple_of_limit":
                return key, multiple_of_limit(node, feature)
            case "part" if code in PARTS:
                return PARTS[code], part_answer(PARTS[code], node, feature, self._catalogue, self._units)
            case "panel":
                return self._named_by_answer(node, key)
            case "ignored":
                raise NotUsableError("code-excluded", f"{key}: {code[1]} is never used", "information")
            case _:
                return None

    def _named_by_answer(self, node: Node, key: str) -> tuple[str, Answer] | None:
        """A panel says nothing alone, but its coded answer may name the parameter (site of a metastasis)."""
        answer = node.valueCodeableConcept
        for coding in answer.coding if answer else ():
            for stated in self._catalogue.lookup(coding.system, coding.code):
                if stated.key == key and stated.level is not None:
                    return key, Answer(stated.level)
        return None

    def _finding(
        self, name: str, answer: Answer, concept: Concept, observation: Observation, when: datetime | None
    ) -> Finding:
        schema = self._catalogue.schema
        status = observation.status
        is_worded = name in schema.index and schema[name].kind == "continuous" and answer.original is None
        return Finding(
            feature=name,
            value=answer.value,
            unit=schema[name].unit if name in schema.index else "",
            effective=when,
            sources=(observation.address,),
            rule=f"{concept.meaning} of {concept.code}",
            rank=METHOD_RANK.get(concept.method, 0) + 2 * STATUS_RANK[status] + (_A_WORD if is_worded else _A_NUMBER),
            flags=(*answer.flags, *MARKS.get(status, ())),
            original=answer.original,
            original_unit=answer.original_unit,
        )

    def _is_initial_stage(self, finding: Finding) -> bool:
        schema = self._catalogue.schema
        return finding.feature in schema.index and schema[finding.feature].missing_rule == "initial_staging"


def _of_a_day(answer: Answer, code: tuple[str, str], feature: Feature, observation: Observation) -> Answer:
    """A volume of urine is one of 24 hours only where its code says so; all other answers stay as they are."""
    if feature.key != _URINE or code[1] == _URINE_OF_A_DAY or answer.original_unit not in _VOLUME:
        return answer
    return over_a_day(answer, hours_of(observation), feature)


def _later_stages(observations: list[Observation], address_of: Resolve) -> set[str]:
    """Addresses of the stage groupers, and their members, that stand beside a mark y, r or a."""
    marks = {
        o.address
        for o in observations
        if any(c.code in _LATER_STAGE and canonical(c.system) == LOINC for c in o.code.coding)
    }
    found: set[str] = set()
    for grouper in observations if marks else ():
        members = {address_of(reference.reference) for reference in grouper.hasMember}
        if members & marks:
            found |= members | {grouper.address}
    return found


def _codes(concept: CodeableConcept) -> str:
    """The codes of a resource that the catalogue does not know; never its text."""
    shown = [coding.code for coding in concept.coding if coding.code.replace("-", "").replace(".", "").isalnum()]
    return ", ".join(shown)[:80] or "no code"
