"""Record -> Assessment at the site's moment, with what must be said of the way this service runs."""

from fhir_mappings.record import PatientRecord
from models.package import Package
from service.assessment import Assessment, CodeAndText, assess
from service.clock import Moment, Now, now
from service.telemetry import stage


def running_notices(moment: Moment, *, demonstration: bool) -> tuple[CodeAndText, ...]:
    """The notices that every assessment carries where the service does not run as in a hospital."""
    said = []
    if demonstration:
        said.append(CodeAndText("demonstration", "Demonstration: conditions meant for real patients are waived."))
    if moment.moves:
        said.append(CodeAndText("clock", f"Assessed as of {moment.text}, not of today."))
    return tuple(said)


def score(
    record: PatientRecord, package: Package, moment: Moment, *, demonstration: bool = False, real: Now = now
) -> Assessment:
    """Assess one record; `real` is the clock that `now` reads."""
    notices = running_notices(moment, demonstration=demonstration)
    return assess(record, moment.at_for(record, real), package, notices, stage)
