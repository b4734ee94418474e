"""A name that nothing reads -> the one that was probably meant."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel


def meant(name: str, known: Iterable[str]) -> str:
    """What to add to a refusal: the known name that is most like it, or nothing."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"; did you mean {found[0]}?" if found else ""


def names_beside(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The settings that stand where pydantic found one that does not exist; `place` is its `loc`."""
    at: type[BaseModel] | None = model
    for part in place[:-1]:
        if isinstance(part, str) and at is not None:
            field = at.model_fields.get(part)
            at = next(_models_in(field.annotation), None) if field else None
    return list(at.model_fields) if at else []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
