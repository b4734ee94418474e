"""Answers of FHIR servers, kept for minutes: fresh ones spare a search, older ones stand in where the server fails.

What is kept is the decoded answer: the fields that readers use, and no other. Only whole answers are kept, never what a
client sent, and never an answer with data of another patient. Who they were read for is part of their name, so that
they serve nobody who may read less, unless a site shares them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from fhir_mappings.decoding import Unread
from fhir_mappings.finding import Issue
from fhir_mappings.record import Entry, OwnResources, PatientRecord, State
from fhir_mappings.retrieval import Query
from service.clock import Now, now
from service.fhir.answer import Answer
from service.state.feedback import StateDownError
from service.state.vault import SealBrokenError, Vault
from service.version import VERSION

SYSTEM = "system"  # read as the service itself
Result = Literal["hit", "stale", "miss", "down", "unreadable", "not-kept"]


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """One whole answer as it lies in the store. `read_at` is RFC 3339."""

    read_at: str
    state: State
    entries: tuple[Entry, ...]
    issues: tuple[Issue, ...]
    unread: tuple[Unread, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


class Found(msgspec.Struct, frozen=True):
    """An answer of an earlier call."""

    answer: Answer
    is_fresh: bool


class Holder(msgspec.Struct, frozen=True):
    """Whose reading of which patient: the client's issuer, the server's address, the patient, the reader.

    The reader is what the call's token carries (subject, scope, user), or the service itself. `names` are further
    addresses under which the server's resources speak of themselves.
    """

    issuer: str
    server: str
    patient: str
    reader: str = SYSTEM
    names: tuple[str, ...] = ()


class RecordCache:
    """`fresh_seconds`: used without asking; `kept_seconds`: used where the server fails. `counted` is a meter."""

    def __init__(
        self,
        vault: Vault,
        fresh_seconds: float,
        kept_seconds: int,
        counted: Callable[[Result], None],
        *,
        shared: bool = False,
        clock: Now = now,
    ) -> None:
        self.shared = shared
        self._vault = vault
        self._fresh_seconds = fresh_seconds
        self._kept_seconds = kept_seconds
        self.counted = counted
        self._clock = clock

    async def find(self, holder: Holder, queries: Sequence[Query]) -> dict[str, Found]:
        """What is kept of these queries. A store that is down, and a value that cannot be read, are misses."""
        if not queries:
            return {}
        try:
            values = await self._vault.get([self._label(holder, query) for query in queries])
        except StateDownError:
            self.counted("down")
            return {}
        found = {query.key: self._found(query, value) for query, value in zip(queries, values, strict=True)}
        return {key: one for key, one in found.items() if one}

    async def keep(self, holder: Holder, answers: Iterable[Answer]) -> None:
        """Keep what is whole and was read from the server."""
        for answer in answers:
            if not (answer.is_whole and answer.via == "search") or _is_of_another(holder, answer):
                continue
            kept = Kept(answer.as_of, answer.state, answer.entries, answer.issues, answer.unread)
            try:
                await self._vault.put(self._label(holder, answer.query), _encode(kept), self._kept_seconds)
            except StateDownError:
                self.counted("not-kept")
                return

    def _label(self, holder: Holder, query: Query) -> bytes:
        """Another version may read other fields, another catalogue asks for other codes."""
        reader = "" if self.shared else holder.reader
        whose = (VERSION, holder.issuer, holder.server, holder.patient, reader)
        return msgspec.json.encode((*whose, query.key, query.search, query.include))

    def _found(self, query: Query, value: bytes | SealBrokenError | None) -> Found | None:
        if value is None:
            self.counted("miss")
            return None
        try:
            if isinstance(value, SealBrokenError):
                raise value
            kept = _decode(value)
            # what was read later than now was read by a clock that was not this one: as old as it is ahead
            age = abs((self._clock() - _moment(kept.read_at)).total_seconds())
        except (SealBrokenError, msgspec.MsgspecError, ValueError):
            self.counted("unreadable")
            return None
        if age > self._kept_seconds:
            self.counted("miss")
            return None
        is_fresh = age < self._fresh_seconds
        self.counted("hit" if is_fresh else "stale")
        answer = Answer(query, "cache", kept.state, kept.entries, kept.issues, as_of=kept.read_at, unread=kept.unread)
        return Found(answer, is_fresh)


def _is_of_another(holder: Holder, answer: Answer) -> bool:
    """A server that mixes patients up may have done so once: what it says next must not be hidden by it for minutes."""
    bases = (holder.server, *holder.names)
    return OwnResources(PatientRecord(holder.patient, answer.entries, bases, unread=answer.unread)).foreign


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
