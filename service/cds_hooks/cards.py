"""Assessment -> the one card of the reply. No text of the record enters it: labels are the catalogue's."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from fhir_mappings.timing import instant
from service import statement
from service.assessment import Assessment
from service.attribution import others
from service.cds_hooks.override_reasons import OVERRIDE_REASONS
from service.cds_hooks.wire import Card, Source

EXTENSION = "org.oncohooks.assessment"
SHOWN = 20  # factors in the extension; the rest is one entry


def card_for(assessment: Assessment, model_url: str) -> Card:
    """One info card; a warning only where data of another patient were delivered. `model_url` describes the model."""
    foreign = assessment.abstained is not None and assessment.abstained.code == "foreign-patient"
    return Card(
        summary=statement.summary(assessment),
        indicator="warning" if foreign else "info",
        source=Source(label="oncohooks pan-cancer prognosis", url=model_url),
        detail=_detail(assessment),
        overrideReasons=OVERRIDE_REASONS,
        extension={EXTENSION: _for_extension(assessment)},
    )


def _detail(assessment: Assessment) -> str:
    running = [n.text for n in assessment.notices if n.code in statement.RUNNING]
    paragraphs = [f"**{escaped(text)}**" for text in running]
    if assessment.abstained is not None:
        paragraphs += [assessment.abstained.detail, statement.RESEARCH_USE]
    else:
        paragraphs += [*_scored(assessment), f"**Read with care:** {statement.CAVEAT}"]
    paragraphs.append(escaped(statement.model_line(assessment)))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _scored(assessment: Assessment) -> list[str]:
    at = instant(assessment.assessed_at) or datetime.now(UTC)
    return [
        f"**Position:** {statement.position_line(assessment)}",
        statement.setting_line(assessment),
        _table(assessment, at),
        statement.learned_elsewhere_line(assessment),
        *(f"**Not known:** {escaped(lines)}" for lines in [" ".join(statement.unknown_lines(assessment))] if lines),
    ]


def _table(assessment: Assessment, at: datetime) -> str:
    head = "| Against a typical patient of that group | Input | Value | Age of value | Hazard |\n|---|---|---|---|---|"
    lines = [
        f"| {row.direction} | {escaped(row.label)} | {escaped(row.value)} | {row.age} | {row.factor} |"
        for row in statement.rows(assessment, at)
    ]
    return "\n".join([head, *lines])


def _for_extension(assessment: Assessment) -> dict[str, Any]:
    """The assessment object as JSON, its strongest factors and graver issues only."""
    rest = assessment.attribution[SHOWN:]
    kept = assessment.attribution[:SHOWN] + ((others(rest),) if rest else ())
    graver = tuple(issue for issue in assessment.issues if issue.severity != "information")
    short = msgspec.structs.replace(assessment, attribution=kept, issues=graver)
    built: dict[str, Any] = msgspec.to_builtins(short)
    return built


def escaped(text: str) -> str:
    """Text as GitHub-flavoured Markdown shows it literally; our own labels and units hold `*`, `[` and `|`."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]<>()#+!|~" else char for char in text)
