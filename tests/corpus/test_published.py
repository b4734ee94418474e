"""Everything that others have published goes through, and nothing is dropped without a word."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.moment import latest
from fhir_mappings.readers.all_resources import read_record
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import Clinical, Patient
from models.features import MODALITIES
from service.commands.bundle import record_of
from tests.corpus.found import rows, table
from tests.corpus.published import NO_DATE, decoded, files, moments, raw_resources, records

pytestmark = pytest.mark.corpus

ENOUGH = 110  # parameters that get a value from resources which we did not write


def test_the_files_are_all_there(corpus: Path) -> None:
    """207 examples of the specification, 661 German ones, twelve whole lives."""
    assert Counter(path.parent.name for path in files(corpus)) == {"hl7-r4-examples": 207, "mii": 661, "synthea": 12}


def test_every_file_is_decoded_without_an_unreadable_entry(corpus: Path) -> None:
    """What is not read is of a type that no reader reads."""
    codes = {issue.code for path in files(corpus) for issue in decoded(path).issues}
    assert codes == {"type-not-read"}


def test_every_patient_is_encoded_at_every_moment_of_theirs(corpus: Path) -> None:
    """No exception, no infinite number, no value outside its range."""
    schema = catalogue().schema
    for record in records(corpus):
        for at in moments(record):
            encoded = encode(record, schema, at)
            assert all(schema[key].plausible(finding.value) for key, finding in encoded.findings.items())
            assert not np.isinf(encoded.vector.values).any()


def test_only_those_who_cannot_be_shown_to_be_the_patient_are_foreign(corpus: Path) -> None:
    """A contained newborn, a herd of cattle, and a patient of a server that is not this record's."""
    foreign = {r.patient_id for r in records(corpus) if encode(r, catalogue().schema, next(moments(r))).foreign}
    assert foreign == {"#newborn", "herd1", "d1"}


def test_every_entry_of_every_file_is_decoded_or_has_an_issue(corpus: Path) -> None:
    """No resource is lost on the way into a record; its address stands in an entry or in an issue."""
    for path in files(corpus):
        told = {e.resource.address for e in decoded(path).entries if e.resource}
        told |= {issue.source.removesuffix("?") for issue in decoded(path).issues}  # one without an id
        assert {f"{r['resourceType']}/{r.get('id', '')}" for r in raw_resources(path)} <= told, path.name


def test_every_resource_is_used_or_has_an_issue(corpus: Path) -> None:
    """At every moment of each record: nothing is dropped silently."""
    silent = [address for record in records(corpus) for at in moments(record) for address in _silent(record, at)]
    assert silent == []


def test_every_resource_of_a_file_is_used_or_has_an_issue(corpus: Path) -> None:
    """As the command line reads it, for each patient in it; what is another patient's is left out there."""
    read = 0
    for path in files(corpus):
        people = {e.resource.id for e in decoded(path).entries if isinstance(e.resource, Patient)}
        for patient in people:
            record = record_of(decoded(path), patient)
            assert _silent(record, latest(record) or NO_DATE) == []
            read += 1
    assert read == 335


def _silent(record: PatientRecord, at: datetime) -> list[str]:
    readings = read_record(record, catalogue(), at, thorough=True)
    told = {source for finding in readings.findings for source in finding.sources}
    told |= {source for tumour in readings.tumours.tumours for source in tumour.sources}
    told |= {issue.source for issue in readings.issues} | {one.address for one in readings.documented}
    own = OwnResources(record)
    return [r.address for kind in get_args(Clinical) for r in own.of(kind) if r.address not in told]


def test_parameters_found_are_counted_patient_by_patient(corpus: Path) -> None:
    """As the page of expected findings has them: a man with lung cancer, and one with prostate cancer."""
    found = {one.collection: one for one in rows(corpus)}
    lung, prostate = found["cancer-07.json.gz"], found["cancer-10.json.gz"]
    assert lung.by_modality == {"demographics": 2, "history": 4, "function": 6, "laboratory": 12, "tumour": 2}
    assert prostate.by_modality == {"demographics": 2, "history": 5, "function": 7, "laboratory": 14, "tumour": 5}
    assert lung.ever > lung.all == 26
    assert table([lung]).splitlines()[2].endswith(" 2 | 4 | 6 | 12 | 2 | 0 | 0 | 26 | 73 |")


def test_an_observation_is_never_left_over_without_a_reason_of_its_own(corpus: Path) -> None:
    """The general word for what nobody asks for is not for results."""
    for record in records(corpus):
        *_, at = moments(record)
        left = [i.source for i in read_record(record, catalogue(), at, thorough=True).issues if i.code == "not-needed"]
        assert not [source for source in left if source.startswith(("Observation/", "MolecularSequence/"))]


def test_most_parameters_are_reached_by_what_others_wrote(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed per modality; at least 70 are promised."""
    schema = catalogue().schema
    found: dict[str, float] = {}
    for record in records(corpus):
        for at in moments(record):
            for key, finding in encode(record, schema, at).findings.items():
                found[key] = max(found.get(key, 0.0), abs(finding.value))
    by_modality = Counter(schema[key].modality for key in found)
    more_than_zero = sum(1 for value in found.values() if value)
    with capsys.disabled():
        counts = ", ".join(f"{modality} {by_modality[modality]}" for modality in MODALITIES)
        print(f"\nparameters reached by published resources: {len(found)} ({more_than_zero} other than 0): {counts}")  # noqa: T201
    assert len(found) >= ENOUGH
    assert more_than_zero >= 90
