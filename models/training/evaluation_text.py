"""An evaluation as text for a terminal."""

from collections.abc import Iterator

from models.training.comparator_text import comparator_lines
from models.training.evaluation_report import CohortEvaluation, Evaluation


def evaluation_text(evaluation: Evaluation) -> str:
    """One block of lines per cohort."""
    return "\n".join(
        line
        for setting, cohorts in evaluation.settings.items()
        for name, result in cohorts.items()
        for line in _cohort(setting, name, result)
    )


def _cohort(setting: str, name: str, result: CohortEvaluation) -> Iterator[str]:
    yield f"{name} · network {setting} · {result.folds} · {result.patients} patients, {result.deaths} deaths"
    for model, scores in result.models.items():
        within = f" · within type {scores.within}" if scores.within else ""
        slope = f" · slope {scores.slope}" if scores.slope else ""
        yield f"  {model:<10} C {scores.pooled}{within}{slope}"
        horizons = [f"Uno C {month} months {value:.3f}" for month, value in scores.uno.items()]
        horizons += [f"Brier {month} months {value:.3f}" for month, value in scores.brier.items()]
        if scores.integrated_brier is not None:
            horizons.append(f"IBS {scores.integrated_brier:.3f}")
        if horizons:
            yield f"  {'':<10} {' · '.join(horizons)}"
    for pair, kinds in result.differences.items():
        shown = ", ".join(f"{kind} {d.value:+.4f} ({d.low:+.4f} to {d.high:+.4f})" for kind, d in kinds.items())
        yield f"  {pair}: {shown}"
    for block, blanking in result.blanking.items():
        yield (
            f"  without {block}: hazard x{blanking.mean:.3f} on average, "
            f"x{blanking.median:.3f} in the median of {blanking.patients} patients"
        )
    yield from comparator_lines(result)
    coverage = ", ".join(f"{modality} {share:.0%}" for modality, share in result.coverage.items())
    yield f"  observed share of the parameters with weights: {coverage}"
