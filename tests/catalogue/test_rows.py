"""Every row of the catalogue holds what a clinician has to be able to check."""

import re
from collections import defaultdict

import pytest

from fhir_mappings.concepts import ICD_O_3, LOINC, SNOMED
from models.features import MODALITIES
from tests.catalogue.verification import KINDS, best_verification, report
from tests.mutation.mutants import Row, table

_COMPUTED = frozenset({"derived", "change"})
_MEANING = re.compile(
    r"value|1|category|level(=\d)?|component|panel|part|ignored|percent_of_leukocytes|multiple_of_limit"
)
_INVALID_BUT_PUBLISHED = frozenset({"85147-0"})  # in a published example; excluded by name

# D(i, j) and the permutation of Verhoeff's check digit (SNOMED CT identifiers, release format 2, 5.5).
_DIHEDRAL = ((0, 1, 2, 3, 4), (1, 2, 3, 4, 0), (2, 3, 4, 0, 1), (3, 4, 0, 1, 2), (4, 0, 1, 2, 3))
_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _product(first: int, second: int) -> int:
    """Of two elements of the dihedral group of order ten: 0-4 turns, 5-9 reflections."""
    turn = _DIHEDRAL[first % 5][second % 5] if first < 5 else (first - second) % 5
    return turn + 5 * ((first >= 5) != (second >= 5))


def _verhoeff(code: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTED[value]
        total = _product(total, value)
    return total == 0


def _luhn(code: str) -> bool:
    digits = [int(digit) for digit in reversed(code.replace("-", ""))]
    return sum(d if place % 2 == 0 else sum(divmod(2 * d, 10)) for place, d in enumerate(digits)) % 10 == 0


FEATURES, CONCEPTS = table("features.csv"), table("concept_map.csv")


def _keys(rows: list[Row]) -> list[str]:
    return [row["key"] for row in rows]


def test_there_are_350_parameters_of_seven_modalities() -> None:
    """Each key once, each label once in each language."""
    for column in ("key", "label_en", "label_de"):
        assert len({row[column] for row in FEATURES}) == 350
    assert {row["modality"] for row in FEATURES} == set(MODALITIES)


@pytest.mark.parametrize("column", ["family", "kind", "unit", "low", "high", "aggregation", "missing_rule", "status"])
def test_no_cell_is_empty(column: str) -> None:
    """A window may be: it then has no limit."""
    assert _keys([row for row in FEATURES if not row[column]]) == []


def test_ranges_and_windows_are_numbers_in_order() -> None:
    """Low lies below high; a window in the emergency department exists where one in the clinic does."""
    assert _keys([r for r in FEATURES if not float(r["low"]) < float(r["high"])]) == []
    assert _keys([r for r in FEATURES if bool(r["window_days"]) != bool(r["window_days_emergency"])]) == []
    assert (
        _keys([r for r in FEATURES if r["kind"] in {"binary", "onehot"} and (r["low"], r["high"]) != ("0", "1")]) == []
    )


def test_a_definition_is_one_sentence() -> None:
    """It ends with a point and holds no second sentence."""
    text = {row["key"]: row["definition"] for row in FEATURES}
    assert [key for key, said in text.items() if not said.endswith(".") or re.search(r"[.!?]\s+[A-Z]", said)] == []


def test_a_parameter_has_codes_or_is_computed() -> None:
    """What has none is computed from others; no code is of a parameter that does not exist."""
    coded = set(_keys(CONCEPTS))
    without = [row for row in FEATURES if row["key"] not in coded]
    assert _keys([row for row in without if row["aggregation"] not in _COMPUTED]) == []
    assert coded <= set(_keys(FEATURES))


def test_a_code_says_how_well_it_is_known() -> None:
    """Verified, sure or recalled; what is more than recalled names where it was seen."""
    assert [r["code"] for r in CONCEPTS if r["verification"] not in KINDS[:3]] == []
    assert [r["code"] for r in CONCEPTS if r["verification"] != "recalled" and not r["source"]] == []
    assert [(r["code"], r["meaning"]) for r in CONCEPTS if not _MEANING.fullmatch(r["meaning"])] == []


def test_no_code_stands_twice_for_one_parameter() -> None:
    """With the same meaning and method."""
    columns = ("key", "system", "code", "meaning", "specimen_or_method")
    rows = [tuple(row[column] for column in columns) for row in CONCEPTS]
    assert sorted({row for row in rows if rows.count(row) > 1}) == []


def test_check_digits_hold() -> None:
    """Of LOINC codes (Luhn), SNOMED CT identifiers (Verhoeff)."""
    loinc = {r["code"] for r in CONCEPTS if r["system"] == LOINC and not r["code"].startswith("LA")}
    snomed = {r["code"] for r in CONCEPTS if r["system"] == SNOMED}
    assert {code for code in loinc if not _luhn(code)} == _INVALID_BUT_PUBLISHED
    assert {code for code in snomed if not _verhoeff(code)} == set()
    answers = {r["code"].removeprefix("LA") for r in CONCEPTS if r["code"].startswith("LA") and r["system"] == LOINC}
    assert len(loinc) > 250
    assert len(snomed) > 150
    assert {code for code in answers if not re.fullmatch(r"\d{4,5}-\d", code)} == set()


def test_a_code_of_two_entities_needs_the_cells() -> None:
    """At most one entity may be told by the site alone; the others say that they need morphology."""
    told: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in CONCEPTS:
        is_morphology = row["system"] == ICD_O_3 and "/" in row["code"]
        if row["key"].startswith("entity_") and row["meaning"] != "ignored" and not is_morphology:
            told[row["system"], row["code"]] += [row["key"]] if row["requires"] != "morphology" else []
    assert {code: keys for code, keys in told.items() if len(keys) > 1} == {}


def test_the_counts_of_verification_can_be_printed() -> None:
    """Every parameter is counted once; the number known only from memory does not grow unnoticed."""
    best = best_verification()
    assert len(best) == 350
    assert sum(kind == "recalled" for kind in best.values()) <= 4
    assert report().splitlines()[-2].split()[-1] == "350"
