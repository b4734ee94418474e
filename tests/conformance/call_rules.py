"""Calls, their statuses, FHIR access and who may call (CDS Hooks 2.0, Use of JSON; Calling a CDS Service; Security)."""

from collections.abc import Iterable
from typing import Any

from tests.conformance.exchange import ANSWERED, FAULTS, Case, Exchange
from tests.conformance.recording import FHIR, LEAVE, ORIGIN
from tests.conformance.rule import REMOVED, Rule, answer, card, of, reply, service, without_header

_HOOKS_JSON, _FHIR_JSON = "application/json", "application/fhir+json"
_GIVEN = frozenset({Case.DISCOVERY, *ANSWERED})
_BEARER = f"Bearer {LEAVE}"


def is_json(exchange: Exchange) -> bool:
    media_type = _HOOKS_JSON if exchange.case in _GIVEN else _FHIR_JSON
    return exchange.media_type == media_type and isinstance(exchange.body, dict)


def is_refused_as_malformed(exchange: Exchange) -> bool:
    return exchange.status == 400


def has_no_null_and_nothing_empty(exchange: Exchange) -> bool:
    """`cards` and `services` alone may be empty."""
    written = exchange.body.items()
    return not any(_empties(value) for name, value in written if (name, value) not in _MAY_BE_EMPTY)


_MAY_BE_EMPTY: tuple[tuple[str, object], ...] = (("cards", []), ("services", []))


def _empties(value: object) -> bool:
    if isinstance(value, dict):
        return not value or any(map(_empties, value.values()))
    if isinstance(value, list):
        return not value or any(map(_empties, value))
    return value is None or value == ""


def is_a_fault_of_the_call(exchange: Exchange) -> bool:
    return 400 <= exchange.status < 600


def is_answered_with_cards(exchange: Exchange) -> bool:
    return exchange.status == 200 and isinstance(exchange.body["cards"], list)


def needs_nothing_but_the_prefetch(exchange: Exchange) -> bool:
    return exchange.status == 200 and not exchange.read


def is_answered_by_reading(exchange: Exchange) -> bool:
    return exchange.status == 200 and bool(exchange.read)


def notes_the_clients_failure(exchange: Exchange) -> bool:
    return any(
        line["state"] == "failed"
        for card in exchange.body["cards"]
        for line in card["extension"]["org.oncohooks.assessment"]["retrieval"]
    )


def is_precondition_failed(exchange: Exchange) -> bool:
    return exchange.status == 412


def carries_the_access_token(read: tuple[str, str]) -> bool:
    address, authorization = read
    return address.startswith(f"{FHIR}/") and authorization == _BEARER


def is_taken(exchange: Exchange) -> bool:
    return exchange.status == 200


def is_admitted(exchange: Exchange) -> bool:
    return exchange.status == 200 and bool(exchange.body["services"])


def is_refused(exchange: Exchange) -> bool:
    """401 and not a word."""
    return exchange.status == 401 and exchange.body is None


def may_be_read_by_a_page_of_another_origin(exchange: Exchange) -> bool:
    return exchange.headers.get("access-control-allow-origin") in {"*", ORIGIN}


def lets_a_page_call_with_its_token(exchange: Exchange) -> bool:
    allowed = {name.strip().lower() for name in exchange.headers["access-control-allow-headers"].split(",")}
    methods = {name.strip() for name in exchange.headers["access-control-allow-methods"].split(",")}
    return exchange.status in {200, 204} and allowed >= {"authorization", "content-type"} and methods >= {"GET", "POST"}


def _reads(exchange: Exchange) -> Iterable[tuple[str, str]]:
    return exchange.read if exchange.case is Case.READ else ()


def _admits(*cases: Case, **instead: Any) -> tuple[Any, ...]:
    """Handlers that let in what has to stay outside."""
    return tuple(reply(case, status=200, body={"services": []}, **instead) for case in cases)


_FAULTY = (
    reply(Case.UNOBTAINABLE, status=200, body={"cards": []}),
    reply(Case.NOT_JSON, status=302),
    reply(Case.WRONG_HOOK, status=200, body={"cards": []}),
)

RULES = (
    Rule(
        ("1",),
        of(*_GIVEN, *FAULTS),
        is_json,
        (
            reply(Case.DISCOVERY, headers={"content-type": "text/html"}),
            reply(Case.CALL, body=None),
            reply(Case.CALL, headers={"content-type": "application/xml"}),
            reply(Case.UNOBTAINABLE, headers={"content-type": "text/plain"}, body=None),
            reply(Case.CALL, body=[]),
        ),
    ),
    Rule(
        ("1",),
        of(Case.NOT_JSON, Case.FEEDBACK_NOT_JSON),
        is_refused_as_malformed,
        (reply(Case.NOT_JSON, status=200), reply(Case.FEEDBACK_NOT_JSON, status=500)),
    ),
    Rule(
        ("3",),
        of(*_GIVEN, *FAULTS),
        has_no_null_and_nothing_empty,
        (
            card(detail=None),
            card(detail=""),
            card(links=[]),
            card(extension={}),
            card("source", topic={"code": "x", "display": None}),
            card("extension", more={"inner": [{}]}),
            answer(systemActions=[]),
            service(usageRequirements=""),
            service(title=None),
            service(prefetch={}),
            reply(Case.UNOBTAINABLE, body={"resourceType": "OperationOutcome", "issue": []}),
        ),
    ),
    Rule(("14", "76"), of(*FAULTS), is_a_fault_of_the_call, _FAULTY),
    Rule(
        ("74",),
        of(*ANSWERED),
        is_answered_with_cards,
        (
            answer(cards=REMOVED),
            answer(cards=None),
            answer(cards={}),
            reply(Case.CALL, status=201),
            reply(Case.FOREIGN, status=400),
        ),
    ),
    Rule(
        ("28",), of(Case.CALL), needs_nothing_but_the_prefetch, (reply(Case.CALL, read=((f"{FHIR}/Patient/1", ""),)),)
    ),
    Rule(
        ("34", "60"), of(Case.READ), is_answered_by_reading, (reply(Case.READ, read=()), reply(Case.READ, status=412))
    ),
    Rule(("52",), of(Case.CLIENT_FAILED), notes_the_clients_failure, (reply(Case.CLIENT_FAILED, body={"cards": []}),)),
    Rule(
        ("54",),
        of(Case.UNOBTAINABLE),
        is_precondition_failed,
        (reply(Case.UNOBTAINABLE, status=200, body={"cards": []}), reply(Case.UNOBTAINABLE, status=400)),
    ),
    Rule(
        ("61",),
        _reads,
        carries_the_access_token,
        (
            reply(Case.READ, read=((f"{FHIR}/Patient/1", _BEARER), (f"{FHIR}/Condition", ""))),
            reply(Case.READ, read=((f"{FHIR}/Patient/1", "Bearer another"),)),
            reply(Case.READ, read=(("https://elsewhere.example/Patient/1", _BEARER),)),
        ),
    ),
    Rule(("148",), of(Case.FEEDBACK), is_taken, (reply(Case.FEEDBACK, status=404),)),
    Rule(
        ("176",),
        of(Case.SIGNED_ES384, Case.SIGNED_RS384),
        is_admitted,
        (reply(Case.SIGNED_ES384, status=401, body=None), reply(Case.SIGNED_RS384, status=401, body=None)),
    ),
    Rule(("177",), of(Case.ANONYMOUS), is_refused, _admits(Case.ANONYMOUS)),
    Rule(
        ("195",),
        of(Case.SIGNED_BY_STRANGER, Case.SIGNED_WITH_OTHER_JKU),
        is_refused,
        _admits(Case.SIGNED_BY_STRANGER, Case.SIGNED_WITH_OTHER_JKU),
    ),
    Rule(("199",), of(Case.SIGNED_ES384), is_admitted, (reply(Case.SIGNED_ES384, status=401, body=None),)),
    Rule(("201",), of(Case.UNSIGNED), is_refused, _admits(Case.UNSIGNED)),
    Rule(("203",), of(Case.SIGNED_BY_HMAC), is_refused, _admits(Case.SIGNED_BY_HMAC)),
    Rule(
        ("200", "205"),
        of(Case.SIGNED_ES384, Case.SIGNED_RS384, Case.SIGNED_WITH_JKU),
        is_admitted,
        (reply(Case.SIGNED_WITH_JKU, status=401, body=None),),
    ),
    Rule(("207",), of(Case.SIGNED_RS256), is_refused, _admits(Case.SIGNED_RS256)),
    Rule(
        ("208",),
        lambda exchange: [exchange],
        may_be_read_by_a_page_of_another_origin,
        (
            without_header(Case.DISCOVERY, "access-control-allow-origin"),
            without_header(Case.UNOBTAINABLE, "access-control-allow-origin"),
            without_header(Case.ANONYMOUS, "access-control-allow-origin"),
            reply(Case.CALL, headers={"access-control-allow-origin": "https://elsewhere.example"}),
        ),
    ),
    Rule(
        ("208",),
        of(Case.PREFLIGHT),
        lets_a_page_call_with_its_token,
        (
            without_header(Case.PREFLIGHT, "access-control-allow-headers"),
            reply(Case.PREFLIGHT, headers={"access-control-allow-origin": "*"}),
            reply(Case.PREFLIGHT, status=405),
        ),
    ),
)
