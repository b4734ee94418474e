"""R4 resources about treatment, each with only the elements that the readers look at (hl7.org/fhir/R4).

A member of type None is one that only R5 has: without it, a resource of R5 would decode and name no drug.
"""

import msgspec

from fhir_mappings.resources.datatypes import CodeableConcept, Extension, Period, Reference
from fhir_mappings.resources.resource import Resource

# Element names are FHIR's own, so that a reader of the specification finds them.
# ruff: noqa: N815


class Ingredient(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    itemCodeableConcept: CodeableConcept | None = None
    item: None = None


class Medication(Resource, frozen=True, tag=True, gc=False):
    """A drug or product. It belongs to no patient."""

    code: CodeableConcept = CodeableConcept()
    ingredient: tuple[Ingredient, ...] = ()


class Contained(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A resource inside another; only a Medication is looked at (elsewhere `code` may be a mere word)."""

    resourceType: str = ""
    id: str = ""
    code: CodeableConcept | str | None = None
    ingredient: tuple[Ingredient, ...] = ()


class TimingRepeat(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    boundsPeriod: Period | None = None


class Timing(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    event: tuple[str, ...] = ()
    repeat: TimingRepeat | None = None


class Dosage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    route: CodeableConcept | None = None
    timing: Timing | None = None


class MedicationAdministration(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference = Reference()
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    dosage: Dosage | None = None
    contained: tuple[Contained, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    medication: None = None


class MedicationStatement(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference = Reference()
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    dateAsserted: str = ""
    dosage: tuple[Dosage, ...] = ()
    contained: tuple[Contained, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    medication: None = None


class MedicationRequest(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    intent: str = ""
    doNotPerform: bool | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference = Reference()
    authoredOn: str = ""
    dosageInstruction: tuple[Dosage, ...] = ()
    contained: tuple[Contained, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    medication: None = None


class Procedure(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    performedDateTime: str = ""
    performedPeriod: Period | None = None
    reasonReference: tuple[Reference, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    occurrenceDateTime: None = None
    occurrencePeriod: None = None
    reason: None = None


class ListEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    item: Reference = Reference()
    deleted: bool | None = None


class List(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    mode: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    date: str = ""
    entry: tuple[ListEntry, ...] = ()
    emptyReason: CodeableConcept | None = None
    modifierExtension: tuple[Extension, ...] = ()


DrugRecord = MedicationAdministration | MedicationStatement | MedicationRequest
Treatment = DrugRecord | Procedure | List
