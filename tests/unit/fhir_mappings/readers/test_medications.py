"""A therapy needs a dose; a medication is active at the assessment."""

import pytest

from tests.unit.fhir_mappings.resources_of import Resource, ago, codes, finding, given, issues, ordered, taken, value

OPIOID, STEROID, DIURETIC, BLOOD = "med_opioid", "med_corticosteroid", "med_diuretic", "med_anticoagulant"
ANTIBIOTIC, GROWTH, BONE = "med_antibiotic_30d", "med_gcsf", "med_bisphosphonate_denosumab"
MORPHINE, PREDNISONE, FUROSEMIDE, HEPARIN = "N02AA01", "H02AB07", "C03CA01", "B01AB01"
AMOXICILLIN, FILGRASTIM, ZOLEDRONATE, CISPLATIN = "J01CA04", "L03AA02", "M05BA08", "L01XA01"


def bounds(start: float, end: float | None = None) -> list[Resource]:
    """The dosage of an order with a period."""
    period = {"start": ago(start)} | ({} if end is None else {"end": ago(end)})
    return [{"timing": {"repeat": {"boundsPeriod": period}}}]


def test_an_order_is_not_a_dose() -> None:
    """Though it is active; and it says so."""
    order = ordered(CISPLATIN)
    assert value("tx_chemo_platinum", order) is None
    assert value("tx_prior_regimens", order) is None
    assert codes(order) == {"order-no-dose"}


@pytest.mark.parametrize("days", [1, 400, 7000])
def test_a_dose_counts_for_ever(days: float) -> None:
    """Ever means at any time before."""
    assert value("tx_chemo_platinum", given(CISPLATIN, days)) == 1


def test_the_newest_and_strongest_proof_of_a_therapy_is_its_source() -> None:
    """Of one moment an administration stands above a statement."""
    statement = taken(CISPLATIN, id="said", status="completed", effectivePeriod=None, effectiveDateTime=ago(9))
    assert finding("tx_chemo_platinum", given(CISPLATIN, 9, id="dose"), statement).sources == (
        "MedicationAdministration/dose",
    )


@pytest.mark.parametrize(("days", "counts"), [(30, True), (31, False)])
@pytest.mark.parametrize(("key", "drug"), [(ANTIBIOTIC, AMOXICILLIN), (GROWTH, FILGRASTIM)])
def test_a_dose_within_thirty_days(key: str, drug: str, days: float, counts: bool) -> None:
    """Given, or taken until then; an order shows no dose."""
    assert value(key, given(drug, days)) == (1 if counts else None)
    assert value(key, taken(drug, days + 7, until=days)) == (1 if counts else None)
    assert codes(ordered(drug, 5)) == {"order-no-dose"}


def test_a_dose_without_a_date_is_in_no_window() -> None:
    """It counts for ever, not for a month."""
    assert codes(given(AMOXICILLIN, effectiveDateTime=None)) == {"undated"}
    assert value("tx_chemo_platinum", given(CISPLATIN, effectiveDateTime=None)) == 1


@pytest.mark.parametrize(
    ("use", "active"),
    [
        (taken(MORPHINE, 700), True),
        (taken(MORPHINE, 700, until=-5), True),
        (taken(MORPHINE, 30, until=1), False),
        (taken(MORPHINE, 30, status="stopped"), False),
        (taken(MORPHINE, effectivePeriod=None, effectiveDateTime=ago(80)), True),
        (taken(MORPHINE, effectivePeriod=None, effectiveDateTime=ago(100)), False),
        (taken(MORPHINE, effectivePeriod=None, effectiveDateTime=ago(100), dateAsserted=ago(3)), True),
        (ordered(MORPHINE, 90), True),
        (ordered(MORPHINE, 91), False),
        (ordered(MORPHINE, 91, dosageInstruction=bounds(91)), True),
        (ordered(MORPHINE, 91, dosageInstruction=bounds(91, -10)), True),
        (ordered(MORPHINE, 20, dosageInstruction=bounds(20, 2)), False),
        (ordered(MORPHINE, 5, dosageInstruction=[{"timing": {"event": [ago(5), ago(4)]}}]), False),
        (given(MORPHINE, 1), True),
        (given(MORPHINE, 3), False),
    ],
)
def test_a_medication_is_active_at_the_assessment(use: Resource, active: bool) -> None:
    """By its period, else by how long ago somebody said so; a single dose for two days."""
    assert value(OPIOID, use) == (1 if active else None)


@pytest.mark.parametrize("drug", ["N02AX02", "N02AX01", "R05DA04", "B01AC06", "N02BE01"])
def test_tramadol_tilidine_codeine_and_platelet_inhibitors_do_not_count(drug: str) -> None:
    """Definitions of the catalogue."""
    assert value(OPIOID, taken(drug)) is None
    assert value(BLOOD, taken(drug)) is None


@pytest.mark.parametrize("drug", ["C09BA05", "C09DA06", "C09DX03", "C07BB07", "C03CA04"])
def test_a_fixed_combination_holds_a_diuretic(drug: str) -> None:
    """Ramipril, candesartan, olmesartan with amlodipine, bisoprolol; a plain one. Not ramipril alone."""
    assert value(DIURETIC, taken(drug)) == 1
    assert value(DIURETIC, taken("C09AA05")) is None


def test_a_day_without_a_time_is_the_whole_day() -> None:
    """Taken until today: active."""
    assert value(DIURETIC, taken(FUROSEMIDE, effectivePeriod={"start": "2024-05-01", "end": "2024-05-20"})) == 1
    assert value(DIURETIC, taken(FUROSEMIDE, effectivePeriod={"start": "2024-05-01", "end": "2024-05-19"})) is None


def test_a_statement_that_it_ended_stands_above_the_order() -> None:
    """Orders stay active in many charts when the drug was stopped."""
    order, ended = ordered(HEPARIN, 10), taken(HEPARIN, 9, until=2)
    assert value(BLOOD, order, ended) is None
    assert "superseded" in codes(order, ended)
    assert value(BLOOD, ordered(HEPARIN, 1), ended) == 1
    assert value(BLOOD, order, taken("B01AF01", 9, until=2)) == 1


@pytest.mark.parametrize(("days", "counts"), [(7, True), (6, False)])
def test_a_corticosteroid_counts_from_the_seventh_day(days: float, counts: bool) -> None:
    """Premedication of a day does not."""
    assert value(STEROID, taken(PREDNISONE, days)) == (1 if counts else None)
    assert value(STEROID, ordered(PREDNISONE, days)) == (1 if counts else None)
    daily = [given(PREDNISONE, day) for day in range(int(days) + 1)]
    assert value(STEROID, *daily) == (1 if counts else None)
    assert codes(given(PREDNISONE, 0.5)) == {"too-short"}


def test_doses_of_premedication_make_no_continuous_corticosteroid() -> None:
    """Once every three weeks."""
    cycles = [given("H02AB02", day) for day in (1, 22, 43)]
    assert value(STEROID, *cycles) is None


@pytest.mark.parametrize(("days", "counts"), [(100, True), (181, False)])
def test_a_bone_agent_acts_through_its_window(days: float, counts: bool) -> None:
    """An infusion of zoledronate months ago; an order alone has to be active."""
    assert value(BONE, given(ZOLEDRONATE, days)) == (1 if counts else None)
    assert value(BONE, taken(ZOLEDRONATE, days, until=days)) == (1 if counts else None)


def test_each_drug_that_does_not_count_says_why() -> None:
    """By the code of the parameter."""
    [issue] = issues(taken(MORPHINE, 30, until=1, id="m"))
    assert (issue.code, issue.source) == ("not-current", "MedicationStatement/m")
    assert issue.diagnostics.startswith(OPIOID)
