"""R4 resources that the readers use, each with only the elements they look at (hl7.org/fhir/R4).

R4B is equal in these. R5 renamed some (resources/r5.py): a resource of R5 fails to decode into these and becomes an
issue, never a guess. Where it would not fail by itself, a member that only R5 has stands here with the type None.
"""

import msgspec

from fhir_mappings.resources.datatypes import (
    CodeableConcept,
    Coding,
    Extension,
    Identifier,
    Period,
    Quantity,
    Range,
    Ratio,
    Reference,
    SampledData,
)
from fhir_mappings.resources.objections import Consent, Flag
from fhir_mappings.resources.resource import Resource
from fhir_mappings.resources.therapies import Medication, Treatment

# Element names are FHIR's own, so that a reader of the specification finds them.
# ruff: noqa: N815


class PatientLink(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`type_`: "replaced-by" where this record was merged into another one."""

    type_: str = msgspec.field(default="", name="type")


class Patient(Resource, frozen=True, tag=True, gc=False):
    active: bool | None = None
    identifier: tuple[Identifier, ...] = ()
    gender: str = ""
    birthDate: str = ""
    deceasedBoolean: bool | None = None
    deceasedDateTime: str = ""
    link: tuple[PatientLink, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()


class Hospitalization(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    admitSource: CodeableConcept | None = None
    dischargeDisposition: CodeableConcept | None = None


class EncounterDiagnosis(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    condition: Reference = Reference()


class Encounter(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    class_: Coding = msgspec.field(default=Coding(), name="class")
    type_: tuple[CodeableConcept, ...] = msgspec.field(default=(), name="type")
    subject: Reference = Reference()
    period: Period = Period()
    diagnosis: tuple[EncounterDiagnosis, ...] = ()
    reasonCode: tuple[CodeableConcept, ...] = ()
    hospitalization: Hospitalization = Hospitalization()
    modifierExtension: tuple[Extension, ...] = ()
    actualPeriod: None = None
    admission: None = None
    reason: None = None


class ConditionStage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    summary: CodeableConcept = CodeableConcept()
    type_: CodeableConcept = msgspec.field(default=CodeableConcept(), name="type")
    modifierExtension: tuple[Extension, ...] = ()


class Condition(Resource, frozen=True, tag=True, gc=False):
    clinicalStatus: CodeableConcept = CodeableConcept()
    verificationStatus: CodeableConcept = CodeableConcept()
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept = CodeableConcept()
    bodySite: tuple[CodeableConcept, ...] = ()
    subject: Reference = Reference()
    encounter: Reference = Reference()
    onsetDateTime: str = ""
    onsetPeriod: Period | None = None
    abatementDateTime: str = ""
    recordedDate: str = ""
    stage: tuple[ConditionStage, ...] = ()
    extension: tuple[Extension, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()


class ReferenceRange(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    low: Quantity | None = None
    high: Quantity | None = None


class Component(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A component carries its value in the same members as an Observation."""

    code: CodeableConcept = CodeableConcept()
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str | None = None
    valueInteger: int | None = None
    valueBoolean: bool | None = None
    valueRange: Range | None = None
    valueRatio: Ratio | None = None
    valueSampledData: SampledData | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    referenceRange: tuple[ReferenceRange, ...] = ()


class Observation(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    focus: tuple[Reference, ...] = ()
    encounter: Reference = Reference()
    effectiveDateTime: str = ""
    effectivePeriod: Period | None = None
    effectiveInstant: str = ""
    issued: str = ""
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str | None = None
    valueInteger: int | None = None
    valueBoolean: bool | None = None
    valueRange: Range | None = None
    valueRatio: Ratio | None = None
    valueSampledData: SampledData | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    bodySite: CodeableConcept | None = None
    method: CodeableConcept | None = None
    specimen: Reference = Reference()
    referenceRange: tuple[ReferenceRange, ...] = ()
    component: tuple[Component, ...] = ()
    hasMember: tuple[Reference, ...] = ()
    derivedFrom: tuple[Reference, ...] = ()
    partOf: tuple[Reference, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    contained: tuple[msgspec.Raw, ...] = ()


class Modality(Coding, frozen=True, gc=False):
    coding: None = None


class ImagingSeries(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    modality: Modality = Modality()
    bodySite: Coding = Coding()


class ImagingStudy(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    modality: tuple[Modality, ...] = ()
    subject: Reference = Reference()
    started: str = ""
    series: tuple[ImagingSeries, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()


class ReferenceSequence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    chromosome: CodeableConcept = CodeableConcept()
    genomeBuild: str = ""
    referenceSeqId: CodeableConcept = CodeableConcept()
    strand: str = ""
    windowStart: int | None = None
    windowEnd: int | None = None


class SequenceVariant(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    start: int | None = None
    end: int | None = None
    observedAllele: str = ""
    referenceAllele: str = ""


class MolecularSequence(Resource, frozen=True, tag=True, gc=False):
    coordinateSystem: int | None = None
    patient: Reference = Reference()
    referenceSeq: ReferenceSequence | None = None
    variant: tuple[SequenceVariant, ...] = ()
    modifierExtension: tuple[Extension, ...] = ()
    subject: None = None
    relative: None = None


class OutcomeIssue(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    severity: str = ""
    code: str = ""
    details: CodeableConcept = CodeableConcept()


class OperationOutcome(Resource, frozen=True, tag=True, gc=False):
    """What a server says instead of, or beside, an answer."""

    issue: tuple[OutcomeIssue, ...] = ()


Objection = Flag | Consent
Clinical = Patient | Encounter | Condition | Observation | ImagingStudy | MolecularSequence | Treatment | Objection
AnyResource = Clinical | Medication | OperationOutcome


class BundleLink(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    relation: str = ""
    url: str = ""


class EntrySearch(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    mode: str = ""


class BundleEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    resource: AnyResource | None = None
    fullUrl: str = ""
    search: EntrySearch | None = None


class Bundle(Resource, frozen=True, tag=True, gc=False):
    type_: str = msgspec.field(default="", name="type")
    total: object = None  # whatever it is, it costs no entry
    link: tuple[BundleLink, ...] = ()
    entry: tuple[BundleEntry, ...] = ()

    @property
    def next(self) -> str:
        """The address of the next page, empty on the last."""
        return next((link.url for link in self.link if link.relation == "next"), "")
