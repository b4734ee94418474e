"""R5 resources that differ from R4 in an element that a reader looks at (hl7.org/fhir/R5), and what they are in R4.

The readers know R4 only. Patient, Condition and Observation are equal in all elements that are read. A resource type
that R5 changed has a struct here, with the method `as_r4`, and stands in `Changed`.
"""

from collections.abc import Iterable

import msgspec

from fhir_mappings.resources import r4, r5_objections, r5_therapies
from fhir_mappings.resources.datatypes import CodeableConcept, CodeableReference, Coding, Extension, Period, Reference
from fhir_mappings.resources.objections import Flag
from fhir_mappings.resources.resource import Resource
from fhir_mappings.resources.therapies import List

# Element names are FHIR's own. A member of type None is one that only R4 has: a resource with it is none of R5.
# ruff: noqa: N815

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_STATUS = {"completed": "finished"}  # all others are kept; `discharged` is over, but its record may not be complete


class AmbiguousError(ValueError):
    """What R5 allows several times and R4 once has two different values. The text is the element's path."""


class Admission(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    admitSource: CodeableConcept | None = None
    dischargeDisposition: CodeableConcept | None = None


class EncounterReason(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    value: tuple[CodeableReference, ...] = ()


class EncounterDiagnosis(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    condition: tuple[CodeableReference, ...] = ()


class Encounter(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    class_: tuple[CodeableConcept, ...] = msgspec.field(default=(), name="class")
    type_: tuple[CodeableConcept, ...] = msgspec.field(default=(), name="type")
    subject: Reference = Reference()
    actualPeriod: Period = Period()
    diagnosis: tuple[EncounterDiagnosis, ...] = ()
    reason: tuple[EncounterReason, ...] = ()
    admission: Admission = Admission()
    modifierExtension: tuple[Extension, ...] = ()
    period: None = None
    reasonCode: None = None
    hospitalization: None = None

    def as_r4(self) -> r4.Encounter:
        """Raises AmbiguousError where `class` names two kinds of care."""
        named = [c.reference for d in self.diagnosis for c in d.condition if c.reference is not None]
        return r4.Encounter(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            modifierExtension=self.modifierExtension,
            status=_STATUS.get(self.status, self.status),
            class_=_only_class(self.class_),
            type_=self.type_,
            subject=self.subject,
            period=self.actualPeriod,
            diagnosis=tuple(r4.EncounterDiagnosis(reference) for reference in named),
            reasonCode=tuple(v.concept for r in self.reason for v in r.value if v.concept is not None),
            hospitalization=r4.Hospitalization(self.admission.admitSource, self.admission.dischargeDisposition),
        )


def _only_class(classes: Iterable[CodeableConcept]) -> Coding:
    """The one code of v3-ActCode, which R4 uses, else the first code; R5 may add others of the site beside it."""
    codings = [coding for concept in classes for coding in concept.coding]
    kinds = {coding.code: coding for coding in codings if coding.system == ACT_CODE}
    if len(kinds) > 1:
        raise AmbiguousError("$.class")
    return next(iter((*kinds.values(), *codings)), Coding())


class Modality(CodeableConcept, frozen=True, gc=False):
    code: None = None


class ImagingSeries(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    modality: Modality = Modality()


class ImagingStudy(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    modality: tuple[Modality, ...] = ()
    subject: Reference = Reference()
    started: str = ""
    series: tuple[ImagingSeries, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()

    def as_r4(self) -> r4.ImagingStudy:
        series = [_modality(coding) for one in self.series for coding in one.modality.coding]
        return r4.ImagingStudy(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            modifierExtension=self.modifierExtension,
            status=self.status,
            modality=tuple(_modality(coding) for concept in self.modality for coding in concept.coding),
            subject=self.subject,
            started=self.started,
            series=tuple(r4.ImagingSeries(modality) for modality in series),
        )


def _modality(coding: Coding) -> r4.Modality:
    return r4.Modality(system=coding.system, code=coding.code)


class MolecularSequence(Resource, frozen=True, tag=True, gc=False):
    """A sequence as such. R5 took `variant` out: variants are Observations of Genomics Reporting."""

    subject: Reference = Reference()
    modifierExtension: tuple[Extension, ...] = ()
    patient: None = None
    coordinateSystem: None = None
    referenceSeq: None = None
    variant: None = None

    def as_r4(self) -> r4.MolecularSequence:
        """Without variants: the reader says so, and whose it is is still checked."""
        return r4.MolecularSequence(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            modifierExtension=self.modifierExtension,
            patient=self.subject,
        )


Changed = Encounter | ImagingStudy | MolecularSequence | r5_therapies.Changed | r5_objections.Changed
AnyResource = r4.Patient | r4.Condition | r4.Observation | r4.OperationOutcome | List | Flag | Changed


class BundleEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    resource: AnyResource | None = None
    fullUrl: str = ""
    search: r4.EntrySearch | None = None

    def as_r4(self) -> r4.BundleEntry:
        resource = None if self.resource is None else as_r4(self.resource)
        return r4.BundleEntry(resource, self.fullUrl, self.search)


class Bundle(Resource, frozen=True, tag=True, gc=False):
    total: object = None
    link: tuple[r4.BundleLink, ...] = ()
    entry: tuple[BundleEntry, ...] = ()


def as_r4(resource: AnyResource) -> r4.AnyResource:
    """The resource as R4 has it. Raises AmbiguousError."""
    return resource.as_r4() if isinstance(resource, Changed) else resource
