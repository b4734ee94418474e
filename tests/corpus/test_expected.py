"""Findings of published patients against what a person reads in their files."""

import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.finding import Finding
from fhir_mappings.moment import latest
from fhir_mappings.record import PatientRecord
from fhir_mappings.resources.r4 import Patient
from service.commands.bundle import record_of
from tests.corpus.published import collection

pytestmark = pytest.mark.corpus
PAGE = Path(__file__).with_name("expected.txt")


class Expected(NamedTuple):
    value: float
    unit: str
    sources: tuple[str, ...]


class Section(NamedTuple):
    file: str
    patient: str
    moment: str
    found: dict[str, Expected]
    missing: tuple[str, ...]


def sections() -> list[Section]:
    """The page as it is written."""
    read: list[Section] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            file, patient, moment = line.removeprefix("== ").split(" | ")
            read.append(Section(file, long(patient), moment, {}, ()))
        elif line and not line.startswith("#"):
            name, value, *rest = re.split(r"\s{2,}", line)
            if value == "missing":
                read[-1] = read[-1]._replace(missing=(*read[-1].missing, name))
            else:
                read[-1].found[name] = Expected(float(value), rest[0], tuple(long(address) for address in rest[1:]))
    return read


def long(name: str) -> str:
    return name.replace("~", "mii-exa-test-data-")


def patient_record(section: Section, corpus: Path) -> PatientRecord:
    """The patient's record from the one file or folder, as the command line makes it."""
    whole = collection(section.file, corpus)
    known = {e.resource.id for e in whole.entries if isinstance(e.resource, Patient)}
    named = {section.patient} & known or {name for name in known if name.startswith(section.patient)}
    [patient] = named
    return record_of(whole, patient)


def assessed(section: Section, corpus: Path) -> tuple[EncodedPatient, datetime]:
    record = patient_record(section, corpus)
    at = latest(record) if section.moment.startswith("latest") else datetime.fromisoformat(section.moment)
    assert at is not None
    return encode(record, catalogue().schema, at), at


SECTIONS = sections()
each_section = pytest.mark.parametrize(
    "section", SECTIONS, ids=lambda s: f"{s.file.split('.')[0]}-{s.patient}-{s.moment[:10]}"
)


@each_section
def test_the_newest_moment_of_the_record_is_as_expected(section: Section, corpus: Path) -> None:
    """The clock `latest`."""
    if section.moment.startswith("latest "):
        assert latest(patient_record(section, corpus)) == datetime.fromisoformat(section.moment.removeprefix("latest "))


@each_section
def test_each_expected_value_is_found_with_its_unit_and_source(section: Section, corpus: Path) -> None:
    """And nothing else is found."""
    findings = dict(assessed(section, corpus)[0].findings)
    others = section.found.get("others")
    for name, expected in section.found.items():
        if name != "others":
            check(name, findings.pop(name), expected, expected.unit)
    for name, finding in findings.items():
        assert others is not None, f"{name} = {finding.value} from {finding.sources} is not expected"
        in_window = tuple(s for s in others.sources if any(found.startswith(s) for found in finding.sources))
        is_acute = catalogue().schema[name].missing_rule == "documented_acute"
        check(name, finding, others._replace(sources=in_window) if is_acute else others, finding.unit)


def check(name: str, finding: Finding, expected: Expected, unit: str) -> None:
    assert finding.value == pytest.approx(expected.value, rel=2e-3, abs=1e-4), name
    assert finding.unit == unit, name
    assert len(finding.sources) == len(expected.sources), (name, finding.sources)
    for source in expected.sources:
        assert [s for s in finding.sources if s.startswith(source)], (name, source, finding.sources)


@each_section
def test_what_a_reader_could_take_for_granted_is_missing(section: Section, corpus: Path) -> None:
    """For the reason that the page gives."""
    encoded, _ = assessed(section, corpus)
    assert [name for name in section.missing if name in encoded.findings] == []
    assert encoded.vector.schema.index.keys() >= set(section.missing)


def test_the_page_has_many_patients_and_parameters() -> None:
    """Enough to be worth typing."""
    assert len({section.patient for section in SECTIONS}) >= 38
    assert len({name for section in SECTIONS for name in section.found}) >= 70


@each_section
def test_the_order_of_the_file_changes_nothing(section: Section, corpus: Path) -> None:
    """Read backwards, the same findings come out."""
    record = patient_record(section, corpus)
    backwards = PatientRecord(
        record.patient_id, record.entries[::-1], record.bases, record.retrieval, record.issues[::-1]
    )
    encoded, at = assessed(section, corpus)
    assert encode(backwards, catalogue().schema, at).findings == encoded.findings
