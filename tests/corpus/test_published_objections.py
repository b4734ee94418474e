"""The published consents: read as they are, and understood as the broad consent means them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fhir_mappings.objections import denied
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.objections import Consent
from tests.corpus.published import decoded, files, raw_resources, records

pytestmark = pytest.mark.corpus
DURING, AFTERWARDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
ITEMS = "urn:oid:2.16.840.1.113883.3.1937.777.24.5.3"


def test_every_published_consent_is_read(corpus: Path) -> None:
    """Without an issue, whole as it was written: none of its rules is lost."""
    count = 0
    for path in files(corpus):
        written = [one for one in raw_resources(path) if one["resourceType"] == "Consent"]
        if not written:
            continue
        read = [e.resource for e in decoded(path).entries if isinstance(e.resource, Consent)]
        assert [len(one.provision.provision) for one in read] == [len(one["provision"]["provision"]) for one in written]
        assert not any(issue.source.startswith("Consent/") for issue in decoded(path).issues)
        count += len(read)
    assert count >= 10


def test_what_the_patients_agreed_to_is_no_objection(corpus: Path) -> None:
    """Each denies its scope and category by default and permits items inside; once it is over it denies nothing."""
    seen = 0
    for record in records(corpus):
        for consent in OwnResources(record).of(Consent):
            seen += 1
            assert not any(code.startswith(ITEMS) for code in denied(consent, DURING))
            assert not denied(consent, AFTERWARDS)
    assert seen >= 10
