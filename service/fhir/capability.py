"""What a FHIR server says of itself (CapabilityStatement), as far as we ask."""

import msgspec

STATEMENT = "metadata?_elements=fhirVersion,software"  # the whole statement of a HAPI server is 1.5 MB
OFFER = "metadata?_elements=fhirVersion,software,rest"  # which it then nearly is: read once, and no call waits for it


class Software(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""


class OfferedType(msgspec.Struct, frozen=True):
    type: str = ""


class Rest(msgspec.Struct, frozen=True):
    mode: str = "server"
    resource: tuple[OfferedType, ...] = ()


class CapabilityStatement(msgspec.Struct, frozen=True, tag_field="resourceType", tag="CapabilityStatement"):
    """A member that the server leaves out is empty: a statement need not be complete to be of use."""

    fhirVersion: str = ""  # noqa: N815
    software: Software = Software()
    rest: tuple[Rest, ...] = ()

    @property
    def offered(self) -> frozenset[str] | None:
        """The resource types that the server knows; None where it does not list them."""
        return frozenset(one.type for rest in self.rest if rest.mode == "server" for one in rest.resource) or None
