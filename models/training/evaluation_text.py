"""An evaluation as text for a terminal."""

from collections.abc import Iterator

from models.training.comparator_text import comparator_lines
from models.training.evaluation_report import Calibration, CohortEvaluation, Evaluation, ModelScores
from models.training.evaluation_sentences import abstention_sentence, gamma_sentence, key_marker_sentence
from models.training.markdown import by_horizon, or_dash, signed_or_dash

INDENT = " " * 12
NAMED = 10  # key markers that a line names


def evaluation_text(evaluation: Evaluation) -> str:
    """One block of lines per cohort, then the bars that were missed and what was not looked at."""
    lines = [
        line
        for setting, cohorts in evaluation.settings.items()
        for name, result in cohorts.items()
        for line in _cohort(setting, name, result)
    ]
    lines += [
        f"hidden {block} in {name} ({check.patients} patients, {check.deaths} deaths), network {setting}: C without "
        f"{check.without:.3f}, lent {check.lent:.3f}, own {check.own:.3f} · gain {check.gain.signed()} · "
        f"slope {check.slope}"
        for setting, blocks in evaluation.borrowed.items()
        for block, checks in blocks.items()
        for name, check in checks.items()
    ]
    lines += [f"network {setting}: {gamma_sentence(found)}" for setting, found in evaluation.gamma.items()]
    lines += [f"bar missed: {sentence}" for sentence in evaluation.bars_missed]
    return "\n".join([*lines, *evaluation.notes])


def _cohort(setting: str, name: str, result: CohortEvaluation) -> Iterator[str]:
    yield f"{name} · network {setting} · {result.folds} · {result.patients} patients, {result.deaths} deaths"
    for model, scores in result.models.items():
        yield from _model(model, scores, result)
    for pair, kinds in result.differences.items():
        yield f"  {pair}: {', '.join(f'{kind} {found.signed()}' for kind, found in kinds.items())}"
    for block, blanking in result.blanking.items():
        yield (
            f"  without {block}: hazard x{blanking.mean:.3f} on average, "
            f"x{blanking.median:.3f} in the median of {blanking.patients} patients"
        )
    sentences = abstention_sentence(result), key_marker_sentence(result, NAMED)
    yield from (f"  {sentence}" for sentence in sentences if sentence)
    for check in result.interactions:
        yield (
            f"  {check.verdict}: {check.first} with {check.second} ({check.patients} patients) · claimed "
            f"{check.claimed:+.3f}, observed {check.observed.signed()}"
        )
    yield from comparator_lines(result)
    coverage = ", ".join(f"{modality} {share:.0%}" for modality, share in result.coverage.items())
    yield f"  observed share of the parameters with weights: {coverage}"
    yield from _scenarios(result)
    yield from _subgroups(result)


def _model(name: str, scores: ModelScores, result: CohortEvaluation) -> Iterator[str]:
    within = f" · within type {scores.within}" if scores.within else ""
    slope = f" · slope {scores.slope}" if scores.slope else ""
    patients = "" if scores.patients is None else f" · {scores.patients} patients can be scored"
    yield f"  {name:<10} C {scores.pooled}{within}{slope}{patients}"
    kinds = (("Uno C", scores.uno), ("AUC", scores.auc), ("Brier", scores.brier))
    shown = [f"{kind} {by_horizon(values)}" for kind, values in kinds if values]
    if scores.integrated_brier is not None:
        shown.append(f"IBS to {scores.integrated_brier_until} {scores.integrated_brier:.3f}")
    if shown:
        yield f"{INDENT} at {result.unit} {' · '.join(shown)}"
    yield from _calibration("as predicted", scores.before, result.unit)
    yield from _calibration(f"recalibrated on {result.recalibrated_on}", scores.after, result.unit)


def _calibration(how: str, found: Calibration | None, unit: str) -> Iterator[str]:
    if found is None:
        return
    slope = f": slope {found.slope}" if found.slope else ""
    yield f"{INDENT} {how}{slope}"
    for label, at in found.horizons.items():
        yield (
            f"{INDENT}   death by {label} {unit}: expected {at.expected:.3f}, observed {at.observed:.3f}, "
            f"observed/expected {at.ratio} · ICI {at.ici}"
        )


def _scenarios(result: CohortEvaluation) -> Iterator[str]:
    for name, scenario in result.scenarios.items():
        for model, scores in scenario.models.items():
            within = f" · within type {scores.within}" if scores.within else ""
            change = f"pooled {scores.pooled_change.signed()}"
            change += f", within {scores.within_change.signed()}" if scores.within_change else ""
            yield f"  {name} ({scenario.patients} patients), {model}: C {scores.pooled}{within} · change {change}"


def _subgroups(result: CohortEvaluation) -> Iterator[str]:
    for row in result.subgroups:
        yield (
            f"  {row.kind} {row.name}: {row.patients} patients, {row.deaths} deaths · C network {row.network}, "
            f"ridge {or_dash(row.ridge)}, difference {signed_or_dash(row.difference)} · "
            f"slope {or_dash(row.slope)}"
        )
