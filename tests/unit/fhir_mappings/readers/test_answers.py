"""The value that a result states, in the parameter's unit, or why it states none."""

from typing import Any

import pytest

from fhir_mappings.concepts import LOINC, SNOMED
from tests.unit.fhir_mappings.resources_of import (
    UCUM,
    UICC,
    Resource,
    coded,
    codes,
    component,
    concept,
    finding,
    issues,
    measured,
    observation,
    value,
)

SODIUM, STAGE, ECOG = "lab_sodium", "stage_uicc_stage", "func_ecog"


def sodium(**members: Any) -> Resource:
    return observation("2951-2", **members)


def ecog(**members: Any) -> Resource:
    return observation("89247-1", **members)


def quantity(number: object, unit: str = "mmol/L", **members: Any) -> Resource:
    return {"valueQuantity": {"value": number, "unit": unit, "code": unit, "system": UCUM} | members}


@pytest.mark.parametrize(
    ("code", "number", "unit", "key", "expected"),
    [
        ("2160-0", 88.4, "umol/L", "lab_creatinine", 1.0),
        ("1988-5", 1.5, "mg/dL", "lab_crp", 15),
        ("718-7", 8.0, "mmol/L", "lab_hemoglobin", 12.89),
        ("8310-5", 98.6, "[degF]", "vital_temperature", 37.0),
        ("6299-2", 14, "mg/dL", "lab_urea_nitrogen", 14),
        ("3091-6", 30, "mg/dL", "lab_urea_nitrogen", 14),
        ("3091-6", 5, "mmol/L", "lab_urea_nitrogen", 14),
        ("48066-5", 250, "ng/mL", "lab_d_dimer", 500),
        ("48065-7", 500, "ng/mL", "lab_d_dimer", 500),
    ],
)
def test_a_result_is_read_in_the_canonical_unit(code: str, number: float, unit: str, key: str, expected: float) -> None:
    """Urea in mass is 2.14 times its nitrogen, in moles it is not; D-dimer units count half."""
    assert value(key, measured(code, number, unit)) == pytest.approx(expected, rel=0.01)


def test_the_value_as_written_stays_with_it() -> None:
    """Number and unit before conversion."""
    found = finding("lab_crp", measured("1988-5", 1.5, "mg/dL"))
    assert (found.original, found.original_unit, found.unit) == (1.5, "mg/dL", "mg/L")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (quantity(140, "furlong"), "unit-unknown"),
        (quantity(140, "mg/dL"), "unit-unknown"),
        ({"valueQuantity": {"value": 140}}, "unit-missing"),
        ({"valueInteger": 140}, "unit-missing"),
        (quantity(1400), "implausible"),
        (quantity(-1), "implausible"),
        (quantity(1e300), "implausible"),
        (quantity(None), "no-value"),
        ({"valueString": "140 mmol/L"}, "not-a-number"),
        ({"valueCodeableConcept": concept("LA6576-8")}, "not-a-number"),
        ({"valueRange": {"low": {"value": 135}, "high": {"value": 140}}}, "not-a-number"),
        ({"valueRatio": {"numerator": {"value": 1}}}, "not-a-number"),
        ({"valueBoolean": True}, "not-a-number"),
        ({}, "no-value"),
        ({"dataAbsentReason": concept("not-performed")}, "data-absent"),
        (quantity(140) | {"dataAbsentReason": concept("error")}, "data-absent"),
    ],
)
def test_what_is_no_usable_number_is_missing_with_its_reason(members: Resource, code: str) -> None:
    """Never a guess, never 0."""
    assert value(SODIUM, sodium(**members)) is None
    assert code in codes(sodium(**members))


def test_an_implausible_value_gives_way_to_an_older_plausible_one() -> None:
    """A typing error does not hide the last good value."""
    assert value(SODIUM, sodium(days=1, **quantity(14)), sodium(days=3, **quantity(138))) == 138


@pytest.mark.parametrize("number", [10**30, -(10**30), 10**400])
def test_an_integer_without_end_is_implausible(number: int) -> None:
    """JSON has no largest integer."""
    assert value(ECOG, ecog(valueInteger=number)) is None


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_a_comparator_is_read_as_its_number_and_marked(comparator: str) -> None:
    """`<5` is 5, and whoever sees it is told."""
    assert finding("lab_crp", measured("1988-5", 5, "mg/L")).flags == ()
    below = observation("1988-5", **quantity(5, "mg/L", comparator=comparator))
    assert (finding("lab_crp", below).value, finding("lab_crp", below).flags) == (5, ("comparator",))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("IIIA", 3), ("IV", 4), ("I", 1), ("0", None), ("X", None), ("V", None), ("III A", None)],
)
def test_a_stage_is_read_from_its_code(answer: str, expected: float | None) -> None:
    """Stage 0 and X are missing, sublevels fall away."""
    assert value(STAGE, coded("21908-9", answer, UICC)) == expected
    assert value(STAGE, observation("21908-9", valueCodeableConcept={"text": answer})) == expected
    assert value(STAGE, observation("21908-9", valueString=f" {answer} ")) == expected


def test_stated_unknown_is_told_apart_from_an_unknown_answer() -> None:
    """X is an answer; a code that the catalogue lacks is none."""
    assert codes(coded("21908-9", "X", UICC)) == {"stated-unknown"}
    assert codes(coded("21908-9", "III", "urn:local")) == {"answer-unknown"}
    assert codes(observation("21908-9", valueString="fortgeschritten")) == {"answer-unknown"}


def test_codings_of_an_answer_that_differ_are_a_conflict() -> None:
    """Stage II beside stage III is neither."""
    both = {"coding": [{"system": UICC, "code": "II"}, {"system": UICC, "code": "III"}]}
    assert value(STAGE, observation("21908-9", valueCodeableConcept=both)) is None
    assert "coding-conflict" in codes(observation("21908-9", valueCodeableConcept=both))


def test_one_known_coding_of_an_answer_suffices() -> None:
    """A local code beside it does not disturb."""
    both = {"coding": [{"system": "urn:local", "code": "x"}, {"system": UICC, "code": "IIB"}]}
    assert value(STAGE, observation("21908-9", valueCodeableConcept=both)) == 2


@pytest.mark.parametrize(("number", "expected"), [(0, 0), (2, 2), (4, 4), (5, None), (-1, None)])
def test_ecog_is_a_grade_from_0_to_4(number: int, expected: float | None) -> None:
    """5 is dead, and an issue."""
    assert value(ECOG, ecog(valueInteger=number)) == expected
    assert value(ECOG, ecog(valueQuantity={"value": number, "code": "{score}"})) == expected
    if expected is None:
        assert "implausible" in codes(ecog(valueInteger=number))


def test_ecog_between_two_grades_is_none() -> None:
    """1.5 was meant as something else."""
    assert value(ECOG, ecog(valueQuantity={"value": 1.5, "code": "{score}"})) is None


@pytest.mark.parametrize(
    ("karnofsky", "grade"),
    [
        (100, 0),
        (90, 1),
        (80, 1),
        (70, 2),
        (60, 2),
        (50, 3),
        (40, 3),
        (30, 4),
        (10, 4),
        (0, None),
        (85, None),
        (110, None),
    ],
)
def test_karnofsky_crosses_over_to_ecog(karnofsky: int, grade: float | None) -> None:
    """By tens; death and numbers between are none."""
    assert value(ECOG, observation("89243-0", valueInteger=karnofsky)) == grade


@pytest.mark.parametrize(("answer", "grade"), [("LA9622-7", 0), ("LA9626-8", 4), ("LA9627-6", None), ("LA29178-3", 2)])
def test_performance_status_is_read_from_loinc_answers(answer: str, grade: float | None) -> None:
    """Of both scales; grade 5 is an issue."""
    assert value(ECOG, coded("89247-1", answer)) == grade


@pytest.mark.parametrize(("total", "grade"), [(6, 1), (7, None), (8, 4), (9, 5), (10, 5), (11, None), (6.9, None)])
def test_a_gleason_sum_decides_where_the_order_of_patterns_does_not_matter(total: float, grade: float | None) -> None:
    """3+4 and 4+3 are two groups."""
    score = observation("35266-6", valueQuantity={"value": total, "code": "{score}"})
    assert value("path_gleason_isup", score) == grade


def test_a_number_is_no_level_where_it_could_be_something_else() -> None:
    """HER2 of 2 may be a ratio."""
    assert value("path_her2", observation("85319-2", valueInteger=2)) is None


@pytest.mark.parametrize(
    ("answer", "level"), [("LA6111-4", 0), ("LA11841-6", 1), ("LA11842-4", 1), ("LA11843-2", 2), ("LA11884-6", None)]
)
def test_her2_is_read_by_its_stain(answer: str, level: float | None) -> None:
    """0, low, low without amplification, positive; indeterminate is missing."""
    assert value("path_her2", coded("85319-2", answer)) == level


@pytest.mark.parametrize(
    ("answer", "level"),
    [("266919005", 0), ("8517006", 1), ("449868002", 2), ("266927001", None)],
)
def test_smoking_is_never_former_or_current(answer: str, level: float | None) -> None:
    """Unknown if ever is missing."""
    assert value("func_smoking_status", coded("72166-2", answer, SNOMED)) == level


def test_a_boolean_answers_a_yes_or_no_question_only() -> None:
    """A lymphatic invasion by a number is not one."""
    own = {"system": "urn:oncohooks:parameter"}
    yes = observation("gene_germline_pathogenic", own["system"], valueBoolean=True)
    assert value("gene_germline_pathogenic", yes) == 1


def test_no_issue_holds_a_text_or_a_value_of_the_record() -> None:
    """Codes, units and parameter keys only: issues are logged and shown."""
    private = "Erika Mustermann 1234"
    told = issues(
        sodium(valueString=private),
        sodium(valueCodeableConcept={"text": private, "coding": [{"system": "x", "code": private}]}),
        sodium(**quantity(987654)),
        observation("89243-0", valueInteger=987654),
        observation("21908-9", valueString=private),
        observation(private, "urn:x", valueString=private, component=[component(private, valueString=private)]),
    )
    assert len(told) >= 6
    assert not [i for i in told if "Mustermann" in i.diagnostics or "987654" in i.diagnostics]


def test_a_unit_that_is_text_only_is_kept_as_it_was_written() -> None:
    """Of a measured value and of a level."""
    assert finding("lab_crp", observation("1988-5", valueQuantity={"value": 5, "unit": "mg/l"})).original_unit == "mg/l"
    assert finding(ECOG, ecog(valueQuantity={"value": 1, "unit": "{score}"})).original_unit == "{score}"


def test_the_diagnostics_name_the_unit_or_its_lack() -> None:
    """So that a site can map it."""
    assert [i.diagnostics for i in issues(sodium(valueQuantity={"value": 140}))] == ["lab_sodium: no unit"]
    assert [i.diagnostics for i in issues(sodium(**quantity(140, "furlong")))] == ["lab_sodium: furlong"]


def test_a_quantity_without_a_number_answers_no_grade() -> None:
    """An empty quantity is none."""
    assert "no-value" in codes(ecog(valueQuantity={"unit": "{score}"}))


VERDICT = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def interpreted(*verdicts: str, system: str = VERDICT) -> Resource:
    return {"interpretation": [concept(verdict, system) for verdict in verdicts]}


@pytest.mark.parametrize(
    ("code", "key", "positive", "negative"),
    [("85337-4", "path_er", 50, 0), ("18474-7", "path_her2", 2, 0), ("21440-3", "path_p16_hpv", 1, 0)],
)
def test_a_verdict_without_a_value_is_read(code: str, key: str, positive: float, negative: float) -> None:
    """Positive and negative, in the addresses of three versions of FHIR and HL7; indeterminate is missing."""
    assert value(key, observation(code, **interpreted("POS"))) == positive
    assert value(key, observation(code, **interpreted("NEG"))) == negative
    assert value(key, observation(code, **interpreted("POS", system="http://hl7.org/fhir/v2/0078"))) == positive
    assert "stated-unknown" in codes(observation(code, **interpreted("IND")))
    assert "coding-conflict" in codes(observation(code, **interpreted("POS", "NEG")))


def test_a_value_or_a_reason_for_its_absence_stands_above_the_verdict() -> None:
    """What was answered, not how it was judged."""
    assert value("path_her2", coded("18474-7", "LA6577-6", **interpreted("POS"))) == 0
    assert value("path_her2", observation("18474-7", dataAbsentReason=concept("error"), **interpreted("POS"))) is None
    assert value("path_er", observation("85337-4", valueRatio={}, **interpreted("POS"))) is None


@pytest.mark.parametrize("code", ["2951-2", "85337-4"])
def test_high_low_or_normal_is_no_value(code: str) -> None:
    """Of a number, or of a receptor."""
    assert codes(observation(code, **interpreted("H"))) == {"interpretation-only"}


@pytest.mark.parametrize(
    "written",
    [
        {"valueRange": {"low": {"value": 135}, "high": {"value": 145}}},
        {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}},
        {"valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": "1 2 3"}},
    ],
)
def test_a_range_a_titre_or_a_curve_is_no_single_number(written: Resource) -> None:
    """Whatever is said beside it."""
    assert codes(sodium(**written, **interpreted("H"))) == {"not-a-number"}


# Values as SNOMED codes the categories of the AJCC, in mCODE and in the value sets of New Zealand.
@pytest.mark.parametrize(
    ("code", "answer", "key", "expected"),
    [
        ("21905-5", "1228882005", "stage_t_category", 0),  # cT0
        ("21905-5", "1228889001", "stage_t_category", 1),  # cT1
        ("21905-5", "1228929004", "stage_t_category", 2),  # cT2
        ("399504009", "1228938002", "stage_t_category", 3),  # cT3
        ("384625004", "1229864001", "stage_t_category", 4),  # pT4
        ("21899-0", "1229856007", "stage_t_category", 2),  # pT2b
        ("21905-5", "1228884006", "stage_t_category", None),  # cTis
        ("21905-5", "1222604002", "stage_t_category", None),  # cTX
        ("21906-3", "1229967007", "stage_n_category", 0),  # cN0
        ("21900-6", "1229954009", "stage_n_category", 1),  # pN1a
        ("371494008", "1229957002", "stage_n_category", 2),  # pN2
        ("399534004", "1229987008", "stage_n_category", 3),  # cN3c
        ("21900-6", "1229945006", "stage_n_category", None),  # pNX
        ("21907-1", "1229901006", "stage_m1", 0),  # cM0
        ("399387003", "1229904003", "stage_m1", 1),  # cM1a
        ("371497001", "1229916009", "stage_m1", 1),  # pM1
        ("21913-9", "55440008", "stage_m1", 1),  # M1, older value
        ("21908-9", "1222723001", "stage_uicc_stage", 1),  # I
        ("21908-9", "1222769001", "stage_uicc_stage", 2),  # IIB
        ("21902-2", "1222802001", "stage_uicc_stage", 3),  # IIIA
        ("399588009", "1222838008", "stage_uicc_stage", 4),  # IVA
        ("399537006", "258228008", "stage_uicc_stage", 4),  # stage 4, older value
        ("399537006", "1222605001", "stage_uicc_stage", None),  # stage 0
        ("371469007", "1228848004", "stage_grade", 1),  # G1
        ("33732-9", "1228851006", "stage_grade", 3),  # G3
        ("33732-9", "1228845001", "stage_grade", None),  # GX
        ("84892-9", "1222639002", "path_residual_status", 1),  # R1
    ],
)
def test_stage_and_grade_are_read_as_snomed_codes(code: str, answer: str, key: str, expected: float | None) -> None:
    """Under the LOINC and the SNOMED codes of the Observation; unknown, in situ and stage 0 are missing."""
    system = LOINC if "-" in code else SNOMED
    staged = coded(code, answer, SNOMED, code=concept(code, system))
    assert value(key, staged) == expected
    assert ("stated-unknown" in codes(staged)) is (expected is None)


def test_a_stage_after_treatment_is_in_no_list() -> None:
    """A ypT2 is no pT2."""
    assert codes(coded("21899-0", "1228910005", SNOMED)) == {"answer-unknown"}


@pytest.mark.parametrize(
    ("code", "answer", "key", "expected"),
    [
        ("33732-9", "54102005", "stage_grade", 1),
        ("33732-9", "258245003", "stage_grade", 4),
        ("33732-9", "12619005", "stage_grade", None),
        ("89247-1", "425389002", "func_ecog", 0),
        ("89247-1", "423237006", "func_ecog", 4),
        ("16112-5", "416053008", "path_er", 50),
        ("16112-5", "441117001", "path_er", 0),
        ("16113-3", "441118006", "path_pr", 0),
        ("48676-1", "427685000", "path_her2", 2),
        ("48676-1", "431396003", "path_her2", 0),
        ("48676-1", "280414007", "path_her2", None),
    ],
)
def test_grade_performance_and_receptors_are_read_as_snomed_findings(
    code: str, answer: str, key: str, expected: float | None
) -> None:
    """The whole finding ("oestrogen receptor positive tumour") in place of a mere "positive"."""
    assert value(key, coded(code, answer, SNOMED)) == expected
