"""What every resource has: a type, an id, and what is said about the resource itself."""

import msgspec

from fhir_mappings.resources.datatypes import Meta

# Element names are FHIR's own, so that a reader of the specification finds them.
# ruff: noqa: N815


class Resource(msgspec.Struct, frozen=True, tag_field="resourceType", gc=False, omit_defaults=True):
    """`implicitRules`: rules under which the content was made; whoever does not know them cannot read it."""

    id: str = ""
    meta: Meta = Meta()
    implicitRules: str = ""

    @property
    def type(self) -> str:
        return type(self).__name__

    @property
    def address(self) -> str:
        """The relative reference that names this resource in findings, issues and cards."""
        return f"{type(self).__name__}/{self.id}"
