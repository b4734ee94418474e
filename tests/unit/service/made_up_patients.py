"""Records of the demonstration patients and a package that knows three entities, for tests of assessments and cards."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from demo.patients import demo_patients
from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from models.package import Package
from tests.unit.models.made_up import write_made_up_package

VITAL_SIGNS = frozenset({"85354-9", "8867-4", "9279-1", "8310-5", "59408-5", "2708-6"})  # LOINC
AT = datetime(2026, 6, 30, 12, tzinfo=UTC)


@cache
def package() -> Package:
    """Random weights; colon, lung and breast cancer are known to it."""
    with TemporaryDirectory() as folder:
        write_made_up_package(Path(folder))
        return Package.load(Path(folder), catalogue().schema)


def chart(patient_id: str) -> list[dict[str, Any]]:
    """The resources of one demonstration patient, to be changed at will."""
    return demo_patients(AT.date())[patient_id]


def arriving(patient_id: str) -> list[dict[str, Any]]:
    """The same, with the vital signs taken an hour ago: those of an emergency count for hours, not for days."""
    hour_ago = (AT - timedelta(hours=1)).isoformat()
    return [{**one, "effectiveDateTime": hour_ago} if _is_vital_sign(one) else one for one in chart(patient_id)]


def _is_vital_sign(resource: dict[str, Any]) -> bool:
    codings = resource.get("code", {}).get("coding", ())
    return resource["resourceType"] == "Observation" and any(coding.get("code") in VITAL_SIGNS for coding in codings)


def record(
    patient_id: str, resources: Iterable[dict[str, Any]] | None = None, *, state: str = "complete"
) -> PatientRecord:
    """A record as it comes from a Bundle; `state` is that of its one query."""
    given = chart(patient_id) if resources is None else list(resources)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in given]}
    decoded = decode(json.dumps(bundle).encode())
    ledger = (Retrieval("laboratory" if state != "complete" else "bundle", "bundle", state),)  # type: ignore[arg-type]
    return PatientRecord(patient_id, entries_of(decoded.entries, scoped=False), retrieval=ledger, issues=decoded.issues)
