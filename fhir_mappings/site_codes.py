"""A site's own codes: `overlay.csv` and ConceptMaps of its folder -> what each code means, beside the catalogue's.

An overlay only adds. What a public code of the catalogue means is the same at every site, and a code means one thing.
Every problem is told, not only the first: whoever corrects a table wants the whole list.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec

from fhir_mappings.concept_maps import rows_of_concept_map
from fhir_mappings.concepts import (
    ATC,
    ICD10,
    ICD_O_3,
    LOINC,
    OPS,
    OWN,
    SNOMED,
    Concept,
    SiteCode,
    SiteCodes,
    canonical,
    shipped,
)
from fhir_mappings.pathology_reports import HISTOLOGY
from fhir_mappings.readers.bedside import BEDSIDE_CODES
from fhir_mappings.readers.by_code import Code
from fhir_mappings.readers.circumstances import PREGNANCY_STATUS
from fhir_mappings.readers.parts import PARTS
from fhir_mappings.readers.regimens import KEY as REGIMENS
from fhir_mappings.readers.regions import REGION
from fhir_mappings.readers.variants import VARIANT
from fhir_mappings.retrieval import LONGEST, too_long
from fhir_mappings.site_rows import SiteRow
from fhir_mappings.table_rows import CatalogueError, OverlayError, numbered_cells, under_head
from fhir_mappings.units import units

OVERLAY = "overlay.csv"
_COLUMNS = ("system", "code", "parameter", "meaning", "unit")
_CONCEPT_MAP = "conceptmap"  # in the file's name, in letters of any size

_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+")
_CODE = re.compile(r"\S+( \S+)*")  # as FHIR writes a code
_LONGEST_CODE = 128

_FHIR, _HGNC = "http://hl7.org/fhir", "http://www.genenames.org/geneId"
_BOA_TISSUES = "https://uk-essen.de/fhir/ValueSet/boa/tissues"
# Classifications: their codes have places above and below, so that one more would change what others mean.
_CLOSED = ICD10 | {ICD_O_3, ATC, OPS, _HGNC, OWN, _FHIR}
# Systems of the concept map whose codes are elements of a resource, genes or tissues, and no code of a result.
_NO_CODES = frozenset({_FHIR, _HGNC, _BOA_TISSUES, "http://terminology.hl7.org/CodeSystem/admit-source"})
# Codes that readers of their own look for, in no table.
_ELSEWHERE = frozenset({HISTOLOGY, VARIANT, REGION, PREGNANCY_STATUS, *BEDSIDE_CODES})
_MEASURED = frozenset({"value", "component"})
_PRESENT = frozenset({"1", "category"})


class Overlay(msgspec.Struct, frozen=True):
    """What the folder of a site says, and what is wrong with it."""

    site: SiteCodes
    problems: tuple[str, ...] = ()


class _RowError(Exception):
    """What is wrong with a row: column and why."""


def site_codes(folder: Path) -> SiteCodes:
    """The codes of a site's folder. Raises OverlayError, which names the first problem."""
    overlay = read_overlay(folder)
    if not overlay.problems:
        return overlay.site
    first, *others = overlay.problems
    more = f" (and {len(others)} more: oncohooks mapping validate --site {folder})" if others else ""
    raise OverlayError(first + more)


def read_overlay(folder: Path) -> Overlay:
    """Everything that can be read, with all problems. Raises OverlayError where there is no such folder."""
    problems: list[str] = []
    found: dict[Code, tuple[SiteRow, SiteCode]] = {}
    for row in _rows(folder, problems):
        try:
            at, own = _site_code(row)
        except _RowError as error:
            problems.append(f"{row.place}: {error}")
            continue
        earlier, _ = found.setdefault(at, (row, own))
        if _said(earlier) != _said(row):
            problems.append(f"{row.place}: code: {row.code} means {earlier.target} in {earlier.place}")
    site = SiteCodes({at: own for at, (_, own) in found.items()}, _digest(row for row, _ in found.values()))
    if site.codes:
        for query, characters in too_long(shipped().with_site(site)).items():
            told = f"{characters:,} characters, and {LONGEST:,} is the most: leave out codes that are not in use"
            problems.append(f"{folder.name}: with these codes the query `{query}` has {told}")
    return Overlay(site, tuple(problems))


def _rows(folder: Path, problems: list[str]) -> Iterator[SiteRow]:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise OverlayError(f"{folder}: {error.strerror}") from error
    for name in names:
        try:
            if name == OVERLAY:
                yield from _rows_of_table(folder / name, problems)
            elif name.casefold() == OVERLAY:
                problems.append(f"{name}: must be called {OVERLAY}")
            elif _CONCEPT_MAP in name.casefold() and name.casefold().endswith(".json"):
                yield from rows_of_concept_map(folder / name, problems)
            elif _CONCEPT_MAP in name.casefold() and name.casefold().endswith(".xml"):
                problems.append(f"{name}: only JSON is read")
        except CatalogueError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{name}: {error.strerror}")


def _rows_of_table(path: Path, problems: list[str]) -> Iterator[SiteRow]:
    lines = numbered_cells(path)
    head = [name.strip() for name in next(lines, (0, []))[1]]
    if sorted(head) != sorted(_COLUMNS):
        raise CatalogueError(f"{path.name}: line 1: the columns must be {','.join(_COLUMNS)}, with commas between")
    for line, cells in lines:
        try:
            row = {name: cell.strip() for name, cell in under_head(path, line, head, cells).items()}
        except CatalogueError as error:
            problems.append(str(error))
            continue
        if any(row.values()):
            place = f"{path.name}: line {line}"
            yield SiteRow(place, row["system"], row["code"], row["parameter"], row["meaning"], row["unit"])


def _site_code(row: SiteRow) -> tuple[Code, SiteCode]:
    """Raises _RowError."""
    at = _own_code(row)
    public = _public(row.target)
    concepts = _as_public(row, public) if public else (_of_parameter(row),)
    _check_unit(row, concepts)
    return at, SiteCode(concepts, row.place, public, row.unit)


def _own_code(row: SiteRow) -> Code:
    """The site's code, if the catalogue knows nothing of it."""
    for column, text in (("system", row.system), ("code", row.code), ("parameter", row.target)):
        if not text:
            raise _RowError(f"{column}: is needed")
    if not _SYSTEM.fullmatch(row.system):
        raise _RowError(f"system: '{row.system}' is no address (as results carry it in coding.system)")
    if not (_CODE.fullmatch(row.code) and row.code.isprintable() and len(row.code) <= _LONGEST_CODE):
        raise _RowError(f"code: '{row.code[:_LONGEST_CODE]}' is no code")
    system = canonical(row.system)
    if system in _CLOSED:
        raise _RowError(f"system: what codes of {row.system} mean is the catalogue's, the same at every site")
    known = shipped().lookup(system, row.code)
    if known or (system in {LOINC, SNOMED} and row.code in _ELSEWHERE):
        meant = f" ({known[0].key})" if known else ""
        raise _RowError(f"code: the catalogue knows {row.code} of {row.system}{meant}, and an overlay only adds")
    return system, row.code


def _public(target: str) -> Code | None:
    """The public code that a target names: `system|code`, or a code of ours that the catalogue lists."""
    system, bar, code = target.partition("|")
    return (canonical(system.strip()), code.strip()) if bar else None


def _as_public(row: SiteRow, public: Code) -> tuple[Concept, ...]:
    system, code = public
    concepts = shipped().lookup(system, code)
    if not concepts or system in _NO_CODES:
        raise _RowError(f"parameter: the catalogue knows no code {code} of {system}")
    if code in _ELSEWHERE or not any(_is_read(concept, public) for concept in concepts):
        raise _RowError(f"parameter: {code} is never used, or read only together with its whole resource")
    if row.meaning:
        raise _RowError("meaning: a public code has its own; leave it empty")
    return concepts


def _is_read(concept: Concept, public: Code) -> bool:
    if concept.meaning == "part":
        return public in PARTS or concept.key == REGIMENS
    return concept.meaning != "ignored"


def _of_parameter(row: SiteRow) -> Concept:
    if row.target not in shipped().schema.index:
        near = difflib.get_close_matches(row.target, shipped().schema.keys, 1)
        hint = f" (is it {near[0]}?)" if near else " (a public code is written system|code: http://loinc.org|1751-7)"
        raise _RowError(f"parameter: no parameter is called '{row.target}'{hint}")
    meaning, possible = row.meaning or "value", _meanings().get(row.target, frozenset())
    if not possible:
        raise _RowError(f"parameter: {row.target} is stated by no code: it is computed, or an element of a resource")
    if meaning not in possible and not (meaning in _PRESENT and possible & _PRESENT):
        raise _RowError(f"meaning: '{meaning}' is none of {row.target}, whose codes mean {', '.join(sorted(possible))}")
    return Concept(key=row.target, code=row.code, meaning=meaning)


@cache
def _meanings() -> Mapping[str, frozenset[str]]:
    """What codes of a parameter can mean. A part is known by its public code; what is ignored would hide others."""
    found: dict[str, set[str]] = {}
    for row in shipped().rows:
        if row["system"] not in _NO_CODES and row["meaning"] not in {"part", "ignored"}:
            found.setdefault(row["key"], set()).add(row["meaning"])
    return {key: frozenset(meanings) for key, meanings in found.items()}


def _check_unit(row: SiteRow, concepts: Iterable[Concept]) -> None:
    if not row.unit:
        return
    measured = [shipped().schema[concept.key] for concept in concepts if concept.meaning in _MEASURED]
    if not measured:
        raise _RowError(f"unit: '{row.unit}': only a number that is converted has one")
    for feature in measured:
        if units().conversion(feature, row.unit) is None:
            raise _RowError(f"unit: '{row.unit}' is no unit of {feature.key} (it is kept in {feature.unit})")


def _said(row: SiteRow) -> tuple[str, ...]:
    return canonical(row.system), row.code, row.target, row.meaning, row.unit


def _digest(rows: Iterable[SiteRow]) -> str:
    """Twelve hex digits of what the rows say, whatever their order and files; "" where there is none."""
    said = sorted(_said(row) for row in rows)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:12] if said else ""
