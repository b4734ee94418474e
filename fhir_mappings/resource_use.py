"""What became of each resource of a record: the parameters it gave, or why it gave none."""

from collections.abc import Iterable, Mapping

import msgspec

from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.finding import Finding, Issue
from fhir_mappings.issue_words import in_words
from fhir_mappings.readers.all_resources import Readings
from fhir_mappings.record import PatientRecord
from fhir_mappings.resources.r4 import OperationOutcome
from fhir_mappings.timing import in_order

_SEVERITIES = ("error", "warning", "information")


class ResourceUse(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One resource: the parameters that name it as a source, else why none does."""

    source: str
    used: tuple[str, ...] = ()
    reason: str = ""


def resource_uses(
    record: PatientRecord, encoded: EncodedPatient, readings: Readings, empty: Mapping[str, str]
) -> tuple[ResourceUse, ...]:
    """One row an address, also of what could not be read or is another patient's; in the order of the addresses.

    `empty` are the reasons for the empty parameters. Resources without an id share the address of their type.
    """
    used = _by_source(encoded.findings.values())
    spare = _by_source(readings.findings)
    issues: dict[str, list[Issue]] = {}
    for issue in encoded.issues:
        issues.setdefault(issue.source, []).append(issue)
    rows = [
        ResourceUse(address, tuple(dict.fromkeys(finding.feature for finding in used[address])))
        if address in used
        else ResourceUse(address, reason=_why_not(issues.get(address, ()), spare.get(address, ()), encoded, empty))
        for address in _addresses(record)
    ]
    return (*rows, *_without_address(record))


def _without_address(record: PatientRecord) -> list[ResourceUse]:
    """Entries that are too broken to have one; the diagnostics say which they are."""
    nameless = (issue for issue in record.issues if not issue.source)
    return [ResourceUse("?", reason=f"{in_words(issue.code)}: {issue.diagnostics}") for issue in nameless]


def _addresses(record: PatientRecord) -> list[str]:
    held = {entry.resource.address for entry in record.entries if not isinstance(entry.resource, OperationOutcome)}
    return sorted(held | {issue.source for issue in record.issues if issue.source})


def _by_source(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        for source in finding.sources:
            found.setdefault(source, []).append(finding)
    return found


def _why_not(
    issues: Iterable[Issue], spare: Iterable[Finding], encoded: EncodedPatient, empty: Mapping[str, str]
) -> str:
    """What was read and not chosen, then what the readers objected to, each with the parameters that it is about."""
    about: dict[str, list[str]] = {}
    for finding in spare:
        about.setdefault(_not_chosen(finding, encoded, empty), []).append(finding.feature)
    for issue in sorted(issues, key=lambda issue: (_SEVERITIES.index(issue.severity), issue.code)):
        name = issue.diagnostics.partition(":")[0]
        about.setdefault(in_words(issue.code), []).append(name if name in encoded.vector.schema.index else "")
    reasons = [f"{', '.join(named)}: {why}" if (named := _named(keys)) else why for why, keys in about.items()]
    return "; ".join(reasons) or in_words("not-needed")


def _named(keys: Iterable[str]) -> list[str]:
    return [key for key in dict.fromkeys(keys) if key]


def _not_chosen(finding: Finding, encoded: EncodedPatient, empty: Mapping[str, str]) -> str:
    if finding.feature.startswith("bedside/"):
        return "read for a score at the bedside"
    chosen = encoded.findings.get(finding.feature)
    if chosen is None:
        reason = empty.get(finding.feature, "a part, and no value was formed from it")
        return reason.rpartition(" (")[0] if reason.endswith(")") else reason  # without the source or date it names
    if chosen.effective is None or finding.effective is None:
        return "another value was used"
    mine, theirs = in_order(finding.effective), in_order(chosen.effective)
    if mine == theirs:
        return "another value of the same time was used"
    return "an older value than the one used" if mine < theirs else "an earlier statement counts"
