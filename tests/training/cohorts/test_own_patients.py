"""A hospital's own patients: index dates, outcome, exclusions, and that nothing of the future is in a row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from fhir_mappings.cohorts import index_dates, own_patients
from fhir_mappings.cohorts.index_dates import RULES, Rule, on_day
from fhir_mappings.cohorts.own_patients import OwnPatients, Plan
from fhir_mappings.concepts import OWN, catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.record import Retrieval
from models.training.cohort import Cohort
from tests.unit.fhir_mappings.resources_of import (
    AT,
    CLINICAL,
    UICC,
    Resource,
    ago,
    body_composition,
    coded,
    concept,
    condition,
    documented,
    encounter,
    given,
    histology,
    imaging_study,
    listing,
    measured,
    observation,
    ordered,
    patient,
    procedure,
    record,
    reference,
    sequence,
    taken,
    tumour,
    variant,
)

SCHEMA = catalogue().schema
END = AT + timedelta(days=2000)
DAY = datetime(2024, 5, 20, 23, 59, 59, 999999, tzinfo=UTC)
DIED = patient(deceasedDateTime=ago(-400))


def lung(days: float = 40, **members: Any) -> Resource:
    return tumour("C34.1", days=days, **({"id": "lung"} | members))


def plan(rule: Rule, **members: Any) -> Plan:
    return Plan(rule=rule, name="hospital", until=END, **members)


def built(rule: Rule, *resources: Resource, **members: Any) -> Cohort:
    own = OwnPatients(plan(rule, **members), SCHEMA)
    own.add(record(*resources, scoped=False))
    return own.build().cohort


def reason(rule: Rule, *resources: Resource, **members: Any) -> str:
    """Why the patient is left out; "" where it is not."""
    own = OwnPatients(plan(rule, **members), SCHEMA)
    own.add(record(*resources, scoped=False))
    return next(iter(own.excluded), "")


def row(cohort: Cohort) -> tuple[str, str, float, float, bool]:
    return (
        str(cohort.setting[0]), str(cohort.entity[0]), float(cohort.entry[0]), float(cohort.time[0]),
        bool(cohort.event[0]),
    )  # fmt: skip


LABS = [measured("718-7", 11.0, "g/dL", days=5), measured("1751-7", 38, "g/L", days=30), *documented()]
M1 = condition("C78.7", days=20, id="liver")
STAY = encounter(
    "EMER", id="er", period={"start": ago(0.1), "end": ago(-6)}, diagnosis=[{"condition": reference("Condition/lung")}]
)
AT_THE_TIME: dict[str, tuple[Rule, dict[str, Any], list[Resource]]] = {
    "diagnosis": (RULES["diagnosis"], {"after": 38}, [lung(), histology("8140/3", days=39)]),
    "metastasis": (RULES["metastasis"], {"after": 15}, [lung(days=300), M1]),
    "admission": (RULES["admission"], {}, [lung(), STAY]),
    "survivor": (RULES["survivor"], {}, [lung(days=900), encounter(days=2)]),
    "day": (on_day(DAY), {"care": True}, [lung(), histology("8140/3", days=39)]),
}

# Each is dated after every index date above, or is not dated; `shows`: it changes the vector once it is known.
LATER: dict[str, tuple[bool, Resource]] = {
    "laboratory": (True, measured("718-7", 6.0, "g/dL", days=-2)),
    "the next day": (True, measured("718-7", 6.0, "g/dL", effectiveDateTime="2024-05-21")),
    "issued later": (True, measured("2160-0", 4.0, "mg/dL", issued=ago(-3))),
    "undated result": (False, measured("2951-2", 120, "mmol/L", effectiveDateTime=None)),
    "undated M1": (False, coded("21901-4", "M1", UICC, effectiveDateTime=None)),
    "M1": (True, coded("21901-4", "M1", UICC, days=-3)),
    "performance status": (True, observation("89247-1", valueInteger=3, days=-3)),
    "histology": (True, histology("8070/3", days=-3)),
    "metastasis": (True, condition("C79.3", days=-3)),
    "comorbidity recorded later": (True, condition("I50.1", onsetDateTime=ago(900), recordedDate=ago(-3))),
    "comorbidity of a later visit": (
        True, condition("I50.1", onsetDateTime=ago(900), recordedDate=None, encounter=reference("Encounter/next")),
    ),
    "undated comorbidity": (False, condition("I50.1", onsetDateTime=None, recordedDate=None)),
    "second primary": (True, condition("C50.9", onsetDateTime=ago(700), recordedDate=ago(-3))),
    "encounter": (True, encounter("EMER", days=-3)),
    "dose": (True, given("L01XA01", days=-3)),
    "statement of later": (True, taken("L01XA01", days=200, until=100, dateAsserted=ago(-3))),
    "order": (True, ordered("N02AA01", days=-3)),
    "procedure": (True, procedure("8-522", days=-3)),
    "undated procedure": (False, procedure("8-522", performedDateTime=None)),
    "variant": (True, variant("HGNC:6407", "KRAS", "p.Gly12Cys", days=-3)),
    "sequence": (False, sequence("NC_000012.12", 25245350, "T", "C")),
    "imaging": (False, imaging_study(days=-3)),
    "body composition": (True, body_composition(days=-3)),
    "declared list": (True, listing("therapy-history", system=OWN, days=-3)),
    "refuted": (False, condition("E11.9", days=-3, verificationStatus=concept("refuted", "x"))),
}  # fmt: skip
NEXT = encounter("AMB", id="next", days=-3)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("rule", AT_THE_TIME)
def test_nothing_of_the_future_is_in_a_row(rule: str, later: str) -> None:
    """Values, cancer type, setting, entry, time and death: the same with a resource that is dated later, or never."""
    of, members, resources = AT_THE_TIME[rule]
    whole = [DIED, *resources, *LABS]
    without = built(of, *whole, **members)
    found = built(of, *whole, LATER[later][1], NEXT, **members)
    assert row(found) == row(without)
    assert np.array_equal(found.values, without.values, equal_nan=True)


@pytest.mark.parametrize("later", [name for name, (shows, _) in LATER.items() if shows])
def test_the_planted_future_would_show(later: str) -> None:
    """What is planted above changes the vector once it has been reached, so that the test above tests something."""
    whole = [*AT_THE_TIME["day"][2], *LABS, NEXT]
    at = AT + timedelta(days=6)
    with_it = encode(record(*whole, LATER[later][1]), SCHEMA, at)
    without = encode(record(*whole), SCHEMA, at)
    assert not np.array_equal(with_it.vector.values, without.vector.values, equal_nan=True)


@pytest.mark.parametrize("rule", AT_THE_TIME)
def test_a_death_shows_nowhere_but_in_the_outcome(rule: str) -> None:
    """Dead, dead without a date, alive: one vector, one entry."""
    of, members, resources = AT_THE_TIME[rule]
    rows = [
        built(of, patient(**died), *resources, *LABS, measured("718-7", 9.0, "g/dL", days=-100), **members)
        for died in ({}, {"deceasedBoolean": True}, {"deceasedDateTime": ago(-400)})
    ]
    for one in rows[1:]:
        assert np.array_equal(one.values, rows[0].values, equal_nan=True)
        assert one.entry[0] == rows[0].entry[0]
    assert [bool(one.event[0]) for one in rows] == [False, False, True]
    assert rows[0].time[0] == rows[1].time[0] < rows[2].time[0]


@pytest.mark.parametrize("rule", AT_THE_TIME)
def test_the_values_are_those_of_scoring_at_the_index_date(rule: str) -> None:
    """The whole record, encoded at that moment."""
    of, members, resources = AT_THE_TIME[rule]
    whole = [DIED, *resources, *LABS, measured("718-7", 6.0, "g/dL", days=-2)]
    cohort = built(of, *whole, **members)
    days = {"diagnosis": 2, "metastasis": 5, "admission": 0.1, "survivor": 30}
    at = AT - timedelta(days=days[rule]) if rule in days else DAY
    expected = encode(record(*whole), SCHEMA, at)
    assert np.array_equal(cohort.values[0], expected.vector.values, equal_nan=True)
    assert np.isfinite(cohort.values[0]).sum() > 40


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("diagnosis", ("diagnosis", 38.0, 440.0, True)),
        ("metastasis", ("metastatic", 15.0, 420.0, True)),
        ("admission", ("acute", 0.0, 400.1, True)),
        ("survivor", ("survivor", 0.0, 430.0, True)),
        ("day", ("diagnosis", 0.0, 399.5, True)),
    ],
)
def test_each_rule_has_its_clock(rule: str, expected: tuple[str, float, float, bool]) -> None:
    """Days from the event to death; at risk from the day on which the values were taken."""
    of, members, resources = AT_THE_TIME[rule]
    found = row(built(of, DIED, *resources, *LABS, **members))
    assert found[0] == expected[0]
    assert found[2:] == pytest.approx(expected[1:], abs=0.01)
    assert found[1].startswith("entity_nsclc")


SEEN = measured("718-7", 9.0, "g/dL", days=-100)
DIAGNOSED = [lung(), SEEN, measured("718-7", 9.0, "g/dL", days=40)]


def test_a_diagnosis_is_known_once_it_is_recorded() -> None:
    """Made on one day, recorded on another: the clock runs from the first, the patient is at risk from the second."""
    found = built(RULES["diagnosis"], lung(onsetDateTime=ago(60), recordedDate=ago(40)), *DIAGNOSED[1:])
    assert row(found)[2:] == (20.0, 160.0, False)


def test_who_came_later_is_at_risk_from_then_on() -> None:
    """Left truncation: a diagnosis of elsewhere, first contact here 30 days later."""
    found = built(RULES["diagnosis"], lung(), SEEN, measured("718-7", 9.0, "g/dL", days=10))
    assert row(found)[2:] == (30.0, 140.0, False)


@pytest.mark.parametrize(
    ("expected", "resources"),
    [
        (index_dates.NO_TUMOUR, [condition("I50.1"), SEEN]),
        (index_dates.NO_TUMOUR, [tumour("C34.1", onsetDateTime=None, recordedDate=None), SEEN]),
        (index_dates.NO_TUMOUR, [lung(days=-2100), SEEN]),
        (index_dates.SEVERAL, [lung(), condition("C50.9", days=40), SEEN]),
        (index_dates.LATE_DIAGNOSIS, [lung(onsetDateTime=ago(400), recordedDate=ago(40)), SEEN]),
        (index_dates.AFTER_END, [lung(days=-1990), SEEN]),
        (own_patients.DIED_BEFORE, [patient(deceasedDateTime=ago(50)), *DIAGNOSED]),
        (own_patients.DIED_BEFORE, [patient(deceasedDateTime="2024-04-10"), *DIAGNOSED]),
        (own_patients.UNDER_18, [patient(birthDate="2010-01-01"), *DIAGNOSED]),
        (own_patients.NOT_SEEN_AFTER, [lung(), measured("718-7", 9.0, "g/dL", days=40)]),
        (own_patients.NOT_SEEN_AFTER, [lung(), ordered("N02AA01", days=-30)]),
        (own_patients.FOREIGN, [*DIAGNOSED, measured("718-7", 9.0, "g/dL", subject=reference("Patient/q"))]),
        (own_patients.REPLACED, [patient(link=[{"type": "replaced-by"}]), *DIAGNOSED]),
        ("", DIAGNOSED),
    ],
)  # fmt: skip
def test_who_is_left_out_has_a_reason(expected: str, resources: list[Resource]) -> None:
    """Those of scoring, and those of an outcome that is not known."""
    after = 30 if expected == index_dates.AFTER_END else 0
    assert reason(RULES["diagnosis"], *resources, after=after) == expected


def test_a_record_that_was_not_read_whole_is_left_out() -> None:
    """Its row would say that what did not come is not there; so is one without a Patient: nobody knows of a death."""
    own = OwnPatients(plan(RULES["diagnosis"]), SCHEMA)
    own.add(record(*DIAGNOSED, retrieval=(Retrieval("labs", "search", "failed"),)))
    nameless = record(*DIAGNOSED)
    own.add(type(nameless)("p", nameless.entries[1:], nameless.bases))
    assert own.excluded == {own_patients.NOT_WHOLE: 1, own_patients.NO_PATIENT: 1}
    with pytest.raises(ValueError, match="nobody is left of 2 patients"):
        own.build()


def test_a_tumour_called_over_later_was_there() -> None:
    """A status without a date is one of today: without the cured, a cohort would be one of the dying."""
    cured = lung(clinicalStatus=concept("resolved", CLINICAL))
    assert reason(RULES["diagnosis"], cured, *DIAGNOSED[1:]) == ""


def test_undated_deaths_are_counted() -> None:
    """Censored at the last contact, or left out; a year is no date."""
    for died in ({"deceasedBoolean": True}, {"deceasedDateTime": "2025"}):
        own = OwnPatients(plan(RULES["diagnosis"]), SCHEMA)
        own.add(record(patient(**died), *DIAGNOSED))
        assert own.undated_deaths == 1
        assert row(own.build().cohort)[3:] == (140.0, False)
        assert reason(RULES["diagnosis"], patient(**died), *DIAGNOSED, undated="left-out") == own_patients.UNDATED_DEATH


def test_who_is_not_under_care_on_the_day_is_left_out() -> None:
    """Else of those lost long ago only the dead would stand in the cohort."""
    seen = measured("718-7", 9.0, "g/dL", days=500)
    long_ago = [lung(days=900), seen]
    assert reason(on_day(DAY), DIED, *long_ago, care=True) == own_patients.NOT_UNDER_CARE
    assert reason(on_day(DAY), DIED, *long_ago, measured("718-7", 9.0, "g/dL", days=300), care=True) == ""
    assert reason(on_day(DAY), DIED, SEEN, care=True) == index_dates.NO_TUMOUR


def test_the_first_unplanned_stay_counts() -> None:
    """With the tumour on record; a planned one is none, nor the visit at which it was found."""
    before = encounter("EMER", id="a", period={"start": ago(200), "end": ago(199)})
    planned = encounter("IMP", id="b", period={"start": ago(30), "end": ago(25)})
    first = encounter("EMER", id="c", period={"start": ago(20), "end": ago(19)})
    second = encounter("EMER", id="d", period={"start": ago(5), "end": ago(4)})
    found = built(RULES["admission"], DIED, lung(), before, planned, first, second)
    assert row(found)[2:] == pytest.approx((0.0, 420.0, True), abs=0.01)
    assert reason(RULES["admission"], DIED, lung(), before, planned) == index_dates.NO_STAY
    stay = encounter("IMP", id="s", period={"start": ago(19), "end": ago(10)})
    later = built(RULES["admission"], DIED, lung(), first, stay, after=2)
    assert row(later)[2:] == pytest.approx((1.0, 419.0, True), abs=0.01)
    assert reason(RULES["admission"], DIED, lung(), first, after=2) == index_dates.NO_STAY


def test_metastasis_needs_a_date_and_a_tumour() -> None:
    """Found before the primary, it counts from its own date on, and at risk once the primary is on record."""
    of = RULES["metastasis"]
    assert reason(of, DIED, lung(), SEEN) == index_dates.NO_METASTASIS
    assert reason(of, DIED, condition("C78.7", days=20), SEEN) == index_dates.NO_TUMOUR
    late = condition("C78.7", onsetDateTime=ago(200), recordedDate=ago(20))
    assert reason(of, DIED, lung(days=300), late, SEEN) == index_dates.LATE_METASTASIS
    found = built(of, DIED, lung(days=10), M1, measured("718-7", 9.0, "g/dL", days=20))
    assert row(found)[2:] == (10.0, 420.0, True)


def test_survivors_are_without_metastasis() -> None:
    """And were diagnosed more than 24 months ago; the clock starts with the visit."""
    of, visit = RULES["survivor"], encounter(days=2)
    assert reason(of, DIED, lung(days=900), M1, visit) == index_dates.NO_VISIT
    assert reason(of, DIED, lung(days=700), visit) == index_dates.NO_VISIT
    found = built(of, DIED, lung(days=900), encounter(days=400), encounter(days=100), visit)
    assert row(found)[2:] == pytest.approx((0.0, 500.0, True), abs=0.2)


def test_patients_are_numbers_unless_the_ids_are_asked_for() -> None:
    """In the order of the records, those left out included."""
    own = OwnPatients(plan(RULES["diagnosis"]), SCHEMA)
    own.add(record(SEEN))
    own.add(record(*DIAGNOSED))
    assert own.build().cohort.patient_id.tolist() == ["2"]
    assert built(RULES["diagnosis"], *DIAGNOSED, keep_ids=True).patient_id.tolist() == ["p"]
