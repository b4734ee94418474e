"""Bytes that should be one JSON document, with the names that stand twice in an object."""

import json
from typing import Any

import msgspec

from service.cds_hooks.lint.finding import Finding


class NotThisError(Exception):
    """What was given is not what was asked for; the message says what it is."""


class Document(msgspec.Struct, frozen=True):
    value: Any
    findings: tuple[Finding, ...] = ()


def read_document(body: bytes) -> Document:
    """Raises NotThisError for what is no JSON (RFC 8259), with the place where that shows."""
    twice: list[str] = []

    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        twice.extend(name for name in found if len(found) < len(pairs) and [n for n, _ in pairs].count(name) > 1)
        return found

    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=as_object, parse_constant=_refused)
    except UnicodeDecodeError:
        raise NotThisError("not UTF-8") from None
    except json.JSONDecodeError as error:
        told = "more than one JSON document" if error.msg == "Extra data" else f"not JSON: {error.msg}"
        raise NotThisError(f"{told}, line {error.lineno} column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise NotThisError(f"not JSON: {str(error) or 'nested too deep'}") from None
    told = "stands twice in one object: clients differ in which they read"
    return Document(value, tuple(Finding(name, told, "advice", "1") for name in twice))


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no number")
