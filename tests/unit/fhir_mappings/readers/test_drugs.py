"""Which drug is meant, wherever its code stands, and where it acts."""

from typing import Any

import pytest

from fhir_mappings.concepts import RXNORM, SNOMED, catalogue
from fhir_mappings.encoder import encode
from tests.unit.fhir_mappings.resources_of import (
    AT,
    Resource,
    codes,
    concept,
    condition,
    given,
    record,
    reference,
    resource,
    taken,
    value,
)

WHO_ATC, OLD_ATC = "http://www.whocc.no/atc", "http://fhir.de/CodeSystem/dimdi/atc"
EDQM = "http://standardterms.edqm.eu"
PLATINUM, STEROID, OPIOID = "tx_chemo_platinum", "med_corticosteroid", "med_opioid"
CISPLATIN, DOXORUBICIN, PREDNISONE = "L01XA01", "L01DB01", "H02AB07"


def product(**members: Any) -> Resource:
    """A Medication, which names no patient."""
    return resource("Medication", **({"id": "m", "subject": None} | members))


def by_reference(address: str, **members: Any) -> Resource:
    return given("", medicationCodeableConcept=None, medicationReference=reference(address), **members)


@pytest.mark.parametrize(
    ("drug", "key"),
    [
        ("L01XA02", "tx_chemo_platinum"),
        ("L01BC02", "tx_chemo_fluoropyrimidine"),
        ("L01BC63", "tx_chemo_fluoropyrimidine"),
        ("L01CD01", "tx_chemo_taxane"),
        ("L01DB03", "tx_chemo_anthracycline"),
        ("L01BC05", "tx_chemo_other"),
        ("L01XX41", "tx_chemo_other"),
        ("L01EB04", "tx_targeted_tki"),
        ("L01XK01", "tx_targeted_parp"),
        ("L01FD01", "tx_targeted_mab"),
        ("L01FF02", "tx_ici"),
        ("L01FX04", "tx_ici"),
        ("L01FY02", "tx_ici"),
        ("L01XC17", "tx_ici"),
        ("L02AE02", "tx_endocrine"),
        ("H01CB02", "tx_somatostatin"),
        ("V10XX05", "tx_radioligand"),
    ],
)
def test_a_substance_belongs_to_its_class(drug: str, key: str) -> None:
    """One of each, typed from the classification."""
    assert value(key, given(drug), condition("C61")) == 1


def test_an_endocrine_drug_without_a_tumour_is_for_something_else() -> None:
    """Leuprorelin for endometriosis is no cancer therapy; a cytotoxic drug is one whatever is recorded."""
    leuprorelin, tumour = given("L02AE02"), condition("C61")
    assert value("tx_endocrine", leuprorelin, condition("N80.1")) is None
    assert value("tx_prior_regimens", leuprorelin) is None
    assert "no-indication" in codes(leuprorelin)
    assert "no-indication" not in codes(leuprorelin, tumour)
    assert value("tx_chemo_platinum", given("L01XA01")) == 1


@pytest.mark.parametrize("drug", ["L01FX04", "L01FY02", "L01XC18"])
def test_a_checkpoint_inhibitor_is_no_targeted_antibody(drug: str) -> None:
    """Though its code stands among them."""
    assert value("tx_targeted_mab", given(drug)) is None


@pytest.mark.parametrize("system", [WHO_ATC, OLD_ATC, "urn:oid:2.16.840.1.113883.6.73"])
def test_atc_is_one_system_under_several_addresses(system: str) -> None:
    """The German edition, its old name, WHO's own."""
    assert value(PLATINUM, given(CISPLATIN, system=system)) == 1


@pytest.mark.parametrize("drug", ["L01XA", "L01X", "L01XA1", "L01XA011", "l01xa01", "A02BC01"])
def test_a_substance_is_matched_exactly(drug: str) -> None:
    """A longer class states its members; a shorter one, a longer code, another class does not."""
    assert value(PLATINUM, given(drug)) == (1 if drug == "L01XA" else None)


def test_one_of_several_codings_is_enough() -> None:
    """A product number beside an ATC code; a product of RxNorm."""
    both = {
        "coding": [{"system": "http://fhir.de/CodeSystem/ifa/pzn", "code": "1"}, *concept(CISPLATIN, WHO_ATC)["coding"]]
    }
    assert value(PLATINUM, given("", medicationCodeableConcept=both)) == 1
    assert value(PLATINUM, given("1736854", system=RXNORM)) == 1


@pytest.mark.parametrize(
    "address", ["Medication/m", "https://hospital.example/fhir/Medication/m", "Medication/m/_history/2"]
)
def test_a_product_of_the_record_names_the_drug(address: str) -> None:
    """By relative or absolute reference; it needs no patient."""
    assert value(PLATINUM, product(code=concept(CISPLATIN, WHO_ATC)), by_reference(address)) == 1


def test_a_product_is_found_by_its_full_address() -> None:
    """As in a transaction Bundle."""
    urn = "urn:uuid:2a7c0f1e-0000-4000-8000-000000000002"
    whole = record(product(code=concept(CISPLATIN, WHO_ATC)), by_reference(urn), urls={"m": urn})
    assert encode(whole, catalogue().schema, AT).findings[PLATINUM].value == 1


def test_a_contained_product_names_the_drug() -> None:
    """Beside other contained resources, which are not looked at."""
    inside = [
        {"resourceType": "ValueSet", "id": "m", "code": "x"},
        {"resourceType": "Medication", "id": "m", "code": concept(CISPLATIN, WHO_ATC)},
    ]
    assert value(PLATINUM, by_reference("#m", contained=inside)) == 1
    assert value(PLATINUM, by_reference("#n", contained=inside)) is None


def test_a_magistral_formula_is_known_by_what_is_in_it() -> None:
    """A product without a code of its own; where it has one, that decides."""
    inside = [{"itemCodeableConcept": concept(DOXORUBICIN, WHO_ATC)}, {"itemReference": reference("Substance/1")}]
    assert value("tx_chemo_anthracycline", product(ingredient=inside), by_reference("Medication/m")) == 1
    named = product(code=concept("A02BC01", WHO_ATC), ingredient=inside)
    assert value("tx_chemo_anthracycline", named, by_reference("Medication/m")) is None


@pytest.mark.parametrize(
    "unknown",
    [
        given("", medicationCodeableConcept={"text": "Cisplatin"}),
        given("", medicationCodeableConcept=None),
        given("4711", system="urn:local"),
        given("L01FF99"),
        by_reference("Medication/elsewhere"),
    ],
)
def test_a_drug_that_no_known_code_names_is_unknown(unknown: Resource) -> None:
    """Text, nothing, a local number, a substance newer than the list, a product that is not there."""
    assert codes(unknown) == {"code-unknown"}


def test_a_drug_that_nobody_asks_for_is_not_needed() -> None:
    """ATC says that it is something else."""
    assert codes(given("A02BC01")) == {"not-needed"}


@pytest.mark.parametrize("route", [(EDQM, "20003000"), (EDQM, "20051000"), (SNOMED, "6064005"), (SNOMED, "54485002")])
def test_a_drug_that_acts_where_it_is_put_does_not_count(route: tuple[str, str]) -> None:
    """On the skin, in the eye."""
    system, code = route
    local = taken(PREDNISONE, dosage=[{"route": concept(code, system)}])
    assert value(STEROID, local) is None
    assert codes(local) == {"route-local"}


def test_a_bladder_instillation_is_no_chemotherapy() -> None:
    """Mitomycin into the bladder reaches nothing else; into a vein it does."""
    for code, counts in (("20046000", None), ("20045000", 1)):
        dose = given("L01DC03", dosage={"route": concept(code, EDQM)})
        assert value("tx_chemo_other", dose) == value("tx_prior_regimens", dose) == counts


def test_any_other_route_counts() -> None:
    """By mouth, through the skin, none stated, or one of several."""
    for routes in (["20053000"], ["20070000"], [], ["20003000", "20053000"]):
        dosage = [{"route": concept(code, EDQM)} for code in routes]
        assert value(STEROID, taken(PREDNISONE, dosage=dosage)) == 1
    assert value(OPIOID, given("N02AB03", 0.1, dosage={"route": concept("46713006", SNOMED)})) == 1
