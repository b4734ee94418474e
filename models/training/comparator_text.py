"""The comparisons of an evaluation as text for a terminal."""

from collections.abc import Iterator

from models.training.evaluation_report import CohortEvaluation, ComparatorRow, HorizonRow, Interval


def comparator_lines(result: CohortEvaluation) -> Iterator[str]:
    """A line per score and per horizon, and by name what the cohort cannot compute; nothing in an older evaluation."""
    for row in result.comparators:
        if row.comparator is not None:
            yield _score(row)
    missing = [f"{row.label} ({row.patients} patients)" for row in result.comparators if row.comparator is None]
    if missing:
        yield f"  not available: {', '.join(missing)}"
    for horizon in result.horizons:
        yield _horizon(horizon)


def signed(interval: Interval) -> str:
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def _score(row: ComparatorRow) -> str:
    parts = [f"  {row.label}: {row.patients} patients, {row.deaths} deaths"]
    for name, ranking in (("C", row.comparator), ("network", row.network), ("ridge", row.ridge)):
        if ranking is not None:
            within = f", within type {ranking.within}" if ranking.within else ""
            parts.append(f"{name} {ranking.pooled}{within}")
    if row.difference is not None:
        within = f", within type {signed(row.difference.within)}" if row.difference.within else ""
        parts.append(f"network - score {signed(row.difference.pooled)}{within}")
    return " · ".join(parts)


def _horizon(row: HorizonRow) -> str:
    auc = ", ".join(f"{name} {value}" for name, value in row.auc.items())
    gains = ", ".join(f"{name} {signed(value)}" for name, value in row.differences.items())
    counts = f"{row.patients} patients, {row.deaths} deaths, {row.left_out} without outcome"
    head = f"  {row.model} at {row.days} days: {counts}"
    return f"{head} · AUC {auc} · {gains}"
