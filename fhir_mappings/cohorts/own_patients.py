"""A hospital's own patients, record by record -> the cohort format: one row each, or the reason why not.

The values are those of scoring at the index date, from what was on record then (`History`). The outcome is the date of
death, else the last contact.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
import numpy as np

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.index_dates import Index, Rule
from fhir_mappings.follow_up import FollowUp, follow_up
from fhir_mappings.history import History
from fhir_mappings.record import PatientRecord
from fhir_mappings.resources.r4 import Patient
from fhir_mappings.timing import days_between, is_after
from models.features import FeatureSchema
from models.training.cohort import Cohort
from models.training.race import NOT_STATED

Undated = Literal["censored", "left-out"]

FOREIGN = "data of another patient in the record"
NO_PATIENT = "no Patient resource"
REPLACED = "record merged into another one"
NOT_WHOLE = "record not read whole"
UNDATED_DEATH = "dead without a date of death"
DIED_BEFORE = "died before the index date or on it"
UNDER_18 = "under 18 at the index date"
NOT_SEEN_AFTER = "not seen after the index date"
NOT_UNDER_CARE = "not seen in the 365 days before the index date"
_ADULT = 18
_CARE_DAYS = 365.0
_DECIMALS = 4


class Plan(msgspec.Struct, frozen=True):
    """How a cohort is made. `after`: days from the event to the values; `care`: who was not seen lately is left out.

    `keep_ids`: the rows bear the ids of the source, else numbers in the order of the records.
    """

    rule: Rule
    name: str
    until: datetime
    after: float = 0.0
    care: bool = False
    undated: Undated = "censored"
    keep_ids: bool = False


class _Row(msgspec.Struct, frozen=True):
    patient_id: str
    setting: str
    entity: str
    entry: float
    time: float
    event: bool
    values: "np.ndarray[tuple[int], np.dtype[np.float32]]"


class OwnPatients:
    """Takes one record after the other; holds a row of each, never the record."""

    def __init__(self, plan: Plan, schema: FeatureSchema) -> None:
        self._plan = plan
        self._schema = schema
        self._rows: list[_Row] = []
        self.read = 0
        self.excluded: Counter[str] = Counter()
        self.undated_deaths = 0  # of patients in the cohort, censored at their last contact

    def add(self, record: PatientRecord) -> None:
        """One patient more, or one reason more."""
        history = History(record)
        reason = _not_usable(record, history) or self._followed(record, history)
        if reason:
            self.leave_out(reason)
        else:
            self.read += 1

    def leave_out(self, reason: str) -> None:
        """A patient who is not in the cohort."""
        self.read += 1
        self.excluded[reason] += 1

    def _followed(self, record: PatientRecord, history: History) -> str:
        plan = self._plan
        followed = follow_up(history.own, plan.until)
        is_undated = followed.dead and followed.death is None
        if is_undated and plan.undated == "left-out":
            return UNDATED_DEATH
        index = plan.rule(history, plan.until, plan.after)
        if isinstance(index, str):
            return index
        reason = _not_followed(index, followed, care=plan.care)
        if reason:
            return reason
        self.undated_deaths += is_undated
        self._rows.append(self._row(record, index, followed))
        return ""

    def _row(self, record: PatientRecord, index: Index, followed: FollowUp) -> _Row:
        end = followed.death or followed.last
        tumour = index.encoded.tumours.index
        if end is None or tumour is None:
            raise ValueError("a row needs an end and a tumour")
        return _Row(
            patient_id=record.patient_id if self._plan.keep_ids else str(self.read + 1),
            setting=index.setting,
            entity=tumour.entity,
            entry=round(_entry(index, followed), _DECIMALS),
            time=round(days_between(index.zero, end), _DECIMALS),
            event=followed.death is not None,
            values=index.encoded.vector.values,
        )

    def build(self) -> BuiltCohort:
        """All rows, and how many were left out by reason. Raises ValueError where nobody is left."""
        rows = self._rows
        if not rows:
            why = ", ".join(f"{number} {reason}" for reason, number in self.excluded.most_common(3))
            raise ValueError(f"nobody is left of {self.read} patients{f' ({why})' if why else ''}")
        cohort = Cohort(
            patient_id=np.array([row.patient_id for row in rows]),
            cohort=np.full(len(rows), self._plan.name),
            setting=np.array([row.setting for row in rows]),
            entity=np.array([row.entity for row in rows]),
            race=np.full(len(rows), NOT_STATED),
            entry=np.array([row.entry for row in rows]),
            time=np.array([row.time for row in rows]),
            event=np.array([row.event for row in rows]),
            values=np.stack([row.values for row in rows]),
        )
        return BuiltCohort(cohort, _by_count(self.excluded))


def _by_count(excluded: Counter[str]) -> Mapping[str, int]:
    return dict(sorted(excluded.items(), key=lambda pair: (-pair[1], pair[0])))


def _not_usable(record: PatientRecord, history: History) -> str:
    """Why the record as a whole is not used, whatever the index date."""
    patients = history.own.of(Patient)
    if history.own.foreign:
        return FOREIGN
    if any(line.via != "bundle" and line.state in {"failed", "partial"} for line in record.retrieval):
        return NOT_WHOLE
    if not patients:
        return NO_PATIENT
    return REPLACED if any(link.type_ == "replaced-by" for one in patients for link in one.link) else ""


def _not_followed(index: Index, followed: FollowUp, *, care: bool) -> str:
    """Why a patient with an index date has no time at risk, or may not stand in the cohort."""
    age = index.encoded.person.age
    if age is not None and age < _ADULT:
        return UNDER_18
    if followed.death is not None and not is_after(followed.death, index.at):
        return DIED_BEFORE
    if care and not any(0 <= days_between(seen, index.at) <= _CARE_DAYS for seen in followed.contacts):
        return NOT_UNDER_CARE
    end = followed.death or followed.last
    if end is None or days_between(index.zero, end) <= _entry(index, followed):
        return NOT_SEEN_AFTER
    return ""


def _entry(index: Index, followed: FollowUp) -> float:
    """Days from the start of the clock on which nobody could have died unseen here: the patient had not come yet.

    Left truncation: whoever died before the values were taken, or before the first contact here, is in no export.
    """
    entry = days_between(index.zero, index.at)
    if followed.first is not None:
        entry = max(entry, days_between(index.zero, followed.first))
    return max(0.0, entry)
