"""What fhir.resources says of a resource, without quoting it."""

import json

from fhir_mappings.strict import Objection, objections, resources_in
from tests.unit.fhir_mappings.resources_of import bundle, measured, patient


def told(resource: object) -> tuple[Objection, ...]:
    return objections(json.dumps(resource).encode())


def test_a_good_resource_has_no_objection() -> None:
    """The resources of the tests are FHIR."""
    assert told(measured("718-7", 12, "g/dL")) == ()


def test_each_objection_names_the_element() -> None:
    """A missing member and one that FHIR does not have."""
    resource = {**measured("718-7", 12, "g/dL"), "mood": "good"}
    del resource["code"]
    assert {(one.path, one.text) for one in told(resource)} == {
        ("code", "Field required"),
        ("mood", "Extra inputs are not permitted"),
    }


def test_no_value_of_the_record_is_quoted() -> None:
    """Whatever is wrong with it."""
    found = told({**patient(), "birthDate": "Geheim", "gender": "Geheim 2", "telecom": [{"rank": "Geheim"}]})
    assert found
    assert "Geheim" not in repr(found)


def test_what_is_no_resource_is_told() -> None:
    """No JSON, no type, a type of no FHIR."""
    assert objections(b"<html>")[0].text == "not a JSON object with a resourceType"
    assert told({"resourceType": "Horse"})[0].text == "no resource of FHIR R4B"
    assert objections(b'{"a":' * 5_000)[0].path == ""


def test_a_bundle_is_taken_apart() -> None:
    """Into its resources with their addresses; one resource is itself; entries may be empty or broken."""
    body = bundle(patient(), measured("718-7", 12, "g/dL", id="a"))
    assert [source for source, _ in resources_in(body)] == ["Patient/p", "Observation/a"]
    assert [source for source, _ in resources_in(json.dumps(patient()).encode())] == ["Patient/p"]
    odd = b'{"resourceType":"Bundle","entry":[{},{"resource":7},{"resource":{"resourceType":"Goal"}}]}'
    assert [source for source, _ in resources_in(odd)] == ["?/?", "Goal/?"]
