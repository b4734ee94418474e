"""When "not recorded" means "not there": zeros that a record proves. All else that is not recorded is missing."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from fhir_mappings import formulas
from fhir_mappings.finding import Finding
from fhir_mappings.readers.all_resources import Readings
from fhir_mappings.readers.declared_lists import MAX_DAYS, Kind
from fhir_mappings.readers.encounters import PROBLEMS_DAYS
from fhir_mappings.timing import days_between
from fhir_mappings.windows import Windows
from models.features import Feature, FeatureSchema

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

_DOCUMENTED = frozenset({"documented_problems", "documented_acute"})  # missing rules, each with what proves an absence
_DECLARED = frozenset({"medication_list", "complete_history"})

# What has to be declared complete for a treatment to be absent; of all others it is the systemic therapy.
_DECLARED_BY: Mapping[str, frozenset[Kind]] = {
    "tx_prior_surgery": frozenset({"procedures"}),
    "tx_prior_radiotherapy": frozenset({"procedures"}),
    "tx_red_cell_transfusion_30d": frozenset({"procedures"}),
    "tx_radioligand": frozenset({"systemic therapy", "procedures"}),
}


def fill_absent(
    chosen: Mapping[str, Finding], readings: Readings, schema: FeatureSchema, at: datetime
) -> dict[str, Finding]:
    """Findings of absence.

    Diseases not on a documented problem list, sites without metastasis where M0 is stated, and drugs and treatments
    that are not in a history which a list declares complete.

    What the record speaks of without deciding it (suspected, undated) is not absent, and no index is formed over it.
    Where an answer is partial, failed or late, nothing is absent that it could have held (`completeness.py`).
    """
    found: dict[str, Finding] = {}
    if readings.documented:
        found |= _diseases(chosen, readings, schema, at)
        found |= _indices({**chosen, **found}, readings, schema, at)
    found |= _not_declared(chosen, readings, schema, at)
    metastasis = chosen.get("stage_m1")
    if metastasis is not None and metastasis.value == 0 and readings.has_all_stages:
        found |= _sites(chosen, metastasis, schema)
    return found


def _diseases(
    chosen: Mapping[str, Finding], readings: Readings, schema: FeatureSchema, at: datetime
) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for feature in _of_rules(schema, _DOCUMENTED):
        limit = _proved_for(feature, readings.windows)
        if limit is None or feature.key in chosen or feature.key in readings.undecided:
            continue
        proof = tuple(one.address for one in readings.documented if one.age <= limit)
        if proof:
            rule = f"not among the problems of a completed encounter with coded diagnoses in {limit:g} days"
            found[feature.key] = Finding(feature.key, 0.0, feature.unit, at, proof, rule)
    return found


def _proved_for(feature: Feature, windows: Windows) -> float | None:
    """For how many days a documented encounter proves that a disease that is not recorded is absent; None: never.

    In an emergency an acute disease is open until the diagnoses of this stay are coded: only a contact that ended since
    the arrival proves anything.
    """
    if feature.missing_rule == "documented_problems":
        return PROBLEMS_DAYS
    if feature.missing_rule != "documented_acute":
        return None
    if windows.arrival is None:
        return feature.window_days
    return min(windows.days(feature) or 0.0, days_between(windows.arrival, windows.at))


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
            sources = tuple(dict.fromkeys((*positive, *(one.address for one in readings.documented))))
            found[key] = Finding(key, value, schema[key].unit, at, sources, rule="sum over the comorbidities")
    return found


def _number(has: Mapping[str, bool]) -> int:
    return sum(has.values())


def _not_declared(
    chosen: Mapping[str, Finding], readings: Readings, schema: FeatureSchema, at: datetime
) -> dict[str, Finding]:
    """Medication that is not active beside a medication list, and treatment that a declared history does not hold.

    The list has to be as young as the parameter's own window, and at most 90 days old: it says nothing of what came
    after it.
    """
    found: dict[str, Finding] = {}
    for feature in _of_rules(schema, _DECLARED) if readings.declared else ():
        if feature.key in chosen or feature.key in readings.undecided:
            continue
        lists = {kind: _youngest(kind, feature, readings) for kind in _needed(feature)}
        if lists and all(lists.values()):
            sources = tuple(sorted({address for address in lists.values() if address}))
            rule = "not in the list that declares the history complete"
            found[feature.key] = Finding(feature.key, 0.0, feature.unit, at, sources, rule)
    return found


def _needed(feature: Feature) -> frozenset[Kind]:
    if feature.missing_rule == "medication_list":
        return frozenset({"medication"})
    if feature.missing_rule == "complete_history":
        return _DECLARED_BY.get(feature.key, frozenset({"systemic therapy"}))
    return frozenset()


def _youngest(kind: Kind, feature: Feature, readings: Readings) -> str | None:
    """The address of the youngest list of a kind that is young enough for a parameter."""
    limit = min(MAX_DAYS, readings.windows.days(feature) or MAX_DAYS)
    fitting = [(one.age, one.address) for one in readings.declared if kind in one.kinds and one.age <= limit]
    return min(fitting)[1] if fitting else None


@cache
def _of_rules(schema: FeatureSchema, rules: frozenset[str]) -> tuple[Feature, ...]:
    """The parameters with one of these missing rules."""
    return tuple(feature for feature in schema.features if feature.missing_rule in rules)


@cache
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
