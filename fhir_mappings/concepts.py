"""The catalogue, compiled once: which (system, code) means which parameter, and what its value may be."""

import copy
import hashlib
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from fhir_mappings.table_rows import OverlayError, number_in, numbered_rows, read_rows, wrong
from models.features import FeatureSchema

DATA = Path(__file__).parent / "catalogue"
VERSION = "2"

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10_WHO = "http://hl7.org/fhir/sid/icd-10"
ICD10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ATC = "http://fhir.de/CodeSystem/bfarm/atc"  # the German edition keeps WHO's codes and adds some
OPS = "http://fhir.de/CodeSystem/bfarm/ops"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
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
    "http://www.whocc.no/atc": ATC,
    "http://fhir.de/CodeSystem/dimdi/atc": ATC,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "http://fhir.de/CodeSystem/dimdi/ops": OPS,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "http://hl7.org/fhir/v3/ObservationInterpretation": INTERPRETATION,  # STU3 and before
    "http://hl7.org/fhir/v2/0078": INTERPRETATION,
    "http://terminology.hl7.org/CodeSystem/v2-0078": INTERPRETATION,
}
ICD10 = frozenset({ICD10_WHO, ICD10_CM, ICD10_GM})
BY_SITE = "site"  # in place of how well a code is known: the site says it
# What a code of the concept map can say of its parameter.
_MEANINGS = (
    "value", "1", "category", "level", "component", "panel", "part", "ignored", "percent_of_leukocytes",
    "multiple_of_limit",
)  # fmt: skip
_LEVEL = re.compile(r"level=\d")
_SUBSTANCE = 7  # an ATC code of this length names a substance, a shorter one a class
_ATC_SUBSTANCE = re.compile(r"[A-Z]\d\d[A-Z]{2}\d\d")
_OPS_CODE = re.compile(r"(\d-\d\d)([0-9a-z])?(?:\.([0-9a-z])([0-9a-z])?)?")


def canonical(system: str) -> str:
    """The address that stands for a code system in the catalogue."""
    return _SYNONYMS.get(system, system)


@cache
def addresses_of(system: str) -> tuple[str, ...]:
    """Every address under which a code system of the catalogue is sent, its own first."""
    return (system, *(address for address, own in _SYNONYMS.items() if own == system))


class Concept(msgspec.Struct, frozen=True, gc=False):
    """One meaning of one code. `meaning` is from the closed list of the catalogue.

    `factor` multiplies a mass concentration whose code names another substance basis (urea against urea nitrogen).
    `requires` names what else must be known for the code to count: "morphology", "female", or for an operation the
    parameters of which one must be 1 (entity, metastatic site); `method` how it was found ("pathological", ...).
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


class SiteCode(msgspec.Struct, frozen=True, gc=False):
    """What a code of the site means, `told` by which row of which file.

    `stands_for`: the public code (system, code) that it is read as, None where the site names a parameter itself.
    `unit`: that of its results that bear none.
    """

    concepts: tuple[Concept, ...]
    told: str
    stands_for: tuple[str, str] | None = None
    unit: str = ""


class SiteCodes(msgspec.Struct, frozen=True):
    """All codes of a site by (system, code), and the digest by which an assessment names them."""

    codes: Mapping[tuple[str, str], SiteCode]
    digest: str


class AnotherSiteError(OverlayError):
    """The process already reads by the codes of another site, or by none."""


class Catalogue:
    """The 350 parameters with the codes that find them, those of a site among them.

    `concepts[(system, code)]` are exact: categories of ICD-10 and ATC are lists, made when the catalogue is built.
    OPS has no list that may be shipped, but its notation is its hierarchy: each level of a code is looked up exactly.
    """

    def __init__(self, data: Path) -> None:
        self.schema = FeatureSchema.read(data / "features.csv")
        self.rows = _concept_rows(data / "concept_map.csv", set(self.schema.keys))
        drugs = read_rows(data / "atc.csv")
        classes = _atc_lists(self.rows, drugs)
        self._drug_classes = frozenset(code for _, code in classes)
        self.concepts = _compile(self.rows, _icd_lists(read_rows(data / "icd10.csv")) | classes)
        self.levels = _levels(read_rows(data / "levels.csv"))
        self.digest = hashlib.sha256(b"".join((data / name).read_bytes() for name in _FILES)).hexdigest()
        self.site = SiteCodes({}, "")

    def with_site(self, site: SiteCodes) -> "Catalogue":
        """This catalogue and the codes of a site, which are outside of its digest. A site only adds."""
        if known := site.codes.keys() & self.concepts.keys():
            raise ValueError(f"the catalogue knows {min(known)}")
        both = copy.copy(self)
        both.site = site
        both.rows = [*self.rows, *(row for at, own in site.codes.items() for row in _rows_of(at, own))]
        both.concepts = {**self.concepts, **{at: own.concepts for at, own in site.codes.items()}}
        return both

    def read_as(self, system: str, code: str) -> tuple[str, str]:
        """The public code that a code of the site stands for; every other code stands for itself."""
        own = self.site.codes.get((canonical(system), code))
        return own.stands_for if own and own.stands_for else (canonical(system), code)

    def lookup(self, system: str, code: str) -> tuple[Concept, ...]:
        """The meanings of a code, none if it has none here. ICD-10-GM marks (dagger, asterisk, `.-`) are dropped."""
        system = canonical(system)
        if system in ICD10:
            code = code.rstrip("†*!+-.").upper()
        if system == OPS:
            return _narrowest([c for level in ops_levels(code) for c in self.concepts.get((OPS, level), ())])
        return self.concepts.get((system, code), ())

    def tells_drug(self, code: str) -> bool:
        """Whether an ATC code says for sure which of the catalogue's drugs it is, or that it is none of them.

        It does not where it names no substance, or one that is not listed in a class that the catalogue asks for.
        """
        if not _ATC_SUBSTANCE.fullmatch(code):
            return False
        return (ATC, code) in self.concepts or not self._drug_classes & {code[:3], code[:4], code[:5]}

    def level(self, key: str, system: str, code: str) -> float | None:
        """The level that a coded answer states for an ordinal or binary parameter; NaN where it states "unknown"."""
        return self.levels.get((key, canonical(system), code))


_FILES = (
    "features.csv", "concept_map.csv", "icd10.csv", "atc.csv", "levels.csv", "units.csv", "gene_rules.csv",
    "gene_loci.csv",
)  # fmt: skip


def _concept_rows(path: Path, parameters: Container[str]) -> list[dict[str, str]]:
    """Raises CatalogueError naming the line of a row that would find nothing, or end in the middle of a call."""
    rows = []
    for line, row in numbered_rows(path):
        for column in ("key", "system", "code"):
            if not row[column].strip():
                raise wrong(path, line, f"{column}: is needed")
        if row["key"] not in parameters:
            raise wrong(path, line, f"key: no parameter is called '{row['key']}'")
        if row["meaning"] not in _MEANINGS and not _LEVEL.fullmatch(row["meaning"]):
            raise wrong(path, line, f"meaning: '{row['meaning']}' is none of {', '.join(_MEANINGS)}, level=…")
        if row["factor"]:
            number_in(path, line, row, "factor")
        rows.append(row)
    return rows


def ops_levels(code: str) -> list[str]:
    """An OPS code and the levels above it: 5-322.d1, 5-322.d, 5-322, 5-32. Nothing where it is no OPS code."""
    match = _OPS_CODE.fullmatch(code.lower())
    if match is None or (match[3] and not match[2]):
        return []
    block, fourth, fifth, sixth = (part or "" for part in match.groups())
    levels = [block, block + fourth, f"{block}{fourth}.{fifth}", f"{block}{fourth}.{fifth}{sixth}"]
    depth = 1 + bool(fourth) + bool(fifth) + bool(sixth)
    return levels[depth - 1 :: -1]


def _icd_lists(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], list[str]]:
    return {(row["system"], row["category"]): row["codes"].split() for row in rows}


def _atc_lists(
    rows: Sequence[Mapping[str, str]], classes: Sequence[Mapping[str, str]]
) -> dict[tuple[str, str], list[str]]:
    """Each ATC category of the concept map with the listed classes and substances below it (ATC's own hierarchy)."""
    listed = {code for row in classes for code in (row["class"][:4], row["class"], *row["codes"].split())}
    wanted = {(row["system"], row["code"]) for row in rows if canonical(row["system"]) == ATC}
    return {
        (system, code): [code, *sorted(c for c in listed if c.startswith(code) and c != code)]
        for system, code in wanted
        if len(code) < _SUBSTANCE
    }


def _compile(
    rows: Iterable[Mapping[str, str]], below: Mapping[tuple[str, str], list[str]]
) -> dict[tuple[str, str], tuple[Concept, ...]]:
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
            found.setdefault((canonical(row["system"]), code), []).append(concept)
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


def _rows_of(at: tuple[str, str], own: SiteCode) -> Iterable[dict[str, str]]:
    """A code of a site in the columns of the concept map."""
    for concept in own.concepts:
        yield {
            "key": concept.key,
            "system": at[0],
            "code": at[1],
            "display": f"read as {own.stands_for[1]}" if own.stands_for else "",
            "meaning": concept.meaning,
            "factor": "" if concept.factor is None else str(concept.factor),
            "requires": concept.requires,
            "specimen_or_method": concept.method,
            "factor_note": "",
            "verification": BY_SITE,
            "source": own.told,
        }


@cache
def shipped() -> Catalogue:
    """The shipped catalogue, read once a process (about 60 ms)."""
    return Catalogue(DATA)


class _Process:
    """Where this process finds the codes of its site; decided before the catalogue is first used."""

    read_site: Callable[[], SiteCodes] | None = None


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process, made once: the shipped one with the codes of its site, if it has any."""
    site = _Process.read_site() if _Process.read_site else None
    return shipped().with_site(site) if site and site.codes else shipped()


def use_site(read: Callable[[], SiteCodes] | None) -> None:
    """Let this process read by the codes of a site (None: by none), which are read when the catalogue is first needed.

    A process has one site. Raises AnotherSiteError where it already reads by other codes: what was compiled from them
    would go on being used.
    """
    if catalogue.cache_info().currsize:
        digest = read().digest if read else ""
        if digest != catalogue().site.digest:
            raise AnotherSiteError("this process already reads by the codes of another site: one process is one site")
    _Process.read_site = read
