"""Bundles, single resources and NDJSON, packed or not."""

import gzip
import json
from pathlib import Path

import pytest

from fhir_mappings.decoding import NotReadableError
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.r4 import Observation
from service.commands.bundle import SeveralPatientsError
from service.commands.fhir_file import BadLine, FhirFile, left_out, lines_of, read_fhir_file, record_from
from tests.unit.service.far_end import bundle, observation, patient


def written(path: Path, *documents: object, junk: str = "") -> Path:
    text = "\n".join(json.dumps(document) for document in documents) + junk
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz", "a.jsonl", "a.json", "a.txt"])
def test_lines_are_resources_whatever_the_name(tmp_path: Path, name: str) -> None:
    """By the ending, else by the look of it."""
    read = read_fhir_file(written(tmp_path / name, patient(), observation(1), observation(2)))
    assert len(read.decoded.entries) == len(read.bodies) == 3
    assert not read.bad_lines


def test_a_bundle_is_one_document(tmp_path: Path) -> None:
    """Also where it is written over many lines."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(bundle(patient(), observation(1)), indent=2))
    read = read_fhir_file(file)
    assert (len(read.decoded.entries), len(read.bodies), read.is_one_resource) == (2, 1, False)


def test_a_bad_line_is_named_and_the_others_count(tmp_path: Path) -> None:
    """By its number, empty lines counted; and then nothing is taken as absent."""
    file = tmp_path / "a.ndjson"
    file.write_bytes(json.dumps(patient()).encode() + b"\n\n{oops\n\xff\xfe\n" + json.dumps(observation(1)).encode())
    read = read_fhir_file(file)
    assert read.bad_lines == (BadLine(3, "not a JSON object"), BadLine(4, "not a JSON object"))
    assert len(read.decoded.entries) == 2
    assert [issue.code for issue in read.decoded.issues] == ["unreadable", "unreadable"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b"", "is empty"),
        ("a.json", b"<html>\n<p>", "not a JSON object"),
        ("a.json", b"[1]\n[2]", "not a JSON object"),
        ("a.ndjson", b"one\ntwo", "line 1: not a JSON object"),
        ("a.ndjson", b"\n\n", "is empty"),
        ("a.json.gz", b"plain", "not what gzip writes"),
        ("a.json", b'{"resourceType":"Patient","id":"1","gender":"m\xe4nnlich"}', "not UTF-8"),
    ],
)
def test_what_is_no_fhir_at_all_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """With the reason."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotReadableError, match=reason):
        read_fhir_file(tmp_path / name)


def one(tmp_path: Path, document: object) -> FhirFile:
    return read_fhir_file(written(tmp_path / "a.json", document))


def test_one_resource_is_of_whomever_it_names(tmp_path: Path) -> None:
    """Without a Patient; and no absence is concluded from it."""
    record = record_from(one(tmp_path, observation(1, "Patient/x/_history/2")), None)
    assert record.patient_id == "x"
    assert record.retrieval[0].state == "partial"


def test_one_resource_of_nobody_is_of_the_patient_who_is_named(tmp_path: Path) -> None:
    """Without a name there is no record."""
    nobody = {name: value for name, value in observation(1).items() if name != "subject"}
    read = one(tmp_path, nobody)
    assert len(OwnResources(record_from(read, "x")).of(Observation)) == 1
    with pytest.raises(SeveralPatientsError, match="no Patient in it"):
        record_from(read, None)


def test_a_patient_of_whom_there_is_nothing_is_refused(tmp_path: Path) -> None:
    """Rather than everything called somebody else's."""
    for document in (bundle(patient("a")), bundle(patient("a"), patient("b")), observation(1, "Patient/a")):
        with pytest.raises(SeveralPatientsError, match="holds nothing of Patient/nobody"):
            record_from(one(tmp_path, document), "nobody")


def test_one_resource_that_is_not_read_says_why(tmp_path: Path) -> None:
    """As far as it goes without a patient; with one it is explained."""
    goal = one(tmp_path, {"resourceType": "Goal", "id": "g"})
    with pytest.raises(SeveralPatientsError, match=r"no Patient in it \(Goal/g: no reader uses this type"):
        record_from(goal, None)
    assert [issue.source for issue in record_from(goal, "x").issues] == ["Goal/g"]


def test_the_others_of_a_file_are_told_apart(tmp_path: Path) -> None:
    """Whose they are stands in their issue."""
    read = one(tmp_path, bundle(patient("a"), patient("b"), observation(1, "Patient/a"), observation(2, "Patient/b")))
    issues = left_out(read, record_from(read, "a"))
    assert {issue.source: issue.code for issue in issues} == {
        "Patient/b": "foreign-patient",
        "Observation/o2": "foreign-patient",
    }
    assert left_out(one(tmp_path, bundle(patient("a"))), record_from(one(tmp_path, bundle(patient("a"))), None)) == ()


def test_lines_are_read_one_at_a_time(tmp_path: Path) -> None:
    """With their numbers; a broken archive is told when it is met."""
    file = written(tmp_path / "a.ndjson.gz", patient(), observation(1))
    assert [number for number, _ in lines_of(file)] == [1, 2]
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(NotReadableError, match="gzip"):
        list(lines_of(file))
