"""List -> that a history is declared complete: what is on it is all there is.

A List declares its kind where its status is `current` and its mode `working` or `snapshot` (`changes` says what
changed, not what there is), it is dated, and it names its entries or says `nilknown`. An undated list, an empty one
without that reason, or one with an entry that is not in the record declares nothing.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import LOINC, OWN, canonical
from fhir_mappings.finding import Issue, Severity
from fhir_mappings.record import Resolve
from fhir_mappings.resources.therapies import List
from fhir_mappings.timing import days_between, instant

Kind = Literal["medication", "systemic therapy", "procedures"]

MAX_DAYS = 90.0
_USE_CODES = "http://terminology.hl7.org/CodeSystem/list-example-use-codes"
_KINDS: dict[tuple[str, str], frozenset[Kind]] = {
    (_USE_CODES, "medications"): frozenset({"medication"}),
    (LOINC, "10160-0"): frozenset({"medication"}),  # history of medication use (medication summary of IPS)
    (LOINC, "42346-7"): frozenset({"medication"}),  # on admission (recalled)
    (LOINC, "10183-2"): frozenset({"medication"}),  # at discharge (recalled)
    (LOINC, "47519-4"): frozenset({"procedures"}),  # history of procedures (IPS)
    (LOINC, "11486-8"): frozenset({"systemic therapy"}),  # chemotherapy records (recalled)
    # No public code says "every treatment of the cancer": a site declares it with this one.
    (OWN, "therapy-history"): frozenset({"systemic therapy", "procedures"}),
}
_NIL_KNOWN = "nilknown"


class Declaration(msgspec.Struct, frozen=True):
    """A list that declares `kinds` complete, `age` days before the assessment, and the addresses of its entries."""

    address: str
    kinds: frozenset[Kind]
    dated: datetime
    age: float
    entries: frozenset[str]


def declarations(
    lists: Iterable[List], at: datetime, address_of: Resolve, present: Collection[str]
) -> tuple[list[Declaration], list[Issue]]:
    """The lists that declare something at `at`, and why each other one does not. `present`: addresses in the record."""
    found: list[Declaration] = []
    issues: list[Issue] = []
    for one in lists:
        kinds = frozenset(kind for c in one.code.coding for kind in _KINDS.get((canonical(c.system), c.code), ()))
        dated = instant(one.date, at)
        entries = frozenset(address_of(entry.item.reference) for entry in one.entry if not entry.deleted)
        reason = _declares_nothing(one, kinds, dated, at)
        if reason is None and not entries <= set(present):
            reason = "list-not-complete", "an entry that is not in the record"
        if reason is None and dated is not None:
            found.append(Declaration(one.address, kinds, dated, days_between(dated, at), entries))
        elif reason is not None:
            severity: Severity = "warning" if reason[0] == "modifier-unknown" else "information"
            issues.append(Issue(severity, *reason, one.address))
    return found, issues


def _declares_nothing(  # noqa: PLR0911 - one line a reason
    one: List, kinds: frozenset[Kind], dated: datetime | None, at: datetime
) -> tuple[str, str] | None:
    if not kinds:
        return "code-unknown", "no list of medication or treatment"
    if one.modifierExtension:
        return "modifier-unknown", "a modifierExtension that may change the meaning"
    if one.status != "current":
        return "status-not-used", "not the current list"
    if one.mode not in {"working", "snapshot"}:
        return "list-not-complete", "a list of changes"
    if dated is None:
        return "undated", "a list without a date declares nothing"
    if dated > at:
        return "after-at", "dated after the moment of assessment"
    if days_between(dated, at) > MAX_DAYS:
        return "outside-window", f"a list older than {MAX_DAYS:g} days"
    is_nil = any(coding.code == _NIL_KNOWN for coding in (one.emptyReason.coding if one.emptyReason else ()))
    if not one.entry and not is_nil:
        return "list-not-complete", "an empty list that does not say that there is nothing"
    return None
