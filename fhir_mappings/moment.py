"""The newest moment that a record speaks of: the time of assessment for data that were collected years ago."""

from datetime import UTC, datetime, time, timedelta

from fhir_mappings.readers.conditions import since
from fhir_mappings.readers.usable import STATUS_RANK, effective
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import Condition, Observation, Patient
from fhir_mappings.timing import WHOLE_DAY, in_order, instant


def latest(record: PatientRecord) -> datetime | None:
    """The newest time of an Observation before a recorded death; without one, of a Condition; None without either.

    What was entered in error or never made has no time that counts.
    """
    own = OwnResources(record)
    deaths = [instant(p.deceasedDateTime) for p in own.of(Patient) if p.deceasedDateTime]
    death = min((d for d in deaths if d), default=None)
    observed = [effective(o) for o in own.of(Observation) if o.status in STATUS_RANK]
    diagnosed = [moment for c in own.of(Condition) for moment in (since(c), instant(c.recordedDate))]
    for moments in (observed, diagnosed):
        before = [moment for moment in moments if moment and (death is None or moment < death)]
        if before:
            return _whole_day(max(before, key=in_order), death)
    return None


def _whole_day(moment: datetime, death: datetime | None) -> datetime:
    """A day without a time is assessed at its end, so that what is timed within it counts, but before the death."""
    if moment.tzinfo is not WHOLE_DAY:
        return moment
    end = datetime.combine(moment.date(), time.max, tzinfo=UTC)
    return end if death is None else min(end, death - timedelta(microseconds=1))
