"""What a record gives, and what it says in vain."""

from fhir_mappings.coverage import UnitProblem, UnknownCode, found, issue_kinds, unit_problems, unknown_codes
from models.features import MODALITIES
from tests.unit.fhir_mappings.resources_of import (
    body_composition,
    coded,
    component,
    condition,
    encoded,
    histology,
    measured,
    observation,
    record,
    reference,
    tumour,
    variant,
)

LOCAL = "urn:hospital:lab"


def test_parameters_are_counted_by_modality() -> None:
    """The cancer type counts as one."""
    resources = [tumour("C50.4"), measured("718-7", 12, "g/dL"), measured("2951-2", 140, "mmol/L")]
    counted = found(record(*resources), encoded(*resources), "2024-05-20")
    by_modality = dict(zip(MODALITIES, counted.by_modality, strict=True))
    assert (counted.patient, counted.at, counted.entity) == ("p", "2024-05-20", "entity_breast")
    assert by_modality["demographics"] == by_modality["laboratory"] == by_modality["tumour"] == 2
    assert counted.total == 6


def test_a_code_that_nothing_reads_is_counted_with_its_system() -> None:
    """In Observations, components and Conditions."""
    counts = unknown_codes(
        record(
            observation("HB1", LOCAL),
            observation("HB1", LOCAL),
            observation("85354-9", component=[component("99999-9")]),
            condition("S93.4"),
        )
    )
    assert counts == {
        UnknownCode("Observation", LOCAL, "HB1"): 2,
        UnknownCode("Observation", "http://loinc.org", "99999-9"): 1,
        UnknownCode("Condition", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "S93.4"): 1,
    }


def test_a_known_coding_makes_up_for_an_unknown_one() -> None:
    """As in the readers: any coding counts."""
    both = {"coding": [{"system": LOCAL, "code": "HB1"}, {"system": "http://loinc.org", "code": "718-7"}]}
    assert not unknown_codes(record(observation("x", code=both)))


def test_what_has_a_reader_of_its_own_is_not_unknown() -> None:
    """Variants, histology, body composition."""
    assert not unknown_codes(record(variant("HGNC:6407"), histology("8140/3"), body_composition()))


def test_another_patients_codes_are_not_counted() -> None:
    """Nor do they show."""
    assert not unknown_codes(record(observation("HB1", LOCAL, subject=reference("Patient/q"))))


def test_text_in_the_place_of_a_code_is_not_shown() -> None:
    """Only that it stood there."""
    counts = unknown_codes(record(observation("Mrs Smith", LOCAL), observation("x" * 200, LOCAL)))
    assert {one.code for one in counts} == {"(no code)"}


def test_units_that_were_not_used_are_counted_by_parameter() -> None:
    """With none where there was none."""
    resources = [
        measured("718-7", 12, "stone"),
        measured("718-7", 13, "stone"),
        observation("2951-2", valueQuantity={"value": 140}),
    ]
    assert unit_problems(encoded(*resources)) == {
        UnitProblem("lab_hemoglobin", "stone", "unit-unknown"): 2,
        UnitProblem("lab_sodium", "", "unit-missing"): 1,
    }


def test_issues_are_counted_by_the_parameter_they_are_about() -> None:
    """And without one where they are about none."""
    counts = issue_kinds(encoded(measured("718-7", 120, "g/dL"), coded("99999-9", "x")))
    assert {(kind.code, kind.feature): n for kind, n in counts.items()} == {
        ("implausible", "lab_hemoglobin"): 1,
        ("code-unknown", ""): 1,
    }
