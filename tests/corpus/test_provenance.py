"""Provenance and the mapping commands on what others have published."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.provenance import explain
from fhir_mappings.resources.r4 import OperationOutcome
from service.cli import main
from tests.corpus.published import files, moments, records

pytestmark = pytest.mark.corpus


def run(*arguments: str) -> Result:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, ("mapping", *arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def told(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_every_slot_and_every_resource_of_every_patient_answers(corpus: Path) -> None:
    """At the last moment of each record: a value with its sources or a reason, a use or a reason, never both."""
    schema = catalogue().schema
    for record in records(corpus):
        *_, at = moments(record)
        found = explain(record, encode(record, schema, at), at)
        assert len(found.parameters) + len(found.empty) == len(schema)
        assert all(slot.sources and slot.rule for slot in found.parameters)
        assert all(slot.reason for slot in found.empty)
        held = {e.resource.address for e in record.entries if not isinstance(e.resource, OperationOutcome)}
        assert {row.source for row in found.resources} >= held
        assert all(bool(row.used) != bool(row.reason) for row in found.resources)


def test_whole_lives_are_explained_and_counted(corpus: Path) -> None:
    """The twelve Synthea bundles: both commands see the same parameters, and fhir.resources takes every resource."""
    lives = [path for path in files(corpus) if path.suffix == ".gz"]
    covered = told("coverage", "--bundle", *map(str, lives), "--at", "latest")
    for path, patient in list(zip(lives, covered["patients"], strict=True))[::3]:
        explained = told("explain", str(path), "--at", "latest", "--strict")
        zeros = catalogue().schema.entities
        values = [one for one in explained["parameters"] if one["value"] == 1 or one["feature"] not in zeros]
        assert (explained["patient"], len(values)) == (patient["patient"], patient["found"])
        assert explained["strict"] == []
    assert covered["failed"] == []
    assert {"type", "system", "code", "count"} == set(covered["unknownCodes"][0])


def test_single_resources_are_explained_or_refused_on_one_line(corpus: Path) -> None:
    """Every seventh published file: of the patient it names, else exit code 2."""
    singles = [path for path in files(corpus) if path.suffix == ".json"][::7]
    results = [run("explain", str(path), "--at", "latest") for path in singles]
    assert {result.exit_code for result in results} == {0, 2}
    assert all(result.exit_code == 0 or len(result.stderr.splitlines()) == 1 for result in results)
    assert sum(result.exit_code == 0 for result in results) >= 40
