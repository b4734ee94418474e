"""Where in the course of the disease the patient stands."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.finding import Finding
from fhir_mappings.setting import Setting, choose_setting
from models.manifest import ServingRule
from tests.unit.fhir_mappings.resources_of import (
    AT,
    UICC,
    Resource,
    ago,
    arrival,
    coded,
    condition,
    encoded,
    encounter,
    given,
    histology,
    ordered,
    procedure,
    taken,
)

PROGRESSION = ("396432002", "271299001")
SNOMED = "http://snomed.info/sct"


def setting(*resources: Resource) -> Setting:
    return choose_setting(encoded(*resources), AT)


@pytest.mark.parametrize(
    ("days", "rule", "network"),
    [
        (1, "C", "diagnosis"),
        (90, "C", "diagnosis"),
        (91, "D", "diagnosis"),
        (730, "D", "diagnosis"),
        (731, "D", "survivor"),
    ],
)
def test_a_diagnosis_of_the_last_90_days_is_new(days: float, rule: str, network: str) -> None:
    """Its clock starts with the diagnosis; an older one has none, and after 24 months survivors are compared with."""
    found = setting(condition("C34.1", days=days))
    assert (found.rule, found.network) == (rule, network)
    assert found.time_zero == (datetime.fromisoformat(ago(days)) if rule == "C" else None)


def test_the_pathology_report_starts_the_clock() -> None:
    """Though the onset was put years back."""
    found = setting(condition("C34.1", days=900), histology("8140/3", days=20))
    assert (found.rule, found.time_zero) == ("C", datetime.fromisoformat(ago(20)))


def test_without_a_date_nothing_is_new() -> None:
    """Relative only."""
    assert setting(condition("C34.1", onsetDateTime=None, recordedDate=None)).rule == "D"
    assert setting().rule == "D"


def test_what_has_progressed_or_returned_is_not_new() -> None:
    """Progression, or metastasis more than six months after diagnosis that was found more than 90 days ago."""
    new = condition("C34.1", days=60)
    worse = coded("97509-4", "271299001", SNOMED, days=5)
    assert setting(new, worse).rule == "D"
    old = [condition("C34.1", days=400), histology("8140/3", days=50), coded("21901-4", "M1", UICC, days=100)]
    found = setting(*old)
    assert (found.rule, found.network, found.time_zero) == ("D", "metastatic", None)


@pytest.mark.parametrize(("days", "rule"), [(1, "B"), (90, "B"), (91, "D")])
def test_a_metastasis_of_the_last_90_days_is_new(days: float, rule: str) -> None:
    """Whenever the tumour was found: the clock starts with the first statement of M1."""
    found = setting(condition("C34.1", days=200), coded("21901-4", "M1", UICC, days=days))
    assert (found.rule, found.network) == (rule, "metastatic")
    assert found.time_zero == (datetime.fromisoformat(ago(days)) if rule == "B" else None)


def test_the_first_statement_of_metastasis_counts() -> None:
    """A restaging of last week does not make an old metastasis new."""
    old, again = (coded("21901-4", "M1", UICC, days=days, id=f"m{days}") for days in (300, 5))
    assert setting(condition("C34.1", days=400), old, again).rule == "D"


def test_no_metastasis_is_none() -> None:
    """M0 leads to no metastatic network."""
    assert setting(condition("C34.1", days=200), coded("21901-4", "M0", UICC, days=5)).network == "diagnosis"


def test_a_broad_panel_starts_the_clock_of_the_metastatic_network() -> None:
    """Fifty genes of one day; not a small panel, not an old one, not one of a new tumour without metastasis."""
    genes = [key for key in catalogue().schema.keys if key.startswith("gene_")]

    def with_genes(number: int, days: float, diagnosed: float = 200, *more: Resource) -> Setting:
        when = datetime.fromisoformat(ago(days))
        encoded_patient = encoded(condition("C34.1", days=diagnosed), *more)
        found = {key: Finding(key, 0.0, "1", when, ("Observation/g",)) for key in genes[:number]}
        return choose_setting(
            msgspec.structs.replace(encoded_patient, findings={**encoded_patient.findings, **found}), AT
        )

    broad = with_genes(50, 10)
    assert (broad.rule, broad.network, broad.time_zero) == ("B", "metastatic", datetime.fromisoformat(ago(10)))
    assert with_genes(49, 10).network == "diagnosis"
    assert with_genes(50, 91).network == "diagnosis"
    assert with_genes(50, 10, 20).rule == "C"
    old = coded("21901-4", "M1", UICC, days=300)
    assert with_genes(50, 10, 400, old).reason == "newly-sequenced"


def in_hospital(kind: str, days: float, **members: Any) -> Resource:
    """A stay that has not ended."""
    return encounter(kind, id=f"{kind}-{days}", status="in-progress", period={"start": ago(days)}, **members)


EMERGENCY_ADMISSION = {
    "hospitalization": {
        "admitSource": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/admit-source", "code": "emd"}]}
    }
}


@pytest.mark.parametrize(
    ("stays", "rule"),
    [
        ([in_hospital("EMER", 0.2)], "A"),
        ([in_hospital("EMER", 4)], "C"),  # was never closed
        ([encounter("EMER", days=0.5, length=0.2)], "C"),  # is over
        ([in_hospital("IMP", 3)], "C"),  # planned
        ([in_hospital("IMP", 3, **EMERGENCY_ADMISSION)], "A"),
        ([in_hospital("NONAC", 3, **EMERGENCY_ADMISSION)], "A"),
        ([in_hospital("IMP", 200, **EMERGENCY_ADMISSION)], "C"),  # was never closed
        ([encounter("EMER", days=3.2, length=0.2, id="first"), in_hospital("IMP", 3)], "A"),
        ([in_hospital("AMB", 0.1)], "C"),
        ([in_hospital("EMER", 0.2) | {"status": "cancelled"}], "C"),
    ],
)
def test_an_unplanned_stay_comes_first(stays: list[Resource], rule: str) -> None:
    """An emergency contact that is going on, or a stay that came of one; what is planned, over or forgotten is none."""
    found = setting(condition("C34.1", days=20), *stays)
    assert (found.rule, found.network) == (rule, "acute" if rule == "A" else "diagnosis")


def test_a_stay_that_ends_later_is_going_on() -> None:
    """Its planned end lies ahead; the clock starts with the stay."""
    stay = encounter("EMER", status="in-progress", period={"start": ago(0.3), "end": ago(-0.5)})
    found = setting(condition("C34.1", days=20), coded("21901-4", "M1", UICC, days=5), stay)
    assert (found.rule, found.time_zero) == ("A", datetime.fromisoformat(ago(0.3)))


@pytest.mark.parametrize(("days", "rule"), [(90, "C"), (91, "D")])
@pytest.mark.parametrize("what", ["drug", "radiation", "operation"])
def test_a_patient_who_has_been_treated_for_90_days_is_not_new(what: str, days: float, rule: str) -> None:
    """The first treatment counts, whatever came later; the pathology report may be of a second specimen."""
    treatment = {
        "drug": [given("L01XA01", days), given("L01XA01", 3)],
        "radiation": [
            procedure("8-522.6", performedDateTime=None, performedPeriod={"start": ago(days), "end": ago(1)})
        ],
        "operation": [procedure("5-324.71", days=days)],
    }[what]
    assert setting(condition("C34.1", days=120), histology("8140/3", days=20), *treatment).rule == rule


def test_what_was_only_ordered_or_is_no_treatment_of_cancer_leaves_a_patient_new() -> None:
    """An order, an old opioid, an operation on another organ."""
    new = condition("C34.1", days=20)
    assert setting(new, ordered("L01XA01", 100), taken("N02AA01", 400), procedure("5-511.11", days=400)).rule == "C"


def test_a_diagnosis_of_this_year_counts_from_today_where_its_middle_is_to_come() -> None:
    """The clock never starts in the future."""
    found = setting(condition("C34.1", onsetDateTime="2024", recordedDate=None))
    assert found.rule == "C"
    assert found.time_zero is not None
    assert found.time_zero <= AT


def test_the_rule_of_the_package_decides() -> None:
    """Another package may call other patients new, or survivors."""
    patient = encoded(condition("C34.1", days=100))
    assert choose_setting(patient, AT).rule == "D"
    assert choose_setting(patient, AT, ServingRule(new_days=120)).rule == "C"
    assert choose_setting(patient, AT, ServingRule(survivor_days=99)).network == "survivor"


def test_a_call_of_the_emergency_service_is_an_emergency() -> None:
    """Whatever the record says; its clock starts with the arrival, else with the call."""
    new = condition("C34.1", days=10)
    called = choose_setting(encoded(new, emergency=True), AT, emergency=True)
    assert (called.network, called.rule, called.time_zero) == ("acute", "A", AT)
    came = choose_setting(encoded(new, arrival(3), emergency=True), AT, emergency=True)
    assert (came.network, came.rule, came.time_zero) == ("acute", "A", datetime.fromisoformat(ago(3 / 24)))
    assert setting(new, arrival(3)) == came
