"""The cards that were read by eye: what demonstration patients' cards say in both languages and all markups.

`python -m tests.unit.service.golden_cards` writes them anew, to be read in the difference.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec

from service.assessment import Assessment, ModelUsed, assess
from service.cds_hooks.cards import Rendering, card_for
from service.language.sentences import LanguageCode
from service.notices import notice
from tests.unit.service.made_up_patients import AT, package, record

FOLDER = Path(__file__).parent / "golden"
PATIENTS = ("demo-lung", "demo-sparse", "demo-two-primaries")
ENDINGS: dict[Rendering, str] = {"markdown": "md", "plain": "txt", "html": "html"}


def assessment_of(patient_id: str) -> Assessment:
    """By random weights, named alike wherever they are made."""
    running = (notice("demonstration"), notice("clock", at=AT))
    assessment = assess(record(patient_id), AT, package(), running)
    return msgspec.structs.replace(assessment, model=ModelUsed("made-up", "0.0.1", "0123456789ab", 600))


def golden_cards() -> Iterator[tuple[str, str]]:
    """File name and text: summary, then detail. All markups of the one who is scored, Markdown of the others."""
    for patient in PATIENTS:
        assessment = assessment_of(patient)
        for language in get_args(LanguageCode):
            for rendering, ending in ENDINGS.items():
                if assessment.abstained is None or rendering == "markdown":
                    card = card_for(assessment, "", language=language, rendering=rendering)
                    yield f"{patient}.{language}.{ending}", f"{card.summary}\n\n{card.detail}\n"


if __name__ == "__main__":
    for name, text in golden_cards():
        (FOLDER / name).write_text(text, encoding="utf-8")
