"""One object that a service wrote, read member by member: what is there must be of its type, nothing else is there."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from service.cds_hooks.lint.finding import Finding
from service.misspelt import meant

_KINDS = {dict: "an object", list: "an array", str: "text", bool: "true or false", type(None): "null"}


class Members(msgspec.Struct, frozen=True):
    """The members of an object at `path`. What is found wrong goes to `findings`, which all objects of a body share.

    A member that is null or empty counts as missing; `empty.py` tells those that may be.
    """

    written: Mapping[str, Any]
    path: str
    findings: list[Finding]

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return not is_empty(self.written.get(name))

    def text(self, name: str, requirement: str, *, needed: bool = False) -> str:
        """A text; empty where it is not there or none."""
        value = self._of_type(name, str, requirement, needed=needed)
        return value if isinstance(value, str) else ""

    def one_of(self, name: str, allowed: Collection[str], requirement: str, *, needed: bool = False) -> str:
        """A text of a closed list; empty where it is none of it."""
        value = self.text(name, requirement, needed=needed)
        if value and value not in allowed:
            wrong = f"is {quoted(value)}; allowed are {', '.join(sorted(allowed))}"
            self.add(name, f"{wrong}{meant(value.lower(), allowed)}", requirement)
            return ""
        return value

    def address(self, name: str, requirement: str, *, needed: bool = False) -> None:
        """An absolute http(s) address."""
        value = self.text(name, requirement, needed=needed)
        if value and not is_absolute(value):
            self.add(name, f"is no absolute http(s) address: {quoted(value)}", requirement)

    def flag(self, name: str, requirement: str) -> None:
        if self.has(name) and not isinstance(self.written[name], bool):
            self.add(name, f"must be true or false, is {kind_of(self.written[name])}", requirement)

    def inner(self, name: str, requirement: str, *, needed: bool = False) -> "Members | None":
        """An object, as members of its own."""
        value = self._of_type(name, dict, requirement, needed=needed)
        return Members(value, self.at(name), self.findings) if isinstance(value, dict) else None

    def items(self, name: str, requirement: str) -> Iterator["Members"]:
        """The objects of an array that may be missing; an item that is none is told."""
        value = self._of_type(name, list, requirement, needed=False)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            path = f"{self.at(name)}[{number}]"
            if isinstance(item, dict):
                yield Members(item, path, self.findings)
            else:
                self.findings.append(Finding(path, f"must be an object, is {kind_of(item)}", "SHALL", requirement))

    def extension(self) -> None:
        """What the specification leaves to others, at any level."""
        extension = self.inner("extension", "214")
        for name in extension.written if extension else ():
            if "." not in name.strip("."):
                told = "is no globally unique name: reverse a domain, as in org.example.name"
                self.findings.append(Finding(f"{self.at('extension')}.{name}", told, "SHOULD", "215"))

    def no_others(self, *known: str) -> None:
        """Members that the specification does not have: clients pass over them."""
        for name in self.written.keys() - {*known, "extension"}:
            like = meant(name, known) or "; what is your own goes into `extension`"
            self.findings.append(Finding(self.at(name), f"is no member of CDS Hooks{like}", "advice"))

    def add(self, name: str, text: str, requirement: str) -> None:
        self.findings.append(Finding(self.at(name), text, "SHALL", requirement))

    def _of_type(self, name: str, kind: type, requirement: str, *, needed: bool) -> object:
        """The value, None where it is not there, empty, or of another type."""
        value = self.written.get(name)
        if is_empty(value):
            if needed:
                self.add(name, "is empty, and needed" if name in self.written else "is missing", requirement)
            return None
        if isinstance(value, kind):
            return value
        self.add(name, f"must be {_KINDS[kind]}, is {kind_of(value)}", requirement)
        return None


def is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not any(c.isspace() for c in url)


def is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def kind_of(value: object) -> str:
    return _KINDS.get(type(value), "a number")


def quoted(text: str) -> str:
    """A text as a message quotes it: its beginning."""
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'
