"""A medication key that a client filled without the products that it refers to, and what a search of ours adds."""

import msgspec

from fhir_mappings.decoding import Unread
from fhir_mappings.missing_products import missing_products
from fhir_mappings.record import State
from fhir_mappings.resources.r4 import AnyResource
from fhir_mappings.resources.therapies import DrugRecord
from fhir_mappings.timing import instant
from service.fhir.answer import Answer, by_reference_only
from service.gaps import IN_PREFETCH


def completed(sent: Answer, read: Answer) -> Answer:
    """What the client sent with what the search, with its `_include`, brought beside it.

    The client's resources stay, as those of a paged Bundle do, unless the server's copies stand for them; where the
    search failed they stand alone, incomplete.
    """
    unread = [*sent.unread, *read.unread]
    if read.state in {"failed", "notAsked"}:
        reason = f"{sent.reason}; {read.reason}"
        issues = (*sent.issues, *read.issues)
        return msgspec.structs.replace(sent, reason=reason, issues=issues, unread=tuple(unread))
    copies = {entry.resource.address: entry.resource for entry in read.entries if entry.resource.id}
    entries = []
    for entry in sent.entries:
        resource, copy = entry.resource, copies.get(entry.resource.address)
        if copy is None or not _stands_for(copy, resource):
            entries.append(entry)
        elif isinstance(resource, DrugRecord):
            unread.append(Unread(resource.address, resource.subject))  # on another server it is somebody else
    entries += read.entries
    unnamed = missing_products(entries)
    state: State = "partial" if unnamed or read.state == "partial" else "complete"
    reasons = [
        by_reference_only(unnamed) if unnamed and not read.reason else "",
        f"read after {by_reference_only(sent.unnamed)} {IN_PREFETCH}",
        read.reason,
    ]
    return msgspec.structs.replace(
        read,
        state=state,
        entries=tuple(entries),
        reason="; ".join(filter(None, reasons)),
        unread=tuple(unread),
        unnamed=unnamed,
    )


def _stands_for(copy: AnyResource, sent: AnyResource) -> bool:
    """Whether the server's copy of a drug record of the same patient stands, as the client's is not said to be newer.

    One version may be spelled in two ways, read by two ways (as with addresses that are relative or not): of two that
    differ and are equally new neither would count.
    """
    if copy == sent:
        return True
    if not (isinstance(copy, DrugRecord) and isinstance(sent, DrugRecord)):
        return False
    updated, was = instant(sent.meta.lastUpdated), instant(copy.meta.lastUpdated)
    is_newer = updated is not None and was is not None and updated > was
    return not is_newer and _type_and_id(copy.subject.reference) == _type_and_id(sent.subject.reference) != [""]


def _type_and_id(reference: str) -> list[str]:
    return reference.split("/")[-2:]
