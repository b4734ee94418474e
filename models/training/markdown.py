"""Tables and figures as the model card writes them."""

from collections.abc import Iterable, Mapping

from models.training.evaluation_report import Interval


def table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table; "" without rows."""
    written = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    if not written:
        return ""
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *written])


def or_dash(interval: Interval | None) -> str:
    return "–" if interval is None else str(interval)


def signed_or_dash(interval: Interval | None) -> str:
    return "–" if interval is None else interval.signed()


def by_horizon(values: Mapping[str, float]) -> str:
    return ", ".join(f"{label}: {value:.3f}" for label, value in values.items()) or "–"
