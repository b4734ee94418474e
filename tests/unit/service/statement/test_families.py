"""Inputs that measure much the same stand together."""

import math

import msgspec
import pytest

from service.assessment import Assessment, assess
from service.attribution import Evidence, Factor
from service.language.sentences import ENGLISH
from service.statement.factors import Row, factor_table
from service.wording import feature_of
from tests.unit.service.made_up_patients import AT, package, record


def factor(feature: str, distance: float, value: float = 1.0, origin: str = "entity+setting") -> Factor:
    return Factor(
        feature,
        relevance=distance,
        typical=0.0,
        factor=math.exp(distance),
        family=feature_of(feature).family,
        value=value,
        evidence=Evidence(60, origin),
    )


def rows(*factors: Factor) -> list[Row]:
    """The table of an assessment with these factors."""
    assessment: Assessment = assess(record("demo-lung"), AT, package())
    ordered = tuple(sorted(factors, key=lambda f: -abs(f.relevance)))
    return list(factor_table(msgspec.structs.replace(assessment, attribution=ordered), AT, ENGLISH).rows)


HAEMOGLOBIN = factor("lab_hemoglobin", 0.5, 8.2)
HAEMATOCRIT = factor("lab_hematocrit", 0.2, 24)


def test_members_stand_together_with_their_values_and_one_factor() -> None:
    """Each has a row with its value; the joint factor, their product, stands in the first."""
    first, second, third = rows(HAEMOGLOBIN, factor("demo_age_at_baseline", 0.6, 80), HAEMATOCRIT)
    assert (first.label, first.value, first.factor) == ("Haemoglobin", "8.2 g/dL", "×2.0 joint")
    assert (second.label, second.value, second.factor) == ("+ Haematocrit", "24 %", "")
    assert (third.label, third.factor) == ("Age", "×1.8")


def test_an_input_alone_is_not_called_together() -> None:
    """One member of a family, or one that nothing stands beside, has its own factor."""
    assert [row.factor for row in rows(HAEMOGLOBIN)] == ["×1.6"]


def test_the_direction_is_that_of_the_product() -> None:
    """A member that points the other way stands with the others: only together they mean something."""
    found = rows(HAEMOGLOBIN, factor("lab_hematocrit", -0.3, 40))
    assert [row.direction for row in found] == ["▲ less favourable"] * 2
    assert found[0].factor == "×1.2 joint"


def test_members_that_cancel_are_among_the_others() -> None:
    """A family that says nothing together is no factor for or against."""
    (row,) = rows(HAEMOGLOBIN, factor("lab_hematocrit", -0.499, 40))
    assert (row.direction, row.label, row.factor) == ("", "the other 2 inputs together", "×1.00")


def test_what_was_learned_elsewhere_stands_apart() -> None:
    """An entry whose factor moves the position does not hold one that does not."""
    found = rows(HAEMOGLOBIN, factor("lab_hematocrit", 0.2, 24, "setting"))
    assert [(row.label, row.factor) for row in found] == [("Haemoglobin", "×1.6"), ("Haematocrit°", "×1.2")]


@pytest.mark.parametrize("each_way", [1, -1])
def test_five_entries_a_direction_however_many_members(each_way: int) -> None:
    """What counts to five are entries; the product of all rows is that of all factors."""
    families = ("lab_hemoglobin", "lab_hematocrit", "lab_wbc", "lab_neutrophils_abs", "lab_platelets", "lab_mpv")
    single = ("demo_age_at_baseline", "func_ecog", "lab_ferritin", "comorb_mi")
    given = [factor(key, each_way * (0.1 + 0.01 * i)) for i, key in enumerate((*families, *single))]
    found = rows(*given)
    assert sum(bool(row.factor) for row in found if row.direction) == 5
    product = math.prod(float(row.factor.strip("×").split()[0]) for row in found if row.factor)
    assert product == pytest.approx(math.prod(f.factor for f in given), rel=0.1)
