"""Encounter -> what was documented, and unplanned care."""

from typing import Any

import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.record import Retrieval
from tests.unit.fhir_mappings.resources_of import (
    ADMIT_SOURCE,
    AT,
    Resource,
    ago,
    codes,
    concept,
    condition,
    documented,
    encoded,
    encounter,
    finding,
    record,
    reference,
    refuted,
    value,
)

DIABETES = "comorb_diabetes"
VISITS, DAYS = "func_ed_visits_90d", "func_inpatient_days_90d"


def problem(**members: Any) -> Resource:
    """A coded diagnosis made at the encounter `visit`."""
    whole: Resource = {"encounter": reference("Encounter/visit"), "days": 30} | members
    return condition("S93.4", **whole)


def visit(**members: Any) -> Resource:
    return encounter(**({"id": "visit"} | members))


def test_a_disease_is_absent_where_problems_were_documented_and_it_is_not_among_them() -> None:
    """A completed encounter with a coded diagnosis within 12 months proves it, and is the source of the 0."""
    found = finding(DIABETES, visit(), problem())
    assert (found.value, found.sources) == (0, ("Encounter/visit",))


@pytest.mark.parametrize(
    ("encounters", "problems"),
    [
        ([], []),
        ([visit()], []),
        ([], [problem()]),
        ([visit(status="in-progress")], [problem()]),
        ([visit(status="planned")], [problem()]),
        ([visit(status="cancelled")], [problem()]),
        ([visit(days=370, length=1)], [problem()]),
        ([visit(days=1, length=2)], [problem()]),
        ([visit(period={})], [problem()]),
        ([visit(period={"start": "soon"})], [problem()]),
        ([visit()], [problem(code={"text": "sprained ankle"})]),
        ([visit()], [problem(encounter=reference("Encounter/other"))]),
        ([visit()], [problem(verificationStatus=concept("entered-in-error", "x"))]),
        ([visit()], [problem(verificationStatus=concept("provisional", "x"))]),
        ([visit()], [problem(recordedDate=ago(-2))]),
        ([visit()], [refuted("S93.4", encounter=reference("Encounter/visit"))]),
    ],
)
def test_without_a_completed_coded_encounter_of_the_last_year_nothing_is_absent(
    encounters: list[Resource], problems: list[Resource]
) -> None:
    """Not finished, too old, not over yet, text only, in error, suspected, refuted, of another visit: no proof."""
    assert value(DIABETES, *encounters, *problems) is None


@pytest.mark.parametrize(
    "link",
    ["Condition/c", "Condition/c/_history/2", "https://hospital.example/fhir/Condition/c"],
)
def test_the_encounter_may_name_its_diagnosis_itself(link: str) -> None:
    """Relatively, by version or by full address."""
    named = visit(diagnosis=[{"condition": reference(link)}])
    assert value(DIABETES, named, condition("S93.4", id="c")) == 0


def test_references_by_urn_are_followed() -> None:
    """As in a transaction Bundle of Synthea."""
    urn = "urn:uuid:2a7c0f1e-0000-4000-8000-000000000001"
    whole = record(visit(), problem(encounter=reference(urn)), urls={"visit": urn})
    assert encode(whole, catalogue().schema, AT).findings[DIABETES].value == 0


@pytest.mark.parametrize("key", ["conditions", "encounters"])
@pytest.mark.parametrize("state", ["partial", "failed", "notAsked"])
def test_an_incomplete_query_proves_no_absence(key: str, state: str) -> None:
    """A lost page may hold the disease."""
    kept = {"conditions": "complete", "encounters": "complete"} | {key: state}
    ledger = tuple(Retrieval(name, "search", how) for name, how in kept.items())  # type: ignore[arg-type]
    assert DIABETES not in encode(record(visit(), problem(), retrieval=ledger), catalogue().schema, AT).findings


@pytest.mark.parametrize("states", [{"conditions": "complete", "encounters": "complete"}, {"bundle": "complete"}])
def test_complete_queries_do(states: dict[str, str]) -> None:
    """Both must be there, or a whole Bundle."""
    ledger = tuple(Retrieval(name, "search", how) for name, how in states.items())  # type: ignore[arg-type]
    assert DIABETES in encode(record(visit(), problem(), retrieval=ledger), catalogue().schema, AT).findings


@pytest.mark.parametrize("kind", ["Condition", "Encounter"])
def test_a_list_with_an_unreadable_member_is_not_complete(kind: str) -> None:
    """The member that could not be read may be the disease."""
    broken = {"resourceType": kind, "id": "broken", "subject": 1}
    assert value(DIABETES, visit(), problem(), broken) is None
    unrelated = {"resourceType": "Observation", "id": "broken", "subject": 1}
    assert value(DIABETES, visit(), problem(), unrelated) == 0


def test_counts_need_a_complete_list_with_at_least_one_encounter() -> None:
    """No encounter at all is no zero."""
    assert value(VISITS) is None
    assert value(VISITS, encounter()) == 0
    partial = (Retrieval("encounters", "search", "partial"),)
    assert VISITS not in encode(record(encounter("EMER"), retrieval=partial), catalogue().schema, AT).findings


def test_emergency_visits_of_the_last_90_days_are_counted_without_the_present_one() -> None:
    """Neither older ones, nor the open one, nor one that was cancelled, nor other classes."""
    before = [encounter("EMER", days=10), encounter("EMER", days=80), encounter("EMER", days=95)]
    now = encounter("EMER", days=0.2, period={"start": ago(0.2)}, status="in-progress")
    others = [encounter("EMER", days=5, status="entered-in-error"), encounter("AMB", days=4)]
    assert value(VISITS, *before, now, *others) == 2


@pytest.mark.parametrize("period", [None, {"start": ago(80)}, {"end": ago(80)}])
def test_a_visit_that_may_lie_in_the_window_leaves_its_count_open(period: Resource | None) -> None:
    """Over, and nobody says when: neither one nor none. An old one, one that goes on and one of another kind do not."""
    dated = encounter("AMB", 10)
    assert value(VISITS, dated, encounter("EMER", period=period)) is None
    assert value(DAYS, dated, encounter("EMER", period=period)) == 0
    assert value(DAYS, dated, encounter("IMP", period=period)) is None
    assert value(VISITS, dated, encounter("IMP", period=period)) == 0
    assert value(VISITS, dated, encounter("EMER", period={"start": ago(95)})) == 0
    assert value(VISITS, dated, encounter("EMER", period=period, status="in-progress")) == 0


def test_days_in_hospital_are_those_after_emergency_admission() -> None:
    """An elective stay does not count, nor days before the window."""
    from_emergency = concept("emd", ADMIT_SOURCE)
    unplanned = encounter("IMP", days=20, length=4, hospitalization={"admitSource": from_emergency})
    elective = encounter("IMP", days=50, length=10)
    straddling = encounter("IMP", days=95, length=10, hospitalization={"admitSource": from_emergency})
    assert value(DAYS, unplanned, elective) == 4
    assert value(DAYS, unplanned, elective, straddling) == 9


def test_a_stay_right_after_an_emergency_contact_is_unplanned() -> None:
    """Within a day of it."""
    assert value(DAYS, encounter("EMER", days=20.2, length=0.2), encounter("IMP", days=20, length=3)) == 3
    assert value(DAYS, encounter("EMER", days=25, length=0.2), encounter("IMP", days=20, length=3)) == 0


def test_a_day_counts_once_though_two_stays_hold_it() -> None:
    """A stay and its part in intensive care are two encounters."""
    source = {"admitSource": concept("emd", ADMIT_SOURCE)}
    whole = encounter("IMP", days=20, length=8, hospitalization=source)
    part = encounter("ACUTE", days=18, length=3, hospitalization=source)
    assert value(DAYS, whole, part) == 8


@pytest.mark.parametrize(("days", "expected"), [(30, 1), (364, 1), (366, None)])
def test_admission_from_a_nursing_home_within_a_year_tells_where_the_patient_lives(
    days: float, expected: float | None
) -> None:
    """Another source says nothing."""
    nursing = {"admitSource": concept("nursing", ADMIT_SOURCE)}
    assert value("func_nursing_home", encounter("IMP", days=days, hospitalization=nursing)) == expected
    elsewhere = {"admitSource": concept("gp", ADMIT_SOURCE)}
    assert value("func_nursing_home", encounter("IMP", days=days, hospitalization=elsewhere)) is None


@pytest.mark.parametrize("status", ["unknown", "", "discharged?"])
def test_an_encounter_of_unknown_status_makes_the_list_uncertain(status: str) -> None:
    """It may have taken place: nothing is counted, and no disease is absent."""
    unknown = encounter("EMER", status=status)
    assert value("func_ed_visits_90d", encounter("EMER")) == 1
    assert value("func_ed_visits_90d", encounter("EMER"), unknown) is None
    assert value("comorb_dementia", *documented(), unknown) is None
    assert "status-not-used" in codes(unknown)
    planned = encounter("EMER", status="planned")
    assert value("func_ed_visits_90d", encounter("EMER"), planned) == 1


def test_every_encounter_has_its_reason() -> None:
    """Not happened, later, or with nothing in it that is asked for."""
    assert "status-not-used" in codes(encounter(status="cancelled"))
    assert "after-at" in codes(encounter(days=-2))
    assert "date-unreadable" in codes(encounter(period={"start": "soon"}))
    [said] = [
        i for i in encoded(encounter(days=200, id="a"), encounter(days=3, id="b")).issues if i.source.endswith("a")
    ]
    assert said.code == "not-needed"


def test_absence_is_of_every_documented_disease_and_of_no_other_parameter() -> None:
    """The zeros are those of the problem list, with the indices over it."""
    zeros = {key for key, f in encoded(*documented()).findings.items() if f.value == 0}
    assert {"comorb_mi", "comorb_dementia", "comorb_pneumonia", "comorb_charlson_index", "comorb_count"} <= zeros
    assert not [key for key in zeros if key.startswith(("lab_", "gene_", "stage_", "med_", "tx_", "path_"))]


def test_windows_hold_to_their_last_moment() -> None:
    """90 days for visits and stays, 365 for a nursing home and for documented problems."""
    assert value(VISITS, encounter("EMER", days=90.1, length=0.1)) == 1
    assert value(VISITS, encounter("EMER", days=90.2, length=0.1)) == 0
    assert value(VISITS, encounter("EMER", days=0.1, length=0.1)) == 1
    assert value(DIABETES, visit(days=365.1, length=0.1), problem()) == 0
    assert value(DIABETES, visit(days=365.2, length=0.1), problem()) is None
    assert value(DIABETES, visit(days=0.1, length=0.1), problem()) == 0
    nursing = {"admitSource": concept("nursing", ADMIT_SOURCE)}
    assert value("func_nursing_home", encounter("IMP", days=365, hospitalization=nursing)) == 1
    assert value("func_nursing_home", encounter("IMP", days=365.1, hospitalization=nursing)) is None


def test_an_encounter_that_begins_now_has_begun() -> None:
    """And its end is still to come."""
    assert "after-at" not in codes(encounter(days=0, length=-1))


def test_no_more_days_than_the_window_has_are_counted() -> None:
    """A stay of half a year is 90 days."""
    source = {"admitSource": concept("emd", ADMIT_SOURCE)}
    assert value(DAYS, encounter("IMP", days=180, length=179.9, hospitalization=source)) == 90


def test_the_day_between_contact_and_admission_holds_to_its_last_hour() -> None:
    """Also where the contact has no end, and where the stay began shortly before it."""
    stay = encounter("IMP", days=20, length=3)
    assert value(DAYS, encounter("EMER", days=21.1, length=0.1), stay) == 3
    assert value(DAYS, encounter("EMER", days=21.2, length=0.1), stay) == 0
    assert value(DAYS, encounter("EMER", days=19.1, length=0.1), stay) == 3
    assert value(DAYS, encounter("EMER", days=18.9, length=0.1), stay) == 0
    assert value(DAYS, encounter("EMER", period={"start": ago(20.5)}), stay) == 3


def test_a_source_of_admission_is_one_of_its_system() -> None:
    """The same letters elsewhere mean something else."""
    for system, code in (("urn:local", "emd"), (ADMIT_SOURCE, "gp")):
        source = {"admitSource": concept(code, system)}
        assert value(DAYS, encounter("IMP", days=20, length=3, hospitalization=source)) == 0


def test_counts_have_their_units() -> None:
    """Visits are counted, days are days."""
    assert finding(VISITS, encounter()).unit == "{count}"
    assert finding(DAYS, encounter()).unit == "d"
