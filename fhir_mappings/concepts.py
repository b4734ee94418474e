"""The catalogue, compiled once: which (system, code) means which parameter, and what its value may be."""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from models.features import FeatureSchema

DATA = Path(__file__).parent / "catalogue"
VERSION = "2"

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10_WHO = "http://hl7.org/fhir/sid/icd-10"
ICD10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
OWN = "urn:oncohooks:parameter"

# Other addresses under which sites send the same systems; looked up as the first one.
_SYNONYMS = {
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.3": ICD10_WHO,
    "urn:oid:2.16.840.1.113883.6.90": ICD10_CM,
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm": ICD10_GM,  # before the publisher was renamed in 2020
    "urn:oid:2.16.840.1.113883.6.43.1": ICD_O_3,
    "http://hl7.org/fhir/sid/icd-o-3": ICD_O_3,
    "http://hl7.org/fhir/v3/ObservationInterpretation": INTERPRETATION,  # STU3 and before
    "http://hl7.org/fhir/v2/0078": INTERPRETATION,
    "http://terminology.hl7.org/CodeSystem/v2-0078": INTERPRETATION,
}
ICD10 = frozenset({ICD10_WHO, ICD10_CM, ICD10_GM})


def canonical(system: str) -> str:
    """The address that stands for a code system in the catalogue."""
    return _SYNONYMS.get(system, system)


def addresses_of(system: str) -> tuple[str, ...]:
    """Every address under which a code system of the catalogue is sent, its own first."""
    return (system, *(address for address, own in _SYNONYMS.items() if own == system))


class Concept(msgspec.Struct, frozen=True, gc=False):
    """One meaning of one code. `meaning` is from the closed list of the catalogue.

    `factor` multiplies a mass concentration whose code names another substance basis (urea against urea nitrogen).
    `requires` names what else must be known for the code to count: "morphology" or "female"; `method` how it was found
    ("pathological", "clinical", ...).
    """

    key: str
    code: str
    meaning: str
    factor: float | None = None
    requires: str = ""
    method: str = ""

    @property
    def level(self) -> float | None:
        """The value that the code itself states (`level=2`, `1`, `category`), None where a value must be read."""
        if self.meaning.startswith("level="):
            return float(self.meaning.removeprefix("level="))
        return 1.0 if self.meaning in {"1", "category"} else None


class Catalogue:
    """The 350 parameters with the codes that find them.

    `concepts[(system, code)]` are exact: ICD-10 categories are expanded to lists when the catalogue is built.
    """

    def __init__(self, data: Path) -> None:
        self.schema = FeatureSchema.read(data / "features.csv")
        self.rows = _rows(data / "concept_map.csv")
        self.concepts = _compile(self.rows, _rows(data / "icd10.csv"))
        self.levels = _levels(_rows(data / "levels.csv"))
        self.digest = hashlib.sha256(b"".join((data / name).read_bytes() for name in _FILES)).hexdigest()

    def lookup(self, system: str, code: str) -> tuple[Concept, ...]:
        """The meanings of a code, none if it has none here. ICD-10-GM marks (dagger, asterisk, `.-`) are dropped."""
        system = canonical(system)
        if system in ICD10:
            code = code.rstrip("†*!+-.").upper()
        return self.concepts.get((system, code), ())

    def level(self, key: str, system: str, code: str) -> float | None:
        """The level that a coded answer states for an ordinal or binary parameter; NaN where it states "unknown"."""
        return self.levels.get((key, canonical(system), code))


_FILES = (
    "features.csv", "concept_map.csv", "icd10.csv", "levels.csv", "units.csv", "gene_rules.csv", "gene_loci.csv",
)  # fmt: skip


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _compile(
    rows: Iterable[Mapping[str, str]], categories: Iterable[Mapping[str, str]]
) -> dict[tuple[str, str], tuple[Concept, ...]]:
    below = {(row["system"], row["category"]): row["codes"].split() for row in categories}
    found: dict[tuple[str, str], list[Concept]] = {}
    for row in rows:
        concept = Concept(
            key=row["key"],
            code=row["code"],
            meaning=row["meaning"],
            factor=float(row["factor"]) if row["factor"] else None,
            requires=row["requires"],
            method=row["specimen_or_method"],
        )
        for code in below.get(
            (row["system"], row["code"]), _icd_o_3(row["code"]) if row["system"] == ICD_O_3 else [row["code"]]
        ):
            found.setdefault((row["system"], code), []).append(concept)
    return {at: _narrowest(concepts) for at, concepts in found.items()}


def _icd_o_3(code: str) -> list[str]:
    """A topography with its one decimal (C34 -> C34, C34.0 ... C34.9); a range of morphologies as its codes."""
    first, _, rest = code.partition("-")
    if first.isdigit() and rest:
        last, _, behaviour = rest.partition("/")
        return [f"{number}/{behaviour}" for number in range(int(first), int(last) + 1)]
    if len(code) == 3 and code.startswith("C"):
        return [code, *(f"{code}.{digit}" for digit in range(10))]
    return [code]


def _narrowest(concepts: list[Concept]) -> tuple[Concept, ...]:
    """One concept per parameter, the longest category; an exclusion at that level removes the parameter's."""
    best: dict[str, Concept] = {}
    for concept in concepts:
        kept = best.get(concept.key)
        if kept is None or len(concept.code) > len(kept.code):
            best[concept.key] = concept
    return tuple(best.values())


def _levels(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str, str], float]:
    return {(row["key"], row["system"], code): float(row["level"]) for row in rows for code in row["codes"].split("|")}


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once a process (about 60 ms)."""
    return Catalogue(DATA)
