"""Why a parameter is empty, in words that a data steward can act on.

The first of these that applies: the parameter is not meant for this cancer; a value was found but does not count; a
resource that speaks of it could not be used (an issue); a part of its formula is missing; nothing speaks of it, and its
missing rule says why that is no 0.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from fhir_mappings.derive import CHANGES, FORMULAS, Formula
from fhir_mappings.encoder import ONLY_FOR, EncodedPatient
from fhir_mappings.finding import Finding, Issue
from fhir_mappings.genes import key_of
from fhir_mappings.issue_words import in_words
from fhir_mappings.readers.all_resources import Readings
from fhir_mappings.readers.encounters import PROBLEMS_DAYS
from fhir_mappings.record import PatientRecord
from fhir_mappings.timing import days_between, in_order
from models.features import Feature, FeatureSchema

NOTHING = "nothing found"
_NO_TUMOUR = {
    "none": "no confirmed solid tumour is recognised",
    "several": "several active primaries; none is scored",
    "inactive": "the only tumour is inactive; it is not scored",
}
_BY_MISSING_RULE = {
    "complete_history": "not recorded, and no history declared complete says that there was none",
    "medication_list": "not recorded, and no medication list of 90 days says that there is none",
    "tested_gene": "no result of a test of this gene",
    "m0_or_site_list": "neither a metastasis there nor M0 is recorded",
    "m0_or_statement": "neither M0 nor M1 is recorded",
    "complete_encounters": "no complete list of encounters",
}
_PARTS = {
    "part/gcs_eyes": "eye response",
    "part/gcs_verbal": "verbal response",
    "part/gcs_motor": "motor response",
    "part/po2_arterial": "arterial oxygen pressure",
    "part/fio2": "inspired oxygen fraction",
    "part/gleason_primary": "primary Gleason pattern",
    "part/gleason_secondary": "secondary Gleason pattern",
}


class _View(msgspec.Struct, frozen=True):
    """What is looked at for every parameter. `seen` are all values found, also those that do not count."""

    record: PatientRecord
    encoded: EncodedPatient
    readings: Readings
    schema: FeatureSchema
    at: datetime
    seen: Mapping[str, list[Finding]]
    issues: Mapping[str, list[Issue]]


_Why = Callable[[Feature, _View], str]  # "" where the reason is another one


def empty_slots(
    record: PatientRecord, encoded: EncodedPatient, readings: Readings, schema: FeatureSchema, at: datetime
) -> dict[str, str]:
    """The reason for every parameter that `encoded` has no value for; none for the entities beside the known one."""
    seen: dict[str, list[Finding]] = {}
    for finding in readings.findings:
        seen.setdefault(finding.feature, []).append(finding)
    view = _View(record, encoded, readings, schema, at, seen, _by_parameter(encoded.issues, schema))
    has_entity = any(key in encoded.findings for key in schema.entities)
    return {
        feature.key: _reason(feature, view)
        for feature in schema.features
        if feature.key not in encoded.findings and not (feature.is_entity and has_entity)
    }


def _by_parameter(issues: Sequence[Issue], schema: FeatureSchema) -> dict[str, list[Issue]]:
    """Issues by the parameters that their diagnostics begin with, by key or by gene symbol."""
    found: dict[str, list[Issue]] = {}
    for issue in issues:
        for name in issue.diagnostics.partition(":")[0].split(", "):
            key = name if name in schema.index or name.startswith("part/") else key_of(name)
            if key is not None:
                found.setdefault(key, []).append(issue)
    return found


def _reason(feature: Feature, view: _View) -> str:
    return next(why for rule in _RULES if (why := rule(feature, view)))


def _of_another_cancer(feature: Feature, view: _View) -> str:
    index = view.encoded.tumours.index
    meant = ONLY_FOR.get(feature.key)
    if index is None or meant is None or index.entity in meant:
        return ""
    return f"means something for {' or '.join(view.schema[key].label_en.lower() for key in sorted(meant))} only"


def _does_not_count(feature: Feature, view: _View) -> str:
    findings = view.seen.get(feature.key)
    if not findings:
        return ""
    if feature.missing_rule == "initial_staging":
        return "recorded, but not within 30 days before to 120 days after the diagnosis"
    if feature.missing_rule in {"m0_or_statement", "m0_or_site_list"}:
        return "the statement of absence is older than 90 days"
    limit = view.readings.windows.days(feature)
    dated = [finding.effective for finding in findings if finding.effective]
    if not dated:
        return f"has no date, and counts for {limit or 0:g} days only"
    newest = max(dated, key=in_order)
    if limit is not None and days_between(newest, view.at) > limit:
        return f"older than {limit:g} days (the newest is of {newest.date().isoformat()})"
    return "outside the plausible range"


def _not_usable(feature: Feature, view: _View) -> str:
    issues = view.issues.get(feature.key, [])
    if not issues:
        return ""
    codes = dict.fromkeys(issue.code for issue in sorted(issues, key=lambda i: (i.severity != "warning", i.code)))
    sources = sorted({issue.source for issue in issues})
    others = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return f"{'; '.join(in_words(code) for code in codes)} ({sources[0]}{others})"


def _part_is_missing(feature: Feature, view: _View) -> str:
    formulas = [formula for formula in FORMULAS if formula.key == feature.key]
    if formulas:
        return _of_formula(formulas[0], view)
    change = next((change for change in CHANGES if change.key == feature.key), None)
    if change is None:
        return ""
    if change.of not in view.encoded.findings:
        return f"needs {_named_with_reason(change.of, view)}"
    return f"needs another {change.of} {change.first} to {change.last} days before the latest"


def _of_formula(formula: Formula, view: _View) -> str:
    if formula.prefers_reported and not any(view.seen.get(name) for name in formula.parts if "/" in name):
        return ""  # it is a value like any other, and only sometimes computed
    missing = [name for name in formula.parts if name not in view.encoded.findings and not _is_part_seen(name, view)]
    if missing:
        return "needs " + "; ".join(_named_with_reason(name, view) for name in missing)
    if formula.within is not None:
        return f"its parts are further apart than {_span(formula.within)}, too old, or give no plausible value"
    return "its parts are too old or give no plausible value"


def _is_part_seen(name: str, view: _View) -> bool:
    return "/" in name and bool(view.seen.get(name))


def _named_with_reason(name: str, view: _View) -> str:
    if name in view.schema.index:
        return f"{name}: {_reason(view.schema[name], view)}"
    return f"the {_PARTS.get(name, 'percentage of leukocytes')}"


def _span(within: timedelta) -> str:
    minutes = int(within.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} hours"


def _no_tumour(feature: Feature, view: _View) -> str:
    if not feature.is_entity:
        return ""
    return _NO_TUMOUR.get(view.encoded.tumours.state, NOTHING)


def _not_coded_yet(feature: Feature, view: _View) -> str:
    if feature.missing_rule != "documented_acute" or not view.readings.windows.is_emergency:
        return ""
    return "not recorded; in an emergency that leaves it open until the diagnoses of this stay are coded"


def _not_documented(feature: Feature, view: _View) -> str:
    rules = {"documented_problems", "documented_acute"}
    if feature.missing_rule not in rules and feature.key not in {"comorb_charlson_index", "comorb_count"}:
        return ""
    if any(line.state not in {"complete", "empty"} for line in view.record.retrieval):
        return "not recorded, and the record is not complete enough to conclude an absence"
    if not view.readings.documented:
        return "not recorded, and no completed encounter with coded diagnoses in 12 months proves its absence"
    limit = feature.window_days or PROBLEMS_DAYS
    if feature.missing_rule == "documented_acute" and all(one.age > limit for one in view.readings.documented):
        return f"not recorded, and no completed encounter with coded diagnoses in {limit:g} days proves its absence"
    if feature.missing_rule in rules:
        return "recorded in a way that leaves open whether it is present"
    return "not every disease that it counts is known to be present or absent"


def _about_the_person(feature: Feature, view: _View) -> str:
    if feature.missing_rule != "always_known":
        return ""
    if feature.key == "demo_sex_female":
        return "Patient.gender is neither female nor male"
    age = view.encoded.person.age
    return "no usable date of birth" if age is None else "under 18 years"


def _by_missing_rule(feature: Feature, _: _View) -> str:
    return _BY_MISSING_RULE.get(feature.missing_rule, NOTHING)


_RULES: tuple[_Why, ...] = (
    _of_another_cancer, _does_not_count, _not_usable, _part_is_missing, _no_tumour, _not_coded_yet, _not_documented,
    _about_the_person, _by_missing_rule,
)  # fmt: skip
