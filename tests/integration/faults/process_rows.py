"""Faults of the machine: a full disc is a row like any other, the end of the process is told in test_process.py."""

import msgspec

from tests.integration.faults.process import FileLaboratory, admitting_laboratory, file_laboratory
from tests.integration.faults.row import Moved, Row, Seen

FileRow = Row[FileLaboratory]

_NOT_KEPT = tuple(Moved("oncohooks_not_kept_total", {"what": what}) for what in ("card", "feedback"))
_FULL = Row(
    "disc full",
    "`state.file`; `auth` is `off`",
    file_laboratory,
    FileLaboratory.fill_the_disc,
    lambda lab: lab.is_full,
    (Seen("call"), Seen("feedback", status=503, category="not-kept")),
    _NOT_KEPT,
    warm=True,
)
FILE_ROWS: tuple[FileRow, ...] = (
    _FULL,
    msgspec.structs.replace(
        _FULL,
        hits="`state.file`; tokens are required",
        laboratory=admitting_laboratory,
        seen=(Seen("call", status=401), Seen("feedback", status=401)),
        moved=(Moved("oncohooks_not_admitted_total", {"reason": "memory-of-tokens-down"}, 2),),
    ),
)


class End(msgspec.Struct, frozen=True):
    """An end of the process, for the page; each is a test of test_process.py."""

    name: str
    seen: str
    marker: str
    meter: str
    over: str


ENDS = (
    End(
        "SIGTERM under load",
        "every call that was accepted is answered with its card; new connections are refused; `/readyz` says `draining`"
        " on connections that are open; exit within the grace of `hard_deadline_seconds` + 5 s",
        "nothing is missing",
        "none: the process ends",
        "with the next process",
    ),
    End(
        "SIGKILL, then a new process on the same `state.file`",
        "the connection breaks; with the next process a used token is still refused (401), cards and feedback that were"
        " acknowledged are in the report, the same card has the same uuid",
        "nothing is missing",
        '`oncohooks_not_admitted_total{reason="replayed"}` +1 in the new process',
        "with the next process",
    ),
)
