"""Which drug a medication resource means: its codings, wherever they stand, and what the catalogue says of them."""

from collections.abc import Iterable

import msgspec

from fhir_mappings.concepts import ATC, SNOMED, Catalogue, Concept, canonical
from fhir_mappings.record import OwnResources
from fhir_mappings.resources.datatypes import CodeableConcept, Coding
from fhir_mappings.resources.therapies import Dosage, DrugRecord, Ingredient

# Routes by which a drug acts where it is put (EDQM as in the CH EMED guide; SNOMED CT recalled). Those that also reach
# the whole body (nasal, inhaled, buccal, rectal, through the skin) are not among them: there the ATC code tells.
_EDQM = "http://standardterms.edqm.eu"
_LOCAL_ROUTES = frozenset(
    {
        (_EDQM, "20001000"),  # auricular
        (_EDQM, "20003000"),  # cutaneous
        (_EDQM, "20046000"),  # intravesical
        (_EDQM, "20051000"),  # ocular
        (_EDQM, "20072000"),  # vaginal
        (SNOMED, "6064005"),  # topical
        (SNOMED, "10547007"),  # otic
        (SNOMED, "16857009"),  # vaginal
        (SNOMED, "54485002"),  # ophthalmic
        (SNOMED, "372471009"),  # intravesical
    }
)


class Drug(msgspec.Struct, frozen=True, gc=False):
    """`known`: what the catalogue says. `agent`: one name for the substance, "" where no code names it.

    `identified`: an ATC code tells each substance, so that what is not in `known` is surely not meant.
    """

    known: tuple[Concept, ...] = ()
    agent: str = ""
    identified: bool = False

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(concept.key for concept in self.known)


def drug_of(record: DrugRecord, own: OwnResources, source: Catalogue) -> Drug:
    """The drug of one record: coded in it, contained, or a Medication of the record; nothing known where it is none."""
    codes, ingredients = _product(record, own)
    codings = [*codes.coding] if codes else []
    parts = [i.itemCodeableConcept.coding for i in ingredients if i.itemCodeableConcept]
    if not _atc(codings):  # a magistral formula is known by what is in it
        codings += [coding for part in parts for coding in part]
    found: dict[str, Concept] = {}
    for coding in codings:
        for concept in source.lookup(coding.system, coding.code):
            if concept.key not in found or concept.meaning == "ignored":
                found[concept.key] = concept
    known = tuple(found[key] for key in sorted(found) if found[key].meaning != "ignored")
    products = [codes.coding] if codes and _atc(codes.coding) else parts
    told = bool(products) and all(any(source.tells_drug(code) for code in _atc(one)) for one in products)
    return Drug(known, _agent(codings, source), told)


def product_of(record: DrugRecord) -> str:
    """The address of the product that a record refers to, where no code of its own names the drug; "" where none."""
    coded, named = record.medicationCodeableConcept, record.medicationReference
    if coded is not None and any(coding.code for coding in coded.coding):  # R5 may have both
        return ""
    return named.reference if named else ""


def is_local(dosages: Iterable[Dosage]) -> bool:
    """Whether every stated route is one by which the drug acts only where it is put."""
    routes = [dosage.route for dosage in dosages if dosage.route and dosage.route.coding]
    return bool(routes) and all(
        any((canonical(coding.system), coding.code) in _LOCAL_ROUTES for coding in route.coding) for route in routes
    )


def _product(record: DrugRecord, own: OwnResources) -> tuple[CodeableConcept | None, tuple[Ingredient, ...]]:
    address = product_of(record)
    if not address:
        return record.medicationCodeableConcept, ()
    if address.startswith("#"):
        for inside in record.contained:
            if inside.resourceType == "Medication" and inside.id == address[1:]:
                return inside.code if isinstance(inside.code, CodeableConcept) else None, inside.ingredient
        return None, ()
    product = own.medication(address)
    return (product.code, product.ingredient) if product else (None, ())


def _atc(codings: Iterable[Coding]) -> list[str]:
    """ATC codes of substances, not of classes."""
    return [c.code for c in codings if canonical(c.system) == ATC and len(c.code) == 7]


def _agent(codings: list[Coding], source: Catalogue) -> str:
    """The ATC codes of the substances, else the first code that the catalogue knows."""
    named = sorted(set(_atc(codings)))
    if named:
        return "+".join(named)
    return next((coding.code for coding in codings if source.lookup(coding.system, coding.code)), "")
