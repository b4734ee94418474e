"""The cards that were read by eye: what demonstration patients' cards say in both languages and all markups.

`python -m tests.unit.service.golden_cards` writes them anew, to be read in the difference.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec

from fhir_mappings.concepts import catalogue
from models.package import Package
from service.assessment import Assessment, assess
from service.cds_hooks.cards import Rendering, card_for
from service.language.sentences import LanguageCode
from service.notices import notice
from service.survival import Showing
from tests.unit.service.made_up_patients import AT, arriving, record

SHIPPED = Path(__file__).parents[3] / "models" / "packages" / "pan-cancer"
FOLDER = Path(__file__).parent / "golden"
PATIENTS = ("demo-lung", "demo-emergency", "demo-sparse", "demo-two-primaries")
EMERGENCIES = ("demo-emergency", "demo-treated", "demo-sparse", "demo-no-cancer")
ARRIVED = "demo-emergency"  # whose chart has the vital signs of an arrival: two sets, which the card tells apart
ENDINGS: dict[Rendering, str] = {"markdown": "md", "plain": "txt", "html": "html"}


@cache
def shipped() -> Package:
    return Package.load(SHIPPED, catalogue().schema)


def assessment_of(patient_id: str, *, emergency: bool = False) -> Assessment:
    """By the shipped package; new weights change some figures, and its digest is left out."""
    running = (notice("demonstration"), notice("clock", at=AT))
    showing = Showing("detail", demonstration=True)
    comes_from_the_clinic = emergency and patient_id != ARRIVED
    resources = arriving(patient_id) if comes_from_the_clinic else None
    assessment = assess(record(patient_id, resources), AT, shipped(), running, showing=showing, emergency=emergency)
    assert assessment.model is not None
    return msgspec.structs.replace(assessment, model=msgspec.structs.replace(assessment.model, digest="0" * 64))


def golden_cards() -> Iterator[tuple[str, str]]:
    """File name and text: summary, then detail. All markups of the one who is scored, Markdown of the others."""
    shown = {patient: assessment_of(patient) for patient in PATIENTS}
    shown |= {f"emergency-{patient}": assessment_of(patient, emergency=True) for patient in EMERGENCIES}
    for patient, assessment in shown.items():
        for language in get_args(LanguageCode):
            for rendering, ending in ENDINGS.items():
                if assessment.abstained is None or rendering == "markdown":
                    card = card_for(assessment, "", language=language, rendering=rendering)
                    yield f"{patient}.{language}.{ending}", f"{card.summary}\n\n{card.detail}\n"


if __name__ == "__main__":
    for name, text in golden_cards():
        (FOLDER / name).write_text(text, encoding="utf-8")
