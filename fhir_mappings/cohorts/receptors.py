"""Receptors of breast cancer as the cohort tables state them."""

import re

POSITIVE_WITHOUT_NUMBER = 50.0  # the catalogue's convention for a mere "positive"
BELOW_TEN = 5.0


def receptor_percentage(status: str, category: str) -> float | None:
    """Percentage of stained cells: 0 for a negative, the middle of the band, 5 for "<10%", else 50 for a positive."""
    if status == "negative":
        return 0.0
    if category == "<10%":
        return BELOW_TEN
    band = re.fullmatch(r"(\d+)-(\d+)%", category)
    if band:
        return (int(band[1]) + int(band[2])) / 2
    return POSITIVE_WITHOUT_NUMBER if status == "positive" else None


def her2_level(status: str, level: str, in_situ: str) -> int | None:
    """HER2 as 0, 1 (low) or 2 (positive) from immunohistochemistry and in-situ hybridisation.

    3+ or amplified is 2; 1+, or 2+ that was tested and is not amplified, is 1; 0 or a mere negative is 0. An untested
    2+ and an indeterminate result are missing, unless the form's own conclusion is "positive".
    """
    if in_situ == "positive" or level == "3+":
        return 2
    if level == "1+" or (level == "2+" and in_situ == "negative"):
        return 1
    if level == "0" or in_situ == "negative" or status == "negative":
        return 0
    return 2 if status == "positive" else None
