"""Observation -> findings: laboratory, vital signs, performance, stage, pathology, scores.

What each code calls for is compiled from the catalogue (`observation_codes.py`). Results are first laid out by
parameter, then read from the newest back as long as one can still matter: a chart holds years of blood counts, and one
of them is used. Variants, histology and body composition, whose meaning is spread over components, have readers of
their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from itertools import repeat
from operator import attrgetter

import msgspec

from fhir_mappings.concepts import LOINC, Catalogue, addresses_of
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.answers import Answer, Node, NotUsableError, level, measured
from fhir_mappings.readers.by_code import ByCode, Code, has_code
from fhir_mappings.readers.observation_codes import NO_MEANING, Meaning, Slot, meanings_of_codes, together
from fhir_mappings.readers.parts import multiple_of_limit, over_a_day, part_answer, percent_of_leukocytes
from fhir_mappings.readers.usable import MARKS, STATUS_RANK, Timed, Usable, hours_of, is_haemolysed
from fhir_mappings.record import Resolve
from fhir_mappings.resources.datatypes import CodeableConcept
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.timing import seconds
from fhir_mappings.units import Units, units
from fhir_mappings.windows import Windows, is_of_a_set
from models.features import Feature

_A_NUMBER, _A_WORD = 1, 0  # a percentage says more than "positive"

_SPOILT_BY_HAEMOLYSIS = frozenset({"lab_potassium", "lab_ldh", "lab_nse", "ratio_ldh_uln_ratio"})
_URINE, _URINE_OF_A_DAY = "func_urine_output", "9192-6"
_VOLUME = frozenset({"mL", "ml"})

# Marks of a stage after treatment, at recurrence or at autopsy (y, r, a): what they stand beside is no initial stage.
_LATER_STAGE = frozenset((system, c) for system in addresses_of(LOINC) for c in ("101658-3", "101659-1", "101660-9"))

_ONE_DAY_ANYWHERE = timedelta(days=2).total_seconds()  # two moments of one calendar day, whatever their zones


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Results of one code that may stand for one parameter."""

    slot: Slot
    results: list[Timed]


class ObservationReader:
    """Reads Observations by one catalogue. Holds nothing of a patient."""

    def __init__(self, source: Catalogue, table: Units) -> None:
        self._catalogue = source
        self._units = table
        self._meanings = meanings_of_codes(source)

    def read(self, observations: ByCode, windows: Windows, address_of: Resolve, *, thorough: bool = False) -> Reading:
        """Findings and issues; nothing after the moment of assessment is read.

        What is chosen from the findings is the same with and without `thorough`; without it, older results of a
        parameter whose newest decides are not looked at, and have neither finding nor issue. Where the first vital
        signs since an arrival stand, all since then are read.
        """
        reading, usable = Reading(), Usable(windows.at)
        first = seconds(windows.arrival) - _ONE_DAY_ANYWHERE if windows.takes_first_set else None
        single = {code: usable.of(some) for code, some in observations.single.items()}
        mixed = usable.of(observations.mixed)
        later = _later_stages(single, mixed, address_of)
        mute: list[Observation] = []
        for batches in self._by_name(single, mixed, reading.issues).values():
            back_to = first if is_of_a_set(batches[0].slot.feature) else None
            self._read(batches, later, reading, mute, thorough=thorough, back_to=back_to)
        reading.issues += [*usable.issues, *self._nothing_said(mute, reading)]
        return reading

    def _by_name(
        self, single: Mapping[Code, list[Timed]], mixed: Iterable[Timed], issues: list[Issue]
    ) -> dict[str, list[Batch]]:
        """The results that may stand for each parameter or part; an issue for those that stand for none."""
        groups = [(self._meanings.get(code, NO_MEANING), results) for code, results in single.items()]
        others: dict[tuple[Code, ...], list[Timed]] = {}
        for node in (node for timed in mixed for node in self._parts(timed, issues)):
            codes = _codes_of(node.node)
            alike = single.get(codes[0]) if len(codes) == 1 else None
            (others.setdefault(codes, []) if alike is None else alike).append(node)
        groups += [(self._meaning(codes), results) for codes, results in others.items()]
        by_name: dict[str, list[Batch]] = {}
        for meaning, results in groups:
            if meaning is NO_MEANING:
                issues += [self._nothing_read(result.observation) for result in results]
            for slot in meaning.slots:
                by_name.setdefault(slot.name, []).append(Batch(slot, results))
            for slot in meaning.conflicting:
                text = f"{slot.feature.key}: its codings name different quantities"
                issues += [Issue("warning", "coding-conflict", text, r.observation.address) for r in results]
            for slot in meaning.ignored:
                text = f"{slot.feature.key}: {slot.code[1]} is never used"
                issues += [Issue("information", "code-excluded", text, r.observation.address) for r in results]
        return by_name

    def _parts(self, timed: Timed, issues: list[Issue]) -> list[Timed]:
        """An Observation and its components, as far as their codes mean something; an issue where none does."""
        observation = timed.observation
        nodes = [Timed(timed.seconds, timed.when, observation, part) for part in observation.component]
        found = [n for n in (timed, *nodes) if self._meaning(_codes_of(n.node)) is not NO_MEANING]
        if not found:
            issues.append(self._nothing_read(observation))
        return found

    def _meaning(self, codes: tuple[Code, ...]) -> Meaning:
        if len(codes) == 1:
            return self._meanings.get(codes[0], NO_MEANING)
        known = [self._meanings[code] for code in codes if code in self._meanings]
        return together(known) if known else NO_MEANING

    def _read(
        self, batches: list[Batch], later: set[str], reading: Reading, mute: list[Observation], *, thorough: bool,
        back_to: float | None,
    ) -> None:  # fmt: skip
        """Read from the newest back, until nothing older can be chosen or contradict what was; all from `back_to`."""
        stops_early = batches[0].slot.newest_decides and not thorough
        compared = batches[0].slot.compared
        earliest = compared[1] if compared else _ONE_DAY_ANYWHERE
        newest: Timed | None = None
        for timed, slot in _newest_first(batches):
            if newest is not None and (back_to is None or timed.seconds < back_to):
                if timed.seconds < newest.seconds - earliest:
                    break
                if not (_may_matter_beside(newest, timed) or (compared and _is_compared(newest, timed, compared))):
                    continue
            found = self._finding(timed, slot, later, reading.issues, mute)
            if found is not None:
                reading.findings.append(found)
                if stops_early and newest is None:
                    newest = timed

    def _finding(
        self, timed: Timed, slot: Slot, later: set[str], issues: list[Issue], mute: list[Observation]
    ) -> Finding | None:
        observation = timed.observation
        if later and slot.initial_stage and observation.address in later:
            text = "stage after treatment or at recurrence"
            issues.append(Issue("information", "stage-not-initial", text, observation.address))
            return None
        try:
            answer = self._answer(timed.node, slot, observation)
        except NotUsableError as error:
            issues.append(error.issue(observation.address))
            return None
        if answer is None:
            mute.append(observation)
            return None
        is_worded = answer.original is None and slot.is_parameter and slot.feature.kind == "continuous"
        status = observation.status
        return Finding(
            feature=slot.name,
            value=answer.value,
            unit=slot.unit,
            effective=timed.when,
            sources=(observation.address,),
            rule=slot.rule,
            rank=slot.rank + 2 * STATUS_RANK[status] + (_A_WORD if is_worded else _A_NUMBER),
            flags=answer.flags + MARKS.get(status, ()),
            original=answer.original,
            original_unit=answer.original_unit,
        )

    def _answer(self, node: Node, slot: Slot, observation: Observation) -> Answer | None:
        """The value that a node states for a slot; None where it states nothing alone. Raises NotUsableError."""
        feature, concept = slot.feature, slot.concept
        if observation.modifierExtension and feature.key in _SPOILT_BY_HAEMOLYSIS and is_haemolysed(observation):
            raise NotUsableError("haemolysed", f"{feature.key}: the sample is haemolysed")
        match slot.how:
            case "value" if node.valueCodeableConcept is None or feature.kind not in {"ordinal", "binary"}:
                answer = measured(node, feature, self._units, concept.factor, slot.assumed_unit)
                return _of_a_day(answer, slot.code[1], feature, observation) if feature.key == _URINE else answer
            case "value" | "level":
                return level(node, concept, feature, self._catalogue)
            case "percent_of_leukocytes":
                return percent_of_leukocytes(node, concept)
            case "multiple_of_limit":
                return multiple_of_limit(node, feature)
            case "part":
                return part_answer(slot.name, node, feature, self._catalogue, self._units)
            case _:
                return self._named_by_answer(node, concept.key)

    def _named_by_answer(self, node: Node, key: str) -> Answer | None:
        """A panel says nothing alone, but its coded answer may name the parameter (site of a metastasis)."""
        answer = node.valueCodeableConcept
        for coding in answer.coding if answer else ():
            for stated in self._catalogue.lookup(coding.system, coding.code):
                if stated.key == key and stated.level is not None:
                    return Answer(stated.level)
        return None

    def _nothing_said(self, mute: list[Observation], reading: Reading) -> list[Issue]:
        """An issue for those of which no other part said anything."""
        told = {s for f in reading.findings for s in f.sources} | {i.source for i in reading.issues} if mute else set()
        silent = {observation.address: observation for observation in mute if observation.address not in told}
        return [self._nothing_read(observation) for observation in silent.values()]

    def _nothing_read(self, observation: Observation) -> Issue:
        known = any(self._catalogue.lookup(coding.system, coding.code) for coding in observation.code.coding)
        code = "parts-elsewhere" if known else "code-unknown"
        return Issue("information", code, _codes(observation.code), observation.address)


@cache
def observation_reader(source: Catalogue) -> ObservationReader:
    """The reader of a catalogue, compiled once."""
    return ObservationReader(source, units())


_IN_TIME = attrgetter("seconds")


def _newest_first(batches: Sequence[Batch]) -> Iterable[tuple[Timed, Slot]]:
    if len(batches) == 1:
        return zip(sorted(batches[0].results, key=_IN_TIME, reverse=True), repeat(batches[0].slot))
    pairs = [(timed, batch.slot) for batch in batches for timed in batch.results]
    return sorted(pairs, key=lambda pair: pair[0].seconds, reverse=True)


def _is_compared(newest: Timed, other: Timed, compared: tuple[float, float]) -> bool:
    """Of the time before the newest from which a change is formed."""
    return compared[0] <= newest.seconds - other.seconds <= compared[1]


def _may_matter_beside(newest: Timed, other: Timed) -> bool:
    """Of the same moment (the rank decides), or of the same calendar day (they may contradict each other)."""
    if other.seconds == newest.seconds:
        return True
    return newest.when is not None and other.when is not None and newest.when.date() == other.when.date()


def _of_a_day(answer: Answer, code: str, feature: Feature, observation: Observation) -> Answer:
    """A volume of urine is one of 24 hours only where its code says so; all other answers stay as they are."""
    if code == _URINE_OF_A_DAY or answer.original_unit not in _VOLUME:
        return answer
    return over_a_day(answer, hours_of(observation), feature)


def _later_stages(single: Mapping[Code, list[Timed]], mixed: Iterable[Timed], address_of: Resolve) -> set[str]:
    """Addresses of the stage groupers, and their members, that stand beside a mark y, r or a."""
    marks = {timed.observation.address for code in single.keys() & _LATER_STAGE for timed in single[code]}
    marks |= {timed.observation.address for timed in mixed if has_code(timed.observation, _LATER_STAGE)}
    found: set[str] = set()
    if not marks:
        return found
    for timed in (*mixed, *(timed for results in single.values() for timed in results)):
        members = {address_of(reference.reference) for reference in timed.observation.hasMember}
        if members & marks:
            found |= members | {timed.observation.address}
    return found


def _codes_of(node: Node) -> tuple[Code, ...]:
    return tuple((coding.system, coding.code) for coding in node.code.coding)


def _codes(concept: CodeableConcept) -> str:
    """The codes of a resource that the catalogue does not know; never its text."""
    shown = [coding.code for coding in concept.coding if coding.code.replace("-", "").replace(".", "").isalnum()]
    return ", ".join(shown)[:80] or "no code"
