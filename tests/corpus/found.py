"""`python -m tests.corpus.found [CORPUS]`: how many parameters of each modality are found, patient by patient.

At the newest moment of the record; `ever` counts those found at any moment of it. Patients of whom nothing but age and
sex is found are counted in the last line.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import encode
from fhir_mappings.moment import latest
from fhir_mappings.record import PatientRecord
from models.features import MODALITIES
from tests.conftest import CORPUS
from tests.corpus.published import NO_DATE, collections, moments

_PERSON = "demographics"


class Found(NamedTuple):
    """Numbers of parameters; `by_modality` and `all` at `at`."""

    collection: str
    patient: str
    at: datetime
    by_modality: Counter[str]
    ever: int

    @property
    def all(self) -> int:
        return self.by_modality.total()


def found(collection: str, record: PatientRecord) -> Found:
    schema = catalogue().schema
    at = latest(record) or NO_DATE
    keys = set(encode(record, schema, at).findings)
    ever = keys.union(*(encode(record, schema, moment).findings for moment in moments(record)))
    return Found(collection, record.patient_id, at, Counter(schema[key].modality for key in keys), len(ever))


def rows(corpus: Path) -> list[Found]:
    """Every patient of the corpus, those with the most parameters first within a collection."""
    every = [found(collection, record) for (collection, _), record in collections(corpus).items()]
    return sorted(every, key=lambda one: (one.collection, -one.ever, one.patient))


def table(patients: Iterable[Found]) -> str:
    """The table in Markdown."""
    shown, silent = [], 0
    for one in patients:
        if one.ever > one.by_modality[_PERSON]:
            shown.append(one)
        else:
            silent += 1
    lines = ["| collection | patient | at | " + " | ".join(MODALITIES) + " | all | ever |"]
    lines.append("|---|---|---|" + "---:|" * (len(MODALITIES) + 2))
    for one in shown:
        numbers = (*(one.by_modality[modality] for modality in MODALITIES), one.all, one.ever)
        lines.append(f"| {one.collection} | {one.patient} | {one.at.date()} | " + " | ".join(map(str, numbers)) + " |")
    lines.append(f"\n{len(shown)} patients; of {silent} others no more than age and sex is found.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(rows(Path(sys.argv[1] if len(sys.argv) > 1 else CORPUS))) + "\n")
