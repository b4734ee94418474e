"""Published resources, broken in many ways."""

from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import READ_TYPES, decode
from fhir_mappings.encoder import encode
from fhir_mappings.moment import latest
from fhir_mappings.record import PatientRecord, entries_of
from tests.architecture.issue_codes import raised
from tests.property.generated import mutated
from tests.unit.fhir_mappings.resources_of import AT, PATIENT, Resource, bundle, reference

pytestmark = pytest.mark.corpus
SCHEMA, ISSUE_CODES = catalogue().schema, raised()


@cache
def published(corpus: Path) -> list[Resource]:
    """Single resources of the types that are read, each made the patient's own."""
    whole = [msgspec.json.decode(path.read_bytes()) for path in sorted((corpus / "fhir").rglob("*.json"))]
    read = [resource for resource in whole if resource.get("resourceType") in READ_TYPES]
    own = {"subject": reference(f"Patient/{PATIENT}"), "patient": reference(f"Patient/{PATIENT}")}
    return [resource | {name: own[name] for name in own.keys() & resource.keys()} for resource in read]


@given(data=st.data())
def test_a_broken_published_resource_raises_nothing_but_recorded_issues(data: st.DataObject, corpus: Path) -> None:
    """Whichever of some 450 it is, and whatever is deleted, retyped, doubled, nested or swapped in it."""
    broken = data.draw(mutated(st.sampled_from(published(corpus))))
    decoded = decode(bundle(broken))
    record = PatientRecord(PATIENT, entries_of(decoded.entries, scoped=True), issues=decoded.issues)
    encoded = encode(record, SCHEMA, latest(record) or AT)
    assert all(SCHEMA[key].plausible(finding.value) for key, finding in encoded.findings.items())
    assert {issue.code for issue in encoded.issues} <= ISSUE_CODES
