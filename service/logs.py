"""Log lines on standard error: one line each, plain or JSON, with nothing of a patient.

Our own messages are written without patient data; what libraries log is not. So every line is cut to one, addresses
and tokens in it are masked, and a traceback is told by exception types and places in the code, without its messages.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

_MASKS = (
    (re.compile(r"(?i)\b(bearer|access_token|token)([\s=:\"']+)[A-Za-z0-9._~+/\-]+=*"), r"\1\2***"),
    (re.compile(r"\b([A-Z][A-Za-z]{3,40})/[A-Za-z0-9\-.]{1,64}"), r"\1/***"),  # a reference: type and id
    (re.compile(r"(?i)\b(patient|subject|_id|identifier)=[^&\s\"']+"), r"\1=***"),
)


def redacted(text: str) -> str:
    """`text` on one line, with references, tokens and patient parameters masked."""
    text = " | ".join(line.strip() for line in text.splitlines() if line.strip())
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def told(error: BaseException) -> str:
    """An exception by type and place, with its causes; never its message."""
    causes: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(causes) < 5:
        causes.append(f"{type(cause).__name__}{_place(cause.__traceback__)}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return " <- ".join(causes)


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-4:]
    where = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames)
    return f" ({where})" if where else ""


class OneLine(logging.Formatter):
    """Time, level, logger, message."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(self.parts(record).values())

    def parts(self, record: logging.LogRecord) -> dict[str, str]:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = redacted(record.getMessage())
        if record.exc_info and record.exc_info[1]:
            message = f"{message}: {told(record.exc_info[1])}"
        return {"time": when, "level": record.levelname, "logger": record.name, "message": message}


class JsonLine(OneLine):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.parts(record), ensure_ascii=False)


def configure(form: Literal["plain", "json"]) -> None:
    """Send the whole process's log to standard error in this form. Uvicorn's own loggers lose their handlers."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine() if form == "json" else OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True
