"""The queries that find the catalogue's parameters."""

import csv
import re
from collections import Counter
from urllib.parse import quote

import pytest

from fhir_mappings.concepts import DATA, LOINC, SNOMED
from fhir_mappings.readers.body_composition import TISSUES
from fhir_mappings.readers.parts import PARTS
from fhir_mappings.retrieval import Query, queries

MDC = "urn:iso:std:iso:11073:10101"
OBSERVED_SYSTEMS = {LOINC, SNOMED, MDC, "urn:oncohooks:parameter", "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"}
READ_BY_CODE = {"value", "level", "panel", "component", "percent_of_leukocytes", "multiple_of_limit"}
LONGEST = 2000  # characters of an address that every proxy lets through
BASE = "https://" + "x" * 112  # 120 characters

with (DATA / "concept_map.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def codes_of(query: Query) -> list[str]:
    found = re.search(r"(?<=code=)[^&]*", query.search)
    return found[0].split(",") if found else []


def by_key(key: str) -> Query:
    return next(query for query in queries() if query.key == key)


OBSERVED = [query for query in queries() if query.type == "Observation"]
ASKED = Counter(code for query in OBSERVED if "&code=" in query.search for code in codes_of(query))


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_a_template_asks_for_the_patient_only(query: Query) -> None:
    """No other token, no date arithmetic, no chaining, no modifier, no `_include`, no white space."""
    assert re.findall(r"{{.*?}}", query.template) == ["{{context.patientId}}"]
    rest = query.template.replace("{{context.patientId}}", "")
    assert not re.search(r"\s|today|[?&]date=|\{|\.\w+=|:|include", rest)


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_an_address_is_short_enough(query: Query) -> None:
    """Below a base of 120 characters, for the longest id, and where a client escapes each comma and colon."""
    assert len(f"{BASE}/{quote(query.url('p' * 64), safe='/?&=')}") <= LONGEST


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_a_query_repeats_no_parameter_and_no_code(query: Query) -> None:
    """Servers differ in what a repeated one means."""
    _, _, asked = query.url("17").partition("?")
    names = [part.partition("=")[0] for part in asked.split("&") if part]
    assert len(names) == len(set(names))
    assert len(codes_of(query)) == len(set(codes_of(query)))


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_a_query_is_for_one_patient_and_one_type(query: Query) -> None:
    """The address holds the bare id."""
    assert query.url("17").startswith(query.type)
    assert re.search(r"/17$|patient=17&", query.url("17"))
    assert "{" not in query.url("17")


def test_keys_are_unique_and_templates_few() -> None:
    """At most 15 are published; of these the first eight are worth typing by hand."""
    keys = [query.key for query in queries()]
    assert len(keys) == len(set(keys))
    assert len(keys) <= 15
    assert [query.by_hand for query in queries()] == [True] * 8 + [False] * (len(keys) - 8)


def test_a_search_for_medication_brings_the_products() -> None:
    """Many servers hold them as resources of their own; the template does without, as templates must."""
    kinds = ["MedicationAdministration", "MedicationStatement", "MedicationRequest"]
    assert [query.type for query in queries() if query.include] == kinds
    for query in queries():
        if query.include:
            assert query.url("17") == f"{query.search.replace('{patient}', '17')}&_include={query.type}:medication"
            assert query.template == query.search.replace("{patient}", "{{context.patientId}}")


def test_medication_is_of_any_age() -> None:
    """A dose of years ago is a therapy that the patient has had: no template leaves it out by its date."""
    assert {query.days for query in queries() if query.include} == {0}


@pytest.mark.parametrize("key", ["patient", "conditions", "encounters", "imagingStudies", "sequences"])
def test_names_that_others_rely_on(key: str) -> None:
    """Readers look up whether a kind is complete by these keys."""
    assert by_key(key)


def test_every_code_under_which_a_value_is_read_is_asked_for_once() -> None:
    """Straight from the concept map: each code that an Observation may have, in exactly one query."""
    needed = {row["code"] for row in ROWS if row["system"] in OBSERVED_SYSTEMS and row["meaning"] in READ_BY_CODE}
    assert needed - ASKED.keys() == set()
    assert [code for code, times in ASKED.items() if times > 1] == []


def test_no_system_is_overlooked() -> None:
    """A value under a system that is not asked for is one of the Patient: `birthDate`, `gender`."""
    systems = {row["system"] for row in ROWS if row["meaning"] in READ_BY_CODE}
    assert systems - OBSERVED_SYSTEMS == {"http://hl7.org/fhir"}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("laboratory", "718-7"),
        ("laboratory", "770-8"),
        ("function", "85354-9"),
        ("function", "89247-1"),
        ("function", "72166-2"),
        ("function", "img_recist_sum"),
        ("tumour", "2039-6"),
        ("tumour", "21908-9"),
        ("tumour", "59847-4"),
        ("tumour", "385421009"),
        ("tumour", "C18000"),
        ("genetics", "69548-6"),
        ("genetics", "94076-7"),
    ],
)
def test_a_code_is_asked_for_by_the_query_of_its_kind(key: str, code: str) -> None:
    """Blood count, pressure panel, smoking, images, tumour marker, stage, histology, sites, grade, variants."""
    assert code in codes_of(by_key(key))


@pytest.mark.parametrize("code", ["LA9623-5", "LA26203-2", "8517006", "367336001", "48002-0", "33914-3"])
def test_what_no_observation_has_as_its_code_is_not_asked_for(code: str) -> None:
    """Answers, a kind of therapy, a component of a variant, and a code that is never used."""
    assert code not in ASKED


def test_marks_of_a_later_stage_are_asked_for() -> None:
    """Without them a stage after treatment would pass for the initial one."""
    assert {"101658-3", "101659-1", "101660-9"} <= set(codes_of(by_key("tumour")))


def test_parts_of_sums_and_ratios_are_asked_for() -> None:
    """Each of them somewhere."""
    assert {code for _, code in PARTS} <= ASKED.keys()


def test_body_composition_is_found_by_its_tissues() -> None:
    """Its own code is one of a site: each tissue of the concept map is asked for as the code of a component."""
    query = by_key("bodyComposition")
    assert "&component-code=" in query.search
    assert set(codes_of(query)) == {row["code"] for row in ROWS if row["system"] == TISSUES}


def test_newest_come_first() -> None:
    """A page that is cut loses the oldest; conditions are never cut, sequences have no date."""
    unsorted = {query.key for query in queries() if "_sort=-" not in query.search}
    assert unsorted == {"patient", "conditions", "sequences"}


@pytest.mark.parametrize("query", OBSERVED, ids=lambda query: query.key)
def test_codes_stand_in_order(query: Query) -> None:
    """The text of a query is the same in every process: sites type it in, and caches compare it."""
    assert codes_of(query) == sorted(codes_of(query))
