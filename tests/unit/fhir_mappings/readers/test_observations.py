"""Observation -> findings, by what its codes mean."""

from typing import Any

import pytest

from fhir_mappings.concepts import LOINC, SNOMED, catalogue
from fhir_mappings.readers.all_resources import read_record
from tests.unit.fhir_mappings.resources_of import (
    AT,
    BASE,
    UCUM,
    UICC,
    Resource,
    coded,
    codes,
    component,
    concept,
    encoded,
    finding,
    issues,
    measured,
    observation,
    record,
    reference,
    value,
)

MII_SITES = "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/CodeSystem/mii-cs-onko-fernmetastasen"


def pressure(systolic: float, diastolic: float, code: str = "85354-9", system: str = LOINC, **members: Any) -> Resource:
    amounts = zip(("8480-6", "8462-4"), (systolic, diastolic), strict=True)
    parts = [component(c, valueQuantity={"value": v, "code": "mm[Hg]", "system": UCUM}) for c, v in amounts]
    return observation(code, system, component=parts, **members)


def t_category(answer: str, code: str = "21899-0", system: str = LOINC, **members: Any) -> Resource:
    return observation(code, system, valueCodeableConcept=concept(answer, UICC), **members)


def grouped(*members: str, **others: Any) -> Resource:
    return coded("21908-9", "II", UICC, hasMember=[reference(address) for address in members], **others)


def test_several_codings_of_one_result_are_one_finding() -> None:
    """LOINC by test and by method, SNOMED and a local code name one haemoglobin."""
    code = {"coding": [{"system": LOINC, "code": "718-7"}, {"system": LOINC, "code": "20509-6"},
                       {"system": "urn:local", "code": "HB"}]}  # fmt: skip
    readings = read_record(record(measured("718-7", 13, "g/dL", code=code)), catalogue(), AT)
    assert [f.value for f in readings.findings if f.feature == "lab_hemoglobin"] == [13]


def test_the_known_coding_may_stand_anywhere_in_the_list() -> None:
    """Not only first."""
    code = {"coding": [{"system": "urn:local", "code": "HB"}, {"system": LOINC, "code": "718-7"}]}
    assert value("lab_hemoglobin", measured("718-7", 13, "g/dL", code=code)) == 13


@pytest.mark.parametrize("code", [{}, {"coding": []}, {"text": "Hämoglobin"}, {"coding": [{"code": "718-7"}]}])
def test_a_result_without_a_known_code_is_an_issue(code: Resource) -> None:
    """A code without its system is none."""
    assert value("lab_hemoglobin", measured("718-7", 13, "g/dL", code=code)) is None
    assert codes(measured("718-7", 13, "g/dL", code=code)) == {"code-unknown"}


def test_unknown_codes_are_shown_and_texts_are_not() -> None:
    """Enough to complete a site's mapping."""
    [issue] = issues(observation("99999-9", valueString="x"), observation("718-7 Erika", valueString="x"))[:1]
    assert issue.diagnostics in {"99999-9", "no code"}
    assert not [i for i in issues(observation("718-7 Erika")) if "Erika" in i.diagnostics]


@pytest.mark.parametrize(
    ("code", "system"), [("85354-9", LOINC), ("55284-4", LOINC), ("75367002", SNOMED), ("x", "urn:x")]
)
def test_a_blood_pressure_is_read_from_its_components(code: str, system: str) -> None:
    """Whatever code the panel has."""
    both = pressure(120, 75, code, system)
    assert (value("vital_sbp", both), value("vital_dbp", both), value("vital_map", both)) == (120, 75, 90)


def test_a_panel_that_names_its_parts_only_is_told_so() -> None:
    """The members are read where they are."""
    panel = observation("85354-9", hasMember=[reference("Observation/sys")], id="panel")
    assert [i.code for i in issues(panel)] == ["parts-elsewhere"]
    assert value("vital_sbp", panel, measured("8480-6", 120, "mm[Hg]", id="sys")) == 120


def test_a_broken_component_does_not_spoil_its_sister() -> None:
    """Each is read for itself."""
    both = pressure(120, 75)
    both["component"][0]["valueQuantity"]["code"] = "bar"
    assert value("vital_sbp", both) is None
    assert value("vital_dbp", both) == 75
    assert "unit-unknown" in codes(both)


def test_a_component_may_say_why_it_has_no_value() -> None:
    """Not done is not zero."""
    both = pressure(120, 75)
    both["component"][0] = component("8480-6", dataAbsentReason=concept("not-performed"))
    assert value("vital_sbp", both) is None
    assert "data-absent" in codes(both)


@pytest.mark.parametrize(
    ("code", "unit"),
    [("33914-3", "mL/min/{1.73_m2}"), ("19840-8", "/min"), ("14805-6", "U/L"), ("2021-4", "mm[Hg]"), ("5894-1", "%")],
)
def test_codes_that_are_traps_are_never_used(code: str, unit: str) -> None:
    """MDRD, rates of a ventilator, reverse LDH, venous CO2, Quick: excluded, and it is said."""
    trap = measured(code, 50, unit)
    assert set(encoded(trap).findings) == {"demo_age_at_baseline", "demo_sex_female"}
    assert "code-excluded" in codes(trap)


def test_a_reported_filtration_rate_gives_way_to_the_computed_one() -> None:
    """CKD-EPI 2021 from creatinine, age and sex."""
    reported, creatinine = measured("62238-1x", 20, "mL/min/{1.73_m2}"), measured("2160-0", 1.0, "mg/dL")
    assert value("lab_egfr_ckdepi", reported, creatinine) == pytest.approx(63.1, abs=0.5)


def test_the_coded_answer_of_a_panel_may_name_the_parameter() -> None:
    """Site of distant metastasis: liver."""
    site = observation("385421009", SNOMED, valueCodeableConcept=concept("HEP", MII_SITES))
    assert value("stage_met_liver", site) == 1
    assert value("stage_m1", site) == 1
    assert value("stage_met_lung", site) is None


def test_p_wins_over_c_and_a_missing_p_does_not() -> None:
    """PNX leaves cN1."""
    clinical = t_category("cT3", "399504009", SNOMED)
    pathological = t_category("pT2", "384625004", SNOMED, days=20)
    assert value("stage_t_category", clinical, pathological) == 2
    unknown = t_category("pTX", "384625004", SNOMED)
    assert value("stage_t_category", clinical, unknown) == 3


@pytest.mark.parametrize("answer", ["TX", "Tis", "ypT2", "rT2", "yT2", "aT4", "T", "2X"])
def test_x_in_situ_and_marks_of_a_later_stage_are_missing(answer: str) -> None:
    """Yp after treatment, r at recurrence, a at autopsy."""
    assert value("stage_t_category", t_category(answer)) is None


@pytest.mark.parametrize("mark", ["101658-3", "101659-1", "101660-9"])
@pytest.mark.parametrize("prefix", ["", BASE + "/"])
def test_a_stage_beside_a_mark_of_a_later_one_is_not_the_initial_stage(mark: str, prefix: str) -> None:
    """The grouper holds T, N and the mark: none of them enters, by whatever address it names them."""
    t, marked = t_category("T2", id="t"), observation(mark, valueCodeableConcept=concept("y", UICC), id="mark")
    group = grouped(f"{prefix}Observation/t", f"{prefix}Observation/mark")
    assert value("stage_t_category", t, marked, group) is None
    assert value("stage_uicc_stage", t, marked, group) is None
    assert "stage-not-initial" in codes(t, marked, group)


def test_a_mark_that_was_entered_in_error_marks_nothing() -> None:
    """Nor one that stands alone."""
    t, error = t_category("T2", id="t"), observation("101658-3", status="entered-in-error", id="mark")
    assert value("stage_t_category", t, error, grouped("Observation/t", "Observation/mark")) == 2
    assert value("stage_t_category", t, observation("101658-3")) == 2


def test_metastasis_stays_beside_such_a_mark() -> None:
    """M1 after treatment is M1."""
    m = coded("21901-4", "M1", UICC, id="m")
    marked = observation("101658-3", id="mark")
    assert value("stage_m1", m, marked, grouped("Observation/m", "Observation/mark")) == 1


def test_a_percentage_says_more_than_positive() -> None:
    """10 % stands, though "positive" counts as 50."""
    share = measured("85329-1", 10, "%", effectiveDateTime="2024-05-01")
    word = coded("40556-3", "LA6576-8", effectiveDateTime="2024-05-01")
    assert value("path_er", share, word) == value("path_er", word, share) == 10
    assert value("path_er", word) == 50
    assert "same-day-conflict" not in codes(share, word)


def test_mutational_burden_needs_its_unit() -> None:
    """The official example has none."""
    assert value("gene_tmb", measured("94076-7", 12, "{mutations}/Mb")) == 12
    assert value("gene_tmb", observation("94076-7", valueQuantity={"value": 250})) is None
    assert "unit-missing" in codes(observation("94076-7", valueQuantity={"value": 250}))


@pytest.mark.parametrize(("answer", "level"), [("LA26203-2", 1), ("LA26202-4", 0), ("LA14122-8", 0), ("LA0-0", None)])
def test_microsatellites_are_unstable_or_not(answer: str, level: float | None) -> None:
    """MSI-H is 1; MSI-L and stable are 0."""
    assert value("gene_msi_high", coded("81695-9", answer)) == level


def test_every_result_is_used_or_has_an_issue() -> None:
    """Nothing is dropped silently."""
    several = [
        observation("718-7", id="a"),
        observation("", id="b"),
        pressure(120, 75, id="c"),
        observation("85354-9", id="d"),
        coded("59847-4", "8140/3", id="e"),
        coded("69548-6", "LA9633-4", id="f"),
        measured("718-7", 13, "g/dL", id="g"),
    ]
    readings = read_record(record(*several), catalogue(), AT)
    told = {s for f in readings.findings for s in f.sources} | {i.source for i in readings.issues}
    assert {f"Observation/{name}" for name in "abcdefg"} <= told


def test_the_rule_names_the_code_that_was_read() -> None:
    """Provenance of each value."""
    assert finding("lab_hemoglobin", measured("718-7", 13, "g/dL")).rule == "value of 718-7"


def test_an_excluded_code_beside_a_good_one_does_not_disturb() -> None:
    """The rate of a ventilator is filed as a breathing rate too."""
    code = {"coding": [{"system": LOINC, "code": "19840-8"}, {"system": LOINC, "code": "9279-1"}]}
    both = measured("9279-1", 16, "/min", code=code)
    assert value("vital_resp_rate", both) == 16
    assert codes(both) == set()


def test_a_failure_stands_for_all_codings_of_a_result() -> None:
    """One issue, not one per code."""
    code = {"coding": [{"system": LOINC, "code": "718-7"}, {"system": LOINC, "code": "20509-6"}]}
    assert [i.code for i in issues(measured("718-7", 13, "furlong", code=code))] == ["unit-unknown"]


def test_results_that_are_no_stage_stay_beside_a_mark() -> None:
    """And then there is nothing to say."""
    invasion = coded("395715009", "L1", UICC, id="l")
    invasion["code"] = concept("395715009", SNOMED)
    marked = observation("101658-3", id="mark")
    assert value("path_lymphatic_invasion", invasion, marked, grouped("Observation/l", "Observation/mark")) == 1
    told = [
        i for i in issues(invasion, marked, grouped("Observation/l", "Observation/mark")) if i.source.endswith("/l")
    ]
    assert told == []


def test_an_unknown_code_is_named_in_its_issue() -> None:
    """All of its codings."""
    code = {"coding": [{"system": "urn:x", "code": "A1"}, {"system": "urn:y", "code": "99999-9"}]}
    assert [i.diagnostics for i in issues(observation("", code=code))] == ["A1, 99999-9"]
    assert [i.diagnostics for i in issues(observation("", code={"text": "x"}))] == ["no code"]


def read(*chart: Resource, thorough: bool = False) -> tuple[list[float], set[str]]:
    readings = read_record(record(*chart), catalogue(), AT, thorough=thorough)
    of_results = {i.code for i in readings.issues if i.source.startswith("Observation/")}
    return [f.value for f in readings.findings if f.feature == "lab_sodium"], of_results


def test_results_older_than_the_one_that_decides_are_not_read() -> None:
    """What they are written in cannot matter; a thorough reading says it all the same."""
    chart = (measured("2951-2", 140, "mmol/L", 1), measured("2951-2", 141, "cubits", 9))
    assert read(*chart) == ([140], set())
    assert read(*chart, thorough=True) == ([140], {"unit-unknown"})


def test_the_next_older_result_is_read_where_the_newest_cannot_be() -> None:
    """And the newest says why not."""
    values, told = read(measured("2951-2", 140, "cubits", 1), measured("2951-2", 141, "mmol/L", 9))
    assert values == [141]
    assert "unit-unknown" in told


def test_results_of_the_same_day_are_all_read() -> None:
    """By whichever code, because they may contradict each other."""
    values, _ = read(
        measured("2951-2", 140, "mmol/L", 1),
        measured("2947-0", 110, "mmol/L", 1.01),
        measured("2951-2", 90, "mmol/L", 9),
    )
    assert sorted(values) == [110, 140]


@pytest.mark.parametrize("codes_in_order", [("3091-6", "3094-0"), ("3094-0", "3091-6")])
def test_codings_that_name_different_quantities_are_not_used(codes_in_order: tuple[str, str]) -> None:
    """Urea is not urea nitrogen, in whatever order they stand."""
    code = {"coding": [{"system": LOINC, "code": each} for each in codes_in_order]}
    both = measured("3094-0", 40, "mg/dL", code=code)
    assert value("lab_urea_nitrogen", both) is None
    assert "coding-conflict" in codes(both)
