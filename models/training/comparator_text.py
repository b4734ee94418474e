"""The comparisons of an evaluation: lines for a terminal, tables for the model card and the report."""

from collections.abc import Iterator, Mapping

from models.training.evaluation_report import NETWORK, CohortEvaluation, ComparatorRow, HorizonRow, Interval
from models.training.markdown import escaped, table


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


def comparator_tables(result: CohortEvaluation) -> str:
    """The same in Markdown, after a blank line; nothing for an older evaluation."""
    parts = [score_table(result), not_available(result), horizon_table(result)]
    return "".join(f"\n\n{part}" for part in parts if part)


def score_table(result: CohortEvaluation) -> str:
    """Score, network and ridge on the patients who have the score; empty where none can be computed."""
    rows = [
        (
            row.label,
            row.patients,
            row.deaths,
            *(ranking and ranking.pooled for ranking in (row.comparator, row.network, row.ridge)),
            row.difference and signed(row.difference.pooled),
            row.difference and row.difference.within and signed(row.difference.within),
        )
        for row in result.comparators
        if row.comparator is not None
    ]
    header = ("score", "patients", "deaths", "C score", "C network", "C ridge", "network - score", "within a type")
    return table(header, rows) if rows else ""


def not_available(result: CohortEvaluation) -> str:
    """The scores that too few patients have, by name."""
    missing = [f"{row.label} ({row.patients} patients)" for row in result.comparators if row.comparator is None]
    return f"Not available in this cohort: {escaped(', '.join(missing))}." if missing else ""


def horizon_table(result: CohortEvaluation) -> str:
    """AUC at each horizon, of the other model and of ours; empty where there is none."""
    rows = [
        (row.model, row.days, row.patients, row.deaths, row.left_out, model, auc, _gain(row.differences, model))
        for row in result.horizons
        for model, auc in row.auc.items()
    ]
    header = ("beside", "days", "patients", "deaths", "no outcome", "model", "AUC", "network - model")
    return table(header, rows) if rows else ""


def _gain(differences: Mapping[str, Interval], model: str) -> str | None:
    found = differences.get(f"{NETWORK} - {model}")
    return None if found is None else signed(found)


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
