"""What is wrong with the settings -> the lines that say so: every key at fault by its name, none with its value."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_settings import SettingsError as SourceError

from service.misspelt import meant, names_beside

PREFIX = "ONCOHOOKS_"


def no_json(environment: Mapping[str, str], error: SourceError) -> str:
    """The variables that hold what could not be read: pydantic-settings names the table alone."""
    text = getattr(error.__cause__, "doc", None)
    names = sorted(name for name, value in environment.items() if value == text and name.upper().startswith(PREFIX))
    return f"{', '.join(names) or error}: lists and tables in the environment are JSON, and this is none"


def told(detail: Mapping[str, Any], settings: type[BaseModel]) -> str:
    where = _place(detail["loc"])
    if detail["type"] == "extra_forbidden":
        likely = meant(str(detail["loc"][-1]), names_beside(settings, detail["loc"]))
        return f"{where}: there is no such setting{likely}"
    if detail["type"] == "missing":
        return f"{where}: is needed"
    if detail["type"] == "tuple_type" and len(detail["loc"]) == 1:
        return f"{where}: must be a list; a table of site.toml that may stand several times is written [[{where}]]"
    if detail["type"] == "tuple_type":
        return f"{where}: must be a list"
    words = str(detail["msg"]).removeprefix("Value error, ")
    return f"{where}: {words}" if where else words


def _place(loc: Sequence[str | int]) -> str:
    """`fhir 1: url` for the first [[fhir]], as `check` and the meters count them."""
    table, *rest = loc or ("",)
    if rest and isinstance(rest[0], int):
        table, rest = f"{table} {rest[0] + 1}", rest[1:]
        return ": ".join(filter(None, (table, ".".join(map(str, rest)))))
    return ".".join(map(str, (table, *rest)))
