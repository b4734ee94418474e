"""Stages, categories and grades as cohort tables write them."""

import pytest

from fhir_mappings.cohorts.receptors import her2_level, receptor_percentage
from fhir_mappings.cohorts.staging import category, distant_metastasis, grade, stage_group


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Stage IIA", 2), ("Stage IV", 4), ("IVb", 4), ("Stage IIIC2", 3), ("Stage IB1", 1), ("I", 1), ("IS", 1),
     ("Stage IS", 1), ("Stage 0", None), ("Stage X", None), ("I/II NOS", None), ("[Discrepancy]", None),
     ("[Unknown]", None), ("", None)],
)  # fmt: skip
def test_stage_groups(text: str, expected: int | None) -> None:
    """The roman numeral of a stage group, and nothing fished out of other texts: "[Discrepancy]" holds a D and an I."""
    assert stage_group(text) == expected


@pytest.mark.parametrize(
    ("text", "letter", "expected"),
    [("t1b2", "t", 1), ("t4a", "t", 4), ("t0", "t", 0), ("tx", "t", None), ("tis", "t", None), ("", "t", None),
     ("n0 (i+)", "n", 0), ("n1mi", "n", 1), ("n3c", "n", 3), ("nx", "n", None), ("t2", "n", None)],
)  # fmt: skip
def test_categories(text: str, letter: str, expected: int | None) -> None:
    """The first digit; X and in situ are missing."""
    assert category(text, letter) == expected


@pytest.mark.parametrize(("text", "expected"), [("m1c", 1), ("m0", 0), ("cm0 (i+)", 0), ("mx", None), ("", None)])
def test_metastasis(text: str, expected: int | None) -> None:
    """Isolated tumour cells in cM0(i+) are no metastasis."""
    assert distant_metastasis(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("G1", 1), ("g4", 4), ("Low Grade", 1), ("High Grade", 3), ("GX", None), ("GB", None)]
)
def test_grades(text: str, expected: int | None) -> None:
    """Low and high grade are 1 and 3, borderline is none."""
    assert grade(text) == expected


@pytest.mark.parametrize(
    ("status", "band", "expected"),
    [("positive", "90-99%", 94.5), ("positive", "<10%", 5), ("negative", "<10%", 0), ("negative", "", 0),
     ("positive", "", 50), ("indeterminate", "", None), ("indeterminate", "20-29%", 24.5), ("", "", None)],
)  # fmt: skip
def test_receptors(status: str, band: str, expected: float | None) -> None:
    """The middle of the band; a mere positive is 50, a negative 0 whatever its band."""
    assert receptor_percentage(status, band) == expected


@pytest.mark.parametrize(
    ("status", "level", "in_situ", "expected"),
    [("positive", "3+", "", 2), ("equivocal", "2+", "positive", 2), ("negative", "1+", "", 1),
     ("equivocal", "2+", "negative", 1), ("negative", "0", "", 0), ("negative", "", "", 0), ("", "", "negative", 0),
     ("equivocal", "2+", "", None), ("equivocal", "2+", "equivocal", None), ("positive", "", "", 2),
     ("indeterminate", "", "", None), ("", "", "", None)],
)  # fmt: skip
def test_her2(status: str, level: str, in_situ: str, expected: int | None) -> None:
    """Amplification decides over staining; an untested 2+ says nothing."""
    assert her2_level(status, level, in_situ) == expected
