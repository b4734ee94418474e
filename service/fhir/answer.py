"""What became of one query: the entries it brought, and its line in the ledger."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fhir_mappings.decoding import UNREAD_CODES, Decoded, Unread
from fhir_mappings.finding import Issue
from fhir_mappings.missing_products import missing_products
from fhir_mappings.record import Entry, Retrieval, State, Via, entries_of
from fhir_mappings.resources.r4 import BundleEntry, OperationOutcome
from fhir_mappings.retrieval import Query

# Epic answers a search without hits with one OperationOutcome of this code, as of its CDS Hooks tutorial.
_NO_RESULTS = "4101"
_HARMLESS = frozenset({"information", "warning"})


class Answer(msgspec.Struct, frozen=True):
    """The answer to one query, whether the client sent it, a server was asked, or it was kept from an earlier call.

    `as_of` is when it was read (RFC 3339). `outage`: the server failed or was late, rather than refused, so that what
    it answered earlier may stand in. `unnamed`: so many products are named by reference only.
    """

    query: Query
    via: Via
    state: State
    entries: tuple[Entry, ...] = ()
    issues: tuple[Issue, ...] = ()
    reason: str = ""
    as_of: str = ""
    outage: bool = False
    unread: tuple[Unread, ...] = ()
    unnamed: int = 0

    @property
    def is_whole(self) -> bool:
        return self.state in {"complete", "empty"}

    def retrieval(self, now: str) -> Retrieval:
        as_of = "" if self.state == "notAsked" else self.as_of or now
        return Retrieval(self.query.key, self.via, self.state, len(self.entries), as_of, self.reason)


def answer_of(query: Query, via: Via, pages: Sequence[Decoded], *, cut: str = "") -> Answer:
    """All pages of an answer as one. `cut` says why pages are missing.

    Every query names the patient, so that what it brings may leave the patient out (`scoped`). What stands on two pages
    alike (a result that moved while they were read, an included Medication) counts once.
    """
    found: list[Entry] = []
    issues: list[Issue] = []
    about: list[Unread] = []
    for page in pages:
        found += entries_of(page.entries, scoped=True)
        issues += page.issues
        about += page.unread
    # not `isinstance`, which takes five times as long for a Struct
    entries = [entry for entry in found if type(entry.resource) is not OperationOutcome]
    failed = len(entries) < len(found) and any(_is_failure(entry) for page in pages for entry in page.entries)
    if failed and not entries:
        instead = "; ".join(("an OperationOutcome instead of an answer", *([cut] if cut else [])))
        return Answer(query, via, "failed", issues=tuple(issues), reason=instead, unread=tuple(about))
    reason = cut or ("an OperationOutcome beside the answer" if failed else "")
    reason = reason or next(_gaps(query, pages, found, entries), "")
    unnamed = missing_products(entries) if query.include else 0
    reason = reason or (by_reference_only(unnamed) if unnamed else "")
    state: State = "partial" if reason else "complete" if entries else "empty"
    return Answer(query, via, state, _once(entries), tuple(issues), reason, unread=tuple(about), unnamed=unnamed)


def _gaps(query: Query, pages: Sequence[Decoded], found: Sequence[Entry], entries: Sequence[Entry]) -> Iterator[str]:
    """What an answer that was read to its end lacks. `entries` are what was `found`, but for the outcomes.

    Google's total is an estimate on all pages but the last. What was included counts too, as HAPI's total did until
    2025 (hapi-fhir#7153), so that entries of any kind may make up the number, but for the outcomes: nobody counts them.
    """
    outcomes = len(found) - len(entries)
    came = max(0, sum(page.size for page in pages) - outcomes)  # an outcome that stands alone is in no Bundle
    if pages and pages[-1].total > came:
        yield "fewer entries than the Bundle's total"
    issues = [issue for page in pages for issue in page.issues]
    if unread := sum(issue.code in UNREAD_CODES for issue in issues):
        yield f"{unread} entries could not be read"
    if blank := sum(len(page.entries) for page in pages) - len(found):
        yield f"{blank} entries without a resource"
    # a key of prefetch that was filled with another's
    if (entries or issues) and not any(type(entry.resource).__name__ == query.type for entry in entries):
        yield f"holds no {query.type}"


def by_reference_only(products: int) -> str:
    return f"{products} products named by reference only"


def _once(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    are_all_different = len({entry.resource.id for entry in entries}) == len(entries)  # as nearly always
    return tuple(entries if are_all_different else _without_repeats(entries))


def _without_repeats(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Versions that differ stay: `record.OwnResources` tells which is the newest."""
    seen: dict[tuple[type, str], list[Entry]] = {}
    for entry in entries:
        if not entry.resource.id:
            yield entry
            continue
        same = seen.setdefault((type(entry.resource), entry.resource.id), [])
        if entry not in same:
            same.append(entry)
            yield entry


def _is_failure(entry: BundleEntry) -> bool:
    """Whether it is an outcome that says that something went wrong; one without issues says nothing: no answer either.

    In a Bundle it may warn or inform. Where it stands alone, it stands for an answer, whatever it says.
    """
    outcome = entry.resource
    if type(outcome) is not OperationOutcome:
        return False
    stands_alone = entry.search is None and not entry.fullUrl
    return not outcome.issue or any(
        (stands_alone or issue.severity not in _HARMLESS)
        and _NO_RESULTS not in {coding.code for coding in issue.details.coding}
        for issue in outcome.issue
    )
