"""Bundles and single resources -> single resources as a server would keep them: relative references, their own ids."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from demo.search_parameters import Resource


def loose(resources: Iterable[Resource]) -> Iterator[Resource]:
    """The resources of every Bundle, one by one, and what is no Bundle as it is.

    Within a Bundle a reference to an entry's full address (`urn:uuid:…` in a transaction) becomes `Type/id`. An entry
    without an id gets that of its address. Raises ValueError where there is neither.
    """
    for resource in resources:
        if resource["resourceType"] == "Bundle":
            yield from _entries(resource)
        elif resource.get("id"):
            yield resource
        else:
            raise ValueError(f"a {resource['resourceType']} without an id")


def _entries(bundle: Resource) -> Iterator[Resource]:
    named: dict[str, str] = {}
    found: list[Resource] = []
    for entry in bundle.get("entry", ()):
        resource = entry.get("resource")
        if resource is None:
            continue
        address = entry.get("fullUrl", "")
        own = {"id": address.rpartition(":")[2], **resource} if address.startswith("urn:") else resource
        if address and own.get("id"):
            named[address] = f"{own['resourceType']}/{own['id']}"
        found.append(own)
    yield from loose(_relinked(resource, named) for resource in found)


def _relinked(value: Any, named: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_relinked(one, named) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: named.get(member, member) if key == "reference" and isinstance(member, str) else _relinked(member, named)
        for key, member in value.items()
    }
