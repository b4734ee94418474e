"""When "not recorded" means "not there"."""

import pytest

from tests.unit.fhir_mappings.resources_of import (
    UICC,
    VERIFICATION,
    coded,
    concept,
    condition,
    documented,
    encoded,
    encounter,
    finding,
    reference,
    value,
)

CHARLSON, COUNT = "comorb_charlson_index", "comorb_count"


def test_nothing_is_absent_without_proof() -> None:
    """A record of two laboratory values shows no health."""
    assert not [
        f for f in encoded(condition("I50.0")).findings.values() if f.value == 0 and f.feature.startswith("comorb")
    ]


def test_an_acute_disease_is_absent_only_where_problems_were_documented_in_its_window() -> None:
    """A visit of last summer does not say that there is no pneumonia now; that there is no heart failure it does."""
    visit = encounter(id="visit", days=200)
    summer = [visit, condition("S93.4", encounter=reference("Encounter/visit"), days=200)]
    assert value("comorb_pneumonia", *documented()) == 0
    assert value("comorb_pneumonia", *summer) is None
    assert value("comorb_chf", *summer) == 0


def test_charlson_sums_the_weights_over_a_complete_list() -> None:
    """Quan 2011: heart failure 2, chronic lung disease 1, renal 1; infarction and plain diabetes 0."""
    ill = [condition(code) for code in ("I50.0", "J44.9", "N18.4", "I25.2", "E11.9")]
    assert value(CHARLSON, *documented(), *ill) == 4
    assert value(CHARLSON, *documented()) == 0
    assert value(CHARLSON, *ill) is None


def test_the_milder_liver_disease_falls_away_beside_the_severe_one() -> None:
    """4, not 6."""
    assert value(CHARLSON, *documented(), condition("K74.6"), condition("K76.6")) == 4


def test_cancer_does_not_count_in_the_index() -> None:
    """Every patient here has one."""
    assert value(CHARLSON, *documented(), condition("C34.1"), condition("C78.7")) == 0


def test_the_number_of_comorbidities_counts_lasting_diseases() -> None:
    """Not pneumonia of last week."""
    ill = [condition("I50.0"), condition("E11.9"), condition("J18.9", days=5)]
    assert value(COUNT, *documented(), *ill) == 2
    assert value("comorb_pneumonia", *documented(), *ill) == 1


def test_each_index_names_the_diseases_that_it_counts() -> None:
    """Alcoholism has no weight in Charlson; it is one of the number."""
    failure, drinking, damage = (
        condition(code, id=name) for code, name in (("I50.0", "f"), ("F10.2", "d"), ("E11.2", "e"))
    )
    of_charlson = finding(CHARLSON, *documented(), failure, drinking, damage).sources
    of_count = finding(COUNT, *documented(), failure, drinking).sources
    assert {s for s in of_charlson if s.startswith("Condition/")} >= {"Condition/f", "Condition/e"}
    assert "Condition/d" not in of_charlson
    assert {"Condition/f", "Condition/d"} <= set(of_count)


def test_an_index_over_a_list_with_an_open_question_is_missing() -> None:
    """Suspected heart failure is neither 2 points nor none."""
    suspected = condition("I50.0", verificationStatus=concept("provisional", VERIFICATION))
    assert value(CHARLSON, *documented(), suspected) is None
    assert value(COUNT, *documented(), suspected) is None
    gone_by = condition("R06.0", verificationStatus=concept("provisional", VERIFICATION))
    assert value(CHARLSON, *documented(), gone_by) == 0


def test_an_index_names_the_diseases_and_the_proof_as_its_sources() -> None:
    """So that a clinician can open them."""
    found = finding(CHARLSON, *documented(), condition("I50.0", id="hf"))
    assert found.sources == ("Condition/hf", "Encounter/visit")


@pytest.mark.parametrize("key", ["stage_met_bone", "stage_met_brain", "stage_met_lymph_distant", "stage_n_met_sites"])
def test_m0_clears_every_site(key: str) -> None:
    """By its own date and source."""
    found = finding(key, coded("21901-4", "M0", UICC, days=10, id="m0"))
    assert (found.value, found.sources) == (0, ("Observation/m0",))


@pytest.mark.parametrize("key", ["gene_kras", "tx_ici", "med_opioid", "lab_sodium", "func_nursing_home", "stage_m1"])
def test_a_documented_problem_list_proves_nothing_of_other_kinds(key: str) -> None:
    """Genes, drugs, laboratory, stage stay missing."""
    assert value(key, *documented()) is None
