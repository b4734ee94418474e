"""Consent of R5, and what it is in R4 (hl7.org/fhir/R5/consent.html).

R5 says `permit` or `deny` once, in `decision`. Its provisions are exceptions to that, those inside them exceptions to
the exceptions: each level says the opposite of the one around it.
"""

import msgspec

from fhir_mappings.resources import objections as r4
from fhir_mappings.resources.datatypes import CodeableConcept, Coding, Period, Reference
from fhir_mappings.resources.resource import Resource

# Element names are FHIR's own. A member of type None is one that only R4 has: a resource with it is none of R5.
# ruff: noqa: N815

_OPPOSITE = {"permit": "deny", "deny": "permit"}  # of what is not known, nothing is known


class Provision(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    period: Period = Period()
    action: tuple[CodeableConcept, ...] = ()
    securityLabel: tuple[Coding, ...] = ()
    purpose: tuple[Coding, ...] = ()
    documentType: tuple[Coding, ...] = ()
    resourceType: tuple[Coding, ...] = ()
    code: tuple[CodeableConcept, ...] = ()
    provision: tuple["Provision", ...] = ()
    type_: None = msgspec.field(default=None, name="type")
    class_: None = msgspec.field(default=None, name="class")

    def as_r4(self, kind: str) -> r4.Provision:
        return r4.Provision(
            type_=kind,
            period=self.period,
            action=self.action,
            securityLabel=self.securityLabel,
            purpose=self.purpose,
            class_=(*self.documentType, *self.resourceType),
            code=self.code,
            provision=tuple(one.as_r4(_OPPOSITE.get(kind, "")) for one in self.provision),
        )


class Consent(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    category: tuple[CodeableConcept, ...] = ()
    subject: Reference = Reference()
    period: Period = Period()
    regulatoryBasis: tuple[CodeableConcept, ...] = ()
    decision: str = ""
    provision: tuple[Provision, ...] = ()
    patient: None = None
    scope: None = None
    policyRule: None = None

    def __post_init__(self) -> None:
        r4.check_depth(self)

    def as_r4(self) -> r4.Consent:
        """The decision is R4's outermost rule, the regulations are its policy rule."""
        exceptions = tuple(one.as_r4(_OPPOSITE.get(self.decision, "")) for one in self.provision)
        return r4.Consent(
            id=self.id,
            meta=self.meta,
            implicitRules=self.implicitRules,
            status=self.status,
            category=self.category,
            patient=self.subject,
            policyRule=CodeableConcept(tuple(coding for basis in self.regulatoryBasis for coding in basis.coding)),
            provision=r4.Provision(type_=self.decision, period=self.period, provision=exceptions),
        )


Changed = Consent
