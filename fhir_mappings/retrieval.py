"""The queries that find the catalogue's parameters: prefetch templates and searches from one source.

Codes stand bare in a query (`code=718-7,...`): servers differ in what they make of a system, and every answer is
matched exactly by (system, code) afterwards. Templates hold only `context.patientId`, no date arithmetic, no repeated
parameter, no chaining and no `_include`, so that every client can honour them (CDS Hooks 2.0, Prefetch Template). What
a template of medication leaves out, the products that are only referred to, is searched for (`service/fhir/gather.py`).

A query asks for the codes of Observations, not for those of their components: many servers have no `combo-code`, and
of the published resources none holds a value in a component under a code that is not asked for. Body composition is
the exception: its own code is one of a site, its tissues are known.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from math import ceil
from urllib.parse import quote

import msgspec

from fhir_mappings.concepts import BY_SITE, LOINC, OWN, SNOMED, Catalogue, catalogue, shipped
from fhir_mappings.readers.bedside import BEDSIDE_CODES
from fhir_mappings.readers.circumstances import PREGNANCY_STATUS
from models.features import Feature

# Proxies begin to refuse addresses at 2,048 characters. A long search may be sent by POST, a client's prefetch may not.
LONGEST = 2_000
_LONGEST_ID = "x" * 64  # a FHIR id has no more characters
_RESERVED = str.maketrans({sign: f"\\{sign}" for sign in "\\,|$"})
SITE_CODES = "siteCodes"
PAGE = 200  # a server may give less; `next` says so
_MDC = "urn:iso:std:iso:11073:10101"
_NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
_BOA_TISSUES = "https://uk-essen.de/fhir/ValueSet/boa/tissues"
_OBSERVED = frozenset({LOINC, SNOMED, _MDC, _NCIT, OWN})
# What the code of an Observation may mean; all other rows are answers, diagnoses, or never used.
_READ = frozenset({"value", "level", "component", "panel", "part", "percent_of_leukocytes", "multiple_of_limit"})
_SOURCE_CLASS = "48002-0"  # germline or somatic: only ever a component of a variant


class Query(msgspec.Struct, frozen=True):
    """One query. `search` is relative to the FHIR base, `{patient}` stands for the bare patient id.

    `include` names the reference whose targets a search brings along (`MedicationRequest:medication`). `by_hand`: worth
    typing where a client does not read discovery. `days`: how old a value may be to count at all; 0: of any age.
    """

    key: str
    type: str
    search: str
    include: str = ""
    by_hand: bool = False
    days: int = 0

    @property
    def template(self) -> str:
        """The CDS Hooks prefetch template: the search without `_include`, which no template should use."""
        return self.search.replace("{patient}", "{{context.patientId}}")

    @property
    def dated_template(self) -> str:
        """The template that leaves out what is too old to count, by the date arithmetic of CDS Hooks 3.0."""
        if not self.days:
            return self.template
        return self.template.replace("&_sort", f"&date=ge{{{{today() - {self.days} days}}}}&_sort")

    @property
    def is_newest_first(self) -> bool:
        """Whether the server sorts by date, so that an answer that is cut lacks the oldest."""
        return "&_sort=-" in self.search

    def url(self, patient_id: str) -> str:
        """The search, relative to the FHIR base."""
        included = f"&_include={self.include}" if self.include else ""
        return self.search.replace("{patient}", patient_id) + included


def _observations(
    key: str, source: Catalogue, wants: Callable[[Feature], bool], *, by_hand: bool = False, also: tuple[str, ...] = ()
) -> Query:
    """`also`: codes that are read and are no parameter."""
    codes = {*_observation_codes(source, wants), *also} - _without_room(source).get(key, frozenset())
    return Query(key, "Observation", _by_codes(codes), by_hand=by_hand, days=_oldest(source, wants))


def _by_codes(codes: Iterable[str]) -> str:
    return f"Observation?patient={{patient}}&code={','.join(sorted(codes))}{_newest('date')}"


@cache
def _without_room(source: Catalogue) -> Mapping[str, frozenset[str]]:
    """Codes of the site for which the address of their query has no room, by its key: they get a query of their own."""
    return {key: frozenset(_beyond(source, wants, also)) for key, (wants, also) in _MAY_MOVE.items()}


def _beyond(source: Catalogue, wants: Callable[[Feature], bool], also: Iterable[str]) -> Iterator[str]:
    codes = {*_observation_codes(shipped(), wants), *also}
    room = LONGEST - _characters(Query("", "Observation", _by_codes(codes), days=_oldest(source, wants)))
    for code in _observation_codes(source, wants):
        if code not in codes:
            room -= len(code) + 1
            if room < 0:
                yield code


def _of_site(source: Catalogue) -> tuple[Query, ...]:
    codes = {code for moved in _without_room(source).values() for code in moved}
    return (Query(SITE_CODES, "Observation", _by_codes(codes)),) if codes else ()


def _characters(query: Query) -> int:
    """Of its address, for a patient with the longest id, or as a template."""
    return max(len(query.url(_LONGEST_ID)), len(query.dated_template))


def _oldest(source: Catalogue, wants: Callable[[Feature], bool]) -> int:
    """The longest window, and a day more on each side for zones; 0 where one of the parameters has none."""
    windows = [feature.window_days for feature in source.schema.features if wants(feature)]
    return ceil(max(one for one in windows if one)) + 2 if all(windows) else 0


def _observation_codes(source: Catalogue, wants: Callable[[Feature], bool]) -> list[str]:
    """The codes under which an Observation may carry one of these parameters, or a part of one, in order."""
    return sorted({code for feature, code in _observable(source) if wants(feature)})


@cache
def _observable(source: Catalogue) -> tuple[tuple[Feature, str], ...]:
    """Every code that an Observation may have, with the parameter that it is about."""
    rows = ((row, source.schema[row["key"]]) for row in source.rows)
    return tuple((feature, _in_search(row["code"])) for row, feature in rows if _may_be_observed(row, feature))


def _in_search(code: str) -> str:
    """A code as one value of a search parameter (FHIR, Search, escaping) in an address."""
    return quote(code.translate(_RESERVED), safe="")


def _may_be_observed(row: Mapping[str, str], feature: Feature) -> bool:
    """Whether an Observation may have this code as its own; a part of a history is a kind of therapy, a Procedure."""
    if row["code"] == _SOURCE_CLASS or (row["meaning"] == "part" and feature.modality == "history"):
        return False
    return (row["system"] in _OBSERVED or row["verification"] == BY_SITE) and row["meaning"] in _READ


def _is_of_tumour(feature: Feature) -> bool:
    """Tumour markers go with the tumour: with them the codes of the laboratory would hardly fit an address."""
    return not feature.is_entity and (feature.modality == "tumour" or feature.family.startswith("marker_"))


def _is_laboratory(feature: Feature) -> bool:
    return feature.modality == "laboratory" and not _is_of_tumour(feature)


def _is_genetics(feature: Feature) -> bool:
    return feature.modality == "genetics"


def _is_function(feature: Feature) -> bool:
    """Vital signs, performance, habits, and what images say of heart and body."""
    return feature.modality in {"function", "history", "imaging"}


_BESIDE = (PREGNANCY_STATUS, *BEDSIDE_CODES)  # no parameters
# Queries from which codes of the site may move. Whether stages and genes are whole is asked by the names of theirs.
_MAY_MOVE: Mapping[str, tuple[Callable[[Feature], bool], tuple[str, ...]]] = {
    "function": (_is_function, _BESIDE),
    "laboratory": (_is_laboratory, ()),
}


def _body_composition(source: Catalogue) -> Query:
    tissues = ",".join(sorted({row["code"] for row in source.rows if row["system"] == _BOA_TISSUES}))
    search = f"Observation?patient={{patient}}&component-code={tissues}{_newest('date')}"
    return Query("bodyComposition", "Observation", search)


def _all_of(key: str, kind: str, sort: str = "", *, by_hand: bool = False) -> Query:
    return Query(key, kind, f"{kind}?patient={{patient}}{_newest(sort)}", by_hand=by_hand)


def _medications(key: str, kind: str, sort: str) -> Query:
    return Query(key, kind, f"{kind}?patient={{patient}}{_newest(sort)}", include=f"{kind}:medication")


def _newest(sort: str) -> str:
    """The newest first, where a type has a date to sort by; what one page cannot hold is behind its `next` link."""
    return f"&_sort=-{sort}&_count={PAGE}" if sort else f"&_count={PAGE}"


def queries() -> tuple[Query, ...]:
    """Every query of this process's catalogue; those that the score depends on most come first (docs/retrieval.md)."""
    return queries_of(catalogue())


def too_long(source: Catalogue) -> Mapping[str, int]:
    """The queries whose address some proxy may refuse, by their key, with their characters."""
    asked = {query.key: _characters(query) for query in queries_of(source)}
    return {key: characters for key, characters in asked.items() if characters > LONGEST}


@cache
def queries_of(source: Catalogue) -> tuple[Query, ...]:
    """The queries that find what a catalogue knows."""
    return (
        Query("patient", "Patient", "Patient/{patient}", by_hand=True),
        _all_of("conditions", "Condition", by_hand=True),
        _observations("tumour", source, _is_of_tumour, by_hand=True),
        _observations("genetics", source, _is_genetics, by_hand=True),
        _observations("function", source, _is_function, by_hand=True, also=_BESIDE),
        _observations("laboratory", source, _is_laboratory, by_hand=True),
        *_of_site(source),
        _all_of("sequences", "MolecularSequence", by_hand=True),
        _all_of("encounters", "Encounter", "date", by_hand=True),
        _all_of("procedures", "Procedure", "date"),
        _all_of("lists", "List", "date"),
        _body_composition(source),
        _all_of("imagingStudies", "ImagingStudy", "started"),
        _medications("medicationAdministrations", "MedicationAdministration", "effective-time"),
        _medications("medicationStatements", "MedicationStatement", "effective"),
        _medications("medicationRequests", "MedicationRequest", "authoredon"),
    )
