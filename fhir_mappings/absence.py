"""When "not recorded" means "not there": zeros that a record proves. All else that is not recorded is missing."""

from collections.abc import Mapping
from datetime import datetime

from fhir_mappings import formulas
from fhir_mappings.finding import Finding
from fhir_mappings.readers.all_resources import Readings
from models.features import FeatureSchema

# Rows that the number of comorbidities counts: lasting diseases, not symptoms or acute events.
_CHRONIC = (
    "comorb_mi", "comorb_chf", "comorb_pvd", "comorb_cerebrovascular", "comorb_dementia", "comorb_copd",
    "comorb_connective_tissue", "comorb_liver_mild", "comorb_liver_severe", "comorb_diabetes", "comorb_hemiplegia",
    "comorb_renal", "comorb_hiv", "comorb_arrhythmia", "comorb_pulm_hypertension", "comorb_neuro_other",
    "comorb_alcohol", "comorb_depression",
)  # fmt: skip
_CHARLSON = (
    "comorb_chf", "comorb_dementia", "comorb_copd", "comorb_connective_tissue", "comorb_liver_mild",
    "comorb_liver_severe", "comorb_diabetes_compl", "comorb_hemiplegia", "comorb_renal", "comorb_hiv",
)  # fmt: skip


def fill_absent(
    chosen: Mapping[str, Finding], readings: Readings, schema: FeatureSchema, at: datetime
) -> dict[str, Finding]:
    """Findings of absence: diseases not on a documented problem list, sites without metastasis where M0 is stated.

    What the record speaks of without deciding it (suspected, undated) is not absent, and no index is formed over it.
    """
    found: dict[str, Finding] = {}
    if readings.documented:
        found |= _diseases(chosen, readings, schema, at)
        found |= _indices({**chosen, **found}, readings, schema, at)
    metastasis = chosen.get("stage_m1")
    if metastasis is not None and metastasis.value == 0:
        found |= _sites(chosen, metastasis, schema)
    return found


def _diseases(
    chosen: Mapping[str, Finding], readings: Readings, schema: FeatureSchema, at: datetime
) -> dict[str, Finding]:
    rule = "not among the problems of a completed encounter with coded diagnoses in 12 months"
    rules = {"documented_problems", "documented_acute"}
    return {
        feature.key: Finding(feature.key, 0.0, feature.unit, at, readings.documented, rule)
        for feature in schema.features
        if feature.missing_rule in rules and feature.key not in chosen and feature.key not in readings.undecided
    }


def _indices(
    known: Mapping[str, Finding], readings: Readings, schema: FeatureSchema, at: datetime
) -> dict[str, Finding]:
    """Charlson index and number of comorbidities, which need a complete list; each names the diseases it counts."""
    found: dict[str, Finding] = {}
    for key, rows, total in (
        ("comorb_charlson_index", _CHARLSON, formulas.charlson),
        ("comorb_count", _CHRONIC, _number),
    ):
        has = {row: known[row].value == 1 for row in rows if row in known}
        value = float(total(has))
        if has.keys() >= set(rows) and schema[key].plausible(value):
            positive = [source for row in rows if has[row] for source in known[row].sources]
            sources = tuple(dict.fromkeys((*positive, *readings.documented)))
            found[key] = Finding(key, value, schema[key].unit, at, sources, rule="sum over the comorbidities")
    return found


def _number(has: Mapping[str, bool]) -> int:
    return sum(has.values())


def absent_with_m0(schema: FeatureSchema) -> tuple[str, ...]:
    """The parameters that are 0 wherever M0 is stated: every site of metastasis, and their number."""
    return (*(f.key for f in schema.features if f.missing_rule == "m0_or_site_list"), "stage_n_met_sites")


def _sites(chosen: Mapping[str, Finding], metastasis: Finding, schema: FeatureSchema) -> dict[str, Finding]:
    when, sources = metastasis.effective, metastasis.sources
    return {
        key: Finding(key, 0.0, schema[key].unit, when, sources, rule="M0 is stated")
        for key in absent_with_m0(schema)
        if key not in chosen
    }
