"""Every single change that the job makes to the catalogue: a window, a missing rule, a unit, a code."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import msgspec

from fhir_mappings.units import plain
from tests.mutation.served import SHIPPED

Row = dict[str, str]
SEED = 20_241_128
CODES = 200

_RULES = (
    "always_known", "measured_only", "derived_from_parts", "documented_problems", "documented_acute",
    "initial_staging", "m0_or_statement", "m0_or_site_list", "tested_gene", "complete_history", "medication_list",
    "complete_encounters", "one_hot",
)  # fmt: skip
_OTHER_MEANING = {"percent_of_leukocytes": "value", "multiple_of_limit": "value"}
_HIGHEST_LEVEL = 5


class Mutant(msgspec.Struct, frozen=True):
    """Line `number` of `table` becomes `row`, or is left out. `about` names what it touches, as checks do."""

    operator: str
    what: str
    table: str
    number: int
    row: Row | None
    about: frozenset[str]

    def __str__(self) -> str:
        return f"{self.operator}: {self.what}"


def mutants(codes: int = CODES, seed: int = SEED) -> list[Mutant]:
    """All of them in order: each window, missing rule and unit, and that many codes drawn with the seed."""
    random = Random(seed)  # noqa: S311 - a sample, no secret
    features, concepts = table("features.csv"), table("concept_map.csv")
    return [
        *_windows(features),
        *_missing_rules(features, random),
        *_units(),
        *_codes(features, concepts, codes, random),
    ]


@cache
def table(name: str) -> list[Row]:
    with (SHIPPED / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(mutant: Mutant, folder: Path) -> None:
    """The catalogue with this one change."""
    rows = table(mutant.table)
    changed = [mutant.row] if mutant.row is not None else []
    for path in SHIPPED.iterdir():
        if path.suffix == ".csv" and path.name != mutant.table:
            (folder / path.name).symlink_to(path)
    with (folder / mutant.table).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows([*rows[: mutant.number], *changed, *rows[mutant.number + 1 :]])


def _windows(features: list[Row]) -> Iterator[Mutant]:
    for operator, column, factor in (
        ("window doubled", "window_days", 2),
        ("window halved", "window_days", 0.5),
        ("emergency window doubled", "window_days_emergency", 2),
    ):
        for number, row in enumerate(features):
            if row[column]:
                changed = row | {column: f"{float(row[column]) * factor:g}"}
                what = f"{row['key']} {row[column]} -> {changed[column]} days"
                yield Mutant(operator, what, "features.csv", number, changed, frozenset({row["key"]}))


def _missing_rules(features: list[Row], random: Random) -> Iterator[Mutant]:
    for number, row in enumerate(features):
        other = random.choice([rule for rule in _RULES if rule != row["missing_rule"]])
        what = f"{row['key']} {row['missing_rule']} -> {other}"
        changed = row | {"missing_rule": other}
        yield Mutant("missing rule replaced", what, "features.csv", number, changed, frozenset({row["key"]}))


def _units() -> Iterator[Mutant]:
    for operator in ("unit factor tenfold", "unit offset raised"):
        for number, row in enumerate(table("units.csv")):
            if row["scope"] == "none":
                continue
            times = row | {"factor": repr(float(row["factor"]) * 10)}
            plus = row | {"offset": repr(float(row["offset"]) + 1)}
            what = f"{row['spelling'] or 'no unit'} of {row['ucum']} ({row['scope']})"
            about = frozenset({f"unit {plain(row['spelling'])}"})
            yield Mutant(operator, what, "units.csv", number, times if "factor" in operator else plus, about)


def _codes(features: list[Row], concepts: list[Row], count: int, random: Random) -> Iterator[Mutant]:
    keys = {row["key"]: row["kind"] for row in features}
    for place, number in enumerate(sorted(random.sample(range(len(concepts)), min(count, len(concepts))))):
        row = concepts[number]
        what = f"{row['system'].rpartition('/')[2]} {row['code']} of {row['key']}"
        about = frozenset({row["key"], f"{row['system']}|{row['code']}"})
        match place % 3:
            case 0:
                yield Mutant("code dropped", what, "concept_map.csv", number, None, about)
            case 1:
                same_kind = [k for k, kind in keys.items() if kind == keys[row["key"]] and k != row["key"]]
                other = random.choice(same_kind)
                changed = row | {"key": other}
                yield Mutant("code remapped", f"{what} -> {other}", "concept_map.csv", number, changed, about)
            case _:
                other = _meaning(row)
                what = f"{what}, {row['meaning']} -> {other}"
                yield Mutant("code's meaning changed", what, "concept_map.csv", number, row | {"meaning": other}, about)


def _meaning(row: Row) -> str:
    meaning = row["meaning"]
    if meaning.startswith("level="):
        level = int(meaning.removeprefix("level="))
        return f"level={level + 1 if level < _HIGHEST_LEVEL else level - 1}"
    if meaning == "ignored":
        return "category" if "icd" in row["system"] or "atc" in row["system"] else "value"
    return _OTHER_MEANING.get(meaning, "ignored")
