"""Results, kept for as long as a record counts as fresh, a minute at most: within it a record is not scored twice.

Its name stands for everything that the result depends on, the whole record first, so that one reader's result serves
another only where both were given the same record. Only scored results are kept.
"""

import hashlib
import math
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.timing import instant
from service.assessment import Assessment
from service.fhir.background import Background
from service.gaps import is_stale
from service.scoring import Scoring
from service.state.feedback import StateDownError
from service.state.vault import SealBrokenError, Vault
from service.turns import turn
from service.version import VERSION

# What counts of a record depends on the moment: readings of six hours, what is dated ahead. Nobody sees a minute of it.
MOST_SECONDS = 60.0

Result = Literal["hit", "miss", "down", "unreadable", "not-kept"]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Assessment).decode


class Results:
    """`seconds`: how old a result may be, within a minute. `counted` is a meter. Without `vault` none is kept."""

    def __init__(
        self, vault: Vault | None, seconds: float, background: Background, counted: Callable[[Result], None]
    ) -> None:
        self._vault = vault if seconds else None
        self._seconds = min(seconds, MOST_SECONDS)
        self._background = background
        self._counted = counted

    async def assessment(self, scoring: Scoring) -> Assessment:
        """As `Scoring.assessment`; of a result that was kept, `assessedAt` says from when."""
        if self._vault is None:
            return scoring.told(await _worked_out(scoring))
        label = label_of(scoring)
        result = await self._kept(self._vault, label, scoring.at)
        if result is None:
            result = await _worked_out(scoring)
            if result.status == "scored" and not self._background.write(self._keep(self._vault, label, result)):
                self._counted("not-kept")
        return scoring.told(result)

    async def _kept(self, vault: Vault, label: bytes, at: datetime) -> Assessment | None:
        try:
            [value] = await vault.get([label])
        except StateDownError:
            self._counted("down")
            return None
        if value is None:
            self._counted("miss")
            return None
        try:
            if isinstance(value, SealBrokenError):
                raise value
            result = _decode(value)
            age = _age(result, at)
        except (SealBrokenError, msgspec.MsgspecError):
            self._counted("unreadable")
            return None
        is_fresh = age < self._seconds
        self._counted("hit" if is_fresh else "miss")
        return result if is_fresh else None

    async def _keep(self, vault: Vault, label: bytes, result: Assessment) -> None:
        try:
            await vault.put(label, _encode(result), math.ceil(self._seconds))
        except StateDownError:
            self._counted("not-kept")


def _age(result: Assessment, at: datetime) -> float:
    """In seconds. One of the future is of a clock that was not this one: as old as it is ahead."""
    made = instant(result.assessed_at)  # a day alone where the moment is one
    return abs((at - made).total_seconds()) if made else math.inf


async def _worked_out(scoring: Scoring) -> Assessment:
    async with turn():
        return scoring.result()


def label_of(scoring: Scoring) -> bytes:
    """A digest of all that the result depends on.

    Of the ledger that is what became of each query, and not when. Ages are told in days: a result does not outlive its
    day.
    """
    record = scoring.record
    ledger = [(line.key, line.state, line.reason, is_stale(line)) for line in record.retrieval]
    of_record = (record.patient_id, record.entries, record.bases, record.issues, record.unread, ledger)
    asked = (scoring.showing, scoring.with_interactions, scoring.emergency, scoring.barred, scoring.running)
    made_by = ("result", VERSION, scoring.package.digest, catalogue().digest, catalogue().site.digest)
    return hashlib.sha256(_encode((made_by, scoring.at.date(), asked, of_record))).digest()
