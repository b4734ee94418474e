"""Nothing is null or empty (CDS Hooks 2.0, Use of JSON), but the lists that may say "none".

FHIR resources have rules of their own (null stands in arrays beside `_given`): actions carry some, which are not looked
into.
"""

from collections.abc import Iterator

from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.lint.members import is_empty

_MAY_BE_EMPTY = frozenset({"cards", "services"})  # as members of the whole body
_FHIR = "resource"


def with_empty_members(findings: list[Finding], body: dict[str, object]) -> list[Finding]:
    """The findings, and one for each member that is null or empty and not among them."""
    told = {finding.path for finding in findings}
    looked_into = {name: value for name, value in body.items() if name not in _MAY_BE_EMPTY or value != []}
    return [*findings, *(finding for finding in _within(looked_into, "") if finding.path not in told)]


def _within(value: object, path: str) -> Iterator[Finding]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != _FHIR:
                yield from _judged(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _judged(inner, f"{path}[{number}]")


def _judged(value: object, path: str) -> Iterator[Finding]:
    if is_empty(value):
        told = "is null" if value is None else "is empty"
        yield Finding(path, f"{told}: leave it out", "SHALL NOT", "3")
    yield from _within(value, path)
