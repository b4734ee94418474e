"""Since when a resource can have been known, so that a record can be read as it stood at an earlier moment.

A resource counts from the latest of its dates on: a result is known once it was issued, a diagnosis once it was
recorded. A month or a year counts from its last day. What has no date may be of any time, the outcome's included: it
counts only where `meta.lastUpdated` shows that it was there, and as it is now.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fhir_mappings.contained import dated_by_specimen
from fhir_mappings.resources.objections import Consent, Flag
from fhir_mappings.resources.r4 import (
    AnyResource,
    Condition,
    Encounter,
    ImagingStudy,
    Observation,
    OperationOutcome,
    Patient,
)
from fhir_mappings.resources.therapies import (
    List,
    Medication,
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
    Procedure,
)
from fhir_mappings.timing import in_order, instant

ALWAYS = datetime.min.replace(tzinfo=UTC)
_OF_NO_TIME = (Patient, Medication, Flag, Consent, OperationOutcome)  # objections count whenever they were made
_MONTH, _YEAR = 7, 4  # characters of a partial date

Begun = Callable[[str], datetime | None]  # the reference of an encounter -> when it began, where the record holds it


def known_since(resource: AnyResource, begun: Begun) -> datetime | None:
    """When it was known at the latest; None where nothing says so (MolecularSequence has no date at all)."""
    if isinstance(resource, _OF_NO_TIME):
        return ALWAYS
    stated = [moment for moment in (_stated(resource, begun), updated(resource)) if moment]
    return min(stated, key=in_order, default=None)


def updated(resource: AnyResource) -> datetime | None:
    """Since when the resource has been as it is now."""
    return instant(resource.meta.lastUpdated) if resource.meta.lastUpdated else None


def last_day(text: str) -> datetime | None:
    """The moment that a date or time names; of a month or a year its last day."""
    if len(text) == _YEAR:
        return instant(f"{text}-12-31")
    if len(text) == _MONTH:
        first = instant(f"{text}-01")
        return instant(f"{text}-{monthrange(first.year, first.month)[1]}") if first else None
    return instant(text)


def _stated(resource: AnyResource, begun: Begun) -> datetime | None:
    if isinstance(resource, Condition):
        return _of_condition(resource, begun)
    dates = _DATES.get(type(resource))
    texts = [text for text in dates(resource) if text] if dates else []
    moments = [moment for text in texts if (moment := last_day(text)) is not None]
    return max(moments, key=in_order) if moments and len(moments) == len(texts) else None


def _of_condition(condition: Condition, begun: Begun) -> datetime | None:
    """When it was recorded, else when the visit began at which it was made; never before the day of its onset."""
    onset = condition.onsetDateTime or (condition.onsetPeriod.start if condition.onsetPeriod else "")
    began = last_day(onset) if onset else None
    visit = begun(condition.encounter.reference) if condition.encounter.reference else None
    recorded = last_day(condition.recordedDate) if condition.recordedDate else visit
    if recorded is None:
        return None if condition.recordedDate else began
    return max(recorded, began, key=in_order) if began and len(onset) > _MONTH else recorded


def _of_observation(observation: Observation) -> tuple[str, ...]:
    dated = dated_by_specimen(observation)
    period = dated.effectivePeriod
    effective = dated.effectiveDateTime or dated.effectiveInstant or ((period.end or period.start) if period else "")
    return effective, dated.issued


def _of_dose(dose: MedicationAdministration) -> tuple[str, ...]:
    period = dose.effectivePeriod
    return (period.start or period.end if period else dose.effectiveDateTime,)


def _of_statement(statement: MedicationStatement) -> tuple[str, ...]:
    period = statement.effectivePeriod
    return (period.start or period.end if period else statement.effectiveDateTime), statement.dateAsserted


def _of_procedure(procedure: Procedure) -> tuple[str, ...]:
    period = procedure.performedPeriod
    return (period.start or period.end if period else procedure.performedDateTime,)


_DATES: Mapping[type, Callable[..., tuple[str, ...]]] = {
    Observation: _of_observation,
    Encounter: lambda visit: (visit.period.start or visit.period.end,),
    ImagingStudy: lambda study: (study.started,),
    MedicationAdministration: _of_dose,
    MedicationStatement: _of_statement,
    MedicationRequest: lambda order: (order.authoredOn,),
    Procedure: _of_procedure,
    List: lambda one: (one.date,),
}
