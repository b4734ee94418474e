"""Whether it is sure that draft orders hold no systemic therapy of cancer."""

from typing import Any

import msgspec
import pytest

from fhir_mappings.concepts import RXNORM, SNOMED, catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.readers.draft_orders import orders_no_cancer_therapy
from fhir_mappings.record import OwnResources, PatientRecord, entries_of
from tests.unit.fhir_mappings.resources_of import PATIENT, Resource, concept, ordered, reference, resource

PARACETAMOL, DEXAMETHASONE, CISPLATIN = "N02BE01", "H02AB02", "L01XA01"
EXTENSION = [{"url": "urn:x"}]


def draft(drug: str, /, **members: Any) -> Resource:
    return ordered(drug, **({"status": "draft"} | members))


def product(code: Resource | None = None, *ingredients: Resource) -> Resource:
    inside = (
        {"resourceType": "Medication", "id": "m", "code": code} if code else {"resourceType": "Medication", "id": "m"}
    )
    return inside | ({"ingredient": [{"itemCodeableConcept": one} for one in ingredients]} if ingredients else {})


def containing(medication: Resource) -> Resource:
    return draft("", medicationCodeableConcept=None, medicationReference=reference("#m"), contained=[medication])


def is_sure(*drafts: Resource, link: str = "") -> bool:
    links = [{"relation": "next", "url": link}] if link else []
    orders = decode(
        msgspec.json.encode({"resourceType": "Bundle", "link": links, "entry": [{"resource": one} for one in drafts]})
    )
    own = OwnResources(PatientRecord(PATIENT, entries_of(orders.entries, scoped=True)))
    return orders_no_cancer_therapy(orders, own, catalogue())


@pytest.mark.parametrize(
    "drafts",
    [
        (),
        (draft(PARACETAMOL),),
        (draft(DEXAMETHASONE), draft(PARACETAMOL)),
        (containing(product(concept(PARACETAMOL, "http://www.whocc.no/atc"))),),
        (draft("", medicationCodeableConcept=None, medicationReference=reference("Medication/m")),
         {**product(concept(PARACETAMOL, "http://www.whocc.no/atc")), "id": "m"}),
        (draft(CISPLATIN, doNotPerform=True),),
        (draft(CISPLATIN, dosageInstruction=[{"route": concept("20046000", "http://standardterms.edqm.eu")}]),),
        (resource("ServiceRequest", status="draft", intent="order", code=concept("718-7")),),
    ],
)  # fmt: skip
def test_known_drugs_of_other_kinds_are_sure(drafts: tuple[Resource, ...]) -> None:
    """No drug, known drugs of other kinds, what shall not be given or acts locally, and orders of anything else."""
    assert is_sure(*drafts)


@pytest.mark.parametrize(
    "drafts",
    [
        (draft(CISPLATIN),),
        (draft("L02BB04"),),  # endocrine
        (draft("H01CB02"),),  # octreotide, which has other uses too
        (draft("V10XX04"),),  # a radioligand
        (draft(PARACETAMOL), draft(CISPLATIN)),
        (draft(DEXAMETHASONE), draft(CISPLATIN, intent="proposal", status="active")),
        (draft("387318005", system=SNOMED),),  # cisplatin
    ],
)
def test_a_therapy_of_cancer_is_none_that_could_be_passed_over(drafts: tuple[Resource, ...]) -> None:
    """Chemotherapy, targeted, endocrine and radionuclide therapy count, alone or among others, as plan or order."""
    assert not is_sure(*drafts)


@pytest.mark.parametrize(
    "drafts",
    [
        (draft("161", system=RXNORM),),  # a code that the catalogue does not have
        (draft("L01"),),  # a class
        (draft("", medicationCodeableConcept={"text": "Paracetamol"}),),
        (draft("", medicationCodeableConcept=None, medicationReference=reference("Medication/elsewhere")),),
        (draft("", medicationCodeableConcept=None),),
        (containing(product(None, concept(DEXAMETHASONE, "http://www.whocc.no/atc"), concept("1", "urn:x"))),),
        (draft(PARACETAMOL, modifierExtension=EXTENSION),),
        (draft(PARACETAMOL, implicitRules="urn:x"),),
        (draft(PARACETAMOL, status=7),),  # not as FHIR defines it
        (draft(PARACETAMOL), draft("", medicationCodeableConcept={"text": "x"})),
    ],
)
def test_what_cannot_be_told_is_not_sure(drafts: tuple[Resource, ...]) -> None:
    """A drug without a known code, a product that is not there, and an order that cannot be read could be any."""
    assert not is_sure(*drafts)


def test_a_further_page_is_not_sure() -> None:
    """Orders that were not sent could be any."""
    assert not is_sure(draft(PARACETAMOL), link="https://a/?page=2")


def test_an_entry_without_a_resource_is_not_sure() -> None:
    """An entry that says nothing could be any order."""
    orders = decode(b'{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:1"}]}')
    assert not orders_no_cancer_therapy(orders, OwnResources(PatientRecord(PATIENT)), catalogue())
