"""Record -> Assessment at the site's moment, with what must be said of the way this service runs."""

from datetime import datetime

from fhir_mappings.record import PatientRecord
from models.package import Package
from service.assessment import Assessment, CodeAndText, assess
from service.clock import Moment, Now, now
from service.quiet_settings import RestrictedRecords
from service.restricted import is_restricted
from service.telemetry import stage


def score(
    record: PatientRecord,
    package: Package,
    moment: Moment,
    *,
    demonstration: bool = False,
    real: Now = now,
    restricted: RestrictedRecords | None = None,
) -> Assessment:
    """Assess one record; `real` is the clock that `now` reads, `restricted` the labels under which none is assessed."""
    at = moment.at_for(record, real)
    notices = _running_notices(
        at if moment.moves else None, demonstration=demonstration, synthetic=package.manifest.synthetic
    )
    withheld = restricted is not None and is_restricted(record, restricted)
    return assess(record, at, package, notices, stage, restricted=withheld)


def _running_notices(moved_to: datetime | None, *, demonstration: bool, synthetic: bool) -> tuple[CodeAndText, ...]:
    """The notices that every assessment carries where the service does not run as in a hospital."""
    said = []
    if demonstration:
        said.append(CodeAndText("demonstration", "Demonstration: not for real patients."))
    if synthetic:
        said.append(CodeAndText("synthetic", "The model was not trained on patients: its results mean nothing."))
    if moved_to is not None:
        said.append(CodeAndText("clock", f"Assessed as of {moved_to.date().isoformat()}, not of today."))
    return tuple(said)
