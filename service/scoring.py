"""Record -> Assessment at the site's moment, with what must be said of the way this service runs."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from fhir_mappings.record import PatientRecord, Retrieval
from models.package import Package
from service.assessment import Assessment, assess
from service.clock import Moment, Now, now
from service.gaps import cached, leaves_position_unclear, stale
from service.notices import Notice, earlier_notice, notice
from service.quiet_settings import RestrictedRecords
from service.restricted import Barred, barred
from service.survival import NEVER, Showing
from service.telemetry import stage


class Scoring(msgspec.Struct, frozen=True):
    """One record at one moment, with all that its assessment depends on.

    `result` is the same for the same record, however its parts came; `told` adds how they did, and when.
    """

    record: PatientRecord
    package: Package
    at: datetime
    running: tuple[Notice, ...]
    real: Now
    barred: Barred | None
    showing: Showing
    with_interactions: bool
    emergency: bool

    def result(self) -> Assessment:
        """Of the record as it is."""
        return assess(
            self.record,
            self.at,
            self.package,
            self.running,
            stage,
            barred=self.barred,
            showing=self.showing,
            with_interactions=self.with_interactions,
            emergency=self.emergency,
        )

    def told(self, result: Assessment) -> Assessment:
        """With this call's ledger, what was read earlier, and no position where it would rest on half a record."""
        if self.barred:
            return result
        ledger, own = self.record.retrieval, len(self.running)
        notices = (*self.running, *_earlier_notices(ledger, self.real()), *result.notices[own:])
        assessment = msgspec.structs.replace(result, notices=notices, retrieval=ledger)
        # a first look at an emergency takes what there is: its range says how little that is
        return assessment if self.emergency else _as_far_as_read(assessment)

    def assessment(self) -> Assessment:
        return self.told(self.result())


def scoring(
    record: PatientRecord,
    package: Package,
    moment: Moment,
    *,
    demonstration: bool = False,
    real: Now = now,
    restricted: RestrictedRecords | None = None,
    showing: Showing = NEVER,
    with_interactions: bool = False,
    emergency: bool = False,
) -> Scoring:
    """What is to be assessed, and how.

    `real` is the clock that `now` reads, `restricted` under what none is assessed, `showing` what is
    allowed of survival. An `emergency` is always ranked as an acute stay.
    """
    at = moment.at_for(record, real)
    running = _running_notices(
        at if moment.moves else None, demonstration=demonstration, synthetic=package.manifest.synthetic
    )
    why_not = None if restricted is None else barred(record, restricted, at, real())
    return Scoring(record, package, at, running, real, why_not, showing, with_interactions, emergency)


def _running_notices(moved_to: datetime | None, *, demonstration: bool, synthetic: bool) -> tuple[Notice, ...]:
    """The notices that every assessment carries where the service does not run as in a hospital."""
    said = []
    if demonstration:
        said.append(notice("demonstration"))
    if synthetic:
        said.append(notice("synthetic"))
    if moved_to is not None:
        said.append(notice("clock", at=moved_to))
    return tuple(said)


def _earlier_notices(ledger: Sequence[Retrieval], at: datetime) -> tuple[Notice, ...]:
    """That answers of an earlier call were used. `at` is real time, whatever the moment of assessment."""
    old, recent = stale(ledger, at), cached(ledger, at)
    return (
        *((earlier_notice("stale", old),) if old else ()),
        *((earlier_notice("cached", recent),) if recent else ()),
    )


def _as_far_as_read(assessment: Assessment) -> Assessment:
    """No position where it would rest on half a record."""
    ledger, position = assessment.retrieval, assessment.position
    if position is not None and leaves_position_unclear(ledger):
        assessment = msgspec.structs.replace(assessment, position=msgspec.structs.replace(position, category="unclear"))
    return assessment
