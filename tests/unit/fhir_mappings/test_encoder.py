"""A record -> the vector that the network sees, with what the eye must see beside it."""

import math

import numpy as np
import pytest

from fhir_mappings.concepts import SNOMED, catalogue
from fhir_mappings.encoder import SchemaMismatchError, encode
from models.features import FeatureSchema
from tests.unit.fhir_mappings.resources_of import (
    AT,
    HGNC,
    UICC,
    Resource,
    ago,
    coded,
    component,
    concept,
    condition,
    encoded,
    finding,
    measured,
    observation,
    patient,
    record,
    tumour,
    value,
)


def m1(days: float) -> Resource:
    return coded("21901-4", "M1", UICC, days)


def test_the_vector_holds_what_the_findings_say_and_nothing_else() -> None:
    """A missing parameter is not a number, never 0."""
    found = encoded(measured("2951-2", 140, "mmol/L"))
    index = catalogue().schema.index
    assert found.vector.values[index["lab_sodium"]] == 140
    assert math.isnan(found.vector.values[index["lab_potassium"]])
    assert set(found.findings) == {"demo_age_at_baseline", "demo_sex_female", "lab_sodium"}
    assert int(found.vector.observed().sum()) == 3


def test_an_empty_record_says_nothing_and_breaks_nothing() -> None:
    """No resource at all, not even the Patient."""
    found = encode(record(patient(id="q")), catalogue().schema, AT)
    assert found.foreign
    assert not found.vector.observed().any()


def test_a_package_of_another_parameter_list_is_refused() -> None:
    """Its weights would mean something else."""
    other = FeatureSchema(catalogue().schema.features[1:])
    with pytest.raises(SchemaMismatchError):
        encode(record(), other, AT)


def test_each_finding_knows_where_it_came_from() -> None:
    """Sources, time, rule, and the value as it was written."""
    found = finding("lab_creatinine", measured("2160-0", 88.4, "umol/L", id="cr", days=2))
    assert found.sources == ("Observation/cr",)
    assert found.effective is not None
    assert found.effective.isoformat() == ago(2)
    assert (found.original, found.original_unit, found.rule) == (88.4, "umol/L", "value of 2160-0")


@pytest.mark.parametrize(
    ("result", "key", "meant", "not_meant"),
    [
        (measured("2986-8", 300, "ng/dL"), "lab_testosterone", "C61", "C50.4"),
        (coded("21440-3", "LA6576-8"), "path_p16_hpv", "C10.9", "C53.9"),
        (coded("64083-9", "LA6576-8"), "gene_mgmt_methylated", "C71", "C34.1"),
    ],
)
def test_some_parameters_mean_something_for_their_tumours_only(
    result: Resource, key: str, meant: str, not_meant: str
) -> None:
    """Testosterone outside the prostate is no prognosis."""
    right = tumour("C71.1", "9440/3") if meant == "C71" else condition(meant)
    assert value(key, right, result) is not None
    assert value(key, condition(not_meant), result) is None


def test_months_count_from_diagnosis_and_from_the_first_metastasis() -> None:
    """Metachronous is more than six months later."""
    lung, early, late = condition("C34.1", days=365.25), m1(300), m1(100)
    assert value("stage_months_since_diagnosis", lung) == pytest.approx(12)
    assert value("stage_months_since_m1", lung, late, early) == pytest.approx(300 / 30.4375)
    assert value("stage_metachronous", lung, early) == 0
    assert value("stage_metachronous", lung, late) == 1
    assert value("stage_metachronous", lung) is None


def test_months_of_today_are_none_and_not_negative() -> None:
    """A date of tomorrow in the hospital's zone is today here."""
    assert value("stage_months_since_diagnosis", condition("C34.1", onsetDateTime="2024-05-21")) == 0


def test_without_a_scored_tumour_there_is_no_course() -> None:
    """Months since which of them."""
    assert value("stage_months_since_diagnosis", condition("C34.1"), condition("C50.4")) is None


def test_no_value_outside_its_range_ever_reaches_the_network() -> None:
    """Nor one that is infinite: every observed value is plausible."""
    strange = [
        measured("2951-2", 1e300, "mmol/L"),
        measured("2532-0", 1e300, "U/L", referenceRange=[{"high": {"value": 1e-300, "code": "U/L", "unit": "U/L"}}]),
        observation("49683-6", valueRatio={"numerator": {"value": 1e300}, "denominator": {"value": 1e-300}}),
        observation("2703-7", valueQuantity={"value": 1e308, "code": "kPa", "unit": "kPa"}),
        observation("9267-6", valueInteger=10**40),
    ]
    found = encoded(*strange)
    schema = catalogue().schema
    assert all(schema[key].plausible(f.value) for key, f in found.findings.items())
    assert not np.isinf(found.vector.values).any()


def test_preliminary_and_comparator_marks_reach_the_finding() -> None:
    """Whoever reads the value sees them."""
    below = measured("1988-5", 5, "mg/L", status="preliminary")
    below["valueQuantity"]["comparator"] = "<"
    assert finding("lab_crp", below).flags == ("comparator", "preliminary")


def test_a_gene_of_the_tumour_and_one_of_the_germline_stand_side_by_side() -> None:
    """Two parameters, two sources."""
    gene = component("48018-6", valueCodeableConcept=concept("HGNC:1100", HGNC, "BRCA1"))
    change = component("48005-3", valueCodeableConcept=concept("p.Glu23fs", "http://varnomen.hgvs.org"))
    germline = [component("48002-0", valueCodeableConcept=concept("LA6683-2")),
                component("53037-8", valueCodeableConcept=concept("LA6668-3"))]  # fmt: skip
    somatic = coded("69548-6", "LA9633-4", component=[gene, change], id="s")
    inherited = coded("69548-6", "LA9633-4", component=[gene, change, *germline], id="g")
    assert finding("gene_brca1", somatic, inherited).sources == ("Observation/s",)
    assert finding("gene_germline_pathogenic", somatic, inherited).sources == ("Observation/g",)


@pytest.mark.parametrize(("months", "later"), [(5.9, 0), (6, 0), (6.1, 1)])
def test_metastasis_is_metachronous_after_six_months(months: float, later: float) -> None:
    """Counted from the diagnosis."""
    since = 400 - months * 30.4375
    assert value("stage_metachronous", condition("C34.1", days=400), m1(since)) == later


def test_an_undated_metastasis_does_not_take_the_date_of_a_dated_one() -> None:
    """The first that is dated gives the date."""
    undated = condition("C78.7", onsetDateTime=None, recordedDate=None, id="u")
    assert finding("stage_m1", m1(100) | {"id": "m"}, undated).sources == ("Observation/m",)
    assert finding("stage_m1", m1(100) | {"id": "m"}, condition("C78.7", days=101, id="c")).sources == ("Condition/c",)


def test_one_diagnosis_may_name_the_primary_and_its_metastasis() -> None:
    """SNOMED: metastasis from a malignant tumour of the prostate, somewhere; it is named once as a source."""
    both = condition("314994000", SNOMED, days=100, id="c")
    assert value("entity_prostate", both, patient(gender="male")) == 1
    assert value("stage_m1", both) == 1
    assert value("stage_met_other", both) is None
    assert finding("stage_metachronous", both).sources == ("Condition/c",)


def test_a_metastasis_in_snomed_is_no_primary() -> None:
    """Secondary malignant neoplasm of colon is what C78.5 says: a site of metastasis, of an unknown primary."""
    site = condition("94260004", SNOMED, days=100)
    assert value("stage_met_other", site) == 1
    assert value("stage_m1", site) == 1
    assert value("entity_colon", site) is None


def test_a_tumour_without_a_date_has_no_months() -> None:
    """Nor is its metastasis early or late."""
    undated = condition("C34.1", onsetDateTime=None, recordedDate=None)
    assert value("stage_months_since_diagnosis", undated) is None
    assert value("stage_metachronous", undated, m1(100)) is None
    assert value("stage_months_since_m1", undated, m1(100)) == pytest.approx(100 / 30.4375)
