"""For how long a value counts: the windows of the catalogue in the clinic, and those of an emergency.

In an emergency what was found since the arrival stands before what was found earlier; what is older than the arrival
counts in a shorter window, and a measurement then says so (`BEFORE_ARRIVAL`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from fhir_mappings.finding import Finding
from fhir_mappings.timing import days_between
from models.features import Feature

BEFORE_ARRIVAL = "before-arrival"  # flag of a measurement that is older than the arrival
VITAL_SIGNS_HOURS = 6.0
_A_WEEK = 7.0  # of laboratory values and acute diseases from before the arrival, unless their row is stricter


class Windows(msgspec.Struct, frozen=True):
    """`at` is the moment of assessment. `arrival` is when an emergency began; None in the clinic."""

    at: datetime
    arrival: datetime | None = None

    @property
    def is_emergency(self) -> bool:
        return self.arrival is not None

    @property
    def takes_first_set(self) -> bool:
        """Whether the arrival is so recent that the first vital signs since then stand, not the newest."""
        return self.arrival is not None and 24 * days_between(self.arrival, self.at) <= VITAL_SIGNS_HOURS

    def days(self, feature: Feature) -> float | None:
        """For how many days a value counts; None: at any age.

        In an emergency the row's own window; a laboratory value or an acute disease of the same stay counts beyond it,
        but never longer than in the clinic. Rows stricter than a week (lactate, blood gases) hold as they are.
        """
        if self.arrival is None or feature.window_days is None or feature.window_days_emergency is None:
            return feature.window_days
        limit = feature.window_days_emergency
        if limit >= _A_WEEK and (feature.modality == "laboratory" or feature.missing_rule == "documented_acute"):
            return max(limit, min(feature.window_days, days_between(self.arrival, self.at)))
        return limit

    def age(self, finding: Finding) -> float:
        """Days up to `at`; infinite where there is no date."""
        return days_between(finding.effective, self.at) if finding.effective else float("inf")

    def hold(self, finding: Finding, feature: Feature) -> bool:
        """Whether a finding is recent enough; an undated one never is, where there is a window."""
        limit = self.days(feature)
        return limit is None or self.age(finding) <= limit

    def since_arrival(self, findings: Sequence[Finding]) -> list[Finding]:
        """Those of the present contact; all of them where none is, and in the clinic."""
        return [finding for finding in findings if not self.is_before_arrival(finding)] or [*findings]

    def is_before_arrival(self, finding: Finding) -> bool:
        """Of the day of arrival without a time counts as since the arrival."""
        if self.arrival is None or finding.effective is None:
            return False
        return days_between(finding.effective, self.arrival) > 0

    def marked(self, finding: Finding, feature: Feature) -> Finding:
        """The finding, with a flag where it is a measurement of the present state from before the arrival."""
        if self.arrival is None or not (_ages_fast(feature) and self.is_before_arrival(finding)):
            return finding
        if BEFORE_ARRIVAL in finding.flags:
            return finding
        return msgspec.structs.replace(finding, flags=(*finding.flags, BEFORE_ARRIVAL))


def windows_at(at: datetime, unplanned_since: datetime | None, *, emergency: bool) -> Windows:
    """The windows of an emergency where somebody says that it is one, or an unplanned contact is going on.

    Both alike, so that one patient at one moment has one answer, whoever asks. Without a known arrival it is taken to
    be as long ago as vital signs count.
    """
    if unplanned_since is None and emergency:
        return Windows(at, at - timedelta(hours=VITAL_SIGNS_HOURS))
    return Windows(at, unplanned_since)


def is_of_a_set(feature: Feature) -> bool:
    """Vital signs: measured together, and again and again."""
    return feature.aggregation == "latest_set"


def _ages_fast(feature: Feature) -> bool:
    """Measured, and trusted for a shorter time in an emergency than in the clinic."""
    if feature.window_days is None or feature.window_days_emergency is None:
        return False
    return feature.missing_rule in _MEASURED and feature.window_days_emergency < feature.window_days


_MEASURED = frozenset({"measured_only", "derived_from_parts"})
