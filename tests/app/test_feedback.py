"""POST /cds-services/{id}/feedback."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.cds_hooks.feedback import read_feedback
from service.cds_hooks.override_reasons import override_reasons, reason_class
from service.clock import now
from service.errors import TABLE, Category, MalformedError
from service.language.sentences import ENGLISH
from service.settings import FeedbackRules
from service.state.feedback import FeedbackGiven
from service.state.feedback_file import SqliteFeedback
from tests.unit.service.cds_hooks.ehr import ISSUER, JWKS_URL, PUBLIC_URL, claims, elliptic, jwk, token
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import HOOK, Caller, FhirServer, full_prefetch, issue_of

DOCS = Path(__file__).parents[2] / "docs" / "feedback.md"
FEEDBACK = f"{HOOK}/feedback"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
OURS = "urn:oncohooks:override-reason"
CANARY = "Mrs Canary 4711"


def entry(**members: Any) -> dict[str, Any]:
    """Feedback; a member given as None is left out."""
    good = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z", **members}
    return {name: value for name, value in good.items() if value is not None}


def give(caller: Caller, *entries: dict[str, Any], **options: Any) -> httpx.Response:
    return caller.request("POST", FEEDBACK, json={"feedback": list(entries)}, **options)


def chosen(code: str, system: str = OURS, **members: Any) -> dict[str, Any]:
    return {"reason": {"code": code, "system": system, **members}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def keeping(calling: MakeCaller, file: Path) -> MakeCaller:
    """Makes a caller of a service that keeps in a file."""
    return lambda **settings: calling(**{"state": {"file": str(file)}, **settings})


@pytest.fixture
def kept(file: Path) -> Callable[[], Sequence[FeedbackGiven]]:
    def read() -> Sequence[FeedbackGiven]:
        async def run() -> Sequence[FeedbackGiven]:
            store = SqliteFeedback(file, now, 400)
            try:
                return (await store.kept(date(2000, 1, 1))).feedback
            finally:
                await store.close()

        return asyncio.run(run())

    return read


Kept = Callable[[], Sequence[FeedbackGiven]]


def counted(caller: Caller) -> dict[str, float]:
    lines = caller.get("/metrics").text.splitlines()
    found = [line.rpartition(" ") for line in lines if line.startswith("oncohooks_feedback_total{")]
    return {labels.partition("{")[2].rstrip("}"): float(value) for labels, _, value in found}


def test_feedback_is_taken_without_a_word(keeping: MakeCaller, kept: Kept) -> None:
    """Accepted and overridden, in one batch, on several cards: 200 with an empty body (requirement 148)."""
    caller = keeping()
    suggestions = [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}]
    response = give(
        caller,
        entry(outcome="accepted", acceptedSuggestions=suggestions),
        entry(card=CARD.replace("4e", "5e"), overrideReason=chosen("disagree", display="I disagree")),
    )
    assert (response.status_code, response.content) == (200, b"")
    assert [(one.outcome, one.reason) for one in kept()] == [("accepted", ""), ("overridden", "disagree")]
    assert counted(caller) == {
        'outcome="accepted",reason="none"': 1,
        'outcome="overridden",reason="disagree"': 1,
    }


def test_a_repetition_changes_nothing(caller: Caller) -> None:
    """In the same call or another, however uuid and time are written."""
    same = entry(card=f"urn:uuid:{CARD.upper()}", outcomeTimestamp="2026-06-01T12:00:00.000+02:00")
    for _ in range(2):
        assert give(caller, entry(), same).status_code == 200
    assert sum(counted(caller).values()) == 1
    give(caller, entry(outcomeTimestamp="2026-06-01T10:00:01Z"))
    assert sum(counted(caller).values()) == 2


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"overrideReason": chosen("data-wrong")}, "data-wrong"),
        ({"overrideReasons": chosen("data-wrong", display="x")}, "data-wrong"),
        ({"overrideReasons": [chosen("data-wrong")]}, "data-wrong"),
        ({"overrideReasons": {"extension": {}, "userComment": "x"}}, ""),
        (
            {"overrideReasons": {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "45"}}},
            "com.epic.cdshooks.feedback.overrideReason.reasonCategory|45",
        ),
        ({"overrideReason": {"reason": None, "userComment": None}}, ""),
        ({"overrideReason": None, "overrideReasons": None}, ""),
        ({"overrideReason": {"reason": {"code": "c1"}}}, "|c1"),
        ({"overrideReason": chosen("c1", "http://ehr.example/reasons")}, "http://ehr.example/reasons|c1"),
        (
            {"overrideReason": chosen("data-wrong", "http://ehr.example/reasons")},
            "http://ehr.example/reasons|data-wrong",
        ),
        ({"overrideReason": chosen("c1", CANARY)}, "|c1"),
        ({"overrideReason": chosen(CANARY)}, "unreadable"),
    ],
)
def test_reasons_are_read_in_every_spelling(members: dict[str, Any], reason: str) -> None:
    """With and without display, in Epic's plural and extension, from our list, another list, or none."""
    body = json.dumps({"feedback": [{**entry(), **members}]}).encode()
    (read,) = read_feedback(body, FeedbackRules())
    assert read.reason == reason
    assert reason_class(read.reason) in {"data-wrong", "none", "other"}


def test_what_is_not_ours_is_passed_over() -> None:
    """Unknown members at every level, a card that nobody knows, an identifier that is none."""
    stranger = entry(card="123456", overrideReason={**chosen("disagree"), "more": [1]}, more={"a": None})
    body = json.dumps({"feedback": [stranger], "extension": {"a": 1}}).encode()
    (read,) = read_feedback(body, FeedbackRules())
    assert (read.reason, read.card_key.partition(":")[0]) == ("disagree", "sha256")


def test_a_clock_that_cannot_be_right_is_not_believed(keeping: MakeCaller, kept: Kept) -> None:
    """Feedback from long ago or from the future counts for the day on which it came."""
    times = ("2022-05-19T19:44:04Z", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00")
    assert give(keeping(), *(entry(outcomeTimestamp=at) for at in times)).status_code == 200
    assert [one.day for one in kept()] == [datetime.now(UTC).date()] * 3


def test_feedback_counts_for_the_day_on_which_the_user_acted(keeping: MakeCaller, kept: Kept) -> None:
    """A batch may come days later; a time without a zone is UTC, as the specification has it."""
    acted = datetime.now(UTC) - timedelta(3)
    give(keeping(), entry(outcomeTimestamp=acted.replace(tzinfo=None).isoformat()))
    assert [(one.day, one.at) for one in kept()] == [(acted.date(), acted.isoformat())]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "the body: Invalid JSON"),
        (b'{"feedback": [', "the body: Invalid JSON"),
        (b"\xff", "the body: Invalid JSON"),
        (b"[]", "the body: "),
        (b"{}", "feedback: Field required"),
        ({"feedback": {}}, "feedback: "),
        ({"feedback": [entry(), entry(card=None)]}, "feedback.1.card: Field required"),
        ({"feedback": [entry(card="")]}, "feedback.0.card: "),
        ({"feedback": [entry(card=CANARY * 20)]}, "feedback.0.card: "),
        ({"feedback": [entry(card=7)]}, "feedback.0.card: "),
        ({"feedback": [entry(outcome=CANARY)]}, "feedback.0.outcome: "),
        ({"feedback": [entry(outcomeTimestamp=None)]}, "feedback.0.outcomeTimestamp: Field required"),
        ({"feedback": [entry(outcomeTimestamp=CANARY)]}, "feedback.0.outcomeTimestamp: "),
        ({"feedback": [entry(outcomeTimestamp=1_790_000_000)]}, "feedback.0.outcomeTimestamp: "),
        ({"feedback": [entry(overrideReason=CANARY)]}, "feedback.0.overrideReason: "),
        (
            {"feedback": [entry(overrideReason={"reason": {"system": CANARY}})]},
            "feedback.0.overrideReason.reason.code: ",
        ),
        ({"feedback": [entry(acceptedSuggestions=[CANARY])]}, "feedback.0.acceptedSuggestions.0: "),
    ],
)
def test_a_fault_is_told_by_member(body: object, named: str) -> None:
    """The first member at fault is named, and nothing of the body repeated."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(MalformedError) as caught:
        read_feedback(content, FeedbackRules())
    assert str(caught.value).startswith(named)
    assert "Canary" not in str(caught.value)


def test_a_batch_with_a_fault_is_refused_whole(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """400 with an OperationOutcome; of the good entries nothing is kept either."""
    response = give(caller, entry(), entry(outcome=CANARY))
    issue = issue_of(response)
    assert (response.status_code, issue["category"]) == (400, Category.MALFORMED)
    assert issue["diagnostics"].startswith("feedback.1.outcome")
    assert "Canary" not in response.text + caplog.text
    assert counted(caller) == {}


def test_limits_hold(calling: MakeCaller) -> None:
    """More entries, longer comments or a larger body than the site allows: 413, and nothing is kept."""
    caller = calling(feedback={"entries": 2, "comment_characters": 10, "body_bytes": 1_000})
    long = entry(overrideReason={"userComment": "x" * 11})
    for entries in ([entry()] * 3, [long], [entry(more="x" * 1_000)]):
        response = give(caller, *entries)
        assert (response.status_code, issue_of(response)["category"]) == (413, Category.FEEDBACK_TOO_LARGE)
    assert counted(caller) == {}
    assert give(caller, entry(), entry()).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "category"),
    [
        ("POST", "/cds-services/no-such-service/feedback", Category.UNKNOWN_SERVICE),
        ("GET", FEEDBACK, Category.METHOD),
        ("POST", f"{FEEDBACK}/more", Category.NOT_FOUND),
    ],
)
def test_a_wrong_address_is_told(caller: Caller, method: str, path: str, category: Category) -> None:
    """Feedback to a service that does not exist is 404."""
    response = caller.request(method, path, json={"feedback": []})
    assert (response.status_code, issue_of(response)["category"]) == (TABLE[category].status, category)


def test_what_a_clinician_typed_goes_nowhere(keeping: MakeCaller, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither comment nor display is in the file, the log or the meters, unless the site keeps comments."""
    caplog.set_level(logging.DEBUG)
    caller = keeping()
    give(caller, entry(card=CANARY, overrideReason={**chosen("c1", display=CANARY), "userComment": CANARY}))
    give(caller, entry(overrideReasons={"userComment": CANARY}), entry(outcome=CANARY))
    content = b"".join(part.read_bytes() for part in file.parent.iterdir())
    assert b"|c1" in content
    assert b"Canary" not in content
    assert "Canary" not in caplog.text + caller.get("/metrics").text


def test_a_site_may_keep_comments(keeping: MakeCaller, kept: Kept) -> None:
    """Then they are in the store, and still in no log and no meter."""
    caller = keeping(feedback={"keep_comments": True})
    give(caller, entry(overrideReason={"userComment": CANARY}))
    assert [one.comment for one in kept()] == [CANARY]
    assert "Canary" not in caller.get("/metrics").text


def test_a_store_that_is_down_is_told(keeping: MakeCaller, file: Path) -> None:
    """503 with an OperationOutcome, and a meter that alarms; once it is back the same call is taken."""
    caller = keeping()
    other = SqliteFeedback(file, now, 400)
    other._db.execute("BEGIN EXCLUSIVE")
    response = give(caller, entry())
    assert (response.status_code, issue_of(response)["category"]) == (503, Category.NOT_KEPT)
    assert 'oncohooks_not_kept_total{what="feedback"} 1.0' in caller.get("/metrics").text
    assert counted(caller) == {}
    other._db.execute("ROLLBACK")
    asyncio.run(other.close())
    assert give(caller, entry()).status_code == 200
    assert sum(counted(caller).values()) == 1


def test_feedback_needs_the_clients_token(keeping: MakeCaller, server: FhirServer, kept: Kept) -> None:
    """For exactly this address; cards and feedback are kept with the client that they belong to."""
    server.on(JWKS_URL, {"keys": [jwk(elliptic())]})
    client = {"issuer": ISSUER, "jwks_url": JWKS_URL}
    caller = keeping(auth="required", client=[client], public_url=PUBLIC_URL)

    def bearer(path: str) -> dict[str, str]:
        at = time.time()
        return {"authorization": f"Bearer {token(claims(path, iat=at, exp=at + 300))}"}

    assert give(caller, entry(), headers=bearer(HOOK)).status_code == 401
    assert give(caller, entry(), headers=bearer(FEEDBACK)).status_code == 200
    assert [one.client for one in kept()] == [ISSUER]


def test_the_page_lists_the_reasons() -> None:
    """docs/feedback.md has the code and the display of every reason that cards offer, and no other."""
    page = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert page == [f"| `{reason.code}` | {reason.display} |" for reason in override_reasons(ENGLISH)]


def test_a_cards_own_reasons_come_back(keeping: MakeCaller, kept: Kept) -> None:
    """What a card offers is what feedback on it is counted by."""
    caller = keeping()
    (card,) = caller.hook(prefetch=full_prefetch()).json()["cards"]
    for number, reason in enumerate(card["overrideReasons"]):
        del reason["display"]
        at = f"2026-06-01T10:00:0{number}Z"
        give(caller, entry(card=card["uuid"], outcomeTimestamp=at, overrideReason={"reason": reason}))
    assert {one.reason for one in kept()} == {reason["code"] for reason in card["overrideReasons"]}
    assert {one.card for one in kept()} == {card["uuid"]}
