"""R4 resources in which a patient may object, each with only the elements that are looked at (hl7.org/fhir/R4).

Flag is equal in R5. A member of type None is one that only R5, or STU3, has: a resource with it is none of R4.
"""

from typing import Protocol

import msgspec

from fhir_mappings.resources.datatypes import CodeableConcept, Coding, Period, Reference
from fhir_mappings.resources.resource import Resource

# Element names are FHIR's own, so that a reader of the specification finds them.
# ruff: noqa: N815

_MOST_LEVELS = 32


class Nested(Protocol):
    @property
    def provision(self) -> "tuple[Nested, ...]": ...


def check_depth(root: Nested) -> None:
    """Raises ValueError where rules are nested deeper than anybody writes: such a Consent counts as not read."""
    level: tuple[Nested, ...] = (root,)
    for _ in range(_MOST_LEVELS):
        level = tuple(inner for rule in level for inner in rule.provision)
        if not level:
            return
    raise ValueError("nested too deep")


class Flag(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference = Reference()
    period: Period = Period()


class Provision(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A rule of a Consent, and its exceptions. `type_`: "deny", "permit", or nothing that is known."""

    type_: str = msgspec.field(default="", name="type")
    period: Period = Period()
    action: tuple[CodeableConcept, ...] = ()
    securityLabel: tuple[Coding, ...] = ()
    purpose: tuple[Coding, ...] = ()
    class_: tuple[Coding, ...] = msgspec.field(default=(), name="class")
    code: tuple[CodeableConcept, ...] = ()
    provision: tuple["Provision", ...] = ()


class Consent(Resource, frozen=True, tag=True, gc=False):
    status: str = ""
    scope: CodeableConcept = CodeableConcept()
    category: tuple[CodeableConcept, ...] = ()
    patient: Reference = Reference()
    policyRule: CodeableConcept = CodeableConcept()
    provision: Provision = Provision()
    subject: None = None
    decision: None = None
    regulatoryBasis: None = None
    period: None = None
    except_: None = msgspec.field(default=None, name="except")  # where STU3 denies

    def __post_init__(self) -> None:
        check_depth(self.provision)
