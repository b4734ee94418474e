"""Where a record says two things of one parameter: the rules of docs/mapping-rules.md, one test each."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.concepts import SNOMED
from tests.unit.fhir_mappings.resources_of import (
    Resource,
    ago,
    coded,
    codes,
    component,
    condition,
    finding,
    measured,
    observation,
    patient,
    reference,
    refuted,
    tumour,
    value,
)

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "mapping-rules.md"


def glucose(amount: float, days: float = 1, code: str = "2345-7", **members: Any) -> Resource:
    return measured(code, amount, "mg/dL", days=days, **members)


def bedside(amount: float, days: float) -> Resource:
    return glucose(amount, days, code="41653-7")


def test_the_same_result_twice_is_one() -> None:
    """A second coding, a panel beside its member, a copy with another id."""
    both = glucose(90, code="2345-7")
    both["code"]["coding"].append({"system": "http://loinc.org", "code": "2339-0"})
    quantity = both["valueQuantity"]
    panel = observation("24323-8", component=[component("2345-7", valueQuantity=quantity)])
    for copies in ([both], [glucose(90), glucose(90)], [glucose(90), panel]):
        assert value("lab_glucose", *copies) == 90
        assert "same-day-conflict" not in codes(*copies)


@pytest.mark.parametrize(("better", "worse"), [("corrected", "final"), ("amended", "final"), ("final", "preliminary")])
def test_a_corrected_result_stands_before_a_final_before_a_preliminary_one(better: str, worse: str) -> None:
    """Of the same moment, whatever the order."""
    two = glucose(90, status=better), glucose(150, status=worse)
    assert value("lab_glucose", *two) == value("lab_glucose", *reversed(two)) == 90


def test_the_central_laboratory_stands_before_the_bedside_of_the_same_day() -> None:
    """A glucose by glucometer serves where it is alone or newer by a day; the two kinds are not compared."""
    assert value("lab_glucose", glucose(90, days=1.2), bedside(150, days=1)) == 90
    assert codes(glucose(90, days=1.2), bedside(150, days=1)) == set()
    assert value("lab_glucose", bedside(150, days=1)) == 150
    assert value("lab_glucose", glucose(90, days=9), bedside(150, days=1)) == 150


def test_two_laboratories_of_one_day_give_the_later_and_a_word() -> None:
    """More than a fifth apart."""
    two = glucose(90, days=1.2), glucose(150, days=1)
    assert value("lab_glucose", *two) == 150
    assert codes(*two) == {"same-day-conflict"}


def test_a_bedside_value_of_the_same_kind_is_compared() -> None:
    """Two glucometers."""
    assert codes(bedside(90, days=1.2), bedside(150, days=1)) == {"same-day-conflict"}


def receptor(answer: str, days: float, about: str | None = None) -> Resource:
    return coded("85337-4", answer, days=days, focus=[reference(about)] if about else [])


def test_a_marker_of_a_metastasis_stands_before_one_of_the_primary() -> None:
    """Told by the diagnosis that the result is about; else the latest tissue counts."""
    lung = condition("C78.0", id="met", days=200)
    old, new = receptor("LA6577-6", 150, "Condition/met"), receptor("LA6576-8", 10)
    assert value("path_er", lung, old, new) == 0
    assert value("path_er", lung, new, receptor("LA6577-6", 150, "Condition/primary")) == 50
    assert value("path_er", new, receptor("LA6577-6", 150)) == 50


def test_a_refuted_metastasis_has_no_tissue() -> None:
    """What was taken for it is the primary, or nothing."""
    denied = refuted("C78.0", id="met")
    assert value("path_er", denied, receptor("LA6577-6", 150, "Condition/met"), receptor("LA6576-8", 10)) == 50


def test_a_refuted_comorbidity_is_zero_by_statement() -> None:
    """The newest confirmed or refuted statement wins, without any proof that problems were documented."""
    confirmed, denied = condition("I50.0", days=300), refuted("I50.0", days=10)
    assert value("comorb_chf", denied) == 0
    assert value("comorb_chf", confirmed, denied) == 0
    assert value("comorb_chf", condition("I50.0", days=5), denied) == 1


@pytest.mark.parametrize("code", ["Z85.1", "Z85.3", "Z85.8"])
def test_a_history_of_cancer_is_neither_a_tumour_nor_an_absence(code: str) -> None:
    """Z85 says neither when it was nor whether it was another one."""
    found = [condition(code), tumour("C50.1", "8500/3")]
    assert value("entity_breast", *found) == 1
    assert value("comorb_prior_malignancy", *found) is None


def test_a_result_of_a_contained_specimen_is_dated_by_its_collection() -> None:
    """Before the report's own date; not where the result has a time of its own."""
    collected = {"resourceType": "Specimen", "id": "s", "collection": {"collectedDateTime": ago(8)}}
    result = glucose(90, contained=[collected], specimen=reference("#s"), issued=ago(2), effectiveDateTime=None)
    assert finding("lab_glucose", result).effective == datetime.fromisoformat(ago(8))
    assert finding("lab_glucose", result | {"effectiveDateTime": ago(3)}).effective == datetime.fromisoformat(ago(3))
    assert finding("lab_glucose", result | {"specimen": reference("#t")}).effective == datetime.fromisoformat(ago(2))


def test_a_specimen_collected_after_the_assessment_is_not_used() -> None:
    """Nor is one collected outside the window."""
    for days in (-1, 200):
        collected = {"resourceType": "Specimen", "id": "s", "collection": {"collectedPeriod": {"start": ago(days)}}}
        result = glucose(90, contained=[collected], specimen=reference("#s"), issued=ago(2), effectiveDateTime=None)
        assert value("lab_glucose", result) is None


def test_the_time_that_a_german_laboratory_received_the_sample_counts_as_its_time() -> None:
    """The core data set says beside the time which of the two it is; a primitive's extension is not asked for."""
    url = "https://www.medizininformatik-initiative.de/fhir/core/modul-labor/StructureDefinition/QuelleKlinischesBezugsdatum"
    received = {"extension": [{"url": url, "valueCoding": {"system": SNOMED, "code": "281271004"}}]}
    assert value("lab_glucose", glucose(90) | {"_effectiveDateTime": received}) == 90


def test_a_merged_or_inactive_record_says_so() -> None:
    """Merged into another one: an error, and no score; inactive: read, with a warning."""
    merged = patient(active=False, link=[{"other": reference("Patient/new"), "type": "replaced-by"}])
    assert codes(merged) == {"record-replaced"}
    assert codes(patient(active=False)) == {"record-inactive"}
    for kind in ("replaces", "refer", "seealso"):
        assert codes(patient(active=True, link=[{"other": reference("Patient/old"), "type": kind}])) == set()


def test_every_rule_names_a_place_and_a_test_that_exist() -> None:
    """The table of docs/mapping-rules.md stays true."""
    row = re.compile(r"^\| [^|]+ \|(?: [^|]+ \|){1,2} `([^`|]+)` \| `([^`|]+)` \|$", re.MULTILINE)
    rows = row.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) >= 50
    for place, test in rows:
        file, _, name = place.partition(":")
        assert re.search(rf"\b{name}\b", (ROOT / "fhir_mappings" / file).read_text(encoding="utf-8")), place
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), test


def test_at_is_the_border() -> None:
    """A result of the very moment counts, one of a second later does not."""
    assert value("lab_glucose", glucose(90, days=0)) == 90
    assert value("lab_glucose", glucose(90, days=-1 / 86_400)) is None
