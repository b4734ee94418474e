"""The published FHIR files, and the records of the patients in them."""

import gzip
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path

from fhir_mappings.decoding import Decoded, decode
from fhir_mappings.readers.conditions import since
from fhir_mappings.readers.usable import effective
from fhir_mappings.record import Entry, OwnResources, PatientRecord, entries_of
from fhir_mappings.resources.r4 import Clinical, Condition, MolecularSequence, Observation, Patient

NO_DATE = datetime(2024, 6, 1, tzinfo=UTC)  # the moment for a patient without any dated resource


def files(corpus: Path) -> list[Path]:
    return sorted(path for path in (corpus / "fhir").rglob("*.json*") if path.is_file())


@cache
def decoded(path: Path) -> Decoded:
    body = path.read_bytes()
    return decode(gzip.decompress(body) if path.suffix == ".gz" else body)


def collection(name: str, corpus: Path) -> Decoded:
    """One file by its name, or all files of a folder by the folder's, as one Bundle."""
    chosen = [decoded(path) for path in files(corpus) if name in {path.name, path.parent.name}]
    entries = tuple(entry for one in chosen for entry in one.entries)
    return Decoded(entries, tuple(issue for one in chosen for issue in one.issues))


def subject(resource: Clinical) -> str:
    """The id of the patient that a resource names, whatever form the reference has."""
    if isinstance(resource, Patient):
        return resource.id
    reference = resource.patient if isinstance(resource, MolecularSequence) else resource.subject
    return reference.reference.rpartition("/")[2].rpartition(":")[2]


@cache
def records(corpus: Path) -> tuple[PatientRecord, ...]:
    """One record a patient and collection: a Synthea bundle, the German files together, the R4 examples together."""
    by_patient: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for path in files(corpus):
        collection = path.name if path.suffix == ".gz" else path.parent.name
        for entry in entries_of(decoded(path).entries, scoped=True):
            if isinstance(entry.resource, Clinical):
                by_patient[collection, subject(entry.resource)].append(entry)
    return tuple(PatientRecord(name, tuple(entries)) for (_, name), entries in by_patient.items())


def moments(record: PatientRecord, most: int = 25) -> Iterator[datetime]:
    """The ends of the days on which something was observed or diagnosed; of many, evenly chosen ones and the last."""
    own = OwnResources(record)
    dated = [effective(o) for o in own.of(Observation)] + [since(c) for c in own.of(Condition)]
    days = sorted({moment.date() for moment in dated if moment})
    step = max(1, len(days) // most)
    for day in [*days[::step], *days[-1:]]:
        yield datetime.combine(day, time.max, tzinfo=UTC)
    if not days:
        yield NO_DATE
