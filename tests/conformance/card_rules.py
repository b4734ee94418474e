"""Cards (CDS Hooks 2.0, Card Attributes; Source; Coding; Extensions)."""

import re
from typing import Any
from urllib.parse import urlsplit

from demo.patients import demo_patients
from tests.conformance.exchange import ANSWERED, Exchange
from tests.conformance.rule import (
    REMOVED,
    Mutant,
    Rule,
    answer,
    card,
    cards,
    items,
    members,
    of,
    sources,
)

_HTML = re.compile(r"(?<!\\)<[A-Za-z/!]")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_REVERSE_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(\.[A-Za-z0-9_-]+){2,}")

REASONS = items(cards, "overrideReasons")


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def have_different_uuids(exchange: Exchange) -> bool:
    uuids = [shown["uuid"] for shown in exchange.body["cards"] if "uuid" in shown]
    return all(map(is_text, uuids)) and len(uuids) == len(set(uuids))


def has_a_uuid_for_the_audit(shown: dict[str, Any]) -> bool:
    return is_text(shown["uuid"])


def has_a_summary_below_140_characters(shown: dict[str, Any]) -> bool:
    return is_text(shown["summary"]) and len(shown["summary"]) < 140


def is_markdown_without_html(detail: Any) -> bool:
    """Text; the rows of a table have as many cells as its head."""
    tables = [block.splitlines() for block in detail.split("\n\n") if block.startswith("|")]
    return is_text(detail) and not _HTML.search(detail) and all(map(_is_even, tables))


def _is_even(rows: list[str]) -> bool:
    return len({len(_CELL_BORDER.findall(row)) for row in rows}) == 1 and set(rows[1]) <= set("|-: ")


def has_an_indicator(shown: dict[str, Any]) -> bool:
    return is_text(shown["indicator"])


def has_a_known_indicator(shown: dict[str, Any]) -> bool:
    return shown["indicator"] in {"info", "warning", "critical"}


def has_a_source(shown: dict[str, Any]) -> bool:
    return isinstance(shown["source"], dict) and bool(shown["source"])


def has_a_label(source: dict[str, Any]) -> bool:
    return is_text(source["label"])


def is_an_absolute_address(url: Any) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def is_the_same_for_every_patient(url: str) -> bool:
    return not any(patient in url for patient in demo_patients())


def is_an_array(value: Any) -> bool:
    return isinstance(value, list)


def is_a_coding(coding: dict[str, Any]) -> bool:
    return is_text(coding["code"]) and is_text(coding["system"])


def has_a_display(coding: dict[str, Any]) -> bool:
    return is_text(coding["display"])


def may_lack_a_display(coding: dict[str, Any]) -> bool:
    return is_a_coding(coding) and is_text(coding.get("display", "none"))


def is_an_object(value: Any) -> bool:
    return isinstance(value, dict)


def has_names_in_reverse_domain_order(extension: dict[str, Any]) -> bool:
    return all(_REVERSE_DOMAIN.fullmatch(name) for name in extension)


def _same_uuid_twice(exchange: Exchange) -> Exchange | None:
    if exchange.case not in ANSWERED or not exchange.body["cards"]:
        return None
    first = exchange.body["cards"][0]
    return answer(cards=[first, {**first, "summary": "Another card."}])(exchange)


def _reason(**changed: Any) -> Mutant:
    return card("overrideReasons", "0", **changed)


RULES = (
    Rule(("80",), of(*ANSWERED), have_different_uuids, (_same_uuid_twice, card(uuid=17), card(uuid=["x"]))),
    Rule(("81", "82"), cards, has_a_uuid_for_the_audit, (card(uuid=REMOVED),)),
    Rule(
        ("83",),
        cards,
        has_a_summary_below_140_characters,
        (card(summary="x" * 140), card(summary="x" * 141), card(summary=REMOVED), card(summary=["x"])),
    ),
    Rule(
        ("84", "85"),
        members(cards, "detail"),
        is_markdown_without_html,
        (
            card(detail={"text": "x"}),
            card(detail="a<br>b"),
            card(detail="<table></table>"),
            card(detail="| a | b |\n|---|---|\n| c |"),
            card(detail="| a | b |\n| c | d |"),
        ),
    ),
    Rule(("87",), cards, has_an_indicator, (card(indicator=REMOVED), card(indicator=1))),
    Rule(
        ("88",),
        cards,
        has_a_known_indicator,
        (card(indicator="hard-stop"), card(indicator="Info"), card(indicator="information")),
    ),
    Rule(("90",), cards, has_a_source, (card(source=REMOVED), card(source="oncohooks"), card(source={}))),
    Rule(
        ("105", "106"),
        sources,
        has_a_label,
        (card("source", label=REMOVED), card("source", label={"text": "oncohooks"})),
    ),
    Rule(
        ("107", "108"),
        members(sources, "url"),
        is_an_absolute_address,
        (card("source", url="/model"), card("source", url="model.html"), card("source", url=7)),
    ),
    Rule(
        ("109",),
        members(sources, "url"),
        is_the_same_for_every_patient,
        (card("source", url=f"https://service.example/{next(iter(demo_patients()))}"),),
    ),
    Rule(
        ("98", "99"),
        members(cards, "overrideReasons"),
        is_an_array,
        (card(overrideReasons={"code": "x"}), card(overrideReasons="x")),
    ),
    Rule(
        ("216", "217", "218"),
        REASONS,
        is_a_coding,
        (_reason(code=REMOVED), _reason(code=7), _reason(system=REMOVED), _reason(system=["x"])),
    ),
    Rule(("100", "136", "219"), REASONS, has_a_display, (_reason(display=REMOVED), _reason(display=7))),
    Rule(
        ("214",),
        members(cards, "extension"),
        is_an_object,
        (card(extension=[{"org.example.x": 1}]), card(extension="x")),
    ),
    Rule(
        ("215",), members(cards, "extension"), has_names_in_reverse_domain_order, (card(extension={"assessment": 1}),)
    ),
    Rule(
        ("111", "113"),
        members(sources, "icon"),
        is_an_absolute_address,
        (card("source", icon="icon.png"), card("source", icon="data:image/png;base64,AAAA"), card("source", icon=1)),
        never_sent="no source has an icon",
    ),
    Rule(
        ("115", "116", "220"),
        members(sources, "topic"),
        may_lack_a_display,
        (
            card("source", topic="prognosis"),
            card("source", topic={"code": 1, "system": "urn:x"}),
            card("source", topic={"code": "x", "system": "urn:x", "display": 7}),
        ),
    ),
)
