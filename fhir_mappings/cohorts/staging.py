"""Stages, categories and grades as cohort tables write them."""

import re

ROMAN = {"IV": 4, "III": 3, "II": 2, "I": 1}
GRADES = {"G1": 1, "G2": 2, "G3": 3, "G4": 4, "LOW GRADE": 1, "HIGH GRADE": 3}

_GROUP = re.compile(r"(?:STAGE )?(IV|III|II|I)(?:[A-D][1-3]?)?")


def stage_group(text: str) -> int | None:
    """The roman numeral of a stage group; "IS" is stage I of the testis.

    None for stage 0, X, "I/II NOS", "[Discrepancy]" and every other text: a numeral is not fished out of it.
    """
    plain = text.strip().upper()
    if plain in ("IS", "STAGE IS"):
        return 1
    found = _GROUP.fullmatch(plain)
    return ROMAN[found[1]] if found else None


def category(text: str, letter: str) -> int | None:
    """The digit of a T or N category (`letter`): t1b2 is 1, n0 (i+) is 0; None for X, in situ and empty cells."""
    found = re.match(rf"{letter}([0-4])", text.strip(), re.IGNORECASE)
    return int(found[1]) if found else None


def distant_metastasis(text: str) -> int | None:
    """1 for M1 (a, b, c), 0 for M0 and cM0(i+), None for MX and empty cells."""
    found = re.match(r"c?m([01])", text.strip(), re.IGNORECASE)
    return int(found[1]) if found else None


def grade(text: str) -> int | None:
    """G1-G4, low grade 1, high grade 3; None for GX, GB (borderline) and empty cells."""
    return GRADES.get(text.strip().upper())
