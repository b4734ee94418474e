"""Names of the parts of colon, rectum, and head and neck, as cohort tables write them -> ICD-O-3 topography.

"Tongue", "palate", "pharynx" and "colon" have no row: they do not say whether it is the oropharynx, or which side.
"""

from collections.abc import Mapping

COLON_AND_RECTUM: Mapping[str, str] = {
    "cecum": "C18.0",
    "ascending colon": "C18.2",
    "hepatic flexure": "C18.3",
    "transverse colon": "C18.4",
    "splenic flexure": "C18.5",
    "descending colon": "C18.6",
    "left colon": "C18.6",  # any subsite of it is left-sided
    "sigmoid colon": "C18.7",
    "rectosigmoid": "C19",
    "rectosigmoid colon": "C19",
    "rectosigmoid junction": "C19",
    "rectum": "C20",
}
HEAD_AND_NECK: Mapping[str, str] = {
    "oral cavity": "C06",
    "tonsil": "C09",
    "oropharynx": "C10",
    "hypopharynx": "C13",
    "sinonasal": "C31",
    "sinus": "C31",
    "ethmoid sinus": "C31",
    "maxilla": "C31",
    "larynx": "C32",
}


def colon_topography(name: str) -> str:
    """The topography of a part of colon or rectum; "" where the name does not tell it."""
    return COLON_AND_RECTUM.get(name.strip().lower(), "")


def head_and_neck_topography(name: str) -> str:
    """The topography of a part of head and neck; "" where the name does not tell it."""
    return HEAD_AND_NECK.get(name.strip().lower(), "")
