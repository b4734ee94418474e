"""A file of recorded hook calls: one request as JSON, or many as NDJSON, `.gz` too."""

import gzip
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from service.cds_hooks.lint.document import NotThisError

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class HookCall(msgspec.Struct, frozen=True):
    """One recorded request. `members` are its own bytes: numbers are sent as they were written."""

    number: int
    members: dict[str, msgspec.Raw]
    hook: str
    patient: str

    def anew(self) -> bytes:
        """The request with a hookInstance of its own, as each call of a client has one."""
        return msgspec.json.encode({**self.members, "hookInstance": str(uuid.uuid4())})


class _Context(msgspec.Struct):
    patientId: Any = ""  # noqa: N815


class _Call(msgspec.Struct):
    hook: str
    context: _Context


def hook_calls(file: Path) -> Iterator[HookCall]:
    """The calls of a file. Raises NotThisError, with the line, for what is none."""
    try:
        body = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError) as error:
        raise NotThisError(f"cannot be read, or is not what gzip writes ({type(error).__name__})") from None
    documents = [(1, body)] if _is_one(body) else list(enumerate(body.split(b"\n"), 1))
    filled = [(line, document) for line, document in documents if document.strip()]
    if not filled:
        raise NotThisError("is empty")
    calls = [_call(number, document, line) for number, (line, document) in enumerate(filled, 1)]
    yield from calls  # all are read before the first is sent


def _is_one(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except _UNREADABLE:
        return len([line for line in body.split(b"\n") if line.strip()]) < 2
    return True


def _call(number: int, document: bytes, line: int) -> HookCall:
    try:
        members = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
        known = msgspec.json.decode(document, type=_Call)
    except msgspec.ValidationError:
        raise NotThisError(f"line {line}: no hook request: it has `hook` (text) and `context` (an object)") from None
    except _UNREADABLE as error:
        raise NotThisError(f"line {line}: not JSON ({error})") from None
    patient = known.context.patientId
    return HookCall(number, members, known.hook, patient if isinstance(patient, str) else "")
