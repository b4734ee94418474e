"""How many systemic regimens: by new agents and gaps."""

from datetime import timedelta

import pytest

from fhir_mappings.readers.regimens import Course, count_regimens
from tests.unit.fhir_mappings.resources_of import AT, codes, concept, condition, finding, given, procedure, taken, value

REGIMENS = "tx_prior_regimens"
CISPLATIN, GEMCITABINE, NIVOLUMAB, LEUPRORELIN, DOCETAXEL = "L01XA01", "L01BC05", "L01FF01", "L02AE02", "L01CD02"
THERAPY = "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/CodeSystem/mii-cs-onko-therapie-typ"


def course(agent: str, begin: float, end: float | None = None, *, endocrine: bool = False) -> Course:
    """Days counted forward."""
    start = AT + timedelta(days=begin)
    return Course(f"M/{agent}{begin}", agent, start, AT + timedelta(days=begin if end is None else end), endocrine)


@pytest.mark.parametrize(
    ("courses", "number"),
    [
        ([course("a", 0)], 1),
        ([course("a", 0), course("b", 1), course("a", 21), course("b", 22)], 1),
        ([course("a", 0), course("a", 28)], 1),
        ([course("a", 0), course("a", 29)], 2),
        ([course("a", 0, 60), course("b", 28)], 1),
        ([course("a", 0, 60), course("b", 29)], 2),
        ([course("a", 0, 60), course("b", 29), course("a", 70)], 2),
        ([course("a", 0, 60), course("", 10, 80), course("a", 100)], 1),
        ([course("", 0), course("a", 40)], 2),
        ([course("", 0), course("", 20), course("", 60)], 2),
        ([course("a", 0, 90), course("b", 0, 90), course("b", 91, 400)], 1),
    ],
)
def test_a_new_agent_or_a_gap_opens_a_new_regimen(courses: list[Course], number: int) -> None:
    """Agents begun within 28 days are one combination; what goes on beside a new agent is not new itself."""
    found = count_regimens(reversed(courses))
    assert found is not None
    assert found.value == number
    assert set(found.sources) == {one.address for one in courses}


def test_the_time_between_two_depots_is_no_gap() -> None:
    """Leuprorelin every three months, with docetaxel added in between: two regimens, not five."""
    depots = [course("l", day, endocrine=True) for day in (0, 90, 180, 270)]
    found = count_regimens([*depots, course("d", 100), course("d", 121)])
    assert found is not None
    assert found.value == 2
    pause = count_regimens([course("l", 0, endocrine=True), course("l", 184, endocrine=True)])
    assert pause is not None
    assert pause.value == 2


def test_without_a_course_there_is_no_number() -> None:
    """Zero has to be declared."""
    assert count_regimens([]) is None


def test_doses_statements_and_procedures_are_counted_together() -> None:
    """Two lines: cisplatin and gemcitabine, then nivolumab; the kind of therapy names no further agent."""
    first = [given(CISPLATIN, day) for day in (200, 179)] + [given(GEMCITABINE, day) for day in (200, 193, 179)]
    kind = procedure(
        "CH", THERAPY, performedDateTime=None, performedPeriod={"start": "2023-11-01", "end": "2023-11-25"}
    )
    second = taken(NIVOLUMAB, 60)
    assert value(REGIMENS, *first, kind, second) == 2
    assert finding(REGIMENS, *first, second).effective == finding("tx_ici", taken(NIVOLUMAB, 60, until=60)).effective


@pytest.mark.parametrize("drug", ["L01XX73", CISPLATIN, LEUPRORELIN, DOCETAXEL])
def test_any_antineoplastic_or_endocrine_drug_is_an_agent(drug: str) -> None:
    """Also one that belongs to no class of its own (sotorasib)."""
    assert value(REGIMENS, given(drug), condition("C61")) == 1
    assert value(REGIMENS, given("H01CB02")) is None


def test_a_course_without_a_date_leaves_the_number_open() -> None:
    """It may be the same regimen or another."""
    undated = given(CISPLATIN, effectiveDateTime=None)
    assert value(REGIMENS, undated, given(NIVOLUMAB)) is None
    assert "undated" in codes(undated, given(NIVOLUMAB))


def test_the_kind_of_a_systemic_therapy_is_read_from_the_code_alone() -> None:
    """Chemotherapy as a category says nothing of what was done."""
    assert value(REGIMENS, procedure("8-542.11")) == 1
    assert value(REGIMENS, procedure("1-440.9", category=concept("367336001", "http://snomed.info/sct"))) is None
    assert value("tx_endocrine", procedure("HO", THERAPY)) == 1
