"""The queries that find the catalogue's parameters."""

import csv
import re

import pytest

from fhir_mappings.concepts import DATA, LOINC, SNOMED
from fhir_mappings.readers.parts import PARTS
from fhir_mappings.retrieval import Query, queries

OBSERVED_SYSTEMS = {LOINC, SNOMED, "urn:iso:std:iso:11073:10101", "urn:oncohooks:parameter"}
LIMIT = 2000  # characters of an address that every proxy lets through


def codes_of(query: Query) -> list[str]:
    found = re.search(r"(?<=code=)[^&]*", query.search)
    return found[0].split(",") if found else []


def by_key(key: str) -> Query:
    return next(query for query in queries() if query.key == key)


OBSERVED = [query for query in queries() if query.type == "Observation" and "?" in query.search and codes_of(query)]


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_a_template_is_short_and_asks_for_the_patient_only(query: Query) -> None:
    """No other token, no date arithmetic, no chaining, no white space."""
    assert len(query.template) < LIMIT
    assert re.findall(r"{{.*?}}", query.template) == ["{{context.patientId}}"]
    assert not re.search(r"\s|today|\{[^{c]|\.\w+=|:", query.template.replace("{{context.patientId}}", ""))


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_a_query_repeats_no_parameter_and_no_code(query: Query) -> None:
    """Servers differ in what a repeated one means."""
    _, _, asked = query.search.partition("?")
    names = [part.partition("=")[0] for part in asked.split("&") if part]
    assert len(names) == len(set(names))
    assert len(codes_of(query)) == len(set(codes_of(query)))


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.key)
def test_a_query_is_for_one_patient_and_one_type(query: Query) -> None:
    """The address holds the bare id."""
    assert query.url("17").startswith(query.type)
    assert "17" in query.url("17")
    assert "{" not in query.url("17")


def test_keys_are_unique_and_templates_few() -> None:
    """At most 14 are typed by hand in some systems."""
    keys = [query.key for query in queries()]
    assert len(keys) == len(set(keys)) <= 14


def test_every_code_under_which_a_value_is_read_is_asked_for() -> None:
    """Straight from the concept map: each Observation code, in one query at least."""
    asked = {code for query in OBSERVED for code in codes_of(query)}
    with (DATA / "concept_map.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["system"] in OBSERVED_SYSTEMS]
    needed = {
        row["code"]
        for row in rows
        if row["meaning"]
        in {"value", "level", "panel", "component", "part", "percent_of_leukocytes", "multiple_of_limit"}
    }
    assert needed - asked == set()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("laboratory", "718-7"),
        ("laboratory", "770-8"),
        ("function", "85354-9"),
        ("function", "89247-1"),
        ("tumour", "21908-9"),
        ("tumour", "59847-4"),
        ("tumour", "385421009"),
        ("genetics", "69548-6"),
        ("genetics", "94076-7"),
    ],
)
def test_a_code_is_asked_for_by_the_query_of_its_kind(key: str, code: str) -> None:
    """Blood count, share of leukocytes, pressure panel, stage, histology, sites, variants."""
    assert code in codes_of(by_key(key))


def test_marks_of_a_later_stage_are_asked_for() -> None:
    """Without them a stage after treatment would pass for the initial one."""
    assert {"101658-3", "101659-1", "101660-9"} <= set(codes_of(by_key("tumour")))


def test_parts_of_sums_and_ratios_are_asked_for() -> None:
    """Each of them somewhere."""
    asked = {code for query in OBSERVED for code in codes_of(query)}
    assert {code for _, code in PARTS} <= asked


def test_a_query_is_limited_by_date_only_where_no_parameter_looks_further_back() -> None:
    """Height, smoking, stage and genes count at any age."""
    assert by_key("laboratory").max_age_days == 180
    assert by_key("function").max_age_days is None
    assert by_key("tumour").max_age_days is None
    assert by_key("genetics").max_age_days is None


def test_newest_come_first() -> None:
    """A page that is cut loses the oldest."""
    assert all("_sort=-date" in query.search for query in OBSERVED)
