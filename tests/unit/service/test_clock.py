from datetime import UTC, datetime

import pytest

from fhir_mappings.record import Entry, PatientRecord
from fhir_mappings.resources.datatypes import Reference
from fhir_mappings.resources.r4 import Observation, Patient
from service.clock import Moment

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EMPTY = PatientRecord("1")


def at(text: str, record: PatientRecord = EMPTY) -> datetime:
    return Moment.parse(text).at_for(record, lambda: NOW)


def test_now_is_real_time() -> None:
    """`now` asks the real clock at each call."""
    assert at("now") == NOW
    assert not Moment.parse("now").moves


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29", datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01T10:00+02:00", datetime(2024, 5, 1, 8, tzinfo=UTC)),
        ("2024-05-01T10:00:00.5", datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_a_time_can_be_fixed(text: str, expected: datetime) -> None:
    """A date means its end, a time itself, without a zone in UTC."""
    assert at(text) == expected
    assert Moment.parse(text).moves


@pytest.mark.parametrize("text", ["", "Now", "today", "2024", "2024-05", "2024-02-30", "20240501", "2024-W01-1", "1e9"])
def test_anything_else_is_refused(text: str) -> None:
    """What is no moment is refused with what would be one."""
    with pytest.raises(ValueError, match="neither now, latest, a date"):
        Moment.parse(text)


def test_latest_is_the_newest_of_the_record() -> None:
    """`latest` is the time of the record's newest Observation, and now where the record has no date."""
    seen = Observation(id="1", status="final", subject=Reference("Patient/1"), effectiveDateTime="2019-03-04T05:06:07Z")
    record = PatientRecord("1", (Entry(Patient(id="1")), Entry(seen)))
    assert at("latest", record) == datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert at("latest") == NOW
