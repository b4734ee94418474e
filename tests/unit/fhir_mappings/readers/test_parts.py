"""Values that need a second number."""

import pytest

from fhir_mappings.concepts import SNOMED
from tests.unit.fhir_mappings.resources_of import (
    UCUM,
    Resource,
    ago,
    codes,
    concept,
    finding,
    measured,
    observation,
    value,
)

TROPONIN, LDH_RATIO, PF, URINE = "lab_troponin_i", "ratio_ldh_uln_ratio", "lab_pf_ratio", "func_urine_output"


def limited(code: str, number: float, *limits: float, unit: str = "U/L", of: str = "U/L") -> Resource:
    ranges = [{"high": {"value": limit, "unit": of, "code": of}} for limit in limits]
    return measured(code, number, unit, referenceRange=ranges)


def gas(pressure: float, unit: str, fraction: float, of: str) -> list[Resource]:
    oxygen = {"value": fraction, "code": of, "unit": of}
    return [measured("2703-7", pressure, unit), observation("3150-0", valueQuantity=oxygen)]


def test_a_multiple_of_the_limit_takes_the_limit_of_that_very_result() -> None:
    """LDH 500 with a limit of 250 is 2."""
    assert value(LDH_RATIO, limited("2532-0", 500, 250)) == 2
    assert value("lab_ldh", limited("2532-0", 500, 250)) == 500
    assert value(TROPONIN, limited("89579-7", 52, 26, unit="ng/L", of="ng/L")) == 2


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (limited("2532-0", 500), "no-limit"),
        (limited("2532-0", 500, 250, 214), "no-limit"),
        (limited("2532-0", 500, 0), "no-limit"),
        (limited("2532-0", 500, 4.2, of="ukat/L"), "unit-conflict"),
        (limited("2532-0", 500, 1e-300), "implausible"),
    ],
)
def test_without_one_limit_in_the_same_unit_there_is_no_multiple(result: Resource, code: str) -> None:
    """No limit, two limits, zero, another unit, a limit that cannot be."""
    assert value(LDH_RATIO, result) is None
    assert code in codes(result)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (gas(60, "mm[Hg]", 0.21, "1"), 285.7),
        (gas(60, "mm[Hg]", 21, "%"), 285.7),
        (gas(8, "kPa", 21, "%"), 285.7),
        (gas(60, "mm[Hg]", 21, ""), 285.7),
        (gas(60, "mm[Hg]", 1, "1"), 60),
    ],
)
def test_oxygenation_is_pressure_over_fraction_in_any_of_their_units(sample: list[Resource], expected: float) -> None:
    """Kilopascal taken as mmHg would make a healthy lung a failing one."""
    assert value(PF, *sample) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    "sample",
    [
        gas(60, "bar", 0.21, "1"),
        gas(60, "", 0.21, "1"),
        gas(60, "mm[Hg]", 2, "L/min"),
        gas(60, "mm[Hg]", 0, "%"),
        gas(60, "mm[Hg]", 1, "%"),
        gas(60, "mm[Hg]", 300, "%"),
        gas(-60, "mm[Hg]", 0.21, "1"),
    ],
)
def test_a_part_of_unknown_unit_or_impossible_size_is_none(sample: list[Resource]) -> None:
    """A flow of oxygen is no fraction of it."""
    assert value(PF, *sample) is None
    assert codes(*sample) & {"unit-unknown", "unit-missing", "implausible"}


def scale(eyes: object, verbal: object, motor: object) -> Resource:
    parts = zip(("9267-6", "9270-0", "9268-4"), (eyes, verbal, motor), strict=True)
    return observation(
        "9269-2x",
        component=[{"code": concept(code), "valueInteger": points} for code, points in parts if points is not None],
    )


@pytest.mark.parametrize(
    ("points", "expected"),
    [((4, 5, 6), 15), ((1, 1, 1), 3), ((4, 5, None), None), ((0, 5, 6), None), ((5, 5, 5), None), ((4, 5, 7), None)],
)
def test_the_coma_scale_is_the_sum_of_three_possible_parts(points: tuple[object, ...], expected: float | None) -> None:
    """A missing part, or one that does not exist, makes no sum."""
    assert value("func_gcs", scale(*points)) == expected


def test_the_coma_scale_may_be_answered_in_words() -> None:
    """Eyes open spontaneously, confused, localises pain: 13, as in FHIR's own example."""
    answers = zip(("9267-6", "9270-0", "9268-4"), ("LA6556-0", "LA6560-2", "LA6566-9"), strict=True)
    parts = [{"code": concept(code), "valueCodeableConcept": concept(answer)} for code, answer in answers]
    assert value("func_gcs", observation("9269-2x", component=parts)) == 13


def test_a_part_that_is_absent_is_an_issue() -> None:
    """Not assessed is not the lowest."""
    eyes = observation("9267-6", dataAbsentReason=concept("not-performed"))
    assert "no-value" in codes(eyes)


@pytest.mark.parametrize(("unit", "code"), [("%", ""), ("10*9/L", "unit-unknown"), ("1", "unit-unknown")])
def test_a_share_of_leukocytes_is_a_percentage(unit: str, code: str) -> None:
    """0.65 as a fraction could be 0.65 %."""
    sample = [measured("770-8", 65, unit), measured("6690-2", 10, "10*9/L")]
    assert value("lab_neutrophils_abs", *sample) == (None if code else 6.5)
    assert codes(*sample) == ({code} if code else set())


def test_a_share_beyond_100_is_none() -> None:
    """Nor below 0, nor as a text."""
    for members in ({"valueQuantity": {"value": 165, "code": "%"}}, {"valueString": "65"}):
        assert "not-a-number" in codes(observation("770-8", **members))


def test_a_comparator_travels_with_a_part() -> None:
    """Into what is derived from it."""
    share = observation("770-8", valueQuantity={"value": 95, "code": "%", "system": UCUM, "comparator": ">"})
    assert finding("lab_neutrophils_abs", share, measured("6690-2", 10, "10*9/L")).flags == ("comparator",)


@pytest.mark.parametrize(("ratio", "level"), [(2.0, 2), (6.1, 2), (1.9, None)])
def test_amplification_by_in_situ_hybridisation_makes_her2_positive(ratio: float, level: float | None) -> None:
    """Whatever the stain says; no amplification says nothing of the stain."""
    fish = observation("49683-6", valueQuantity={"value": ratio, "code": "{ratio}"})
    assert value("path_her2", fish) == level
    by_parts = observation("49683-6", valueRatio={"numerator": {"value": ratio}, "denominator": {"value": 1}})
    assert value("path_her2", by_parts) == level
    low = observation("85319-2", valueCodeableConcept=concept("LA11842-4"))
    assert value("path_her2", fish, low) == (level or 1)


@pytest.mark.parametrize(("primary", "secondary", "group"), [(3, 3, 1), (3, 4, 2), (4, 3, 3), (4, 4, 4), (4, 5, 5)])
def test_gleason_patterns_make_the_grade_group(primary: int, secondary: int, group: float) -> None:
    """Their order matters; outside the prostate they are nothing."""
    patterns = [
        observation("384994009", SNOMED, valueInteger=primary),
        observation("384995005", SNOMED, valueInteger=secondary),
    ]
    assert value("path_gleason_isup", *patterns) == group


def test_gleason_patterns_may_be_coded() -> None:
    """SNOMED pattern 3 and pattern 4 make group 2."""
    patterns = [
        observation("384994009", SNOMED, valueCodeableConcept=concept("369772003", SNOMED)),
        observation("384995005", SNOMED, valueCodeableConcept=concept("369773008", SNOMED)),
    ]
    assert value("path_gleason_isup", *patterns) == 2


def urine(volume: float, hours: float | None, code: str = "9187-6", unit: str = "mL") -> Resource:
    period = {"start": ago(1 + (hours or 0) / 24), "end": ago(1)}
    when: Resource = {"effectivePeriod": period, "effectiveDateTime": None} if hours else {}
    return measured(code, volume, unit, **when)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (urine(1800, 24), 1800),
        (urine(600, 8), 1800),
        (urine(300, 4), None),
        (urine(300, None), None),
        (urine(1800, None, code="9192-6"), 1800),
        (urine(75, None, unit="mL/h"), 1800),
    ],
)
def test_urine_is_a_volume_of_24_hours(result: Resource, expected: float | None) -> None:
    """Shorter periods from 6 hours are scaled; a single voiding is no day."""
    found = value(URINE, result)
    assert found == (None if expected is None else pytest.approx(expected, rel=0.01))
    if expected is None:
        assert "period-unknown" in codes(result)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [((4, 5, 6), 15), ((4, 6, 5), None), ((4, 5, 7), None), ((5, 5, 5), None), ((4, 0, 6), None), ((4, 5, 0), None)],
)
def test_each_part_of_the_coma_scale_has_its_own_highest_grade(
    parts: tuple[object, ...], expected: float | None
) -> None:
    """Eyes 4, words 5, movement 6."""
    assert value("func_gcs", scale(*parts)) == expected


@pytest.mark.parametrize(("pattern", "expected"), [(5, 5), (6, None), (0, None)])
def test_a_gleason_pattern_is_one_of_five(pattern: int, expected: float | None) -> None:
    """Six is a sum."""
    patterns = [
        observation("384994009", SNOMED, valueInteger=pattern),
        observation("384995005", SNOMED, valueInteger=5),
    ]
    assert value("path_gleason_isup", *patterns) == expected


@pytest.mark.parametrize(("percent", "expected"), [(0, 0), (100, 10), (100.5, None), (-0.5, None)])
def test_a_share_lies_between_0_and_100(percent: float, expected: float | None) -> None:
    """Both ends are possible."""
    assert value("lab_neutrophils_abs", measured("770-8", percent, "%"), measured("6690-2", 10, "10*9/L")) == expected


def test_units_of_parts_may_be_text_only() -> None:
    """As those of other results."""
    share = observation("770-8", valueQuantity={"value": 65, "unit": "%"})
    assert value("lab_neutrophils_abs", share, measured("6690-2", 10, "10*9/L")) == 6.5
    oxygen = observation("3150-0", valueQuantity={"value": 21, "unit": "%"})
    assert value(PF, measured("2703-7", 63, "mm[Hg]"), oxygen) == 300
    ldh = observation(
        "2532-0", valueQuantity={"value": 500, "unit": "U/L"}, referenceRange=[{"high": {"value": 250, "unit": "U/L"}}]
    )
    assert value(LDH_RATIO, ldh) == 2
    assert finding(LDH_RATIO, ldh).original_unit == "U/L"


@pytest.mark.parametrize("range_", [{"low": {"value": 120}}, {"high": {}}, {"high": {"unit": "U/L"}}, {}])
def test_a_range_without_an_upper_end_is_no_limit(range_: Resource) -> None:
    """Nor does it hide the one that has it."""
    alone = measured("2532-0", 500, "U/L", referenceRange=[range_])
    assert "no-limit" in codes(alone)
    both = limited("2532-0", 500, 250)
    both["referenceRange"].append(range_)
    assert value(LDH_RATIO, both) == 2


@pytest.mark.parametrize(
    "ratio",
    [
        {"numerator": {"value": 2}},
        {"denominator": {"value": 1}},
        {"numerator": {"value": 2}, "denominator": {"value": 0}},
    ],
)
def test_half_a_ratio_is_none(ratio: Resource) -> None:
    """Nor one over zero."""
    assert value("path_her2", observation("49683-6", valueRatio=ratio)) is None


def test_six_hours_of_urine_are_enough() -> None:
    """One minute less is not."""
    assert value(URINE, urine(450, 6)) == pytest.approx(1800)
    assert value(URINE, urine(450, 5.9)) is None
