"""A medication key that a client filled without the products that it refers to, and what a search of ours adds."""

import msgspec

from fhir_mappings.missing_products import missing_products
from fhir_mappings.record import State
from service.fhir.answer import Answer, by_reference_only
from service.gaps import IN_PREFETCH


def completed(sent: Answer, read: Answer) -> Answer:
    """What the client sent with what the search, with its `_include`, brought beside it.

    The client's resources stay, as those of a paged Bundle do; where the search failed they stand alone, incomplete.
    """
    unread = (*sent.unread, *read.unread)
    if read.state in {"failed", "notAsked"}:
        reason = f"{sent.reason}; {read.reason}"
        return msgspec.structs.replace(sent, reason=reason, issues=(*sent.issues, *read.issues), unread=unread)
    known = {entry.resource.address: entry.resource for entry in sent.entries}  # versions that differ stay both
    more = (entry for entry in read.entries if entry.resource != known.get(entry.resource.address))
    entries = (*sent.entries, *more)
    unnamed = missing_products(entries)
    state: State = "partial" if unnamed or read.state == "partial" else "complete"
    still = read.reason or (by_reference_only(unnamed) if unnamed else "")
    reason = "; ".join((f"read after {by_reference_only(sent.unnamed)} {IN_PREFETCH}", *([still] if still else [])))
    return msgspec.structs.replace(read, state=state, entries=entries, reason=reason, unread=unread, unnamed=unnamed)
