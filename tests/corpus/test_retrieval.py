"""The queries find every published Observation that a value is read from."""

import re
from pathlib import Path

import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.retrieval import queries
from tests.corpus.published import moments, records

pytestmark = pytest.mark.corpus


def asked(parameter: str) -> set[str]:
    """The codes that all queries together ask for by a search parameter."""
    found = (re.search(rf"[?&]{parameter}=([^&]*)", query.search) for query in queries())
    return {code for match in found if match for code in match[1].split(",")}


def test_what_is_read_is_asked_for(corpus: Path) -> None:
    """No value comes from an Observation that a search by its own code, or by its tissues, would not bring."""
    own_codes, tissues = asked("code"), asked("component-code")
    used, missed = set(), set()
    for record in records(corpus):
        observations = {o.address: o for o in OwnResources(record).of(Observation)}
        for moment in moments(record, most=4):
            encoded = encode(record, catalogue().schema, moment)
            used |= {observations[s] for f in encoded.findings.values() for s in f.sources if s in observations}
    for observation in used:
        codes = {coding.code for coding in observation.code.coding}
        parts = {coding.code for part in observation.component for coding in part.code.coding}
        if not codes & own_codes and not parts & tissues:
            missed.add(observation.address)
    assert len(used) > 500
    assert missed == set()
