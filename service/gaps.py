"""What the ledger of queries says against a result: what is missing, what came too late, what was read earlier."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from fhir_mappings.record import Retrieval

LATE = "not arrived within the time limit"
IN_PREFETCH = "in prefetch"  # where the client, not the server, had failed to get it
ON_ITS_WAY = "has not arrived yet"
_UNREAD = frozenset({"failed", "partial", "notAsked"})
# Without these a position is a guess. Sequences are the genes again, the others carry no weight, or little.
_OF_POSITION = frozenset({"patient", "conditions", "tumour", "genetics", "function", "laboratory", "siteCodes"})
# What says where in the course a patient stands (in hospital unplanned, spread, treated), and the circumstances in
# which no figure is given.
_OF_SURVIVAL = _OF_POSITION | {"encounters", "procedures"}
_NOT_OBTAINED = frozenset({"failed", "partial"})


class Earlier(msgspec.Struct, frozen=True):
    """Answers of an earlier call: their queries (none: all of them), and when the oldest was read."""

    keys: tuple[str, ...]
    read_at: str
    seconds: int


def unread(ledger: Iterable[Retrieval]) -> list[str]:
    """The queries that were not, or not wholly, answered."""
    return [line.key for line in ledger if line.state in _UNREAD]


def came_too_late(ledger: Iterable[Retrieval]) -> list[str]:
    """Those of them that are missing because of the time limit."""
    return [line.key for line in ledger if line.state in _UNREAD and line.reason.endswith(LATE)]


def owed(ledger: Iterable[Retrieval]) -> Iterator[tuple[str, str]]:
    """What was asked for and not had: the query, and `failed`, `partial`, or `stale` (an earlier answer stands in)."""
    for line in ledger:
        if line.state in _NOT_OBTAINED:
            yield line.key, line.state
        elif is_stale(line):
            yield line.key, "stale"


def leaves_position_unclear(ledger: Iterable[Retrieval]) -> bool:
    """Whether something was not obtained that a position rests on."""
    return any(line.state in _NOT_OBTAINED and line.key in _OF_POSITION for line in ledger)


def may_hold_more(ledger: Iterable[Retrieval]) -> bool:
    """Whether something was not read, or not asked for, that inputs come from: what was not found may be recorded."""
    return any(line.state in _UNREAD and line.key in _OF_POSITION for line in ledger)


def forbids_survival(ledger: Iterable[Retrieval]) -> bool:
    """Whether something was not obtained, or is older than the call, that could forbid a survival figure."""
    return any(line.key in _OF_SURVIVAL and (line.state in _NOT_OBTAINED or is_stale(line)) for line in ledger)


def stale(ledger: Iterable[Retrieval], now: datetime) -> Earlier | None:
    """What stands in for answers that the server owes."""
    return _earlier(ledger, now, older=True)


def cached(ledger: Iterable[Retrieval], now: datetime) -> Earlier | None:
    """What was read a moment ago, so that the server was not asked again."""
    return _earlier(ledger, now, older=False)


def is_stale(line: Retrieval) -> bool:
    """A reason beside a whole answer says why the server's own is missing, unless it is the client's failure alone."""
    return line.via == "cache" and bool(line.reason) and not line.reason.endswith(IN_PREFETCH)


def _earlier(ledger: Iterable[Retrieval], now: datetime, *, older: bool) -> Earlier | None:
    every = list(ledger)
    lines = [line for line in every if line.via == "cache" and is_stale(line) is older]
    if not lines:
        return None
    read_at = min((line.asOf for line in lines), key=datetime.fromisoformat)
    seconds = (now - datetime.fromisoformat(read_at)).total_seconds()
    keys = tuple(line.key for line in lines) if len(lines) < len(every) else ()
    return Earlier(keys, read_at, max(0, round(seconds)))
