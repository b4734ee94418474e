"""The records of many patients in files, one at a time: Bundles, or a folder of NDJSON.

What cannot be read is told on one line (`Trouble`), and the rest goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from fhir_mappings.decoding import Decoded, NotReadableError
from fhir_mappings.finding import Issue
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from fhir_mappings.resources.r4 import BundleEntry, Patient
from fhir_mappings.versions import Version
from service.commands.bundle import SeveralPatientsError, record_of
from service.commands.fhir_file import decode_document, lines_of, read_fhir_file, record_from
from service.commands.patient_lines import PatientLines


class Trouble(msgspec.Struct, frozen=True, omit_defaults=True):
    """What could not be read: a file and, in NDJSON, its line; or a patient of a server."""

    where: str
    line: int = 0
    reason: str = ""

    def text(self) -> str:
        return f"{self.where}: line {self.line}: {self.reason}" if self.line else f"{self.where}: {self.reason}"


Tell = Callable[[Trouble], None]
Progress = Callable[[str], None]


def of_files(files: Sequence[Path], version: Version, tell: Tell, progress: Progress) -> Iterator[PatientRecord]:
    """Every patient of each file by itself; one file is in memory at a time."""
    for number, file in enumerate(files, 1):
        progress(f"file {number} of {len(files)}")
        try:
            read = read_fhir_file(file, version)
            patients = sorted({e.resource.id for e in read.decoded.entries if isinstance(e.resource, Patient)})
            if not patients:
                yield record_from(read, None)
        except (NotReadableError, SeveralPatientsError) as error:
            tell(Trouble(str(file), reason=str(error).removesuffix("; name one by --patient")))
            continue
        for bad in read.bad_lines:
            tell(Trouble(str(file), bad.number, bad.reason))
        for patient, decoded in zip(patients, _told_once(read.decoded), strict=False):
            yield record_of(decoded, patient)


def _told_once(decoded: Decoded) -> Iterator[Decoded]:
    """The file for its first patient, then for the others: what nobody reads is counted once.

    What is unreadable stays for each, for whoever it belongs to misses it.
    """
    yield decoded
    unreadable = tuple(issue for issue in decoded.issues if issue.code == "unreadable")
    while True:
        yield msgspec.structs.replace(decoded, issues=unreadable)


def of_ndjson(folder: Path, version: Version, tell: Tell, progress: Progress) -> Iterator[PatientRecord]:
    """Every patient of all NDJSON files under the folder together."""
    files = sorted(path for end in ("ndjson", "ndjson.gz") for path in folder.rglob(f"*.{end}") if path.is_file())
    if not files:
        tell(Trouble(str(folder), reason="holds no .ndjson or .ndjson.gz file"))
    with PatientLines() as lines:
        whole = [_sorted_in(file, lines, tell, progress) for file in files]  # every file, also after a bad one
        patients = lines.patients()
        for number, patient in enumerate(patients, 1):
            progress(f"patient {number} of {len(patients)}")
            yield _of_lines(patient, lines, version, is_whole=all(whole))
        if lines.unowned:
            tell(Trouble(str(folder), reason=f"{lines.unowned} resources name no patient by address"))


def _sorted_in(file: Path, lines: PatientLines, tell: Tell, progress: Progress) -> bool:
    """Whether every line could be read."""
    is_whole, number = True, 0
    try:
        for number, line in lines_of(file):
            progress(f"{file.name}, line {number}")
            try:
                lines.add(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                tell(Trouble(str(file), number, "not a JSON object"))
                is_whole = False
    except NotReadableError as error:
        tell(Trouble(str(file), number + 1, str(error)))
        is_whole = False
    return is_whole


def _of_lines(patient: str, lines: PatientLines, version: Version, *, is_whole: bool) -> PatientRecord:
    entries: list[BundleEntry] = []
    issues: list[Issue] = []
    for line in lines.of(patient):
        try:
            decoded: Decoded = decode_document(line, version)
        except NotReadableError as error:
            issues.append(Issue("warning", "unreadable", str(error)))
            continue
        entries += decoded.entries
        issues += decoded.issues
    ledger = Retrieval("bundle", "bundle", "complete" if is_whole else "partial", len(entries))
    return PatientRecord(patient, entries_of(tuple(entries), scoped=False), lines.bases, (ledger,), tuple(issues))
