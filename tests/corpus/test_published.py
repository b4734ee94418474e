"""Everything that others have published goes through, and nothing is dropped without a word."""

from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.readers.all_resources import read_record
from fhir_mappings.record import OwnResources, PatientRecord
from fhir_mappings.resources.r4 import Clinical
from models.features import MODALITIES
from tests.corpus.published import decoded, files, moments, records

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


def test_every_resource_is_used_or_has_an_issue(corpus: Path) -> None:
    """At the last moment of each record: nothing is dropped silently."""
    silent = [address for record in records(corpus) for address in _silent(record)]
    assert silent == []


def _silent(record: PatientRecord) -> list[str]:
    *_, at = moments(record)
    readings = read_record(record, catalogue(), at, thorough=True)
    told = {source for finding in readings.findings for source in finding.sources}
    told |= {source for tumour in readings.tumours.tumours for source in tumour.sources}
    told |= {issue.source for issue in readings.issues} | set(readings.documented)
    own = OwnResources(record)
    return [r.address for kind in get_args(Clinical) for r in own.of(kind) if r.address not in told]


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
