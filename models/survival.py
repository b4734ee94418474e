"""The survival function, with a domain: what the follow-up does not support is refused, never extrapolated.

S(t | x) = exp(-H0(t) exp(b g)): Breslow's cumulative baseline hazard H0 (Breslow, discussion of Cox, J. R. Statist.
Soc. B 1972) with the calibrated log-risk b g. A patient who is alive s days after time zero has S(s + t) / S(s).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from models.manifest import Baseline

_LARGEST = 700.0  # log-risk beyond which exp would overflow; nobody is there


class SurvivalAt(msgspec.Struct, frozen=True):
    """The probability to be alive `days` days from today, with its range; low <= probability <= high."""

    days: int
    probability: float
    low: float
    high: float


class BeyondFollowUpError(ValueError):
    """A time that the patients behind the baseline do not support."""


def survival(baseline: Baseline, log_risk: float, days: float, since: float = 0.0) -> float:
    """Probability to be alive at `since` + `days`, given that one was at `since` (both in days from time zero).

    `log_risk` is the calibrated one, b g. Raises BeyondFollowUpError for what lies after `supported_days`, before time
    zero, or is no number.
    """
    if not (days >= 0 and since >= 0):
        raise BeyondFollowUpError(f"{since:g} and {days:g} days are no time after time zero")
    if since + days > baseline.supported_days:
        raise BeyondFollowUpError(f"{since + days:g} days; follow-up supports {baseline.supported_days:g}")
    between = cumulative_hazard(baseline, since + days) - cumulative_hazard(baseline, since)
    return math.exp(-between * math.exp(min(log_risk, _LARGEST)))


def survival_with_range(
    baseline: Baseline, slope: float, log_risk: float, half: float, days: int, since: float = 0.0
) -> SurvivalAt:
    """Survival at log-risk g, and its range from that of g: g + `half` and g - `half`, before the slope b.

    Raises BeyondFollowUpError as `survival` does.
    """
    high, probability, low = (
        survival(baseline, slope * at, days, since) for at in (log_risk - half, log_risk, log_risk + half)
    )
    return SurvivalAt(days, probability, low, high)


def check_horizon(supported: Sequence[int], days: int, since: float = 0.0) -> None:
    """Raises BeyondFollowUpError unless `days` is one of the supported horizons and `since` + `days` within the last.

    The last horizon is the last day for which enough patients were still under observation.
    """
    if days not in supported:
        raise BeyondFollowUpError(f"{days} days is no supported horizon")
    if since + days > max(supported):
        raise BeyondFollowUpError(f"{since + days:g} days; the last supported horizon is {max(supported)}")


def cumulative_hazard(baseline: Baseline, day: float) -> float:
    """H0 at a day: the last step up to it, 0 before the first."""
    step = bisect_right(baseline.days, day)
    return baseline.hazard[step - 1] if step else 0.0
