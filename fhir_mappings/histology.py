"""ICD-O-3 morphology -> the histology flags, topography -> subsite flags; one copy for FHIR records and for cohorts.

The ranges are those of the catalogue's definitions, written out here so that no prose is parsed at run time.
"""

import re
from collections.abc import Mapping

# What only says that there is a malignant tumour, or an epithelial one: no flag can be told from it.
UNSPECIFIC = ((8000, 8011),)

NEUROENDOCRINE = ((8013, 8013), (8040, 8045), (8150, 8156), (8240, 8249), (8574, 8574))
RANGES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "path_adenocarcinoma": ((8140, 8389), (8400, 8576), (8941, 8941)),
    "path_squamous": ((8050, 8086), (8094, 8094), (8123, 8123), (8560, 8560)),
    "path_neuroendocrine_diff": NEUROENDOCRINE,
    "path_mucinous_signet": ((8470, 8490),),
    "path_undifferentiated": ((8020, 8022),),
    "path_medullary_thyroid": ((8345, 8347),),
    "path_sarcomatoid": (
        (8030, 8033), (8318, 8318), (8572, 8572), (8575, 8575), (8950, 8950), (8980, 8982), (9051, 9051), (9053, 9053),
    ),
    "path_serous": ((8441, 8441), (8460, 8461), (8474, 8474)),
}  # fmt: skip
FLAGS = tuple(RANGES)

MEDULLARY_OF_ANY_SITE = 8510  # in the breast another tumour: it counts only where the site is the thyroid
THYROID = "C73"

RIGHT_COLON = ("C18.0", "C18.2", "C18.3", "C18.4")
LEFT_COLON_AND_RECTUM = ("C18.5", "C18.6", "C18.7", "C19", "C20")
OROPHARYNX = ("C01", "C09", "C10")

_MORPHOLOGY = re.compile(r"(?:M-?)?(\d{4})(?:/?(\d))?")
_TOPOGRAPHY = re.compile(r"C(\d\d)(?:\.?(\d))?")


def morphology_number(code: str | int) -> int | None:
    """The four digits of "8140/3", "M8140/3", "81403" or 8140; None where it is no morphology."""
    found = _MORPHOLOGY.fullmatch(str(code).strip().upper())
    return int(found[1]) if found and 8000 <= int(found[1]) <= 9999 else None


def behaviour(code: str | int) -> int | None:
    """The digit behind the slash (3 malignant primary, 6 metastasis …); None where none is written."""
    found = _MORPHOLOGY.fullmatch(str(code).strip().upper())
    return int(found[2]) if found and found[2] else None


def topography_site(code: str) -> str | None:
    """Write c34.1, C341 and C34.1 as C34.1 and leave a category as it is (C34); None where it is no topography."""
    found = _TOPOGRAPHY.fullmatch(code.strip().upper())
    if not found:
        return None
    return f"C{found[1]}.{found[2]}" if found[2] else f"C{found[1]}"


def is_unspecific(morphology: int) -> bool:
    """Neoplasm, tumour cells, carcinoma or epithelial tumour without further detail."""
    return _within(morphology, UNSPECIFIC)


def histology_flags(morphology: str | int, topography: str | None = None) -> dict[str, int]:
    """All eight `path_…` flags as 0 or 1; empty for unspecific morphology (8000-8011) and for what is none.

    `topography` decides whether 8510 is the medullary carcinoma of the thyroid.
    """
    number = morphology_number(morphology)
    if number is None or is_unspecific(number):
        return {}
    flags = {key: int(_within(number, ranges)) for key, ranges in RANGES.items()}
    if _within(number, NEUROENDOCRINE):
        flags["path_adenocarcinoma"] = 0  # "neuroendocrine codes excepted"
    site = topography_site(topography) if topography else None
    if number == MEDULLARY_OF_ANY_SITE and site is not None and site.startswith(THYROID):
        flags["path_medullary_thyroid"] = 1
    return flags


def colon_right_sided(topography: str) -> int | None:
    """1 for caecum to transverse colon, 0 for splenic flexure to rectum; None for appendix, C18.8, C18.9 and others."""
    site = topography_site(topography)
    if site is None:
        return None
    if site in RIGHT_COLON:
        return 1
    return 0 if site in LEFT_COLON_AND_RECTUM or site[:3] in LEFT_COLON_AND_RECTUM else None


def oropharynx(topography: str) -> int | None:
    """1 for base of tongue, tonsil and oropharynx (C01, C09, C10), 0 for other sites of head and neck, else None.

    Head and neck as in the catalogue's entity: C00-C06, C09, C10, C12-C14, C30.0, C31, C32; not the nasopharynx (C11)
    and the salivary glands (C07, C08), which are entities of their own. C14.8 (overlapping) is 0.
    """
    site = topography_site(topography)
    if site is None:
        return None
    if site[:3] in OROPHARYNX:
        return 1
    return 0 if site[:3] in HEAD_NECK or site == "C30.0" else None


HEAD_NECK = frozenset({*(f"C0{n}" for n in range(7)), "C12", "C13", "C14", "C31", "C32"})


def _within(number: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= number <= high for low, high in ranges)
