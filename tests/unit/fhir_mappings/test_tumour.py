"""The tumours of a record, and which one is scored."""

from datetime import datetime

import pytest

from fhir_mappings.concepts import ICD10_GM, ICD10_WHO, SNOMED, catalogue
from fhir_mappings.encoder import encode
from tests.unit.fhir_mappings.resources_of import (
    AT,
    BASE,
    CLINICAL,
    ICD_O_3,
    Resource,
    ago,
    codes,
    concept,
    condition,
    documented,
    encoded,
    finding,
    histology,
    record,
    reference,
    tumour,
    value,
)

PRIOR = "comorb_prior_malignancy"


def entity(*resources: Resource) -> str | None:
    index = encoded(*resources).tumours.index
    return index.entity if index else None


def state(*resources: Resource) -> str:
    return encoded(*resources).tumours.state


def gone(status: str = "resolved") -> Resource:
    return {"clinicalStatus": concept(status, CLINICAL)}


def about(address: str) -> Resource:
    return {"focus": [reference(address)]}


def test_the_entity_is_one_of_38_and_the_others_are_zero() -> None:
    """One hot, with the diagnosis as its source."""
    found = encoded(condition("C50.4", id="c"))
    assert found.findings["entity_breast"].sources == ("Condition/c",)
    assert found.vector.values[found.vector.schema.entity_columns].sum() == 1


def test_an_unknown_entity_is_missing_in_all_38() -> None:
    """Not a tumour of no kind."""
    vector = encoded().vector
    assert not vector.observed()[vector.schema.entity_columns].any()


def test_a_pathology_report_decides_the_cells() -> None:
    """Lung by code, small cell by report: no assumption is left."""
    small = [condition("C34.1", id="c"), histology("8041/3", **about("Condition/c"))]
    assert entity(*small) == "entity_sclc"
    assert "histology-assumed" not in codes(*small)


@pytest.mark.parametrize(
    "address", ["Condition/c", "Condition/c/_history/4", f"{BASE}/Condition/c", f"{BASE}/Condition/c/_history/4"]
)
def test_a_report_names_its_diagnosis_by_any_address(address: str) -> None:
    """A reference that is not followed would turn small cell into non-small cell cancer."""
    assert entity(condition("C34.1", id="c"), histology("8041/3", **about(address))) == "entity_sclc"


def test_a_report_names_its_diagnosis_by_urn() -> None:
    """As in transaction bundles."""
    urn = "urn:uuid:00000000-0000-4000-8000-000000000007"
    whole = record(condition("C34.1", id="c"), histology("8041/3", **about(urn)), urls={"c": urn})
    assert "entity_sclc" in encode(whole, catalogue().schema, AT).findings


def test_a_report_without_a_focus_belongs_to_the_only_tumour() -> None:
    """Also where problem list and billing both record that tumour."""
    assert entity(condition("C34.1"), histology("8041/3")) == "entity_sclc"
    assert entity(condition("C34.1"), condition("C34.9"), histology("8041/3")) == "entity_sclc"


def test_a_report_without_a_focus_belongs_to_none_of_two_tumours() -> None:
    """It is said that it is not used."""
    two = [condition("C34.1"), condition("C50.4", **gone()), histology("8041/3")]
    assert entity(*two) == "entity_nsclc"
    assert {"histology-assumed", "report-unassigned"} <= codes(*two)


def test_a_report_about_something_else_is_not_used() -> None:
    """Its focus is another diagnosis."""
    assert entity(condition("C34.1"), histology("8041/3", **about("Condition/other"))) == "entity_nsclc"


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_a_report_that_does_not_stand_is_not_used(status: str) -> None:
    """Nor is one from after the assessment."""
    assert entity(condition("C34.1"), histology("8041/3", status=status)) == "entity_nsclc"
    assert entity(condition("C34.1"), histology("8041/3", days=-3)) == "entity_nsclc"


def test_a_preliminary_report_marks_what_it_says() -> None:
    """Until a final one says it."""
    first = histology("8041/3", status="preliminary")
    assert finding("entity_sclc", condition("C34.1"), first).flags == ("preliminary",)
    assert finding("entity_sclc", condition("C34.1"), first, histology("8041/3")).flags == ()


def test_the_site_of_a_specimen_does_not_move_the_primary() -> None:
    """An adenocarcinoma found in the liver is no liver cancer where the diagnosis is lung cancer."""
    biopsy = histology("8140/3", bodySite=concept("C22.0", ICD_O_3))
    assert entity(condition("C34.1"), biopsy) == "entity_nsclc"
    breast = histology("8500/3", bodySite=concept("C50.4", ICD_O_3))
    assert entity(condition("363346000", SNOMED), breast) == "entity_breast"


def test_the_specific_morphology_stands_beside_an_unspecific_one() -> None:
    """A first report of "carcinoma" and a second of adenocarcinoma."""
    reports = [histology("8010/3", id="a"), histology("8140/3", id="b")]
    assert value("path_adenocarcinoma", condition("C34.1"), *reports) == 1


def test_histology_flags_and_subsite_come_from_the_scored_tumour() -> None:
    """Adenocarcinoma of the caecum."""
    caecum = tumour("C18.0", "8140/3")
    assert value("path_adenocarcinoma", caecum) == 1
    assert value("path_squamous", caecum) == 0
    assert value("path_colon_right_sided", caecum) == 1
    assert value("path_colon_right_sided", tumour("C18.7")) == 0
    assert value("path_colon_right_sided", tumour("C34.1")) is None
    assert value("path_oropharynx", tumour("C09.9")) == 1


def test_a_diagnosis_without_cells_has_no_histology_flags() -> None:
    """They are missing, not 0."""
    assert value("path_adenocarcinoma", condition("C34.1")) is None


def test_malignant_cells_make_a_tumour_of_a_diagnosis_whose_code_is_unknown() -> None:
    """A local code beside ICD-O-3; a site alone is any disease of the organ."""
    local = {"coding": [{"system": "urn:local", "code": "T1"}]}
    assert entity(tumour("C34.1", "8070/3", code=local)) == "entity_nsclc"
    assert state(tumour("C34.1", "8070/0", code=local)) == "none"
    assert state(tumour("C34.1", code=local)) == "none"


def test_two_active_primaries_are_not_scored() -> None:
    """None of them, and it is said."""
    two = [condition("C34.1"), condition("C50.4")]
    assert state(*two) == "several"
    assert entity(*two) is None
    assert "several-primaries" in codes(*two)


def test_an_active_primary_of_unknown_type_beside_another_makes_several() -> None:
    """A tumour of the brain without cells is no reason to score the breast alone."""
    assert state(condition("C50.4"), condition("C71.1")) == "several"
    assert state(condition("C50.4"), condition("C71.1", **gone())) == "one"


@pytest.mark.parametrize("status", ["inactive", "remission", "resolved"])
def test_an_inactive_tumour_is_never_scored(status: str) -> None:
    """It is said that there was one."""
    past = condition("C34.1", **gone(status))
    assert (state(past), entity(past)) == ("inactive", None)
    assert "tumour-inactive" in codes(past)


@pytest.mark.parametrize("verification", ["refuted", "entered-in-error", "provisional", "unconfirmed", "differential"])
def test_what_is_not_confirmed_is_no_tumour(verification: str) -> None:
    """Suspected lung cancer is not lung cancer."""
    status = {"coding": [{"code": verification}]}
    assert state(condition("C34.1", verificationStatus=status)) == "none"


def test_a_tumour_recorded_after_the_assessment_is_not_there_yet() -> None:
    """By onset or by record."""
    assert state(condition("C34.1", days=-1)) == "none"


def test_metastases_in_situ_and_blood_cancers_are_no_primary() -> None:
    """C78, D05 and C83 alone leave nothing to score."""
    for code in ("C78.7", "C79.5", "D05.1", "C83.3"):
        assert state(condition(code)) == "none"


def test_two_records_of_one_entity_are_one_tumour_since_the_earlier() -> None:
    """Active if one of them is."""
    two = [condition("C34.1", days=100), condition("C34.9", days=300, **gone())]
    index = encoded(*two).tumours.index
    assert index is not None
    assert index.since == datetime.fromisoformat(ago(300))


def test_a_tumour_begins_with_the_earliest_of_onset_and_pathology() -> None:
    """The report may precede the entry in the problem list."""
    index = encoded(condition("C34.1", days=40), histology("8140/3", days=55)).tumours.index
    assert index is not None
    assert index.since == index.pathology == datetime.fromisoformat(ago(55))


def test_another_malignancy_of_the_last_five_years_counts_as_prior() -> None:
    """An older one does not, nor one of the same site."""
    lung = condition("C34.1")
    assert value(PRIOR, lung, condition("C50.4", days=1000, **gone())) == 1
    assert value(PRIOR, lung, condition("C50.4", days=2000, **gone())) is None
    assert value(PRIOR, lung, condition("C50.4", days=2000, **gone()), *documented()) == 0
    assert value(PRIOR, lung, condition("C34.9", days=1000, **gone())) is None
    assert value(PRIOR, lung, condition("C83.3", days=1000)) == 1
    assert value(PRIOR, lung, condition("C78.7", days=100), *documented()) == 0


def test_another_malignancy_of_unknown_date_is_no_absence_of_one() -> None:
    """It may lie within five years."""
    undated = condition("C50.4", onsetDateTime=None, recordedDate=None, **gone())
    assert value(PRIOR, condition("C34.1"), undated, *documented()) is None


def test_several_codings_of_one_diagnosis_are_one_tumour() -> None:
    """ICD-10-GM, Alpha-ID and SNOMED of the German example."""
    code = {"coding": [{"system": ICD10_GM, "code": "C34.1"}, {"system": "urn:alpha", "code": "I30011"},
                       {"system": SNOMED, "code": "254637007"}]}  # fmt: skip
    assert entity(condition("", code=code)) == "entity_nsclc"
    assert codes(condition("", code=code)) == set()


@pytest.mark.parametrize(("days", "expected"), [(1826, 1), (1826.5, None)])
def test_five_years_hold_to_their_last_day(days: float, expected: float | None) -> None:
    """Of another malignancy."""
    assert value(PRIOR, condition("C34.1"), condition("C50.4", days=days, **gone())) == expected


def test_the_histology_of_either_record_of_a_tumour_stands() -> None:
    """Whichever of the two has it."""
    for first, second in (("a", "b"), ("b", "a")):
        two = [tumour("C34.1", "8140/3", id=first), condition("C34.1", id=second)]
        assert value("path_adenocarcinoma", *two) == 1


def test_a_malignancy_of_a_neighbouring_category_counts_as_prior() -> None:
    """C83 is not C82, and C34.9 is C34.1."""
    assert value(PRIOR, condition("C34.1"), condition("C39.9", days=500)) == 1
    assert value(PRIOR, condition("C34.1"), condition("C34.8", days=500, **gone())) is None


# Each of the 38 tumours three ways: its WHO code where that suffices, site with cells, SNOMED.
EVERY_ENTITY: dict[str, tuple[str | None, tuple[str, str], str]] = {
    "entity_breast": ("C50.4", ("C50.4", "8500/3"), "254837009"),
    "entity_nsclc": ("C34.1", ("C34.1", "8140/3"), "254637007"),
    "entity_sclc": (None, ("C34.9", "8041/3"), "254632001"),
    "entity_mesothelioma": ("C45.0", ("C38.4", "9050/3"), "109378008"),
    "entity_thymic": ("C37", ("C37.9", "8586/3"), "363434003"),
    "entity_esophagus": ("C15.4", ("C15.4", "8070/3"), "363402007"),
    "entity_gastric": ("C16.3", ("C16.3", "8145/3"), "363349007"),
    "entity_small_bowel": ("C17.0", ("C17.1", "8140/3"), "363509000"),
    "entity_colon": ("C18.7", ("C18.7", "8140/3"), "363406005"),
    "entity_rectum": ("C20", ("C20.9", "8480/3"), "363351006"),
    "entity_anal": ("C21.0", ("C21.1", "8070/3"), "363490009"),
    "entity_hepatocellular": ("C22.0", ("C22.0", "8170/3"), "109841003"),
    "entity_biliary": ("C23", ("C24.0", "8160/3"), "312104005"),
    "entity_pancreas": ("C25.1", ("C25.0", "8500/3"), "363418001"),
    "entity_neuroendocrine": ("C25.4", ("C25.9", "8246/3"), "253000007"),
    "entity_gist": (None, ("C16.9", "8936/3"), "420120006"),
    "entity_soft_tissue_sarcoma": ("C49.2", ("C49.2", "8890/3"), "424952003"),
    "entity_bone_sarcoma": ("C40.2", ("C40.2", "9180/3"), "448710000"),
    "entity_melanoma": ("C43.5", ("C44.5", "8721/3"), "93655004"),
    "entity_uveal_melanoma": ("C69.3", ("C69.4", "8772/3"), "255021005"),
    "entity_nonmelanoma_skin": ("C44.3", ("C44.3", "8090/3"), "254701007"),
    "entity_head_neck": ("C32.0", ("C09.9", "8070/3"), "255056009"),
    "entity_nasopharynx": ("C11.9", ("C11.1", "8072/3"), "422541001"),
    "entity_salivary": ("C07", ("C07.9", "8430/3"), "363378008"),
    "entity_thyroid": ("C73", ("C73.9", "8260/3"), "363478007"),
    "entity_adrenocortical": ("C74.0", ("C74.0", "8370/3"), "371964008"),
    "entity_glioblastoma": (None, ("C71.1", "9440/3"), "393563007"),
    "entity_other_cns": ("C72.0", ("C71.2", "9401/3"), "428061005"),
    "entity_prostate": ("C61", ("C61.9", "8140/3"), "399068003"),
    "entity_urothelial": ("C67.9", ("C67.0", "8120/3"), "399326009"),
    "entity_renal": ("C64", ("C64.9", "8310/3"), "702391001"),
    "entity_testicular": ("C62.9", ("C62.1", "9061/3"), "363449006"),
    "entity_penile": ("C60.1", ("C60.1", "8070/3"), "363516004"),
    "entity_ovary": ("C56", ("C56.9", "8441/3"), "363443007"),
    "entity_cervix": ("C53.1", ("C53.0", "8070/3"), "363354003"),
    "entity_endometrium": ("C54.1", ("C54.1", "8380/3"), "254878006"),
    "entity_vulva_vagina": ("C51.0", ("C52.9", "8070/3"), "363367000"),
    "entity_cup": ("C80.0", ("C80.9", "8140/3"), "255052006"),
}


@pytest.mark.parametrize(("key", "icd", "cells", "snomed"), [(k, *ways) for k, ways in EVERY_ENTITY.items()])
def test_each_tumour_is_reached(key: str, icd: str | None, cells: tuple[str, str], snomed: str) -> None:
    """By its code, by its cells, by the name of the disease in SNOMED."""
    ways = [condition(icd, ICD10_WHO)] if icd else []
    by_cells = condition(cells[1], ICD_O_3, bodySite=[concept(cells[0], ICD_O_3)])
    for diagnosis in [*ways, by_cells, condition(snomed, SNOMED)]:
        found = encoded(diagnosis).findings
        assert [k for k in found if k.startswith("entity_")] == [key]


def test_no_tumour_is_forgotten() -> None:
    """There are 38."""
    assert tuple(EVERY_ENTITY) == catalogue().schema.entities
