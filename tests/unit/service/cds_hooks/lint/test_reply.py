import copy
import json
from typing import Any

import pytest

from service.cds_hooks.lint.document import NotThisError, read_document
from service.cds_hooks.lint.finding import Finding, summed_up
from service.cds_hooks.lint.reply import lint_reply
from tests.unit.service.golden_cards import golden_cards

UUID = "3d1b4a3c-0d0a-4a7e-8a3b-0f6f0c8f7f11"
ORDER = {"type": "create", "description": "Order it", "resource": {"resourceType": "ServiceRequest"}}
SUGGESTION = {"label": "Order it", "uuid": "s1", "isRecommended": True, "actions": [ORDER]}
LINK = {"label": "Page", "url": "https://cds.example/page", "type": "absolute"}
CODING = {"code": "x", "system": "urn:x", "display": "X"}
CARD: dict[str, Any] = {
    "uuid": UUID,
    "summary": "One sentence.",
    "detail": "**Bold**\n\n| a | b |\n|---|---|\n| 1 | 2 < 3 |",
    "indicator": "info",
    "source": {"label": "CDS", "url": "https://cds.example", "topic": {"code": "t", "system": "urn:t"}},
    "suggestions": [SUGGESTION],
    "selectionBehavior": "any",
    "overrideReasons": [CODING],
    "links": [LINK, {**LINK, "type": "smart", "appContext": "opaque"}],
    "extension": {"org.example.more": {"a": 1}},
}
GONE = object()


def linted(body: Any, patient: str = "") -> list[Finding]:
    return lint_reply(read_document(json.dumps(body).encode()), patient)


def changed(of_what: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**copy.deepcopy(of_what), **members}.items() if value is not GONE}


def test_a_right_reply_has_no_finding() -> None:
    """With all that the specification knows, 3.0's members included; no card, and system actions without words."""
    later = {"autolaunchable": True}
    assert linted({"cards": [changed(CARD, links=[{**LINK, **later}])]}) == []
    assert linted({"cards": []}) == []
    remove = {"type": "delete", "resourceId": "ServiceRequest/1"}
    update = {"type": "update", "resource": {"resourceType": "ServiceRequest", "id": "1", "note": []}}
    assert linted({"cards": [], "systemActions": [remove, update], "extension": {"org.example.x": 1}}) == []


@pytest.mark.parametrize(
    ("member", "value", "path", "text", "requirement"),
    [
        ("summary", "x" * 140, "summary", "has 140 characters", "83"),
        ("summary", GONE, "summary", "is missing", "83"),
        ("summary", "", "summary", "is empty, and needed", "83"),
        ("detail", None, "detail", "is null", "3"),
        ("detail", {"text": "x"}, "detail", "must be text, is an object", "85"),
        ("indicator", "INFO", "indicator", "did you mean info?", "88"),
        ("indicator", 1, "indicator", "must be text, is a number", "88"),
        ("source", "CDS", "source", "must be an object, is text", "90"),
        ("source", {"label": "x", "url": "/model"}, "source.url", "no absolute http(s) address", "107"),
        ("source", {"label": "x", "icon": "data:image/png;base64,AA"}, "source.icon", "no absolute", "111"),
        ("source", {"url": "https://x.example"}, "source.label", "is missing", "105"),
        ("source", {"label": "x", "topic": {"code": "t"}}, "source.topic.system", "is missing", "217"),
        ("uuid", 17, "uuid", "must be text, is a number", "80"),
        ("selectionBehavior", GONE, "selectionBehavior", "is missing", "95"),
        ("selectionBehavior", "all", "selectionBehavior", "allowed are any, at-most-one", "95"),
        ("suggestions", SUGGESTION, "suggestions", "must be an array, is an object", "92"),
        ("suggestions", ["x"], "suggestions[0]", "must be an object, is text", "92"),
        ("suggestions", [changed(SUGGESTION, label=GONE)], "suggestions[0].label", "is missing", "117"),
        ("suggestions", [changed(SUGGESTION, isRecommended="yes")], "suggestions[0].isRecommended", "is text", "121"),
        ("links", [changed(LINK, url="page")], "links[0].url", "no absolute", "139"),
        ("links", [changed(LINK, url="https://x.example/a b")], "links[0].url", "no absolute", "139"),
        ("links", [changed(LINK, url="https://[")], "links[0].url", "no absolute", "139"),
        ("links", [changed(LINK, type="relative")], "links[0].type", "allowed are", "142"),
        ("links", [changed(LINK, appContext="x")], "links[0].appContext", "smart only", "147"),
        ("links", [], "links", "is empty", "3"),
        ("overrideReasons", [changed(CODING, display=GONE)], "overrideReasons[0].display", "is missing", "100"),
        ("extension", ["x"], "extension", "must be an object, is an array", "214"),
        ("extension", {"org.x": [{}]}, "extension.org.x[0]", "is empty", "3"),
    ],
)
def test_what_breaks_a_requirement_is_an_error(member: str, value: Any, path: str, text: str, requirement: str) -> None:
    """One error, which names the member, what is wrong, and the requirement."""
    (finding,) = linted({"cards": [changed(CARD, **{member: value})]})
    assert finding.is_error
    assert (finding.path, finding.requirement) == (f"cards[0].{path}", requirement)
    assert text in finding.text


@pytest.mark.parametrize(
    ("action", "path", "requirement"),
    [
        (changed(ORDER, type="CREATE"), "type", "127"),
        (changed(ORDER, description=GONE), "description", "128"),
        (changed(ORDER, resource=GONE), "resource", "131"),
        (changed(ORDER, resource="ServiceRequest/1"), "resource", "130"),
        (changed(ORDER, resource={"id": "1"}), "resource.resourceType", "130"),
        (changed(ORDER, type="update"), "resource.id", "132"),
        ({"type": "delete", "description": "x"}, "resourceId", "134"),
        ({"type": "delete", "description": "x", "resourceId": "A/1", "resource": "1"}, "resource", "133"),
    ],
)
def test_an_action_that_cannot_be_carried_out_is_an_error(action: Any, path: str, requirement: str) -> None:
    """Whatever is to be written or deleted must be there."""
    (finding,) = linted({"cards": [changed(CARD, suggestions=[changed(SUGGESTION, actions=[action])])]})
    assert finding.is_error
    assert (finding.path, finding.requirement) == (f"cards[0].suggestions[0].actions[0].{path}", requirement)


@pytest.mark.parametrize(
    ("member", "value", "path", "text"),
    [
        ("uuid", GONE, "uuid", "nobody can give feedback"),
        ("uuid", "card-1", "uuid", "is no UUID"),
        ("summary", "a\nb", "summary", "several lines"),
        ("sumary", "x", "sumary", "did you mean summary?"),
        ("detail", "a<br>b", "detail", "holds HTML (<br>)"),
        ("detail", "<!-- x -->", "detail", "holds HTML"),
        ("detail", "| a | b |\n|---|---|\n| 1 |", "detail", "different length"),
        ("detail", "| a | b |\n| 1 | 2 |", "detail", "no table"),
        ("extension", {"more": 1}, "extension.more", "no globally unique name"),
    ],
)
def test_what_clients_stumble_over_is_a_note(member: str, value: Any, path: str, text: str) -> None:
    """Allowed, or passed over; it makes no reply wrong."""
    (finding,) = linted({"cards": [changed(CARD, **{member: value})]})
    assert not finding.is_error
    assert finding.path == f"cards[0].{path}"
    assert text in finding.text


def test_what_only_looks_like_html_is_none() -> None:
    """Comparisons, code, and what is escaped; and where an extension says that `detail` is no Markdown."""
    for detail in ("a < b > c", "`<br>`", "```\n<table>\n```", "\\<b>", "3<5", "| a\\|b | c |\n|---|:-:|\n| 1 | 2 |"):
        assert linted({"cards": [changed(CARD, detail=detail)]}) == []
    said = {"com.epic.cdshooks.card.detail.content-type": "text/html"}
    assert linted({"cards": [changed(CARD, detail="a<br>b", extension=said)]}) == []


def test_cards_are_told_apart() -> None:
    """Two cards with one uuid are an error, two recommended suggestions where one may be chosen too."""
    (twice,) = linted({"cards": [CARD, CARD]})
    assert (twice.path, twice.requirement) == ("cards", "80")
    two = changed(CARD, suggestions=[SUGGESTION, SUGGESTION], selectionBehavior="at-most-one")
    (chosen,) = linted({"cards": [two]})
    assert (chosen.path, chosen.requirement, chosen.is_error) == ("cards[0].suggestions", "122", True)


def test_a_source_that_leads_to_the_patient_is_a_note() -> None:
    """Where the patient of the call is known; an id within a longer word is none."""
    for url, number in (("https://x.example/p/17", 1), ("https://x.example?id=17", 1), ("https://x.example/170", 0)):
        found = linted({"cards": [changed(CARD, source={"label": "x", "url": url})]}, "17")
        assert [finding.requirement for finding in found] == ["109"] * number


@pytest.mark.parametrize("body", [{}, {"cards": None}, {"cards": {}}, [], "x", 1, {"cards": [1]}])
def test_a_body_without_cards_is_an_error(body: Any) -> None:
    """Whatever else it is."""
    (finding,) = linted(body)
    assert (finding.is_error, finding.requirement) == (True, "74")


def test_a_card_alone_is_read_all_the_same() -> None:
    """It says where it belongs, and then what is wrong with the card."""
    found = linted(changed(CARD, indicator="hint"))
    assert [(finding.path, finding.requirement) for finding in found] == [("cards", "74"), ("indicator", "88")]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"hook": "patient-view", "hookInstance": "x", "context": {}}, "a hook request"),
        ({"services": []}, "discovery"),
        ({"feedback": []}, "feedback"),
        ({"resourceType": "OperationOutcome"}, "a FHIR resource"),
    ],
)
def test_what_is_no_reply_is_told(body: Any, what: str) -> None:
    """A wrong file is named for what it is, and not taken to pieces."""
    with pytest.raises(NotThisError, match=what):
        linted(body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"cards": [],}', "not JSON: .*line 1 column 14"),
        (b'{"cards": []}\n{"cards": []}', "more than one JSON document"),
        (b'{"cards": NaN}', "NaN is no number"),
        (b"\xe4", "not UTF-8"),
        (b"[" * 100_000, "nested too deep|recursion"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(body: bytes, told: str) -> None:
    """As line and column."""
    with pytest.raises(NotThisError, match=told):
        read_document(body)


def test_a_name_that_stands_twice_is_a_note() -> None:
    """Clients differ in which of the two they read."""
    (finding,) = lint_reply(read_document(b'{"cards": [], "cards": []}'))
    assert (finding.path, finding.is_error) == ("cards", False)


def test_a_finding_is_one_line_that_moves_no_cursor() -> None:
    """Whatever a service calls its members."""
    found = linted({"cards": [], "a\n\x1b[2J": 1, "systemActions": None})
    assert all(finding.line.isprintable() for finding in found)
    assert summed_up(found) == "1 error, 1 note"


def test_the_cards_that_were_read_by_eye_have_no_finding() -> None:
    """What they say in every language and Markdown or plain text is Markdown as clients show it."""
    texts = [(name, text.partition("\n\n")) for name, text in golden_cards() if name.endswith((".md", ".txt"))]
    for name, (summary, _, detail) in texts:
        assert linted({"cards": [changed(CARD, summary=summary, detail=detail)]}) == [], name
