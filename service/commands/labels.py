"""Names for people: parameters by their labels, lists and ids cut to what tells them."""

import re
from collections.abc import Sequence

from fhir_mappings.concepts import catalogue

KEY = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
_UUID = re.compile(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")  # its beginning tells it


def labelled(text: str) -> str:
    """The text with its parameter keys replaced by their labels."""
    schema = catalogue().schema
    return KEY.sub(lambda match: schema[match[0]].label_en if match[0] in schema.index else match[0], text)


def printable(text: str) -> str:
    """The text without characters that would move a terminal's cursor: ids come as a file has them."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def few(names: Sequence[str], most: int = 1) -> str:
    """The first of several names and how many more there are."""
    more = f" +{len(names) - most}" if len(names) > most else ""
    return "; ".join(_UUID.sub(r"\1…", name) for name in names[:most]) + more
