"""What every resource has: a type and an id."""

import msgspec


class Resource(msgspec.Struct, frozen=True, tag_field="resourceType", gc=False):
    id: str = ""

    @property
    def type(self) -> str:
        return type(self).__name__

    @property
    def address(self) -> str:
        """The relative reference that names this resource in findings, issues and cards."""
        return f"{self.type}/{self.id}"
