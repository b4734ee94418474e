"""Which of several findings stands for a parameter: windows, conflicts, "any time" against "latest"."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from fhir_mappings.finding import Finding, Issue
from fhir_mappings.timing import days_between
from models.features import Feature

# Initial staging: from 30 days before to 120 days after diagnosis, what was available at the assessment.
_STAGING_FROM, _STAGING_TO = -30.0, 120.0
_M0_DAYS = 90.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SAME_DAY_DIFFERENCE = 0.2


class Choice(msgspec.Struct, frozen=True):
    """The finding that stands for the parameter, the others that could have, and why some could not."""

    finding: Finding | None = None
    history: tuple[Finding, ...] = ()
    issues: tuple[Issue, ...] = ()
    reason: str = "nothing found"


def choose(feature: Feature, findings: Sequence[Finding], at: datetime, diagnosed: datetime | None) -> Choice:
    """One finding for one parameter by its window, missing rule and aggregation.

    `diagnosed` is the date of the index tumour (initial staging counts from it).
    """
    history = tuple(sorted(findings, key=_time))
    if feature.missing_rule == "initial_staging":
        usable = [f for f in history if _is_initial(f, diagnosed)]
        return _choice(usable, history, _best_staging, "not of the initial staging")
    if feature.missing_rule in {"m0_or_statement", "m0_or_site_list"}:
        usable = [f for f in history if f.value == 1 or _age(f, at) <= _M0_DAYS]
        return _choice(usable, history, _positive_first, "M0 is older than 90 days")
    if feature.missing_rule in {"documented_problems", "documented_acute"}:
        return _choice(list(history), history, _newest, "nothing found")
    usable = [f for f in history if in_window(f, feature, at)]
    chosen = _choice(usable, history, _newest, f"older than {feature.window_days or 0:g} days or undated")
    return msgspec.structs.replace(chosen, issues=_conflicts(feature, chosen.finding, usable))


def choose_part(findings: Sequence[Finding]) -> Choice:
    """The newest of a part that is no parameter itself; the formula that uses it has the window."""
    history = tuple(sorted(findings, key=_time))
    return _choice(history, history, _newest, "")


def _choice(
    usable: Sequence[Finding], history: tuple[Finding, ...], best: Callable[[Sequence[Finding]], Finding], reason: str
) -> Choice:
    if not usable:
        return Choice(history=history, reason=reason if history else "nothing found")
    return Choice(best(usable), history, reason="")


def _time(finding: Finding) -> tuple[datetime, int]:
    return finding.effective or _LONG_AGO, finding.rank


def _newest(findings: Sequence[Finding]) -> Finding:
    """The latest; of the same moment the higher rank; of equals the higher value, so that order does not matter."""
    return max(findings, key=lambda f: (*_time(f), f.value, f.sources))


def _best_staging(findings: Sequence[Finding]) -> Finding:
    """Pathological before clinical, then the latest."""
    return max(findings, key=lambda f: (f.rank // 10, *_time(f), f.value, f.sources))


def _positive_first(findings: Sequence[Finding]) -> Finding:
    """Metastasis once stated stays: M1 wins over M0, and its first statement counts."""
    positive = [f for f in findings if f.value == 1]
    if positive:
        return min(positive, key=lambda f: (f.effective or datetime.max.replace(tzinfo=UTC), f.sources))
    return _newest(findings)


def _is_initial(finding: Finding, diagnosed: datetime | None) -> bool:
    if finding.effective is None or diagnosed is None:
        return True
    return _STAGING_FROM <= days_between(diagnosed, finding.effective) <= _STAGING_TO


def _age(finding: Finding, at: datetime) -> float:
    return days_between(finding.effective, at) if finding.effective else float("inf")


def in_window(finding: Finding, feature: Feature, at: datetime) -> bool:
    """Whether a finding is recent enough; an undated one never is, where there is a window."""
    if feature.window_days is None:
        return True
    return _age(finding, at) <= feature.window_days


def _conflicts(feature: Feature, chosen: Finding | None, usable: Sequence[Finding]) -> tuple[Issue, ...]:
    """A second value of the same day that differs by more than a fifth: the later stands, and it is said."""
    if chosen is None or chosen.effective is None or feature.kind != "continuous":
        return ()
    for other in usable:
        if other is chosen or other.effective is None or other.effective.date() != chosen.effective.date():
            continue
        if abs(other.value - chosen.value) > _SAME_DAY_DIFFERENCE * max(abs(other.value), abs(chosen.value)):
            text = f"{feature.key}: two values of one day differ by more than 20 %"
            return (Issue("information", "same-day-conflict", text, other.sources[0]),)
    return ()
