"""When a list proves that a drug is not taken, or that a treatment did not take place."""

from typing import Any

import pytest

from fhir_mappings.concepts import OWN, RXNORM, SNOMED, catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.record import Retrieval
from tests.unit.fhir_mappings.resources_of import (
    AT,
    Resource,
    ago,
    codes,
    concept,
    condition,
    finding,
    given,
    listing,
    ordered,
    procedure,
    record,
    taken,
    value,
)

USE_CODES = "http://terminology.hl7.org/CodeSystem/list-example-use-codes"
OPIOID, DIURETIC, ANTIBIOTIC, BONE = "med_opioid", "med_diuretic", "med_antibiotic_30d", "med_bisphosphonate_denosumab"
REGIMENS, ICI, SURGERY, CELLS = "tx_prior_regimens", "tx_ici", "tx_prior_surgery", "tx_red_cell_transfusion_30d"


def medication(*addresses: str, **members: Any) -> Resource:
    return listing("10160-0", *addresses, **({"id": "list"} | members))


def history(**members: Any) -> Resource:
    """A list which says that there was no treatment of the cancer."""
    return listing("therapy-history", **({"system": OWN, "id": "list"} | members))


def test_a_drug_that_is_not_on_the_list_is_not_taken() -> None:
    """The list is the source of the 0; what is on it is 1."""
    found = finding(OPIOID, taken("C03CA01", id="m"), medication("MedicationStatement/m"))
    assert (found.value, found.sources) == (0, ("List/list",))
    assert value(DIURETIC, taken("C03CA01", id="m"), medication("MedicationStatement/m")) == 1


@pytest.mark.parametrize(
    ("code", "system"), [("10160-0", "http://loinc.org"), ("42346-7", "http://loinc.org"), ("medications", USE_CODES)]
)
def test_a_list_of_medication_has_several_codes(code: str, system: str) -> None:
    """Summary, on admission, HL7's own."""
    assert value(OPIOID, listing(code, system=system)) == 0


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"status": "retired"}, "status-not-used"),
        ({"status": "entered-in-error"}, "status-not-used"),
        ({"mode": "changes"}, "list-not-complete"),
        ({"mode": None}, "list-not-complete"),
        ({"date": None}, "undated"),
        ({"date": ago(-1)}, "after-at"),
        ({"days": 91}, "outside-window"),
        ({"emptyReason": None}, "list-not-complete"),
        ({"emptyReason": concept("notasked", "x")}, "list-not-complete"),
        ({"emptyReason": concept("unavailable", "x")}, "list-not-complete"),
        ({"modifierExtension": [{"url": "urn:x"}]}, "modifier-unknown"),
        ({"code": concept("11450-4")}, "code-unknown"),
    ],
)
def test_a_list_that_declares_nothing_proves_nothing(members: dict[str, Any], code: str) -> None:
    """Not current, of changes, undated, later, old, empty without a reason, of another kind."""
    assert value(OPIOID, medication(**members)) is None
    assert code in codes(medication(**members))


def test_an_entry_that_is_not_in_the_record_may_be_the_drug() -> None:
    """Unless it was taken off the list."""
    assert value(OPIOID, medication("MedicationStatement/elsewhere")) is None
    gone = medication(entry=[{"item": {"reference": "MedicationStatement/elsewhere"}, "deleted": True}])
    assert value(OPIOID, gone) == 0


@pytest.mark.parametrize(
    "unknown",
    [
        taken("4711", system="urn:local"),
        taken("", medicationCodeableConcept={"text": "MST 10"}),
        taken("1010", system=RXNORM),
        taken("L01FF99"),
        ordered("4711", system="urn:local"),
        taken("4711", system="urn:local", status="unknown"),
    ],
)
def test_a_drug_that_no_code_tells_may_be_any(unknown: Resource) -> None:
    """Then none is absent; a drug that ATC names as something else is no obstacle."""
    assert value(OPIOID, unknown, medication()) is None
    assert value(OPIOID, taken("A02BC01"), medication()) == 0
    assert value(OPIOID, taken("4711", 700, until=500, system="urn:local"), medication()) == 0


@pytest.mark.parametrize(
    "doubtful",
    [
        taken("N02AA01", status="unknown"),
        taken("N02AA01", 30, status="stopped"),
        taken("N02AA01", effectivePeriod={"start": "soon"}),
        ordered("N02AA01", 200),
    ],
)
def test_a_drug_of_which_the_record_does_not_decide_is_not_absent(doubtful: Resource) -> None:
    """Its own parameter stays empty, others do not."""
    assert value(OPIOID, doubtful, medication()) is None
    assert value(DIURETIC, doubtful, medication()) == 0


def test_an_entry_of_the_list_is_confirmed_by_its_date() -> None:
    """An order of two years ago that the list of last week still holds; not one that ended."""
    order = ordered("N02AA01", 700, id="m")
    assert value(OPIOID, order, medication("MedicationRequest/m")) == 1
    assert value(OPIOID, order, medication("MedicationRequest/m", status="retired")) is None
    ended = taken("N02AA01", 700, until=300, id="m")
    assert value(OPIOID, ended, medication("MedicationStatement/m")) == 0


def test_a_drug_that_ended_is_absent() -> None:
    """The list is newer."""
    assert value(OPIOID, taken("N02AA01", 30, until=10), medication()) == 0


@pytest.mark.parametrize(("days", "antibiotic", "opioid"), [(30, 0, 0), (31, None, 0), (91, None, None)])
def test_a_list_is_as_young_as_the_window_of_the_parameter(
    days: float, antibiotic: float | None, opioid: float | None
) -> None:
    """And never older than 90 days."""
    assert value(ANTIBIOTIC, medication(days=days)) == antibiotic
    assert value(OPIOID, medication(days=days)) == opioid
    assert value(BONE, medication(days=days)) == opioid


def test_a_list_of_present_medication_says_nothing_of_therapies() -> None:
    """Nor a list of therapies of present medication."""
    assert value(ICI, medication()) is None
    assert value(OPIOID, history()) is None


def test_a_declared_history_makes_treatments_absent() -> None:
    """Systemic, local and transfusions, each from the list."""
    for key in (REGIMENS, ICI, SURGERY, "tx_prior_radiotherapy", "tx_radioligand", "tx_somatostatin"):
        assert value(key, history()) == 0
    assert value(CELLS, history(days=31)) is None
    assert value(CELLS, history(days=30)) == 0


def test_each_kind_of_history_proves_its_own() -> None:
    """Procedures no drugs, chemotherapy no operations; a radionuclide may stand in either, so it needs both."""
    operations, drugs = listing("47519-4", id="a"), listing("11486-8", id="b")
    assert value(SURGERY, operations) == 0
    assert value(ICI, operations) is None
    assert value(ICI, drugs) == 0
    assert value(SURGERY, drugs) is None
    assert value("tx_radioligand", drugs) is None
    assert finding("tx_radioligand", operations, drugs).sources == ("List/a", "List/b")


def test_what_is_in_the_history_is_not_absent() -> None:
    """One regimen; the other classes are 0."""
    dose = given("L01XA01", id="d")
    whole = [dose, history(emptyReason=None, entry=[{"item": {"reference": "MedicationAdministration/d"}}])]
    assert value(REGIMENS, *whole) == 1
    assert value("tx_chemo_platinum", *whole) == 1
    assert value(ICI, *whole) == 0


def test_an_order_beside_a_history_leaves_its_therapy_open() -> None:
    """It may have been given since."""
    assert value(ICI, ordered("L01FF01"), history()) is None
    assert value("tx_chemo_platinum", ordered("L01FF01"), history()) == 0


def test_an_operation_that_no_code_tells_may_be_any() -> None:
    """In OPS each is told."""
    unknown, other = procedure("225134005", SNOMED), procedure("1-440.9")
    assert value(SURGERY, unknown, history()) is None
    assert value(SURGERY, other, history()) == 0
    assert value(SURGERY, procedure("5-324.71"), history()) is None
    assert value(SURGERY, procedure("5-324.71"), condition("C34.1"), history()) == 1


COMPLETE = {
    "medicationRequests": "complete",
    "medicationAdministrations": "complete",
    "medicationStatements": "empty",
    "procedures": "complete",
    "lists": "complete",
}


@pytest.mark.parametrize(
    ("missing", "known"),
    [
        (None, {OPIOID, ICI, SURGERY}),
        ("lists", set()),
        ("medicationRequests", {SURGERY}),
        ("medicationStatements", {SURGERY}),
        ("procedures", {OPIOID}),
    ],
)
@pytest.mark.parametrize("state", ["partial", "failed", "notAsked"])
def test_an_incomplete_query_proves_no_absence(missing: str | None, known: set[str], state: str) -> None:
    """A lost page may hold the drug."""
    states = COMPLETE | ({missing: state} if missing else {})
    ledger = tuple(Retrieval(name, "search", how) for name, how in states.items())  # type: ignore[arg-type]
    whole = record(medication(), history(id="h"), retrieval=ledger)
    assert {OPIOID, ICI, SURGERY} & set(encode(whole, catalogue().schema, AT).findings) == known


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationRequest", "List"])
def test_an_unreadable_resource_proves_no_absence(kind: str) -> None:
    """It may be the drug; of another type it may not."""
    assert value(OPIOID, medication(), {"resourceType": kind, "id": "broken", "subject": 1}) is None
    assert value(OPIOID, medication(), {"resourceType": "Procedure", "id": "broken", "subject": 1}) == 0
