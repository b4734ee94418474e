"""In which form a caller wants the answer, by its Accept header (RFC 9110, 12.5.1)."""

from typing import Literal

Form = Literal["json", "fhir", "stream"]

_FORMS: dict[str, Form] = {
    "application/json": "json",
    "application/fhir+json": "fhir",
    "text/event-stream": "stream",
    "*/*": "json",
    "application/*": "json",
    "text/*": "stream",
}


def form_of(accept: str) -> Form:
    """The form that is wanted most, the first of equals; the assessment as JSON where none is one of ours."""
    offered = [(_weight(parameters), _FORMS[kind]) for kind, parameters in _kinds(accept) if kind in _FORMS]
    wanted = [one for one in offered if one[0] > 0]
    return max(wanted, key=lambda one: one[0], default=(1.0, "json"))[1]


def _kinds(accept: str) -> list[tuple[str, list[str]]]:
    return [_parted(text) for text in accept.split(",")]


def _parted(text: str) -> tuple[str, list[str]]:
    kind, *parameters = text.split(";")
    return kind.strip().lower(), [parameter.strip().lower() for parameter in parameters]


def _weight(parameters: list[str]) -> float:
    stated = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return float(stated)
    except ValueError:
        return 0.0
