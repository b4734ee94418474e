"""Systemic anticancer treatment -> the number of regimens.

A new agent or a gap opens a new one (catalogue: tx_prior_regimens). Agents begun within 28 days of each other are one
combination, which is how a cycle is given; a depot of an endocrine drug acts for up to six months, so that the time
between two of its doses is no gap.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from fhir_mappings.finding import Finding
from fhir_mappings.timing import in_order

KEY = "tx_prior_regimens"
_GAP_DAYS = 28
_DEPOT_DAYS = 183


class Course(msgspec.Struct, frozen=True):
    """Time under one agent ("" where only the kind of treatment is known), from its first to its last known dose."""

    address: str
    agent: str
    start: datetime
    end: datetime
    endocrine: bool = False


class _Regimen(msgspec.Struct):
    begun: datetime
    agents: set[str] = msgspec.field(default_factory=set)


def count_regimens(courses: Iterable[Course]) -> Finding | None:
    """The number of regimens, dated by the last of them; None without a course."""
    in_time = sorted(courses, key=lambda c: (c.start.date(), c.agent == "", c.agent, c.address))
    regimens: list[_Regimen] = []
    last: dict[str, datetime] = {}
    for course in in_time:
        if not regimens or _opens(course, regimens[-1], last):
            regimens.append(_Regimen(course.start))
        regimens[-1].agents |= {course.agent} - {""}
        last[course.agent] = max(last.get(course.agent, course.end), course.end, key=in_order)
    if not regimens:
        return None
    sources = tuple(dict.fromkeys(course.address for course in in_time))
    rule = "a new agent or a gap of more than 28 days opens a new one"
    return Finding(KEY, float(len(regimens)), "{count}", regimens[-1].begun, sources, rule=rule)


def _opens(course: Course, current: _Regimen, last: Mapping[str, datetime]) -> bool:
    """Whether a course opens a new regimen; `last` holds the last dose of each agent so far."""
    if course.agent in last:
        allowed = _DEPOT_DAYS if course.endocrine else _GAP_DAYS
        if _days(last[course.agent], course.start) <= allowed:
            return False  # it goes on, whatever was added or left out meanwhile
    if min(_days(end, course.start) for end in last.values()) > _GAP_DAYS:
        return True
    is_new = bool(course.agent and current.agents) and course.agent not in current.agents
    return is_new and _days(current.begun, course.start) > _GAP_DAYS


def _days(earlier: datetime, later: datetime) -> int:
    """Calendar days: a four-weekly cycle is 28 of them at whatever time of day."""
    return (later.date() - earlier.date()).days
