"""When no card is better: the site's policy, and nothing else. Pure: no store, no clock.

Without a rule every call is answered with a card, and whatever is not known (what was shown before, who reads) speaks
for showing it. A fault is never silent: it is an error, and errors do not come here. That data of another patient were
delivered is always shown. Alerts are overridden the more, the more often they repeat (Ancker et al., BMC Medical
Informatics and Decision Making 2017): what is silent here is what the reader has seen, has set aside, or cannot use.
"""

import hashlib
import hmac
from collections.abc import Collection
from enum import StrEnum

import msgspec

from fhir_mappings.decoding import UNREAD_CODES
from fhir_mappings.resources.r4 import Condition
from service.assessment import Assessment
from service.quiet_settings import QuietRules

_NOT_READ = frozenset({"failed", "partial"})
_CONDITIONS = "conditions"  # the query that tumours come from


class Silence(StrEnum):
    """The closed list of reasons for no card; the value is the one in the metrics."""

    ROLE = "role"
    SPECIALITY = "speciality"
    NO_TUMOUR = "no-tumour"
    SNOOZED = "snoozed"
    UNCHANGED = "unchanged"
    SHADOW = "shadow"  # only where nothing else would have silenced the card


class Reader(msgspec.Struct, frozen=True):
    """Who reads, as far as it is known: `system|code` of roles and specialities."""

    roles: frozenset[str] = frozenset()
    specialities: frozenset[str] = frozenset()


class Shown(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of a card: position, number of inputs, and a hash of what else is material."""

    percentile: int | None
    inputs: int
    picture: str


class Before(msgspec.Struct, frozen=True):
    """What is known of this reader and this patient: the last card, and whether the reader has set it aside."""

    shown: Shown | None = None
    snoozed: bool = False


def silence(assessment: Assessment, before: Before, reader: Reader, rules: QuietRules, key: bytes) -> Silence | None:
    """Why this reader gets no card now; None where the card is shown. `key`: that of `shown_of`."""
    if assessment.is_of_another:
        return None
    seen = (
        rules.repeat == "changed"
        and before.shown is not None
        and not is_material(before.shown, shown_of(assessment, key), rules)
    )
    holds = {
        Silence.ROLE: _lacks(reader.roles, rules.roles),
        Silence.SPECIALITY: _lacks(reader.specialities, rules.specialities),
        Silence.NO_TUMOUR: rules.no_tumour and _has_no_tumour(assessment),
        Silence.SNOOZED: before.snoozed,
        Silence.UNCHANGED: seen,
        Silence.SHADOW: rules.shadow,
    }
    return next((why for why, is_so in holds.items() if is_so), None)


def shown_of(assessment: Assessment, key: bytes) -> Shown:
    """What has to be remembered of a card. The picture is hashed with the `key`: there are not many to guess from."""
    position, coverage, abstained = assessment.position, assessment.coverage, assessment.abstained
    picture = (
        abstained.code if abstained else "",
        assessment.entity.key if assessment.entity else "",
        assessment.setting.key if assessment.setting else "",
        position.category if position else "",
        sorted(line.key for line in assessment.retrieval if line.state in _NOT_READ),
    )
    return Shown(
        percentile=position.percentile if position else None,
        inputs=coverage.observed if coverage else 0,
        picture=hmac.digest(key, msgspec.json.encode(picture), hashlib.sha256).hex()[:16],
    )


def is_material(old: Shown, new: Shown, rules: QuietRules) -> bool:
    """Whether the reader has to see the change. An unread part that was unread the last time is no change."""
    if old.picture != new.picture or abs(old.inputs - new.inputs) >= rules.coverage_inputs:
        return True
    if old.percentile is None or new.percentile is None:
        return old.percentile is not new.percentile
    return abs(old.percentile - new.percentile) >= rules.position_points


def _lacks(has: frozenset[str], wanted: Collection[str]) -> bool:
    """Whether what the reader is known to be is none of what is wanted."""
    return bool(wanted) and bool(has) and has.isdisjoint(wanted)


def _has_no_tumour(assessment: Assessment) -> bool:
    """Whether the record says so, read to its end: an unread part may hold the tumour."""
    code = assessment.abstained.code if assessment.abstained else ""
    if code != "no-solid-tumour" and not (code == "under-18" and assessment.entity is None):
        return False
    cut = any(line.key == _CONDITIONS and line.state in _NOT_READ for line in assessment.retrieval)
    unread = any(
        issue.code in UNREAD_CODES and issue.source.partition("/")[0] in {Condition.__name__, "?", ""}
        for issue in assessment.issues
    )
    return not cut and not unread
