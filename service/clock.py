"""The moment of assessment: now, a fixed time, or the latest of the record. Clinical time only.

Test data are years old; assessed today, every patient of a sandbox is "too little recorded". Tokens, deadlines and logs
never look here.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time

import msgspec

from fhir_mappings.moment import latest
from fhir_mappings.record import PatientRecord

Now = Callable[[], datetime]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d{2}:\d{2})?")


def now() -> datetime:
    return datetime.now(UTC)


class Moment(msgspec.Struct, frozen=True):
    """When a record is assessed. `text` is as it was written: "now", "latest", a date or a time."""

    text: str
    fixed: datetime | None = None

    @classmethod
    def parse(cls, text: str) -> "Moment":
        """Read a setting or an `--at`: `now`, `latest`, a date (its last moment, UTC) or an RFC 3339 time.

        A time without a zone is taken as UTC. Raises ValueError for anything else.
        """
        if text in {"now", "latest"}:
            return cls(text)
        try:
            if _DAY.fullmatch(text):
                return cls(text, datetime.combine(date.fromisoformat(text), time.max, tzinfo=UTC))
            moment = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
        except ValueError:
            moment = None
        if moment is None:
            raise ValueError("neither now, latest, a date (2026-01-31) nor an RFC 3339 time")
        return cls(text, moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    @property
    def moves(self) -> bool:
        """Whether clinical time is anything but real time."""
        return self.text != "now"

    def at_for(self, record: PatientRecord, real: Now = now) -> datetime:
        """The moment of assessment of this record. A record without any date is assessed now."""
        if self.fixed is not None:
            return self.fixed
        return (latest(record) if self.text == "latest" else None) or real()
