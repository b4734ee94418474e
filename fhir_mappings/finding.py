"""What reading a record yields: findings (a value for a parameter) and issues (why something was not used)."""

from datetime import datetime
from typing import Literal

import msgspec

Severity = Literal["information", "warning", "error"]


class Issue(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Why a resource, or a part of one, was not used or only with a reservation.

    `code` is from the closed list in docs/mapping-issues.md. `diagnostics` never holds text or values of the
    record: codes, units and parameter keys only, so that an issue may be logged and shown.
    """

    severity: Severity
    code: str
    diagnostics: str
    source: str = ""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A value for one parameter, read from one or more resources.

    `value` is in the canonical unit of `feature`; `original` is the value as written and `original_unit` its unit.
    `effective` is when it was true of the patient (None: any time, as for a birth date). `rank` orders findings of
    the same parameter and time: the higher wins (pathological over clinical, final over preliminary). `flags` are
    issue codes that travel with the value ("comparator", "preliminary", ...).
    """

    feature: str
    value: float
    unit: str
    effective: datetime | None
    sources: tuple[str, ...]
    rule: str = ""
    rank: int = 0
    flags: tuple[str, ...] = ()
    original: float | None = None
    original_unit: str = ""


class Reading(msgspec.Struct):
    """Everything one reader says of the resources it was given."""

    findings: list[Finding] = msgspec.field(default_factory=list)
    issues: list[Issue] = msgspec.field(default_factory=list)

    def add(self, other: "Reading") -> None:
        self.findings += other.findings
        self.issues += other.issues
