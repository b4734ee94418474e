"""A Bundle file -> one patient's record. The file may hold others; nothing scoped it to one."""

import re
from collections.abc import Iterable
from typing import get_args

from fhir_mappings.decoding import Decoded
from fhir_mappings.record import Entry, OwnResources, PatientRecord, Retrieval, entries_of
from fhir_mappings.resources.r4 import Clinical, Patient
from fhir_mappings.resources.therapies import Medication

_KINDS: tuple[type[Clinical], ...] = get_args(Clinical)


class SeveralPatientsError(ValueError):
    """Which patient is meant is not clear; the message names those there are."""


def record_of(bundle: Decoded, patient: str | None) -> PatientRecord:
    """The record of `patient`, else of the only one there is.

    Resources of other patients are left out: in a file of many they are no mistake. Raises SeveralPatientsError.
    """
    patient_id = patient or _only_one(bundle)
    entries = entries_of(bundle.entries, scoped=False)
    record = PatientRecord(patient_id, entries, bases=tuple(_bases(entries, patient_id)), issues=bundle.issues)
    unread = bundle.unread
    if len(_patients(bundle)) > 1:
        record, unread = PatientRecord(patient_id, tuple(_own(record)), record.bases, issues=record.issues), ()
    ledger = Retrieval(
        key="bundle",
        via="bundle",
        state="partial" if bundle.next else "complete",
        count=len(record.entries),
        reason="its further pages are not in the file" if bundle.next else "",
    )
    return PatientRecord(patient_id, record.entries, record.bases, (ledger,), record.issues, unread)


def _patients(bundle: Decoded) -> list[str]:
    return sorted({e.resource.id for e in bundle.entries if isinstance(e.resource, Patient)})


def _only_one(bundle: Decoded) -> str:
    patients = _patients(bundle)
    if len(patients) == 1:
        return patients[0]
    if not patients:
        raise SeveralPatientsError("no Patient in it; name one by --patient")
    shown = ", ".join(patients[:10]) + (f" and {len(patients) - 10} others" if len(patients) > 10 else "")
    raise SeveralPatientsError(f"holds {len(patients)} patients, name one by --patient: {shown}")


def _bases(entries: Iterable[Entry], patient_id: str) -> list[str]:
    """The servers whose patient this is, as the full address of the Patient entry states it."""
    tail = re.compile(rf"(https?://.+)/Patient/{re.escape(patient_id)}")
    found = [tail.fullmatch(e.full_url) for e in entries if isinstance(e.resource, Patient)]
    return [match[1] for match in found if match]


def _own(record: PatientRecord) -> list[Entry]:
    own = OwnResources(record)
    kept = {id(resource) for kind in _KINDS for resource in own.of(kind)}
    return [e for e in record.entries if id(e.resource) in kept or isinstance(e.resource, Medication)]
