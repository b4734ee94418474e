"""Snapshots of a record as they arrive -> pictures of the patient, the last one final; none waits for the whole."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from time import perf_counter
from typing import Self

import msgspec

from fhir_mappings.finding import Issue
from fhir_mappings.record import PatientRecord
from service.assessment import Assessment
from service.emergency.whose import ENCOUNTER, EmergencyCall, holds_encounter, together
from service.errors import TimedOutError, ToldError
from service.notices import notice
from service.turns import turn

Snapshots = AsyncGenerator[PatientRecord]

EVERY_SECONDS = 0.1  # at most so often a picture is made anew while data arrive
_FIRST_GUESS_SECONDS = 0.02  # for one scoring, until one was measured
_SLACK_SECONDS = 0.02  # for what else the loop does between the end of the waiting and the answer

# What more data cannot change, whatever they say.
_SETTLED = frozenset({"foreign-patient", "restricted", "record-replaced", "deceased", "under-18"})
# What is the whole answer, also where more data could change it.
_ALONE = _SETTLED | {"objection-unknown"}
# What depends on the diagnoses and the pathology alone.
_BY_TUMOUR = frozenset({"no-solid-tumour", "several-primaries", "tumour-inactive", "entity-not-scored"})
_TUMOUR_QUERIES = frozenset({"conditions", "tumour"})
_NOT_OBTAINED = frozenset({"failed", "partial"})


class Picture(msgspec.Struct, frozen=True):
    """An assessment, and whether it is the last of its call."""

    assessment: Assessment
    final: bool = False


class Arriving:
    """The newest snapshot of a reading that goes on beside; those that nobody took in time are passed over."""

    def __init__(self, snapshots: Snapshots) -> None:
        self.record: PatientRecord | None = None
        self.has_begun = False
        self.failed: Exception | None = None
        self._snapshots = snapshots
        self._news = asyncio.Event()
        self._done = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])

    @property
    def is_done(self) -> bool:
        """Whether nothing more will arrive."""
        return self._done.is_set()

    @property
    def is_empty(self) -> bool:
        """Whether that is so, and what has arrived was taken."""
        return self.is_done and self.record is None

    async def news(self, not_before: float, until: float) -> None:
        """Wait for something new and for `not_before` (the loop's time), or for the end, or for `until`."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._news.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(not_before):
                        await self._done.wait()

    def taken(self) -> PatientRecord | None:
        """The newest snapshot, once."""
        self._news.clear()
        record, self.record = self.record, None
        return record

    async def _read(self) -> None:
        try:
            async with aclosing(self._snapshots) as snapshots:
                async for record in snapshots:
                    self.record = record
                    self.has_begun = True
                    self._news.set()
        except Exception as error:  # noqa: BLE001 - raised again, or told, by who takes the snapshots
            self.failed = error
        finally:
            self._done.set()
            self._news.set()


class Pictures:
    """Makes the pictures of emergency calls. `assess` scores one record, and holds the processor while it does."""

    def __init__(self, assess: Callable[[PatientRecord], Assessment]) -> None:
        self._assess = assess
        self._seconds = _FIRST_GUESS_SECONDS

    async def of(
        self, call: EmergencyCall, snapshots: Snapshots | None, deadline: float, *, refined: bool
    ) -> AsyncGenerator[Picture]:
        """What is at hand, then better ones, at most every tenth of a second, until all is read or `deadline` comes.

        `deadline` is the loop's time by which the last one is there. Without `refined` nothing comes between the first
        and the last. What is settled ends the reading. Where the server fails, the best score so far is the last
        picture, and says so. Raises ToldError where the server failed, or the deadline came, before there was one.
        """
        best = None if call.at_hand is None else await self._scored(call.at_hand)
        if best is not None and (snapshots is None or _is_settled(best)):
            yield _last(best, call)
            return
        if best is not None:
            yield Picture(best)
        assert snapshots is not None  # noqa: S101 - a call without a Bundle reads
        async with Arriving(snapshots) as arriving:
            async with aclosing(self._read(call, arriving, deadline, refined=refined)) as pictures:
                async for picture in pictures:
                    best = picture.assessment
                    yield picture
                    if picture.final:
                        return
            yield _ending(best, call, arriving)

    async def _read(
        self, call: EmergencyCall, arriving: Arriving, deadline: float, *, refined: bool
    ) -> AsyncGenerator[Picture]:
        """Pictures of what has arrived, until it is settled, read, or time to say the last word."""
        now = asyncio.get_running_loop().time
        half, earliest = (deadline - now()) / 2, 0.0
        # at least half of the time is for reading: one scoring that took long must not keep the next call from any
        while not arriving.is_empty and now() < (until := deadline - min(half, self._seconds + _SLACK_SECONDS)):
            await arriving.news(earliest, until)
            record = arriving.taken()
            if record is not None:
                assessment = await self._scored(together(call.at_hand, record, call.encounter_id))
                yield Picture(assessment, _is_settled(assessment))
                earliest = now() + EVERY_SECONDS if refined else deadline

    async def _scored(self, record: PatientRecord) -> Assessment:
        async with turn():
            started = perf_counter()
            assessment = self._assess(record)
            took = perf_counter() - started
        self._seconds = max(took, 0.8 * self._seconds)
        return assessment


def _is_settled(assessment: Assessment) -> bool:
    """Whether it is not scored for a reason that more data cannot change."""
    if assessment.abstained is None:
        return False
    code = assessment.abstained.code
    if code in _SETTLED:
        return True
    read = {line.key for line in assessment.retrieval if line.state in {"complete", "empty"} and line.via != "cache"}
    return code in _BY_TUMOUR and read >= _TUMOUR_QUERIES


def _ending(best: Assessment | None, call: EmergencyCall, arriving: Arriving) -> Picture:
    """The last picture, whichever way the reading ended. Raises what ended it where nothing can be said."""
    failed = arriving.failed
    if failed is not None and not isinstance(failed, ToldError):
        raise failed
    if failed is not None and (best is None or best.status != "scored"):
        raise failed
    if best is None or not (best.status == "scored" or arriving.has_begun):
        raise TimedOutError("Patient and Condition were not read before the deadline")
    return _last(best, call)


def _last(best: Assessment, call: EmergencyCall) -> Picture:
    """The last picture, with what was not obtained for it."""
    if best.abstained is not None and best.abstained.code in _ALONE:  # of those nothing else is said
        return Picture(best, final=True)
    said, issues = best.notices, best.issues
    if any(line.state in _NOT_OBTAINED for line in best.retrieval):
        said = (*said, notice("incomplete"))
    if call.encounter_id and not _has_encounter(best, call):
        said = (*said, notice("encounter-unknown"))
        issues = (*issues, Issue("warning", "unreadable", "not to be had", f"Encounter/{call.encounter_id}"))
    return Picture(msgspec.structs.replace(best, notices=said, issues=issues), final=True)


def _has_encounter(best: Assessment, call: EmergencyCall) -> bool:
    at_hand = call.at_hand is not None and holds_encounter(call.at_hand, call.encounter_id)
    return at_hand or any(line.key == ENCOUNTER and line.state == "complete" for line in best.retrieval)
