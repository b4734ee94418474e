"""Where every slot of an encoded patient comes from, and what became of every resource.

Computed only when somebody asks: the record is read a second time, so that the hook carries nothing for it.
"""

from datetime import datetime

import msgspec

from fhir_mappings.concepts import catalogue
from fhir_mappings.empty_slots import empty_slots
from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.finding import Finding, Issue
from fhir_mappings.readers.all_resources import read_record
from fhir_mappings.record import PatientRecord
from fhir_mappings.resource_use import ResourceUse, resource_uses
from fhir_mappings.timing import written
from models.features import FeatureSchema


class Original(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A number as it was written, before its conversion."""

    value: float
    unit: str = ""


class Slot(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One parameter that has a value, in its canonical unit. `flags` travel with the value (docs/mapping-issues.md)."""

    feature: str
    value: float
    unit: str
    effective: str = ""
    sources: tuple[str, ...] = ()
    original: Original | None = None
    rule: str = ""
    flags: tuple[str, ...] = ()


class EmptySlot(msgspec.Struct, frozen=True, gc=False):
    """One parameter without a value, and why."""

    feature: str
    reason: str


class Provenance(msgspec.Struct, frozen=True):
    """`parameters` and `empty` together are the whole catalogue, each in its order; `resources` the whole record.

    `arrival`: since when the windows of an emergency hold; left out in the clinic.
    """

    patient: str
    at: str
    parameters: tuple[Slot, ...]
    empty: tuple[EmptySlot, ...]
    resources: tuple[ResourceUse, ...]
    issues: tuple[Issue, ...]
    arrival: str | msgspec.UnsetType = msgspec.UNSET


def explain(record: PatientRecord, encoded: EncodedPatient, at: datetime, *, emergency: bool = False) -> Provenance:
    """The provenance of `encoded`, which is what `encode` made of `record` at `at`, reading it thoroughly.

    `emergency` as it was given to `encode`.
    """
    source = catalogue()
    readings = read_record(record, source, at, thorough=True, emergency=emergency)
    reasons = empty_slots(record, encoded, readings, source.schema, at)
    return Provenance(
        patient=f"Patient/{record.patient_id}",
        at=at.isoformat(timespec="seconds"),
        parameters=tuple(_slots(encoded, source.schema)),
        empty=tuple(EmptySlot(key, reasons[key]) for key in source.schema.keys if key in reasons),
        resources=resource_uses(record, encoded, readings, reasons),
        issues=encoded.issues,
        arrival=written(readings.windows.arrival) if readings.windows.arrival else msgspec.UNSET,
    )


def _slots(encoded: EncodedPatient, schema: FeatureSchema) -> list[Slot]:
    found = {key: _slot(finding) for key, finding in encoded.findings.items()}
    entity = next((key for key in schema.entities if key in found), None)
    if entity is not None:  # one-hot: the vector says 0 for all others
        for key in schema.entities:
            found.setdefault(key, msgspec.structs.replace(found[entity], feature=key, value=0.0, rule=f"is {entity}"))
    return [found[key] for key in schema.keys if key in found]


def _slot(finding: Finding) -> Slot:
    return Slot(
        feature=finding.feature,
        value=finding.value,
        unit=finding.unit,
        effective=written(finding.effective) if finding.effective else "",
        sources=finding.sources,
        original=None if finding.original is None else Original(finding.original, finding.original_unit),
        rule=finding.rule,
        flags=finding.flags,
    )
