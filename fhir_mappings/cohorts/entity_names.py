"""The names that cohorts give their cancer types -> entity, from the catalogue (entities.csv)."""

import csv
from collections.abc import Mapping
from functools import cache
from typing import Literal

from fhir_mappings.gene_rules import CATALOGUE


@cache
def entities_named(column: Literal["tcga", "msk_met", "support2", "oncotree"]) -> Mapping[str, str]:
    """Name -> entity. Remarks in brackets are no part of a name; "X with CODE" needs a code, which `oncotree` holds.

    TCGA's study names and OncoTree codes are single words, the other names whole phrases between semicolons.
    """
    with (CATALOGUE / "entities.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    split = _words if column in ("tcga", "oncotree") else _phrases
    return {name: row["key"] for row in rows for name in split(row[column])}


def _words(cell: str) -> list[str]:
    return cell.split("(", maxsplit=1)[0].split()


def _phrases(cell: str) -> list[str]:
    phrases = [phrase.split(" (")[0].strip() for phrase in cell.split(";")]
    return [phrase for phrase in phrases if phrase and " with " not in phrase]
