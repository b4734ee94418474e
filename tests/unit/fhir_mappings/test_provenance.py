"""Every slot answers where it comes from or why it is empty, every resource what it was used for or why not."""

import pytest

from fhir_mappings.concepts import ICD10_GM, SNOMED, catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import encode
from fhir_mappings.provenance import Provenance, explain
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from tests.unit.fhir_mappings.resources_of import (
    AT,
    HGNC,
    Resource,
    ago,
    coded,
    component,
    concept,
    condition,
    documented,
    encounter,
    measured,
    observation,
    patient,
    record,
    reference,
    resource,
    tumour,
    variant,
)

KRAS = "HGNC:6407"


def explained(*resources: Resource) -> Provenance:
    return of_record(record(*resources))


def of_record(whole: PatientRecord) -> Provenance:
    return explain(whole, encode(whole, catalogue().schema, AT, thorough=True), AT)


def why_empty(key: str, *resources: Resource) -> str:
    return {slot.feature: slot.reason for slot in explained(*resources).empty}[key]


def why_unused(address: str, *resources: Resource) -> str:
    [row] = [row for row in explained(*resources).resources if row.source == address]
    assert row.used == ()
    return row.reason


def test_the_slots_are_the_whole_catalogue() -> None:
    """With a value or with a reason, each of them once, for an empty record and for a full one."""
    for found in (explained(), explained(tumour("C50.4"), *documented(), measured("718-7", 12, "g/dL"))):
        names = [*(slot.feature for slot in found.parameters), *(slot.feature for slot in found.empty)]
        assert sorted(names) == sorted(catalogue().schema.keys)
        assert all(slot.reason for slot in found.empty)


def test_a_value_tells_its_conversion_source_time_and_rule() -> None:
    """Creatinine in µmol/L, as it was written."""
    found = explained(measured("14682-9", 88.4, "umol/L", id="crea"))
    [slot] = [slot for slot in found.parameters if slot.feature == "lab_creatinine"]
    assert slot.value == pytest.approx(1.0, rel=1e-3)
    assert (slot.unit, slot.sources, slot.effective) == ("mg/dL", ("Observation/crea",), ago(1))
    assert slot.original is not None
    assert (slot.original.value, slot.original.unit) == (88.4, "umol/L")
    assert slot.rule == "value of 14682-9"


def test_marks_travel_with_the_value() -> None:
    """A preliminary result says so."""
    found = explained(measured("718-7", 12, "g/dL", status="preliminary"))
    assert [s.flags for s in found.parameters if s.feature == "lab_hemoglobin"] == [("preliminary",)]


def test_the_other_cancer_types_are_zeros_that_name_the_one() -> None:
    """As in the vector; without a tumour they are empty and say so."""
    found = {slot.feature: slot for slot in explained(tumour("C50.4", id="t")).parameters}
    assert (found["entity_breast"].value, found["entity_colon"].value) == (1, 0)
    assert found["entity_colon"].rule == "is entity_breast"
    assert found["entity_colon"].sources == ("Condition/t",)
    assert why_empty("entity_colon") == "no confirmed solid tumour is recognised"
    two = (tumour("C50.4"), tumour("C18.2"))
    assert why_empty("entity_colon", *two).startswith("one of several active primaries; none is scored (Condition/")


@pytest.mark.parametrize(
    ("key", "resources", "reason"),
    [
        ("lab_sodium", [], "nothing found"),
        ("lab_sodium", [measured("2951-2", 140, "mmol/L", days=45)], "older than 30 days (the newest is of 2024-"),
        ("lab_sodium", [measured("2951-2", 140, "mmol/L", effectiveDateTime=None)], "has no date, and counts for 30"),
        ("lab_sodium", [measured("2951-2", 140, "bananas", id="a")], "its unit is not known for this parameter ("),
        ("lab_sodium", [measured("2951-2", 14_000, "mmol/L", id="a")], "outside the plausible range (Observation/a)"),
        (
            "lab_sodium",
            [observation("2951-2", id="a", dataAbsentReason=concept("unknown", "urn:x"))],
            "recorded as not available (Observation/a)",
        ),
        ("comorb_chf", [], "no completed encounter with coded diagnoses in 12 months proves its absence"),
        ("comorb_charlson_index", [], "no completed encounter with coded diagnoses"),
        (
            "comorb_chf",
            [
                *documented(),
                condition("I50.0", verificationStatus=concept("provisional", "urn:x")),
            ],
            "leaves open whether it is present",
        ),
        ("gene_kras", [], "no result of a test of this gene"),
        ("gene_tp53", [variant("HGNC:11998", "TP53", id="v")], "what the variant does cannot be told (Observation/v)"),
        ("gene_alk", [variant("HGNC:427", "ALK", present="LA9634-2", id="v")], "the test cannot show"),
        ("stage_met_liver", [], "neither a metastasis there nor M0 is recorded"),
        ("stage_m1", [], "neither M0 nor M1 is recorded"),
        ("tx_chemo_platinum", [], "no history declared complete"),
        ("med_opioid", [], "no medication list of 90 days"),
        ("func_ed_visits_90d", [], "no complete list of encounters"),
        ("path_breslow", [tumour("C50.4"), coded("33737-8", "x")], "means something for melanoma"),
        ("stage_uicc_stage", [tumour("C50.4", days=10), coded("21908-9", "I")], "its answer is not in the catalogue"),
        ("ratio_albi", [measured("1751-7", 4, "g/dL")], "needs lab_bilirubin_total: nothing found"),
        (
            "ratio_albi",
            [measured("1751-7", 4, "g/dL"), measured("1975-2", 1, "mg/dL", days=9)],
            "its parts are further apart than 24 hours",
        ),
        ("lab_albumin_change_90d", [measured("1751-7", 4, "g/dL")], "needs another lab_albumin 30 to 90"),
        ("lab_albumin_change_90d", [], "needs lab_albumin: nothing found"),
        ("lab_neutrophils_abs", [observation("770-8", valueQuantity={"value": 60, "code": "%"})], "needs lab_wbc"),
        ("ratio_ldh_uln_ratio", [measured("2532-0", 300, "U/L", id="l")], "has no upper reference limit ("),
    ],
)  # fmt: skip
def test_an_empty_slot_says_why(key: str, resources: list[Resource], reason: str) -> None:
    """In words that tell what would fill it."""
    assert reason in why_empty(key, *resources)


def test_age_and_sex_say_what_the_patient_lacks() -> None:
    """No date of birth or none that is one, a child, another gender."""
    assert why_empty("demo_age_at_baseline", patient(birthDate=None)) == "no usable date of birth"
    assert why_empty("demo_age_at_baseline", patient(birthDate="soon")) == "no usable date of birth"
    assert why_empty("demo_age_at_baseline", patient(birthDate="2015-01-01")) == "under 18 years"
    assert why_empty("demo_sex_female", patient(gender="other")) == "Patient.gender is neither female nor male"


def test_a_partial_record_proves_no_absence() -> None:
    """And the reason says that it is the record."""
    whole = record(*documented(), retrieval=(Retrieval("conditions", "search", "partial"),))
    reasons = {slot.feature: slot.reason for slot in of_record(whole).empty}
    assert "not complete enough" in reasons["comorb_chf"]


def test_a_resource_tells_all_that_it_was_used_for() -> None:
    """Also where it is a part of something computed."""
    found = explained(measured("29463-7", 80, "kg", id="w"), measured("8302-2", 180, "cm", id="h"))
    used = {row.source: row.used for row in found.resources}
    assert used["Observation/w"] == ("vital_weight", "vital_bmi")
    assert "demo_age_at_baseline" in used["Patient/p"]


@pytest.mark.parametrize(
    ("one", "others", "reason"),
    [
        (measured("718-7", 11, "g/dL", days=9, id="x"), [measured("718-7", 12, "g/dL")], "an older value"),
        (measured("718-7", 11, "g/dL", id="x"), [measured("718-7", 12, "g/dL")], "another value of the same time"),
        (measured("718-7", 11, "g/dL", days=45, id="x"), [], "lab_hemoglobin: older than 30 days"),
        (measured("718-7", 11, "g/dL", days=-1, id="x"), [], "dated after the moment of assessment"),
        (measured("718-7", 11, "g/dL", status="entered-in-error", id="x"), [], "its status says that"),
        (measured("718-7", 11, "stone", id="x"), [], "lab_hemoglobin: its unit is not known for this parameter"),
        (measured("99999-9", 11, "g/dL", id="x"), [], "its code is not in the catalogue"),
        (measured("718-7", 11, "g/dL", id="x", subject=reference("Patient/q")), [], "belongs to another patient"),
        (observation("9267-6", valueInteger=4, id="x"), [], "a part, and no value was formed from it"),
        (resource("Observation", id="x", status=7), [], "is not shaped as FHIR R4 defines it"),
        (
            observation("35094-2", id="x", component=[component("8480-6")]), [], "vital_sbp: holds no value",
        ),
    ],
)  # fmt: skip
def test_a_resource_that_gave_nothing_says_why(one: Resource, others: list[Resource], reason: str) -> None:
    """Superseded, out of its window, not understood, somebody else's."""
    assert reason in why_unused("Observation/x", one, *others)


def test_what_no_reader_reads_and_whom_nobody_asks_is_listed_too() -> None:
    """Other types, an encounter that is not counted, another patient."""
    goal = {"resourceType": "Goal", "id": "g"}
    assert why_unused("Goal/g", goal) == "no reader uses this type of resource"
    assert why_unused("Patient/q", patient(), patient(id="q")) == "belongs to another patient"
    visits = encounter(days=900, id="old"), encounter(days=3, id="new")
    assert why_unused("Encounter/old", *visits) == "nothing in it is asked for"


def test_an_entry_that_has_no_address_has_a_row_too() -> None:
    """It says which it is."""
    decoded = decode(b'{"resourceType":"Bundle","entry":[7,{"resource":{"resourceType":"Patient","id":"p"}}]}')
    found = of_record(PatientRecord("p", entries_of(decoded.entries, scoped=True), issues=decoded.issues))
    assert [(row.source, row.reason) for row in found.resources if row.source == "?"] == [
        ("?", "is not shaped as FHIR R4 defines it: entry 0 is not a Bundle entry")
    ]


def test_every_entry_of_the_record_has_a_row() -> None:
    """Used or not, never both, in the order of the addresses."""
    resources = [patient(), tumour("C50.4"), variant(KRAS, "KRAS"), measured("718-7", 1, "g/dL"), *documented()]
    found = explained(*resources)
    assert [row.source for row in found.resources] == sorted(f"{r['resourceType']}/{r['id']}" for r in resources)
    assert all(bool(row.used) != bool(row.reason) for row in found.resources)


def test_nothing_of_the_records_text_is_told() -> None:
    """No display, no free text, no value that was not used."""
    name = "Frau Geheim"
    told = repr(
        explained(
            observation("718-7", valueString=name),
            coded("85337-4", "x", "urn:y", valueCodeableConcept={"text": name}),
            condition("I50.0", ICD10_GM, code={"text": name}),
            condition("84114007", SNOMED, modifierExtension=[{"url": name}]),
            observation("69548-6", component=[component("48018-6", valueCodeableConcept=concept(KRAS, HGNC, name))]),
        )
    )
    assert name not in told


def test_a_resource_without_an_id_is_listed_by_its_type() -> None:
    """Nothing is passed over because it has no name."""
    found = explained(measured("718-7", 12, "g/dL", id=None))
    assert ("Observation/", ("lab_hemoglobin",)) in [(row.source, row.used) for row in found.resources]
