"""The codes (`system|code`) of what a Flag or a Consent objects to at one moment. Which of them count, a site says.

In doubt it is an objection: an unknown status, a rule that does not say whether it denies or permits, a date that
cannot be read, implicit rules or a modifier that nobody knows. Who is denied (`actor`), of which data (`data`,
`dataPeriod`) and what an exception inside a denial permits again is not looked at.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from fhir_mappings.periods import covers
from fhir_mappings.resources.datatypes import CodeableConcept, Coding, Period
from fhir_mappings.resources.objections import Consent, Flag, Provision

_LOWERED = frozenset({"inactive", "entered-in-error"})
# Of R4 and R5. What was rejected, or not done, was offered and not agreed to: what it would have denied does not hold,
# nor what it would have permitted.
_NOT_IN_FORCE = frozenset({"draft", "proposed", "rejected", "inactive", "not-done", "entered-in-error"})
_PERMIT, _DENY = "permit", "deny"


def flagged(flag: Flag, at: datetime) -> frozenset[str]:
    """What a flag that is up says."""
    if flag.status in _LOWERED or not covers(flag.period, at):
        return frozenset()
    return _tokens(flag.code.coding)


def denied(consent: Consent, at: datetime) -> frozenset[str]:
    """What a consent in force denies: at the root by what it is about as well, at any depth by the codes of the rule.

    The policy rule (as `OPTOUT`) speaks wherever the root does not permit: in R4 the root should have no type.
    """
    if consent.status in _NOT_IN_FORCE:
        return frozenset()
    root = consent.provision
    about: list[CodeableConcept] = []
    if covers(root.period, at):
        about += [consent.scope, *consent.category] if root.type_ == _DENY else []
        about += [consent.policyRule] if root.type_ != _PERMIT else []
    found = {*_coding_tokens(about)}
    for rule, period in _rules(root):
        if rule.type_ != _PERMIT and covers(period, at):
            found |= {*_coding_tokens((*rule.code, *rule.action))}
            found |= _tokens((*rule.purpose, *rule.class_, *rule.securityLabel))
    return frozenset(found)


def _rules(root: Provision) -> Iterator[tuple[Provision, Period]]:
    """Every rule with the period that holds for it: its own, else that of the rule around it."""
    waiting = [(root, root.period)]
    while waiting:
        rule, period = waiting.pop()
        yield rule, period
        waiting += [(inner, period if inner.period == Period() else inner.period) for inner in rule.provision]


def _coding_tokens(concepts: Iterable[CodeableConcept]) -> frozenset[str]:
    return _tokens(coding for concept in concepts for coding in concept.coding)


def _tokens(codings: Iterable[Coding]) -> frozenset[str]:
    return frozenset(f"{coding.system}|{coding.code}" for coding in codings)
