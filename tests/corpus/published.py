"""The published FHIR files, and the records of the patients in them."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from fhir_mappings.decoding import Decoded, decode
from fhir_mappings.readers.conditions import since
from fhir_mappings.readers.usable import effective
from fhir_mappings.record import Entry, OwnResources, PatientRecord, entries_of
from fhir_mappings.resources.objections import Consent
from fhir_mappings.resources.r4 import Clinical, Condition, MolecularSequence, Observation, Patient
from fhir_mappings.resources.therapies import Medication

NO_DATE = datetime(2024, 6, 1, tzinfo=UTC)  # the moment for a patient without any dated resource


def files(corpus: Path) -> list[Path]:
    return sorted(path for path in (corpus / "fhir").rglob("*.json*") if path.is_file())


def body(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@cache
def decoded(path: Path) -> Decoded:
    return decode(body(path))


def raw_resources(path: Path) -> list[dict[str, Any]]:
    """The resources as any JSON reader sees them: those of a Bundle's entries, else the one of the file."""
    whole = json.loads(body(path))
    return [e["resource"] for e in whole.get("entry", [])] if whole["resourceType"] == "Bundle" else [whole]


def collection(name: str, corpus: Path) -> Decoded:
    """One file by its name, or all files of a folder by the folder's, as one Bundle."""
    chosen = [decoded(path) for path in files(corpus) if name in {path.name, path.parent.name}]
    entries = tuple(entry for one in chosen for entry in one.entries)
    return Decoded(entries, tuple(issue for one in chosen for issue in one.issues))


def subject(resource: Clinical) -> str:
    """The id of the patient that a resource names, whatever form the reference has."""
    if isinstance(resource, Patient):
        return resource.id
    reference = resource.patient if isinstance(resource, MolecularSequence | Consent) else resource.subject
    return reference.reference.rpartition("/")[2].rpartition(":")[2]


@cache
def collections(corpus: Path) -> dict[tuple[str, str], PatientRecord]:
    """One record a patient and collection: a Synthea bundle, the German files together, the R4 examples together."""
    by_patient: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    products: dict[str, list[Entry]] = defaultdict(list)  # nobody's: to every record of the collection
    for path in files(corpus):
        name = path.name if path.suffix == ".gz" else path.parent.name
        for entry in entries_of(decoded(path).entries, scoped=True):
            if isinstance(entry.resource, Clinical):
                by_patient[name, subject(entry.resource)].append(entry)
            elif isinstance(entry.resource, Medication):
                products[name].append(entry)
    return {of: PatientRecord(of[1], (*entries, *products[of[0]])) for of, entries in by_patient.items()}


def records(corpus: Path) -> tuple[PatientRecord, ...]:
    return tuple(collections(corpus).values())


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
