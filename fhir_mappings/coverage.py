"""What a record gives and what it says in vain: parameters found, codes and units that the catalogue does not know.

Only codes, units and parameter keys are kept, never text or values of the record.
"""

from collections import Counter
from collections.abc import Iterable
from typing import get_args

import msgspec

from fhir_mappings.concepts import LOINC, Catalogue, addresses_of, catalogue
from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.pathology_reports import HISTOLOGY
from fhir_mappings.readers.body_composition import is_body_composition
from fhir_mappings.readers.by_code import has_code
from fhir_mappings.readers.variants import VARIANT
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.datatypes import CodeableConcept
from fhir_mappings.resources.r4 import Condition, Observation
from fhir_mappings.resources.therapies import DrugRecord, Procedure
from models.features import MODALITIES

_LONGEST = 128
_OWN_READER = frozenset((address, code) for address in addresses_of(LOINC) for code in (VARIANT, HISTOLOGY))
_UNIT_ISSUES = frozenset({"unit-unknown", "unit-missing", "unit-conflict"})


class UnknownCode(msgspec.Struct, frozen=True, gc=False, order=True):
    """A code that no coding beside it makes up for; `type` is the resource's."""

    type: str
    system: str
    code: str


class UnitProblem(msgspec.Struct, frozen=True, gc=False, order=True):
    """A unit that was not used for a parameter: "" where there was none."""

    feature: str
    unit: str
    code: str


class Found(msgspec.Struct, frozen=True, gc=False):
    """How many parameters of one patient have a value, per modality in their order; the cancer type counts as one."""

    patient: str
    at: str
    entity: str
    by_modality: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.by_modality)


def found(record: PatientRecord, encoded: EncodedPatient, at: str) -> Found:
    """How many parameters have a value at `at` (as text)."""
    schema = catalogue().schema
    counts = Counter(schema[key].modality for key in encoded.findings)
    entity = next((key for key in encoded.findings if schema[key].is_entity), "")
    return Found(record.patient_id, at, entity, tuple(counts[modality] for modality in MODALITIES))


def unknown_codes(record: PatientRecord) -> Counter[UnknownCode]:
    """Codes of the patient's Observations (components too), Conditions, Procedures and drugs that nothing reads.

    A concept with one known coding is known; one without any code is not counted.
    """
    own, source = OwnResources(record), catalogue()
    counts: Counter[UnknownCode] = Counter()
    for observation in own.of(Observation):
        if has_code(observation, _OWN_READER) or is_body_composition(observation):
            continue  # their readers know what their parts mean
        for concept in (observation.code, *(part.code for part in observation.component)):
            counts.update(_unknown("Observation", concept, source))
    for condition in own.of(Condition):
        counts.update(_unknown("Condition", condition.code, source))
    for procedure in own.of(Procedure):
        counts.update(_unknown("Procedure", procedure.code, source))
    for kind in get_args(DrugRecord):
        for record_of_drug in own.of(kind):
            if record_of_drug.medicationCodeableConcept:
                counts.update(_unknown(kind.__name__, record_of_drug.medicationCodeableConcept, source))
    return counts


def _unknown(kind: str, concept: CodeableConcept, source: Catalogue) -> Iterable[UnknownCode]:
    if any(source.lookup(coding.system, coding.code) for coding in concept.coding):
        return []
    return {UnknownCode(kind, _shown(c.system), _shown(c.code)) for c in concept.coding if c.code}


def _shown(code: str) -> str:
    """A code or an address as it may be shown: one word; what has spaces may be text that stands in its place."""
    is_word = code.isascii() and code.isprintable() and " " not in code
    return code if is_word and len(code) <= _LONGEST else "(no code)"


class IssueKind(msgspec.Struct, frozen=True, gc=False, order=True):
    """`feature`: the parameter that the issue is about, "" where it is about none in particular."""

    severity: str
    code: str
    feature: str


def issue_kinds(encoded: EncodedPatient) -> Counter[IssueKind]:
    """All issues by severity, code and parameter."""
    index = encoded.vector.schema.index
    named = ((issue, issue.diagnostics.partition(":")[0]) for issue in encoded.issues)
    return Counter(IssueKind(issue.severity, issue.code, name if name in index else "") for issue, name in named)


def unit_problems(encoded: EncodedPatient) -> Counter[UnitProblem]:
    """Units that were not understood, by parameter, as the issues name them."""
    counts: Counter[UnitProblem] = Counter()
    for issue in encoded.issues:
        if issue.code in _UNIT_ISSUES:
            feature, _, unit = issue.diagnostics.partition(": ")
            counts[UnitProblem(feature, "" if issue.code == "unit-missing" else unit, issue.code)] += 1
    return counts
