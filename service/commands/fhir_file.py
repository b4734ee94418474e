"""A file of FHIR as people have it -> decoded resources: a Bundle, one resource or NDJSON, `.gz` too.

A line of NDJSON that cannot be read is named by its number; the others count.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fhir_mappings.decoding import Decoded, NotReadableError, decode
from fhir_mappings.finding import Issue
from fhir_mappings.issue_words import in_words
from fhir_mappings.record import OwnResources, PatientRecord, Retrieval, entries_of
from fhir_mappings.resources.objections import Consent
from fhir_mappings.resources.r4 import AnyResource, BundleEntry, MolecularSequence, OperationOutcome, Patient
from fhir_mappings.resources.therapies import Medication
from fhir_mappings.versions import DEFAULT, Version
from service.commands.bundle import SeveralPatientsError, record_of

_NDJSON = (".ndjson", ".jsonl")


class BadLine(msgspec.Struct, frozen=True):
    number: int
    reason: str


class FhirFile(msgspec.Struct, frozen=True):
    """`bodies` are the JSON documents that were decoded; `is_one_resource`: a single one that is no Bundle."""

    decoded: Decoded
    bodies: tuple[bytes, ...]
    bad_lines: tuple[BadLine, ...] = ()
    is_one_resource: bool = False


def read_fhir_file(file: Path, version: Version = DEFAULT) -> FhirFile:
    """The whole file in memory. Raises NotReadableError for what is no FHIR at all."""
    content = _content(file)
    if not is_ndjson(file):
        try:
            return _one_document(content, version)
        except NotReadableError:
            if not _looks_like_ndjson(content):
                raise
    return _ndjson(content, version)


def is_ndjson(file: Path) -> bool:
    """By its name."""
    return file.name.removesuffix(".gz").endswith(_NDJSON)


def lines_of(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that hold something, numbered from 1, one in memory at a time. Raises NotReadableError."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError) as error:
        raise NotReadableError("cannot be read, or is not what gzip writes") from error


def decode_document(body: bytes, version: Version = DEFAULT) -> Decoded:
    """`decode`, for bytes that may be none, or no text. Raises NotReadableError."""
    if not body.strip():
        raise NotReadableError("is empty")
    try:
        return decode(body, version)
    except UnicodeDecodeError as error:
        raise NotReadableError("not UTF-8") from error


def record_from(file: FhirFile, patient: str | None) -> PatientRecord:
    """The record of `patient`, else of the only one there is; one resource alone is of whomever it names.

    Raises SeveralPatientsError, also where nothing in the file is of `patient`.
    """
    record = _of_one_resource(file, patient) if file.is_one_resource else record_of(file.decoded, patient)
    if file.decoded.entries and len(OwnResources(record).issues) == len(record.entries):
        raise SeveralPatientsError(f"holds nothing of Patient/{record.patient_id}")
    return record


def _of_one_resource(file: FhirFile, patient: str | None) -> PatientRecord:
    entries = file.decoded.entries
    patient_id = patient or (subject_id(entries[0].resource) if entries else "")
    if not patient_id:
        why = "".join(f" ({issue.source}: {in_words(issue.code)})" for issue in file.decoded.issues)
        raise SeveralPatientsError(f"no Patient in it{why}; name one by --patient")
    ledger = Retrieval("bundle", "bundle", "partial", len(entries), reason="one resource is no record")
    return PatientRecord(patient_id, entries_of(entries, scoped=True), retrieval=(ledger,), issues=file.decoded.issues)


def left_out(file: FhirFile, record: PatientRecord) -> tuple[Issue, ...]:
    """An issue for each resource of a file of several patients that is not in the record of this one."""
    if len(record.entries) == len(file.decoded.entries):
        return ()
    everything = PatientRecord(record.patient_id, entries_of(file.decoded.entries, scoped=False), record.bases)
    return tuple(OwnResources(everything).issues)


def subject_id(resource: AnyResource | None) -> str:
    """The id of the patient that a resource is or names by address, else ""."""
    if resource is None or isinstance(resource, (OperationOutcome, Medication)):
        return ""
    if isinstance(resource, Patient):
        return resource.id
    reference = resource.patient if isinstance(resource, MolecularSequence | Consent) else resource.subject
    return reference.reference.rpartition("Patient/")[2].partition("/")[0]


def _content(file: Path) -> bytes:
    try:
        return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError) as error:
        raise NotReadableError("cannot be read, or is not what gzip writes") from error


def _one_document(content: bytes, version: Version) -> FhirFile:
    decoded = decode_document(content, version)
    kind = msgspec.json.decode(content, type=_Kind).resourceType
    return FhirFile(decoded, (content,), is_one_resource=kind != "Bundle")


class _Kind(msgspec.Struct):
    resourceType: str = ""  # noqa: N815


def _looks_like_ndjson(content: bytes) -> bool:
    """Whether the first of several lines is JSON by itself, with a resourceType."""
    first, _, rest = content.strip().partition(b"\n")
    try:
        return bool(rest) and bool(msgspec.json.decode(first, type=_Kind).resourceType)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _ndjson(content: bytes, version: Version) -> FhirFile:
    bodies: list[bytes] = []
    bad: list[BadLine] = []
    entries: list[BundleEntry] = []
    issues: list[Issue] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            decoded = decode_document(line, version)
        except NotReadableError as error:
            bad.append(BadLine(number, str(error)))
            issues.append(Issue("warning", "unreadable", f"line {number}: {error}"))
            continue
        bodies.append(line)
        entries += decoded.entries
        issues += decoded.issues
    if not bodies:
        raise NotReadableError(f"line {bad[0].number}: {bad[0].reason}" if bad else "is empty")
    return FhirFile(Decoded(tuple(entries), tuple(issues)), tuple(bodies), tuple(bad))
