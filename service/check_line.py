"""One line of `oncohooks check`, and the patient whom it asks for."""

from typing import Literal

import msgspec

_LONGEST = 2_000  # characters
State = Literal["ok", "note", "red", "unreachable"]

NOBODY = "oncohooks-check-nobody"  # an id that no server has: every search must come back empty


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was checked; `action` says what to do where it is not ok."""

    item: str
    state: State
    told: str
    action: str = ""

    def text(self) -> str:
        action = f" -> {self.action}" if self.action else ""
        return f"{self.state:<12}{self.item:<18}{_printable(self.told)}{action}"


def _printable(text: str) -> str:
    """What a server wrote, without what would move a terminal's cursor, and not without end."""
    return "".join(c if c.isprintable() else "?" for c in text[:_LONGEST])
