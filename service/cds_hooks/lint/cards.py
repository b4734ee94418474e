"""Cards, their source, links and override reasons (CDS Hooks 2.0, Card Attributes; Source; Link; Coding)."""

import re

from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.lint.markdown import markdown_findings
from service.cds_hooks.lint.members import Members
from service.cds_hooks.lint.suggestions import lint_suggestions

_INDICATORS = frozenset({"info", "warning", "critical"})
_MEMBERS = (
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
)  # fmt: skip
_SHORTER_THAN = 140
_CONTENT_TYPE = "com.epic.cdshooks.card.detail.content-type"
_UUID = re.compile(r"(urn:uuid:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def lint_card(card: Members, patient: str = "") -> None:
    """`patient` is the id that the call was for, where it is known."""
    _lint_summary(card)
    detail = card.text("detail", "85")
    if _is_markdown(card):
        card.findings.extend(markdown_findings(detail, card.at("detail")))
    card.one_of("indicator", _INDICATORS, "88", needed=True)
    _lint_uuid(card)
    if source := card.inner("source", "90", needed=True):
        _lint_source(source, patient)
    lint_suggestions(card)
    for reason in card.items("overrideReasons", "98"):
        _lint_coding(reason, display_needed=True)
    for link in card.items("links", "103"):
        _lint_link(link)
    card.extension()
    card.no_others(*_MEMBERS)


def _lint_summary(card: Members) -> None:
    summary = card.text("summary", "83", needed=True)
    if len(summary) >= _SHORTER_THAN:
        card.add("summary", f"has {len(summary)} characters; fewer than {_SHORTER_THAN} are allowed", "83")
    if "\n" in summary:
        card.findings.append(Finding(card.at("summary"), "has several lines; it is one sentence", "advice", "83"))


def _is_markdown(card: Members) -> bool:
    """Epic reads from an extension what `detail` is written in."""
    extension = card.written.get("extension")
    said = extension.get(_CONTENT_TYPE) if isinstance(extension, dict) else None
    return said in {None, "text/markdown"}


def _lint_uuid(card: Members) -> None:
    uuid = card.text("uuid", "80")
    if "uuid" not in card.written:
        told = "is missing: nobody can give feedback on the card"
        card.findings.append(Finding(card.at("uuid"), told, "MAY", "81"))
    elif uuid and not _UUID.fullmatch(uuid):
        told = "is no UUID: text is all that CDS Hooks 2.0 asks, clients of 3.0 expect one"
        card.findings.append(Finding(card.at("uuid"), told, "advice", "80"))


def _lint_source(source: Members, patient: str) -> None:
    source.text("label", "105", needed=True)
    source.address("url", "107")
    source.address("icon", "111")
    if topic := source.inner("topic", "115"):
        _lint_coding(topic, display_needed=False)
    url = source.written.get("url")
    if patient and isinstance(url, str) and patient in re.split(r"[/?&=#]", url):
        told = "leads to a page about this patient: that is what links are for"
        source.findings.append(Finding(source.at("url"), told, "SHOULD NOT", "109"))
    source.extension()
    source.no_others("label", "url", "icon", "topic")


def _lint_coding(coding: Members, *, display_needed: bool) -> None:
    coding.text("code", "216", needed=True)
    coding.text("system", "217", needed=True)
    coding.text("display", "100" if display_needed else "220", needed=display_needed)
    coding.extension()
    coding.no_others("code", "system", "display", "version", "userSelected")


def _lint_link(link: Members) -> None:
    link.text("label", "138", needed=True)
    link.address("url", "139", needed=True)
    kind = link.one_of("type", {"absolute", "smart"}, "142", needed=True)
    if link.text("appContext", "144") and kind == "absolute":
        link.findings.append(Finding(link.at("appContext"), "goes with type smart only", "SHALL NOT", "147"))
    link.extension()
    link.no_others("label", "url", "type", "appContext", "autolaunchable")
