"""An assessment as text for a terminal."""

from datetime import UTC, datetime

from fhir_mappings.timing import instant
from service import statement
from service.assessment import Assessment


def as_text(assessment: Assessment) -> str:
    """Summary, position, factors, what was not known, how to read it: the card's content in plain text."""
    running = [notice.text for notice in assessment.notices if notice.code in statement.RUNNING]
    lines = [*running, statement.summary(assessment), ""]
    if assessment.abstained is not None:
        lines += [assessment.abstained.detail, "", statement.RESEARCH_USE]
    else:
        lines += [*_scored(assessment), "", statement.CAVEAT]
    lines.append(statement.model_line(assessment))
    return "\n".join(lines)


def _scored(assessment: Assessment) -> list[str]:
    at = instant(assessment.assessed_at) or datetime.now(UTC)
    table = statement.rows(assessment, at)
    widths = [
        max((len(getattr(row, name)) for row in table), default=0) for name in ("direction", "label", "value", "age")
    ]
    body = [
        "  ".join(
            cell.ljust(width)
            for cell, width in zip((row.direction, row.label, row.value, row.age), widths, strict=True)
        )
        + f"  {row.factor}"
        for row in table
    ]
    return [
        f"Position: {statement.position_line(assessment)}",
        *([statement.setting_line(assessment)] if statement.setting_line(assessment) else []),
        "",
        "Against a typical patient of that group:",
        *body,
        *([statement.learned_elsewhere_line(assessment)] if statement.learned_elsewhere_line(assessment) else []),
        "",
        *statement.unknown_lines(assessment),
    ]
