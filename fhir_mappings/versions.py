"""The FHIR versions that are read (hl7.org/fhir/history.html)."""

from typing import Literal

Version = Literal["R4", "R4B", "R5"]

DEFAULT: Version = "R4"
_BY_NUMBER: dict[str, Version] = {"4.0": "R4", "4.3": "R4B", "5.0": "R5"}


def version_of(number: str) -> Version | None:
    """The version that `CapabilityStatement.fhirVersion` states (4.0.1, 4.3.0, 5.0.0), None for any other."""
    return _BY_NUMBER.get(".".join(number.split(".")[:2]))
