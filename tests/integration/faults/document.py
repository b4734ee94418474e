"""`python -m tests.integration.faults.document > docs/faults.md`: what the caller sees of each fault."""

import sys
from collections.abc import Iterable, Sequence

from tests.architecture.tree import ROOT
from tests.integration.faults.cache_rows import CACHE_ROWS, STALE_ROWS
from tests.integration.faults.fhir_rows import FHIR_ROWS
from tests.integration.faults.process_rows import ENDS, FILE_ROWS
from tests.integration.faults.redis_rows import REDIS_ROWS
from tests.integration.faults.row import AnyRow, Seen

DOCUMENT = ROOT / "docs/faults.md"


def document() -> str:
    """docs/faults.md, whole."""
    ends = [f"| {end.name} | the process | {end.seen} | {end.marker} | {end.meter} | {end.over} |" for end in ENDS]
    parts = [
        _HEAD,
        _section("The FHIR server and the network before it", _FHIR, _lines(FHIR_ROWS)),
        _section("The same, where an earlier call has read the patient", _STALE, _lines(STALE_ROWS)),
        _section("Redis and the network before it", _REDIS, _lines(REDIS_ROWS)),
        _section("The store that keeps records", _CACHE, _lines(CACHE_ROWS)),
        _section("The machine and the process", _PROCESS, [*_lines(FILE_ROWS), *ends]),
    ]
    return "\n".join(parts)


def _lines(rows: Sequence[AnyRow]) -> list[str]:
    return [
        f"| {row.name} | {row.hits} | {_told(row.seen)} | {_marked(row.seen)} "
        f"| {', '.join(meter.text for meter in row.moved)} | {_over(row.pause)} |"
        for row in rows
    ]


def _told(seen: Sequence[Seen]) -> str:
    return seen[0].text if len(seen) == 1 else "; ".join(f"{one.call}: {one.text}" for one in seen)


def _marked(seen: Sequence[Seen]) -> str:
    return "; ".join(dict.fromkeys(one.marker for one in seen if one.marker)) or "nothing is missing"


def _over(pause: float) -> str:
    return f"within {pause:g} s" if pause else "next call"


def _section(heading: str, text: str, lines: Iterable[str]) -> str:
    head = "| fault | hits | the caller sees | marker | meter | as before |\n|---|---|---|---|---|---|"
    return "\n".join([f"## {heading}", text, "", head, *lines, ""])


_HEAD = """# What the caller sees when something fails

Written by `python -m tests.integration.faults.document > docs/faults.md`; a test keeps it true. Each line is a test
(`tests/integration/faults`): a scripted far end, a TCP proxy or the kernel does the damage and says that it was met;
the answer, its marker and the meters are compared with this page; then the fault ends, and calls are as before.

A fault is never an empty card list, and what is missing is never unmarked. Of every status below but 401 the body is an
OperationOutcome ([errors.md](errors.md)). Why, in words (`its certificate is refused: certificate has expired`), stands
in the log line of a call that failed, and in `retrieval` of a card that goes without something.
"""

_FHIR = """
A patient-view call without prefetch, so that all is read from the server; `conditions` stands for the two queries
without which nothing can be said, `laboratory` for all others. Rows of `flags` and `consents` are of a site whose
`[restricted]` names codes that object, so that nobody is scored without them. Nothing is kept between calls here
(`cache.kept_seconds = 0`). A server that has failed ten times in a row is left alone for five seconds, which
`oncohooks_fhir_breaker` shows. `oncohooks_gaps_total` counts what cards go without, by query; the status or the
`error_type` of `http_client_request_duration_seconds_count` says what the server did, also where a second try made it
good."""

_STALE = """
`cache.fresh_seconds = 0`, so that the server is asked each time, and the default `cache.kept_seconds`. What fails is
replaced by what was read before, if it is not older than that. These cards look complete: alert on
`oncohooks_gaps_total{state="stale"}`, and look at the status or `error_type` of the requests for the cause."""

_REDIS = """
The patient comes with the call, so that Redis is all that is asked. A round is a call, the same token once more, and
feedback on the card; meters move by what one round does. `state.when_redis_is_down` is `process` unless it is said."""

_CACHE = """
With the default `[cache]`, after calls that have left everything in the store. A call goes on by asking the FHIR
server, and takes as long as the first one did. The store is waited for 50 ms, and for five seconds after a failure not
at all. Alert on `oncohooks_cache_total{result="down"}`."""

_PROCESS = """
`oncohooks serve` as a process of its own, with a SQLite file. A full disc is a limit of the kernel on how far files may
grow. A card that was shown before on the same day is kept already, and not counted again."""


if __name__ == "__main__":
    sys.stdout.write(document())
