"""Record -> Assessment at the site's moment, with what must be said of the way this service runs."""

from datetime import datetime

from fhir_mappings.record import PatientRecord
from models.package import Package
from service.assessment import Assessment, assess
from service.clock import Moment, Now, now
from service.notices import Notice, notice
from service.quiet_settings import RestrictedRecords
from service.restricted import is_restricted
from service.survival import NEVER, Showing
from service.telemetry import stage


def score(
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
) -> Assessment:
    """Assess one record.

    `real` is the clock that `now` reads, `restricted` the labels under which none is assessed, `showing` what is
    allowed of survival. An `emergency` is always ranked as an acute stay.
    """
    at = moment.at_for(record, real)
    notices = _running_notices(
        at if moment.moves else None, demonstration=demonstration, synthetic=package.manifest.synthetic
    )
    withheld = restricted is not None and is_restricted(record, restricted)
    return assess(
        record,
        at,
        package,
        notices,
        stage,
        restricted=withheld,
        showing=showing,
        with_interactions=with_interactions,
        emergency=emergency,
    )


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
