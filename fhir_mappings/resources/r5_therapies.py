"""R5 resources about treatment, and what they are in R4 (hl7.org/fhir/R5). List is equal in all that is read."""

import msgspec

from fhir_mappings.resources import therapies as r4
from fhir_mappings.resources.datatypes import CodeableConcept, CodeableReference, Extension, Period, Reference
from fhir_mappings.resources.resource import Resource

# Element names are FHIR's own. A member of type None is one that only R4 has: a resource with it is none of R5.
# ruff: noqa: N815

_ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
# R5's `status` says only that the statement was recorded; whether the drug is taken is its `adherence`.
_TAKEN = {"taking": "active", "taking-as-directed": "active", "taking-not-as-directed": "active"}
_NOT_TAKEN = {"not-taking": "not-taken", "on-hold": "on-hold", "stopped": "stopped"}
_BY_ADHERENCE = {**_TAKEN, **_NOT_TAKEN}


class Ingredient(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    item: CodeableReference = CodeableReference()
    itemCodeableConcept: None = None

    def as_r4(self) -> r4.Ingredient:
        return r4.Ingredient(self.item.concept)


class Medication(Resource, frozen=True, tag=True, gc=False):
    code: CodeableConcept = CodeableConcept()
    ingredient: tuple[Ingredient, ...] = ()

    def as_r4(self) -> r4.Medication:
        return r4.Medication(id=self.id, code=self.code, ingredient=tuple(one.as_r4() for one in self.ingredient))


class Contained(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    resourceType: str = ""
    id: str = ""
    code: CodeableConcept | str | None = None
    ingredient: tuple[Ingredient, ...] = ()

    def as_r4(self) -> r4.Contained:
        return r4.Contained(self.resourceType, self.id, self.code, tuple(one.as_r4() for one in self.ingredient))


class MedicationAdministration(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    medication: CodeableReference = CodeableReference()
    subject: Reference = Reference()
    occurenceDateTime: str = ""  # spelt so in R5
    occurencePeriod: Period | None = None
    dosage: r4.Dosage | None = None
    contained: tuple[Contained, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    medicationCodeableConcept: None = None
    medicationReference: None = None
    effectiveDateTime: None = None
    effectivePeriod: None = None

    def as_r4(self) -> r4.MedicationAdministration:
        return r4.MedicationAdministration(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            status=self.status,
            medicationCodeableConcept=self.medication.concept,
            medicationReference=self.medication.reference,
            subject=self.subject,
            effectiveDateTime=self.occurenceDateTime,
            effectivePeriod=self.occurencePeriod,
            dosage=self.dosage,
            contained=tuple(one.as_r4() for one in self.contained),
            modifierExtension=self.modifierExtension,
        )


class Adherence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    code: CodeableConcept = CodeableConcept()


class MedicationStatement(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    adherence: Adherence = Adherence()
    medication: CodeableReference = CodeableReference()
    subject: Reference = Reference()
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    dateAsserted: str = ""
    dosage: tuple[r4.Dosage, ...] = ()
    contained: tuple[Contained, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    medicationCodeableConcept: None = None
    medicationReference: None = None

    def as_r4(self) -> r4.MedicationStatement:
        return r4.MedicationStatement(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            status=self._status(),
            medicationCodeableConcept=self.medication.concept,
            medicationReference=self.medication.reference,
            subject=self.subject,
            effectiveDateTime=self.effectiveDateTime,
            effectivePeriod=self.effectivePeriod,
            dateAsserted=self.dateAsserted,
            dosage=self.dosage,
            contained=tuple(one.as_r4() for one in self.contained),
            modifierExtension=self.modifierExtension,
        )

    def _status(self) -> str:
        """R4's status; `unknown` where a recorded statement does not say whether the drug is taken."""
        if self.status != "recorded":
            return self.status
        stated = {_BY_ADHERENCE.get(c.code, "unknown") for c in self.adherence.code.coding if c.system == _ADHERENCE}
        return stated.pop() if len(stated) == 1 else "unknown"


class MedicationRequest(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    intent: str = ""
    doNotPerform: bool | None = None
    medication: CodeableReference = CodeableReference()
    subject: Reference = Reference()
    authoredOn: str = ""
    dosageInstruction: tuple[r4.Dosage, ...] = ()
    contained: tuple[Contained, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    medicationCodeableConcept: None = None
    medicationReference: None = None

    def as_r4(self) -> r4.MedicationRequest:
        return r4.MedicationRequest(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            status="completed" if self.status == "ended" else self.status,
            intent=self.intent,
            doNotPerform=self.doNotPerform,
            medicationCodeableConcept=self.medication.concept,
            medicationReference=self.medication.reference,
            subject=self.subject,
            authoredOn=self.authoredOn,
            dosageInstruction=self.dosageInstruction,
            contained=tuple(one.as_r4() for one in self.contained),
            modifierExtension=self.modifierExtension,
        )


class Procedure(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    occurrenceDateTime: str = ""
    occurrencePeriod: Period | None = None
    reason: tuple[CodeableReference, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    performedDateTime: None = None
    performedPeriod: None = None
    reasonReference: None = None

    def as_r4(self) -> r4.Procedure:
        return r4.Procedure(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            status=self.status,
            code=self.code,
            subject=self.subject,
            performedDateTime=self.occurrenceDateTime,
            performedPeriod=self.occurrencePeriod,
            reasonReference=tuple(one.reference for one in self.reason if one.reference is not None),
            modifierExtension=self.modifierExtension,
        )


Changed = Medication | MedicationAdministration | MedicationStatement | MedicationRequest | Procedure
