"""The parts of a report that come from an evaluation's figures: text, and the plots that go with it."""

from collections.abc import Iterator, Mapping

import msgspec

from models.training.comparator_text import horizon_table, not_available, score_table, signed
from models.training.evaluation_report import CohortEvaluation, Evaluation, Interval, Ranking
from models.training.markdown import escaped, table
from models.training.report import plots

Part = str | tuple[str, str]  # a block of Markdown, or the name and content of a plot


def comparison_sections(name: str, result: CohortEvaluation) -> Iterator[Part]:
    """Discrimination, comparators, horizons, calibration, blanking; what the evaluation lacks is said."""
    yield f"{result.patients} patients, {result.deaths} deaths, {escaped(result.folds)}."
    yield from _discrimination(name, result)
    yield from _comparators(name, result)
    yield from _horizons(result)
    yield from _calibration(name, result)
    yield from _blanking(name, result)


def all_figures(evaluation: Evaluation) -> str:
    """Every figure of the evaluation by its path: whatever an evaluation comes to hold stands here."""
    return "# All figures of the evaluation\n\n" + table(
        ("figure", "value"), _flat((), msgspec.to_builtins(evaluation))
    )


def _flat(path: tuple[str, ...], content: object) -> Iterator[tuple[str, object]]:
    if isinstance(content, Mapping):
        for key, inner in content.items():
            yield from _flat((*path, str(key)), inner)
    elif isinstance(content, list):
        for number, inner in enumerate(content):
            yield from _flat((*path, str(number)), inner)
    else:
        yield " / ".join(path), content


def _discrimination(name: str, result: CohortEvaluation) -> Iterator[Part]:
    models = result.models.items()
    yield "#### Discrimination"
    rows = [(model, [scores.pooled, scores.within]) for model, scores in models]
    title = f"Discrimination on {name}"
    yield "discrimination", plots.forest(title, "Harrell's C", ("all pairs", "within a cancer type"), rows, 0.5)
    yield table(("model", "C pooled", "C within type", "slope"), [(m, s.pooled, s.within, s.slope) for m, s in models])
    rows_of_differences = [
        (pair, *(signed(by[kind]) if kind in by else None for kind in ("pooled", "within")))
        for pair, by in result.differences.items()
    ]
    yield table(("paired difference", "C pooled", "C within type"), rows_of_differences)


def _comparators(name: str, result: CohortEvaluation) -> Iterator[Part]:
    yield "#### Clinical scores, on the patients who have them"
    if not result.comparators:
        yield "Not in this evaluation."
    rows = [
        (f"{row.label} (n = {row.patients})", [_pooled(r) for r in (row.comparator, row.network, row.ridge)])
        for row in result.comparators
        if row.comparator is not None
    ]
    if rows:
        title = f"Network and clinical scores on {name}"
        yield "comparators", plots.forest(title, "Harrell's C, all pairs", ("score", "network", "ridge-cox"), rows, 0.5)
        yield score_table(result)
    yield from filter(None, [not_available(result)])


def _pooled(ranking: Ranking | None) -> Interval | None:
    return None if ranking is None else ranking.pooled


def _horizons(result: CohortEvaluation) -> Iterator[Part]:
    if result.horizons:
        yield "#### Dead by a day: other models on the same patients"
        yield horizon_table(result)


def _calibration(name: str, result: CohortEvaluation) -> Iterator[Part]:
    curve = result.calibration_curve
    yield "#### Calibration"
    if curve is None:
        yield "Not available: no survival predicted for this cohort, or too few patients followed up to the horizon."
        return
    yield "calibration", plots.calibration(f"Calibration on {name}", curve)
    yield table(
        ("predicted survival", "observed", "patients"),
        [(f"{point.predicted:.3f}", point.observed, point.patients) for point in curve.points],
    )


def _blanking(name: str, result: CohortEvaluation) -> Iterator[Part]:
    if not result.blanking:
        return
    yield "#### What removing a block does to the hazard"
    rows = [
        (block, [Interval(value, value, value) for value in (b.mean, b.median)]) for block, b in result.blanking.items()
    ]
    title = f"Factor of removing a block on {name}"
    yield "blanking", plots.forest(title, "factor of the hazard", ("exp(mean log)", "median"), rows, 1.0)
    yield table(
        ("block", "exp(mean log factor)", "median factor", "patients"),
        [(block, f"{b.mean:.3f}", f"{b.median:.3f}", b.patients) for block, b in result.blanking.items()],
    )
