"""Products that drug records refer to and that did not come with them: which drugs those are cannot be told.

A server that holds products as resources of their own brings them with `_include` only, which prefetch cannot ask for.
"""

import re
from collections.abc import Iterable

from fhir_mappings.readers.drug_uses import may_be_use
from fhir_mappings.readers.drugs import product_of
from fhir_mappings.record import Entry
from fhir_mappings.resources.therapies import DrugRecord, Medication

_PRODUCT = re.compile(r"(?:.*/)?(Medication/[A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")


def missing_products(entries: Iterable[Entry]) -> int:
    """How many products are named by reference only: neither coded beside it, nor contained, nor among the entries.

    Of what was not used (an order that has ended, a dose that was not given) the product is not missed. The text that
    a reference may bear (`display`) is no code, and no reader uses it.
    """
    asked: set[str] = set()
    here: set[str] = set()
    for entry in entries:
        resource = entry.resource
        if isinstance(resource, Medication):
            here |= {resource.address, entry.full_url} if resource.id else set()  # without an id it is not found
        elif isinstance(resource, DrugRecord) and may_be_use(resource):
            address = product_of(resource)
            asked |= {address} if address and not _is_inside(resource, address) else set()
    return sum(address not in here and _relative(address) not in here for address in asked)


def _is_inside(record: DrugRecord, address: str) -> bool:
    return any(inside.resourceType == "Medication" and address == f"#{inside.id}" for inside in record.contained)


def _relative(address: str) -> str:
    match = _PRODUCT.fullmatch(address)
    return match[1] if match else address
