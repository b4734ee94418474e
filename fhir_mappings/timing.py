"""FHIR dates and times -> instants that can be compared (FHIR R4, 2.24.0.1 `date`, `dateTime`, `instant`)."""

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")

# A date without a time began first at UTC+14: measured from there, "today" is never in the future of any hospital, and
# the moment still knows its calendar day. The zone's name marks that there was no time.
WHOLE_DAY = timezone(timedelta(hours=14), "day")
_NOON = timedelta(hours=26)  # from the first moment of a day at UTC+14 to its noon in UTC

_FIRST_YEAR, _LAST_YEAR = 2, 9998  # so that the moment exists in every zone


def instant(text: str, at: datetime | None = None) -> datetime | None:
    """The moment that a FHIR date, dateTime or instant names, in its own zone; None where it names none.

    A day counts from its first moment anywhere on Earth, a month from its middle (15th), a year from 1 July. A month or
    year whose middle is still to come at `at`, but which has begun, counts from the day of `at`. A time without a zone,
    which FHIR forbids, is taken as UTC; a leap second as the second before it.
    """
    if len(text) <= 10:
        return _of_date(text, at)
    try:
        moment = datetime.fromisoformat(text.replace(":60", ":59", 1) if text[16:19] == ":60" else text)
    except ValueError:
        return None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_date(text: str, at: datetime | None) -> datetime | None:
    whole = day(text)
    if whole is None:
        return None
    moment = _start(whole)
    if at is not None and len(text) < 10 and moment > at >= _start(whole.replace(month=_month(text), day=1)):
        return _start(at.date())
    return moment


def _month(text: str) -> int:
    return int(text[5:7] or 1)


def _start(whole: date) -> datetime:
    return datetime(whole.year, whole.month, whole.day, tzinfo=WHOLE_DAY)


def day(text: str) -> date | None:
    """The calendar day of a FHIR date (the middle of a partial one), None where there is none."""
    match = _DATE.fullmatch(text[:10])
    if match is None:
        return None
    year, month, number = match.groups()
    try:
        return date(int(year), int(month or 7), int(number or (15 if month else 1)))
    except ValueError:
        return None


def written(moment: datetime) -> str:
    """RFC 3339, or the date alone where no time was known."""
    return moment.date().isoformat() if moment.tzinfo is WHOLE_DAY else moment.isoformat(timespec="seconds")


def is_after(moment: datetime, at: datetime) -> bool:
    """Surely after: a day without a time is after `at` from the next day on."""
    return moment.date() > at.date() if moment.tzinfo is WHOLE_DAY else moment > at


def days_between(earlier: datetime, later: datetime) -> float:
    """Calendar days where one of the two has no time, else exact ones."""
    if earlier.tzinfo is WHOLE_DAY or later.tzinfo is WHOLE_DAY:
        return float((later.date() - earlier.date()).days)
    return (later - earlier).total_seconds() / 86_400


def in_order(moment: datetime) -> datetime:
    """What to sort by: a day without a time counts as its noon, after all that is timed on the day before."""
    if moment.tzinfo is not WHOLE_DAY:
        return moment
    return moment + _NOON if moment.year < 9999 else moment


def seconds(moment: datetime | None) -> float:
    """`in_order` as a number, which is quicker to compare; what has no time comes before all that has."""
    return in_order(moment).timestamp() if moment is not None else -math.inf


def within(span: timedelta, moments: list[datetime]) -> bool:
    """Whether all lie in one span; where one of them has no time, whether all are of one calendar day."""
    if any(moment.tzinfo is WHOLE_DAY for moment in moments):
        return len({moment.date() for moment in moments}) == 1
    return max(moments) - min(moments) <= span
