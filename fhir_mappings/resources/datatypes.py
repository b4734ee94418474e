"""FHIR data types, only the elements that a reader uses (R4 and R4B are equal in them).

Unknown members are skipped by the decoder, which is what makes it fast. Dates stay text until a reader needs one.
Members that are not there are not written (`omit_defaults`): their names would be half of what is kept and hashed.
"""

import msgspec


class Coding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    system: str = ""
    code: str = ""
    display: str = ""
    extension: "tuple[Extension, ...]" = ()


class CodeableConcept(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    coding: tuple[Coding, ...] = ()
    text: str = ""


class Identifier(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    system: str = ""
    value: str = ""


class Reference(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A reference by address, by identifier, or both. An empty one names nobody."""

    reference: str = ""
    identifier: Identifier | None = None


class CodeableReference(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """R5: a concept, a reference, or both."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Quantity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    value: float | None = None
    comparator: str = ""
    unit: str = ""
    system: str = ""
    code: str = ""


class Ratio(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    numerator: Quantity = Quantity()
    denominator: Quantity = Quantity()


class Period(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    start: str = ""
    end: str = ""


class Range(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    low: Quantity = Quantity()
    high: Quantity = Quantity()


class SampledData(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A curve. Only that there is one is of interest: it is no single number."""


class Meta(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Which version of a resource this is, and since when; who may see it (`security`), and labels of the site."""

    versionId: str = ""  # noqa: N815
    lastUpdated: str = ""  # noqa: N815
    security: tuple[Coding, ...] = ()
    tag: tuple[Coding, ...] = ()


class Extension(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Only the values that a reader looks for: a code that qualifies the element."""

    url: str = ""
    valueCodeableConcept: CodeableConcept | None = None  # noqa: N815
    valueCoding: Coding | None = None  # noqa: N815
