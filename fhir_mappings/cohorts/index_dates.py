"""When a patient of a hospital's own cohort enters it, by a rule that looks at nothing dated later.

`zero` is the start of the clock, `at` the moment at which the values are taken: not before what the rule asks for was
on record. Whoever is found is at risk from `at` on. Whoever is not has a reason, which is counted.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

import msgspec

from fhir_mappings.concepts import LOINC, catalogue
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.history import Choose, History
from fhir_mappings.pathology_reports import HISTOLOGY
from fhir_mappings.readers.all_resources import read_record
from fhir_mappings.readers.by_code import has_code
from fhir_mappings.readers.encounters import HAPPENED
from fhir_mappings.resources.r4 import AnyResource, Condition, Encounter, Observation, Patient
from fhir_mappings.setting import choose_setting
from fhir_mappings.timing import WHOLE_DAY, days_between
from fhir_mappings.tumour import TumourPicture
from models.manifest import ServingRule

NO_TUMOUR = "no solid tumour on record at the index date"
SEVERAL = "several primaries at the index date"
INACTIVE = "tumour inactive at the index date"
LATE_DIAGNOSIS = "diagnosis recorded more than 90 days after it was made"
LATE_METASTASIS = "metastasis recorded more than 90 days after it was found"
AFTER_END = "index date after the end of follow-up"
NO_DATE = "no date of the event that the clock starts with"
NO_METASTASIS = "no dated statement of metastasis"
NO_STAY = "no unplanned stay with a solid tumour on record"
NO_VISIT = "no visit as a survivor (more than 24 months after diagnosis, without metastasis)"
_BY_STATE = {"none": NO_TUMOUR, "several": SEVERAL, "inactive": INACTIVE}
_RULE = ServingRule()
_UNPLANNED_KINDS = frozenset({"EMER", "IMP", "ACUTE", "NONAC"})


class Index(msgspec.Struct, frozen=True):
    """The patient at the index date, in a setting of the cohort format."""

    zero: datetime
    at: datetime
    setting: str
    encoded: EncodedPatient


Found = Index | str  # a patient's index date, or the reason why there is none
Rule = Callable[[History, datetime, float], Found]  # with the last moment that counts, and days after the event


def on_day(at: datetime) -> Rule:
    """The same moment for everyone; the setting is the one that would have been served."""

    def of(history: History, until: datetime, after: float) -> Found:
        del until, after
        encoded = _encoded(history, at)
        reason = _no_single_tumour(encoded)
        return reason or Index(at, at, choose_setting(encoded, at).network, encoded)

    return of


def diagnosis(history: History, until: datetime, after: float) -> Found:
    """The diagnosis of the first solid tumour: its pathology, else its onset; `at` once the record tells it."""
    for moment in _moments(history, _tells_tumours, until):
        tumours = _tumours(history, moment)
        if tumours.state == "none":
            continue
        index = tumours.index
        if index is None:
            return _BY_STATE[tumours.state]
        zero = index.pathology or index.since
        if zero is None:
            return NO_DATE
        return _event(history, "diagnosis", zero, moment, until, after) or LATE_DIAGNOSIS
    return NO_TUMOUR


def metastasis(history: History, until: datetime, after: float) -> Found:
    """The first statement of M1, or of a metastatic site, that has a date; with the tumour on record."""
    telling = _sources_of_metastasis(history, until)
    first = next(_moments(history, lambda one: one.address in telling, until), until)
    reason = NO_METASTASIS
    for moment in _moments(history, lambda one: one.address in telling or _tells_tumours(one), until):
        if moment < first:
            continue
        encoded = _encoded(history, moment)
        stated = encoded.findings.get("stage_m1")
        if stated is None or stated.value != 1:
            continue
        if encoded.tumours.state == "none":
            reason = NO_TUMOUR
            continue
        if stated.effective is None:
            return NO_DATE
        return _event(history, "metastatic", stated.effective, moment, until, after) or LATE_METASTASIS
    return reason


def admission(history: History, until: datetime, after: float) -> Found:
    """The first unplanned stay with the tumour on record; the last one would be chosen by the death that ended it."""
    for moment in _moments(history, _is_stay, until, after):
        if _tumours(history, moment).state == "none":
            continue
        encoded = _encoded(history, moment)
        if encoded.unplanned_since is None:
            continue
        reason = _no_single_tumour(encoded)
        return reason or Index(encoded.unplanned_since, moment, "acute", encoded)
    return NO_STAY


def survivor(history: History, until: datetime, after: float) -> Found:
    """The first visit at which the survivors' network would have been served."""
    del after
    for moment in _moments(history, _is_visit, until):
        index = _tumours(history, moment).index
        if index is None or index.since is None or days_between(index.since, moment) <= _RULE.survivor_days:
            continue
        encoded = _encoded(history, moment)
        if encoded.tumours.index and choose_setting(encoded, moment).network == "survivor":
            return Index(moment, moment, "survivor", encoded)
    return NO_VISIT


RULES: Mapping[str, Rule] = {
    "diagnosis": diagnosis, "metastasis": metastasis, "admission": admission, "survivor": survivor,
}  # fmt: skip


def _event(history: History, setting: str, zero: datetime, known: datetime, until: datetime, after: float) -> Found:
    """The patient so many days after the event, but not before it was on record; "" where that was too late."""
    if days_between(zero, known) > _RULE.new_days:
        return ""
    at = max(known, _end(zero + timedelta(days=after))) if after else known
    if at > until:
        return AFTER_END
    encoded = _encoded(history, at)
    reason = _no_single_tumour(encoded)
    return reason or Index(zero, at, setting, encoded)


def _encoded(history: History, at: datetime) -> EncodedPatient:
    return encode(history.at(at), catalogue().schema, at)


def _tumours(history: History, at: datetime) -> TumourPicture:
    """The tumours alone, which is quick."""
    return encode(history.at(at, _of_tumours), catalogue().schema, at).tumours


def _no_single_tumour(encoded: EncodedPatient) -> str:
    return "" if encoded.tumours.index else _BY_STATE[encoded.tumours.state]


def _sources_of_metastasis(history: History, until: datetime) -> frozenset[str]:
    readings = read_record(history.at(until), catalogue(), until, thorough=True)
    stated = (f for f in readings.findings if f.value == 1 and f.feature.startswith(("stage_m1", "stage_met_")))
    return frozenset(source.partition("#")[0] for finding in stated for source in finding.sources)  # a part's whole


def _moments(history: History, which: Choose, until: datetime, after: float = 0) -> Iterator[datetime]:
    """When the chosen resources came to be known, each moment once: what has only a day counts at its end."""
    moments = {_end(known) + timedelta(days=after) for known in history.moments(which)}
    return iter(sorted(moment for moment in moments if moment <= until))


def _end(moment: datetime) -> datetime:
    """As `--at DATE` reads a day: what is timed within it counts."""
    return datetime.combine(moment.date(), time.max, tzinfo=UTC) if moment.tzinfo is WHOLE_DAY else moment


def _tells_tumours(resource: AnyResource) -> bool:
    return isinstance(resource, Condition) or (
        isinstance(resource, Observation) and has_code(resource, [(LOINC, HISTOLOGY)])
    )


def _of_tumours(resource: AnyResource) -> bool:
    return isinstance(resource, Patient) or _tells_tumours(resource)


def _is_visit(resource: AnyResource) -> bool:
    return isinstance(resource, Encounter) and resource.status in HAPPENED


def _is_stay(resource: AnyResource) -> bool:
    return isinstance(resource, Encounter) and _is_visit(resource) and resource.class_.code in _UNPLANNED_KINDS
