import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from fhir_mappings.record import PatientRecord, Retrieval, Via
from service.abstention import Code, because
from service.assessment import Assessment
from service.emergency.pictures import Picture, Pictures
from service.emergency.whose import EmergencyCall


def test_one_slow_scoring_keeps_no_later_call_from_reading() -> None:
    """After a scoring that took longer than a deadline, calls with that deadline are answered all the same."""
    seconds = iter([0.5])

    def assess(record: PatientRecord) -> Assessment:
        time.sleep(next(seconds, 0.0))
        return Assessment(status="scored", patient=f"Patient/{record.patient_id}")

    async def snapshots() -> AsyncGenerator[PatientRecord]:
        yield PatientRecord("a")

    async def last(pictures: Pictures, deadline: float) -> Picture:
        until = asyncio.get_running_loop().time() + deadline
        return [one async for one in pictures.of(EmergencyCall("a"), snapshots(), until, refined=False)][-1]

    async def go() -> None:
        pictures = Pictures(assess)
        assert (await last(pictures, 5.0)).final
        assert (await last(pictures, 0.4)).final

    asyncio.run(go())


@pytest.mark.parametrize(
    ("code", "unread", "via", "is_last_word"),
    [
        ("under-18", "tumour", "search", True),
        ("no-solid-tumour", "laboratory", "search", True),
        ("no-solid-tumour", "tumour", "search", False),
        ("no-solid-tumour", "laboratory", "cache", False),  # an older answer may lack the diagnosis of today
        ("too-little", "laboratory", "search", False),
    ],
)
def test_only_what_more_data_cannot_change_ends_the_reading(
    code: Code, unread: str, via: Via, *, is_last_word: bool
) -> None:
    """A reason that rests on diagnoses and pathology is the last word once both were read; others wait for the rest."""
    ledger = tuple(
        Retrieval(key, via, "failed" if key == unread else "complete") for key in ("conditions", "tumour", "laboratory")
    )
    abstained = Assessment(status="abstained", abstained=because(code), patient="Patient/a", retrieval=ledger)
    ended = asyncio.Event()

    async def snapshots() -> AsyncGenerator[PatientRecord]:
        yield PatientRecord("a")
        await ended.wait()
        yield PatientRecord("a")

    async def go() -> list[Picture]:
        until = asyncio.get_running_loop().time() + 20
        found = []
        async with asyncio.timeout(20):
            async for picture in Pictures(lambda _: abstained).of(EmergencyCall("a"), snapshots(), until, refined=True):
                found.append(picture)
                ended.set()
        return found

    first, *others = asyncio.run(go())
    assert first.final is is_last_word
    assert bool(others) is not is_last_word
