"""Which products drug records only refer to."""

from typing import Any

import pytest

from fhir_mappings.decoding import decode
from fhir_mappings.missing_products import missing_products
from fhir_mappings.record import entries_of
from fhir_mappings.versions import Version
from tests.unit.fhir_mappings.resources_of import Resource, bundle, concept, given, ordered, reference, resource, taken

ATC = "http://www.whocc.no/atc"
PRODUCT = resource("Medication", id="m", subject=None, code=concept("L01XA01", ATC))
HERE = "https://fhir.example/r4/Medication/m"


def missing(*resources: Resource, version: Version = "R4", urls: dict[str, str] | None = None) -> int:
    return missing_products(entries_of(decode(bundle(*resources, urls=urls), version).entries, scoped=True))


def referring(address: str, **members: Any) -> Resource:
    return ordered("", medicationCodeableConcept=None, medicationReference=reference(address), **members)


@pytest.mark.parametrize("drug", [given, taken, ordered])
def test_a_reference_to_what_did_not_come(drug: Any) -> None:
    """Of a dose, a statement and an order alike."""
    assert missing(drug("", medicationCodeableConcept=None, medicationReference=reference("Medication/m"))) == 1


def test_each_product_counts_once() -> None:
    """Whatever the number of records that refer to it."""
    assert missing(referring("Medication/a", id="1"), referring("Medication/a", id="2"), referring("Medication/b")) == 2


@pytest.mark.parametrize(
    "address",
    ["Medication/m", "Medication/m/_history/3", HERE, f"{HERE}/_history/3", "https://proxy.example/Medication/m"],
)
def test_a_product_that_came_is_not_missing(address: str) -> None:
    """However it is referred to."""
    assert missing(referring(address), PRODUCT) == 0


def test_a_product_is_found_by_the_address_of_its_entry() -> None:
    """`urn:uuid:` as in a document or transaction."""
    urn = "urn:uuid:0c2d6a1e-2f5c-4c55-8f7c-3b0f5a1b2c3d"
    assert missing(referring(urn), PRODUCT, urls={"m": urn}) == 0
    assert missing(referring(urn), PRODUCT) == 1
    assert missing(referring(urn), {**PRODUCT, "id": ""}, urls={"": urn}) == 1


def test_a_contained_product_is_not_missing() -> None:
    """Nor is one looked for that is not contained although the record says so: it is missing."""
    inside = {**PRODUCT, "id": "p"}
    assert missing(referring("#p", contained=[inside])) == 0
    assert missing(referring("#q", contained=[inside])) == 1
    assert missing(referring("#p", contained=[{"resourceType": "Substance", "id": "p"}])) == 1


def test_what_is_coded_or_named_by_text_refers_to_nothing() -> None:
    """There is nothing that a search could bring."""
    told = taken("", medicationCodeableConcept={"text": "cisplatin"})
    named = ordered("", medicationCodeableConcept=None, medicationReference={"display": "cisplatin"})
    assert missing(given("L01XA01"), told, named) == 0


def test_text_beside_a_reference_names_no_drug() -> None:
    """No reader tells a drug by its text."""
    told = {"reference": "Medication/m", "display": "cisplatin"}
    assert missing(ordered("", medicationCodeableConcept=None, medicationReference=told)) == 1


@pytest.mark.parametrize(
    "unused",
    [
        referring("Medication/m", status="completed"),
        referring("Medication/m", status="entered-in-error"),
        referring("Medication/m", doNotPerform=True),
        referring("Medication/m", intent="proposal"),
        given("", status="not-done", medicationCodeableConcept=None, medicationReference=reference("Medication/m")),
    ],
)
def test_of_what_was_not_used_the_product_is_not_missed(unused: Resource) -> None:
    """Nothing would be read of it."""
    assert missing(unused) == 0


@pytest.mark.parametrize("more", [{"status": "unknown"}, {"modifierExtension": [{"url": "urn:x"}]}])
def test_what_may_have_been_used_may_matter(more: dict[str, Any]) -> None:
    """A status that says nothing, a modifier that nobody knows."""
    assert missing(referring("Medication/m", **more)) == 1


def test_r5_may_have_a_code_beside_the_reference() -> None:
    """A code tells the drug, text does not."""

    def drug(**concept: Any) -> Resource:
        both = {"reference": reference("Medication/m"), **({"concept": concept} if concept else {})}
        return ordered("", medicationCodeableConcept=None, medication=both)

    assert missing(drug(), version="R5") == 1
    assert missing(drug(text="cisplatin"), version="R5") == 1
    assert missing(drug(coding=[{"system": ATC, "code": "L01XA01"}]), version="R5") == 0
