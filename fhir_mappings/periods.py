"""Whether a period covers a moment. Its bounds are within it, and an end lasts its whole day (FHIR R4, Period).

A date without a time begins first at UTC+14 and ends last at UTC-12: in doubt a period covers the moment.
"""

import re
from datetime import datetime, timedelta, timezone

from fhir_mappings.resources.datatypes import Period
from fhir_mappings.timing import WHOLE_DAY, instant

_LAST_ZONE = timezone(timedelta(hours=-12))
_DATE_CHARACTERS = 10
_MONTHS = 12
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_FOR_EVER = "9999"


def covers(period: Period, at: datetime) -> bool:
    """A bound that is missing, or that nobody can read, bounds nothing; nor do two of which the end comes first."""
    start, end = _start(period.start), _end(period.end)
    if start is not None and end is not None and end <= start:
        return True
    return (start is None or start <= at) and (end is None or at < end)


def _start(text: str) -> datetime | None:
    if len(text) > _DATE_CHARACTERS:
        return instant(text)
    parts = _parts(text)
    return _moment(parts, WHOLE_DAY) if parts else None


def _end(text: str) -> datetime | None:
    """The first moment after it."""
    if len(text) > _DATE_CHARACTERS:
        stated = instant(text)
        return stated + timedelta(seconds=1) if stated else None
    parts = _parts(text)
    last = _moment(parts, _LAST_ZONE) if parts else None
    if last is None:
        return None
    match parts:
        case [year]:
            return last.replace(year=year + 1)
        case [year, month]:
            return last.replace(year=year + month // _MONTHS, month=month % _MONTHS + 1)
    return last + timedelta(days=1)


def _parts(text: str) -> list[int]:
    """Year, month and day, as many as there are; none where it is no date, or means "for ever"."""
    match = _DATE.fullmatch(text)
    if match is None or text.startswith(_FOR_EVER):
        return []
    return [int(part) for part in match.groups() if part]


def _moment(parts: list[int], zone: timezone) -> datetime | None:
    year, month, day = (*parts, 1, 1)[:3]
    try:
        return datetime(year, month, day, tzinfo=zone)
    except ValueError:
        return None
