"""Observation -> findings: laboratory, vital signs, performance, stage, pathology, scores.

The loop stands once; what each code means is in the catalogue. Variants and body composition, whose meaning is spread
over components, have readers of their own.
"""

from collections.abc import Iterable
from datetime import datetime

from fhir_mappings.concepts import LOINC, Catalogue, Concept
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.answers import Answer, Node, NotUsableError, level, measured
from fhir_mappings.readers.parts import PARTS, multiple_of_limit, part_answer, percent_of_leukocytes
from fhir_mappings.resources.datatypes import CodeableConcept
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.timing import instant
from fhir_mappings.units import Units

# Amended and corrected results replace final ones; a preliminary one serves until the final is there, and is marked.
STATUS_RANK = {"amended": 2, "corrected": 2, "final": 1, "preliminary": 0}
METHOD_RANK = {"pathological": 20, "clinical": 10}

# A sample quality that changes the result (MII Labor: modifierExtension "interpretationsbeeinflussende Eigenschaft").
_HAEMOLYSED = "118128002"
_KNOWN_QUALITIES = frozenset({_HAEMOLYSED, "118127007", "118129005"})  # lipaemic, icteric
_SPOILT_BY_HAEMOLYSIS = frozenset({"lab_potassium", "lab_ldh", "lab_nse", "ratio_ldh_uln_ratio"})

# Marks of a stage after treatment, at recurrence or at autopsy (y, r, a): what they stand beside is no initial stage.
_LATER_STAGE = frozenset({(LOINC, "101658-3"), (LOINC, "101659-1"), (LOINC, "101660-9")})


def effective(observation: Observation) -> datetime | None:
    """When the observation was true of the patient: its time, the end of its period, else when it was issued."""
    period = observation.effectivePeriod
    for text in (
        observation.effectiveDateTime,
        observation.effectiveInstant,
        period.end or period.start if period else "",
        observation.issued,
    ):
        moment = instant(text) if text else None
        if moment is not None:
            return moment
    return None


def unusable(observation: Observation, when: datetime | None, at: datetime) -> Issue | None:
    """Why an Observation as a whole is not read, None where it is: its status, its time, an unknown modifier."""
    source = observation.address
    if observation.status not in STATUS_RANK:
        return Issue("information", "status-not-used", _status(observation.status), source)
    if observation.modifierExtension and _qualities(observation) - _KNOWN_QUALITIES:
        return Issue("warning", "modifier-unknown", "a modifierExtension that may change the meaning", source)
    if when is not None and when > at:
        return Issue("information", "after-at", "dated after the moment of assessment", source)
    return None


class ObservationReader:
    def __init__(self, source: Catalogue, units: Units) -> None:
        self._catalogue = source
        self._units = units

    def read(self, observations: Iterable[Observation], at: datetime) -> Reading:
        """Findings and issues of all observations; `at` is the moment of assessment (nothing after it is read)."""
        known = list(observations)
        later = _later_stages(known)
        reading = Reading()
        for observation in known:
            when = effective(observation)
            issue = unusable(observation, when, at)
            if issue is None:
                reading.add(self._read_one(observation, when, is_later_stage=observation.address in later))
            else:
                reading.issues.append(issue)
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
            reading.issues.append(Issue("information", "code-unknown", _codes(observation.code), observation.address))
        return reading

    def _read_node(self, node: Node, observation: Observation, when: datetime | None) -> Reading:
        """One finding per parameter and node, whichever of its codings names it; a failure stands for all of them."""
        findings: dict[str, Finding] = {}
        failures: dict[str, NotUsableError] = {}
        for coding in node.code.coding:
            for concept in self._catalogue.lookup(coding.system, coding.code):
                if concept.key in findings or concept.key in failures:
                    continue
                try:
                    found = self._interpret(node, (coding.system, coding.code), concept, observation)
                except NotUsableError as error:
                    if error.issue_code != "code-excluded" or len(node.code.coding) == 1:
                        failures[concept.key] = error
                    continue
                if found is not None:
                    name, answer = found
                    findings[concept.key] = self._finding(name, answer, concept, observation, when)
        return Reading(list(findings.values()), [e.issue(observation.address) for e in failures.values()])

    def _interpret(  # noqa: PLR0911 - one line per meaning of the catalogue's closed list
        self, node: Node, code: tuple[str, str], concept: Concept, observation: Observation
    ) -> tuple[str, Answer] | None:
        """The parameter (or part) that this code states, with its value; None where the code states nothing alone."""
        key, feature = concept.key, self._catalogue.schema[concept.key]
        if key in _SPOILT_BY_HAEMOLYSIS and observation.modifierExtension and _HAEMOLYSED in _qualities(observation):
            raise NotUsableError("haemolysed", f"{key}: the sample is haemolysed")
        coded = node.valueCodeableConcept is not None and feature.kind in {"ordinal", "binary"}
        match concept.meaning:
            case "level":
                return key, level(node, concept, feature, self._catalogue)
            case "value" | "component" if coded:
                return key, level(node, concept, feature, self._catalogue)
            case "value" | "component":
                return key, measured(node, feature, self._units, concept.factor)
            case "percent_of_leukocytes":
                return f"part/percent/{key}", percent_of_leukocytes(node, concept)
            case "multiple_of_limit":
                return key, multiple_of_limit(node, concept)
            case "part" if code in PARTS:
                part = part_answer(PARTS[code], node, self._catalogue)
                return None if part is None else (PARTS[code], part)
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
        return Finding(
            feature=name,
            value=answer.value,
            unit=schema[name].unit if name in schema.index else "",
            effective=when,
            sources=(observation.address,),
            rule=f"{concept.meaning} of {concept.code}",
            rank=STATUS_RANK[status] + METHOD_RANK.get(concept.method, 0),
            flags=(*answer.flags, "preliminary") if status == "preliminary" else answer.flags,
            original=answer.original,
            original_unit=answer.original_unit,
        )

    def _is_initial_stage(self, finding: Finding) -> bool:
        schema = self._catalogue.schema
        return finding.feature in schema.index and schema[finding.feature].missing_rule == "initial_staging"


def _later_stages(observations: list[Observation]) -> set[str]:
    """Addresses of the stage groupers, and their members, that stand beside a mark y, r or a."""
    marks = {o.address for o in observations if any((c.system, c.code) in _LATER_STAGE for c in o.code.coding)}
    found: set[str] = set()
    for grouper in observations if marks else ():
        members = {reference.reference for reference in grouper.hasMember}
        if members & marks:
            found |= members | {grouper.address}
    return found


def _qualities(observation: Observation) -> set[str]:
    found: set[str] = set()
    for extension in observation.modifierExtension:
        codings = extension.valueCodeableConcept.coding if extension.valueCodeableConcept else ()
        single = (extension.valueCoding,) if extension.valueCoding else ()
        found |= {coding.code for coding in (*codings, *single)} or {extension.url}
    return found


def _status(status: str) -> str:
    return status if status in {"registered", "cancelled", "entered-in-error", "unknown"} else "no status"


def _codes(concept: CodeableConcept) -> str:
    """The codes of a resource that the catalogue does not know; never its text."""
    shown = [coding.code for coding in concept.coding if coding.code.replace("-", "").replace(".", "").isalnum()]
    return ", ".join(shown)[:80] or "no code"
