"""The whole reply of a service to a hook call (CDS Hooks 2.0, CDS Service Response)."""

from collections import Counter
from typing import Any

from service.cds_hooks.lint.cards import lint_card
from service.cds_hooks.lint.document import Document, NotThisError
from service.cds_hooks.lint.empty import with_empty_members
from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.lint.members import Members, kind_of
from service.cds_hooks.lint.suggestions import lint_action

_OTHERS = {
    "hookInstance": "a hook request, not the reply to one (`oncohooks hooks replay` sends it)",
    "services": "discovery, not a reply (`oncohooks hooks lint-discovery` reads it from the service)",
    "feedback": "feedback of a client, not a reply",
    "resourceType": "a FHIR resource, not the reply of a CDS service",
}


def lint_reply(document: Document, patient: str = "") -> list[Finding]:
    """What is wrong with it, in the order of its members. Raises NotThisError for what is meant for somebody else."""
    body = document.value
    if not isinstance(body, dict):
        told = f"must be an object with cards, is {kind_of(body)}"
        return [*document.findings, Finding("(body)", told, "SHALL", "74")]
    if "cards" not in body and (other := next((name for name in _OTHERS if name in body), "")):
        raise NotThisError(f"this is {_OTHERS[other]}")
    findings = [*document.findings]
    whole = Members(body, "", findings)
    if "cards" not in body and {"summary", "indicator"} & body.keys():
        findings.append(Finding("cards", "is missing: a card stands in the array `cards`, also alone", "SHALL", "74"))
        lint_card(Members(body, "", findings), patient)
        return with_empty_members(findings, body)
    _lint_cards(whole, patient)
    for action in whole.items("systemActions", "75"):
        lint_action(action, is_offered=False)
    whole.extension()
    whole.no_others("cards", "systemActions")
    return with_empty_members(findings, body)


def cards_of(body: Any) -> list[dict[str, Any]]:
    """The cards that can be told in a reply, right or wrong."""
    cards = body.get("cards") if isinstance(body, dict) else None
    return [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []


def _lint_cards(whole: Members, patient: str) -> None:
    if not isinstance(whole.written.get("cards"), list):
        told = f"must be an array, is {kind_of(whole.written['cards'])}" if "cards" in whole.written else "is missing"
        whole.add("cards", told, "74")
        return
    for card in whole.items("cards", "74"):
        lint_card(card, patient)
    uuids = Counter(card["uuid"] for card in cards_of(whole.written) if isinstance(card.get("uuid"), str))
    for uuid in (uuid for uuid, number in uuids.items() if uuid and number > 1):
        whole.add("cards", f"{uuids[uuid]} cards have the uuid {uuid[:40]}: each needs its own", "80")
