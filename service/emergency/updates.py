"""Two answers on one patient: what is different, what changed the estimate, and how the range changed. Pure."""

import math
from collections.abc import Mapping

import msgspec

from service.assessment import Assessment
from service.attribution import Factor
from service.emergency.change import Change, Range, Update
from service.notices import ABSENT

MOST_CHANGES = 5
_LEAST_FACTOR = 1e-4  # factors are rounded to four places: a zero would have no logarithm
_NOTHING = 0.005  # a ratio within half a percent of 1 is no change that a reader could see


def updated(before: Assessment | None, now: Assessment, number: int, *, final: bool) -> Assessment:
    """`now` as answer `number` of its sequence, told against the answer `before` it."""
    position = before.position if before else None
    previous = Range(position.percentile, position.low, position.high) if position else None
    update = Update(number, final, previous, _narrowed(previous, now))
    return msgspec.structs.replace(now, changed_by=changed_by(before, now), update=update)


def alone(assessment: Assessment) -> Assessment:
    """The only answer of its call: the first, the last, and changed by nothing."""
    return msgspec.structs.replace(assessment, changed_by=(), update=Update(1, final=True))


def changed_by(before: Assessment | None, now: Assessment) -> tuple[Change, ...]:
    """The parameters whose term changed most, strongest first, ties by key; nothing unless both are scored.

    New, changed, corrected and vanished values alike: a value that is not there counts as typical, factor 1.
    """
    if before is None or "scored" not in (before.status, now.status) or before.status != now.status:
        return ()
    old, new = _by_key(before), _by_key(now)
    changes = [
        Change(key, (new.get(key) or old[key]).label, round(_factor(new, key) / _factor(old, key), 4))
        for key in old.keys() | new.keys()
    ]
    seen = [change for change in changes if abs(change.factor - 1) > _NOTHING]
    return tuple(sorted(seen, key=lambda c: (-abs(math.log(max(c.factor, _LEAST_FACTOR))), c.feature))[:MOST_CHANGES])


def says_the_same(before: Assessment | None, now: Assessment) -> bool:
    """Whether an answer would tell its reader nothing new: values with their sources, position, coverage, reason."""
    return before is not None and _said(before) == _said(now)


def _said(assessment: Assessment) -> tuple[Assessment, dict[str, tuple[object, ...]]]:
    """What a reader sees. Ages grow while he reads, and what is true "now" is dated anew each time: neither counts.

    Nor do the missing inputs: coverage counts them, and while something is on its way they are only not there yet.
    """
    values: dict[str, tuple[object, ...]] = {
        factor.feature: (
            None if factor.value is None else round(factor.value, 2),
            "" if factor.effective == assessment.assessed_at else factor.effective,
            factor.sources,
        )
        for factor in assessment.attribution
    }
    notices = tuple(notice for notice in assessment.notices if notice.code not in ABSENT)
    rest = msgspec.structs.replace(
        assessment, assessed_at="", attribution=(), risk_score=None, reference=None, applicability=None,
        retrieval=(), issues=(), changed_by=(), update=None, notices=notices,
    )  # fmt: skip
    return rest, values


def _narrowed(previous: Range | None, now: Assessment) -> bool | None:
    position = now.position
    if previous is None or position is None:
        return None
    return position.high - position.low < previous.high - previous.low


def _by_key(assessment: Assessment) -> Mapping[str, Factor]:
    return {factor.feature: factor for factor in assessment.attribution}


def _factor(factors: Mapping[str, Factor], key: str) -> float:
    return max(factors[key].factor, _LEAST_FACTOR) if key in factors else 1.0
