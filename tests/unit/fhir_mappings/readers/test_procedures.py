"""Procedures: what was done to the tumour, transfusions, care level."""

from typing import Any

import pytest

from fhir_mappings.concepts import SNOMED
from tests.unit.fhir_mappings.resources_of import (
    Resource,
    ago,
    codes,
    concept,
    condition,
    finding,
    procedure,
    reference,
    refuted,
    value,
)

SURGERY, RADIATION, NUCLIDE = "tx_prior_surgery", "tx_prior_radiotherapy", "tx_radioligand"
CELLS, CARE = "tx_red_cell_transfusion_30d", "func_care_level"
LOBECTOMY = "5-324.71"


@pytest.mark.parametrize(
    ("tumour", "operation"),
    [
        ("C34.1", "5-322.d1"),
        ("C50.4", "5-870.0"),
        ("C61", "5-604.02"),
        ("C18.7", "5-455.41"),
        ("C20", "5-484.52"),
        ("C16.0", "5-437.11"),
        ("C56", "5-653.32"),
        ("C25.0", "5-524.2"),
        ("C78.0", "5-323.51"),
        ("C78.7", "5-501.0"),
    ],
)
def test_a_resection_counts_where_the_organ_holds_a_tumour(tumour: str, operation: str) -> None:
    """The primary, or a metastasis of lung or liver."""
    assert value(SURGERY, condition(tumour), procedure(operation)) == 1


@pytest.mark.parametrize(
    "others",
    [
        [],
        [condition("C50.4")],
        [condition("J44.9")],
        [refuted("C34.1")],
        [condition("C34.1", onsetDateTime=ago(-3), recordedDate=ago(-3))],
    ],
)
def test_an_operation_on_another_organ_does_not_count(others: list[Resource]) -> None:
    """A lobe taken out for something else, or for a tumour nobody knew of."""
    operation = procedure(LOBECTOMY)
    assert value(SURGERY, *others, operation) is None
    assert "organ-differs" in codes(*others, operation)


def test_the_reason_of_an_operation_decides_before_its_organ() -> None:
    """An ovarian cancer that had reached the rectum; a benign reason leaves the organ to decide."""
    cancer = condition("C56", id="c")
    assert value(SURGERY, cancer, procedure("5-484.52", reasonReference=[reference("Condition/c")])) == 1
    other = condition("K57.3", id="d")
    assert value(SURGERY, cancer, other, procedure("5-484.52", reasonReference=[reference("Condition/d")])) is None


@pytest.mark.parametrize("code", ["1-440.9", "5-514.d1", "5-399.5", "8-837.m0", "5-469.20", "5-3", "5-32", "5-32471"])
def test_biopsy_stent_and_port_are_no_resection(code: str) -> None:
    """Nor is a block of operations, or what is no code."""
    assert value(SURGERY, condition("C34.1"), procedure(code)) is None


def test_operations_are_also_coded_in_snomed() -> None:
    """As the published examples do."""
    assert value(SURGERY, condition("C61"), procedure("90470006", SNOMED)) == 1
    assert value(SURGERY, condition("C61"), procedure("65575008", SNOMED)) is None


@pytest.mark.parametrize(
    ("code", "system", "key"),
    [
        ("8-522.6", "http://fhir.de/CodeSystem/bfarm/ops", RADIATION),
        ("8-523", "http://fhir.de/CodeSystem/dimdi/ops", RADIATION),
        ("33195004", SNOMED, RADIATION),
        ("1217123003", SNOMED, RADIATION),
        ("703423002", SNOMED, RADIATION),
        ("8-531.00", "http://fhir.de/CodeSystem/bfarm/ops", NUCLIDE),
        ("8-530.60", "http://fhir.de/CodeSystem/bfarm/ops", NUCLIDE),
    ],
)
def test_radiation_by_its_kind(code: str, system: str, key: str) -> None:
    """From outside or with a radionuclide, which are two parameters."""
    assert value(key, procedure(code, system)) == 1
    assert value(RADIATION if key == NUCLIDE else NUCLIDE, procedure(code, system)) is None


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"status": "not-done"}, "not-done"),
        ({"status": "preparation"}, "only-planned"),
        ({"status": "entered-in-error"}, "status-not-used"),
        ({"status": "unknown"}, "status-unknown"),
        ({"performedDateTime": ago(-1)}, "after-at"),
        ({"performedDateTime": "some day"}, "date-unreadable"),
        ({"modifierExtension": [{"url": "urn:x"}]}, "modifier-unknown"),
    ],
)
def test_what_was_not_done_does_not_count(members: dict[str, Any], code: str) -> None:
    """Nor what is only planned, in error, doubtful or later."""
    whole = procedure("8-522.6", **members)
    assert value(RADIATION, whole) is None
    assert codes(whole) == {code}


def test_a_course_that_was_broken_off_took_place_a_resection_did_not() -> None:
    """Half the fractions are radiotherapy; an opened and closed chest is no lobectomy."""
    assert value(RADIATION, procedure("8-522.6", status="stopped")) == 1
    broken_off = procedure(LOBECTOMY, status="stopped")
    assert value(SURGERY, condition("C34.1"), broken_off) is None
    assert "not-done" in codes(condition("C34.1"), broken_off)


def test_a_course_that_is_going_on_has_begun() -> None:
    """Its end is still to come."""
    period = {"start": ago(10), "end": ago(-20)}
    going_on = procedure("8-522.6", status="in-progress", performedDateTime=None, performedPeriod=period)
    assert value(RADIATION, going_on) == 1


@pytest.mark.parametrize(("days", "counts"), [(30, True), (31, False)])
@pytest.mark.parametrize("code", ["8-800.c0", "8-800.d1", "8-800.f0"])
def test_red_cells_of_the_last_thirty_days(code: str, days: float, counts: bool) -> None:
    """Platelets are none."""
    assert value(CELLS, procedure(code, days=days)) == (1 if counts else None)
    assert value(CELLS, procedure("8-800.61", days=days)) is None


def test_a_transfusion_without_a_date_is_in_no_window() -> None:
    """And it is said."""
    assert codes(procedure("8-800.c0", performedDateTime=None)) == {"undated"}


def test_the_care_level_is_the_latest_one() -> None:
    """An application for one is none."""
    levels = [procedure("9-984.7", days=300, id="old"), procedure("9-984.8", days=30, id="new")]
    found = finding(CARE, *levels, procedure("9-984.b", days=1))
    assert (found.value, found.sources) == (3, ("Procedure/new",))
    assert value(CARE, procedure("9-984.6", days=731)) is None


def test_a_procedure_of_unknown_code_says_so() -> None:
    """Only its code counts, not its category."""
    surgical = concept("387713003", SNOMED)
    assert codes(procedure("225134005", SNOMED, category=surgical)) == {"code-unknown"}
