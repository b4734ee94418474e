"""Bundles become single resources as a server would keep them."""

import pytest

from demo.loading import loose

BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {"fullUrl": "urn:uuid:p1", "resource": {"resourceType": "Patient"}},
        {
            "fullUrl": "https://elsewhere.test/fhir/Condition/c1",
            "resource": {"resourceType": "Condition", "id": "c1", "subject": {"reference": "urn:uuid:p1"}},
        },
        {
            "resource": {
                "resourceType": "Observation",
                "id": "o1",
                "subject": {"reference": "urn:uuid:p1"},
                "focus": [{"reference": "https://elsewhere.test/fhir/Condition/c1"}, {"reference": "urn:uuid:unknown"}],
            }
        },
        {"request": {"method": "DELETE", "url": "Patient/x"}},
    ],
}


def test_references_to_full_addresses_become_relative() -> None:
    """A reference to an entry's full address becomes type and id; another stays as it is."""
    patient, condition, observation = loose([BUNDLE])
    assert patient == {"resourceType": "Patient", "id": "p1"}
    assert condition["subject"] == {"reference": "Patient/p1"}
    assert observation["focus"] == [{"reference": "Condition/c1"}, {"reference": "urn:uuid:unknown"}]


def test_what_came_in_is_left_as_it_was() -> None:
    """Loading changes nothing in the Bundle that it was given."""
    before = repr(BUNDLE)
    list(loose([BUNDLE]))
    assert repr(BUNDLE) == before


def test_a_resource_without_an_id_is_refused() -> None:
    """A resource that has neither an id nor an address cannot be served."""
    with pytest.raises(ValueError, match="Observation without an id"):
        list(loose([{"resourceType": "Observation"}]))
