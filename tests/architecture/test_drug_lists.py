"""The written list of ATC substances against the concept map."""

import csv
import re

from fhir_mappings.concepts import ATC, DATA, canonical, catalogue


def rows() -> list[dict[str, str]]:
    with (DATA / "atc.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_substance_is_listed_once_in_its_own_class() -> None:
    """Seven characters, of which the first five name the class."""
    codes = [(row["class"], code) for row in rows() for code in row["codes"].split()]
    assert len(codes) == len({code for _, code in codes})
    assert all(re.fullmatch(r"[A-Z]\d\d[A-Z]{2}\d\d", code) and code.startswith(name) for name, code in codes)


def test_each_category_of_the_concept_map_has_a_listed_substance() -> None:
    """A mistyped row does not become an empty class."""
    classes = {row["class"] for row in rows()}
    wanted = {r["code"] for r in catalogue().rows if canonical(r["system"]) == ATC and len(r["code"]) < 7}
    assert {code for code in wanted if not any(name.startswith(code) for name in classes)} == set()


def test_each_list_says_where_it_comes_from() -> None:
    """Verified in a published value set, else from memory."""
    for row in rows():
        assert (row["verification"], bool(row["source"])) in {("verified", True), ("recalled", False)}
