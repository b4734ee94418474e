import asyncio
import time
from collections.abc import AsyncGenerator

from fhir_mappings.record import PatientRecord
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
