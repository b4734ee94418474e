"""The part of the model card that one evaluated cohort fills."""

from collections.abc import Iterator, Mapping

from models.training.comparator_text import comparator_tables
from models.training.evaluation_report import (
    NETWORK,
    RIDGE,
    BorrowedCheck,
    Calibration,
    CohortEvaluation,
    GammaDifference,
)
from models.training.evaluation_sentences import abstention_sentence, gamma_sentence, key_marker_sentence
from models.training.markdown import by_horizon, or_dash, signed_or_dash, table


def cohort_section(name: str, result: CohortEvaluation) -> str:
    """Performance with intervals, calibration, missing data, subgroups; what was not computed is not there."""
    head = f"### Evaluation on {name} ({result.folds})\n\n{result.patients} patients, {result.deaths} deaths."
    head += _not_there(result)
    parts = (
        head,
        _scores(result),
        _differences(result),
        _calibration(result),
        _scenarios(result),
        _subgroups(result),
        _blanking(result),
        key_marker_sentence(result),
        abstention_sentence(result),
        _coverage(result),
        _interactions(result),
    )
    return "\n\n".join(part for part in parts if part) + comparator_tables(result)


def _not_there(result: CohortEvaluation) -> str:
    """Targets that nothing is known about must not look reached."""
    looked_at = {
        "calibration after recalibration": any(score.after for score in result.models.values()),
        "missing data": bool(result.scenarios),
        "subgroups": bool(result.subgroups),
    }
    missing = [name for name, there in looked_at.items() if not there]
    return f" Not in this evaluation: {', '.join(missing)}." if missing else ""


def _interactions(result: CohortEvaluation) -> str:
    header = ("first", "second", "patients", "strength", "claimed", "observed", "verdict")
    rows = [
        (c.first, c.second, c.patients, f"{c.strength:.3f}", f"{c.claimed:+.3f}", c.observed.signed(), c.verdict)
        for c in result.interactions
    ]
    return table(header, rows)


def gamma_section(found: GammaDifference | None) -> str:
    return "" if found is None else f"Explanations are LRP-0. {gamma_sentence(found)}"


def borrowed_section(checks: Mapping[str, Mapping[str, BorrowedCheck]]) -> str:
    """How borrowed terms did where their block was measured and hidden; "" where nothing was checked."""
    checked = table(
        ("block hidden", "cohort", "patients", "deaths", "C without", "C lent", "C own", "gain by lending", "slope"),
        [
            (
                block,
                name,
                check.patients,
                check.deaths,
                f"{check.without:.3f}",
                f"{check.lent:.3f}",
                f"{check.own:.3f}",
                check.gain.signed(),
                check.slope,
            )
            for block, by_cohort in checks.items()
            for name, check in by_cohort.items()
        ],
    )
    return f"### Check of borrowed terms\n\n{checked}" if checked else ""


def _scores(result: CohortEvaluation) -> str:
    at = f"at {result.unit}"
    header = (
        "model",
        "C pooled",
        "C within type",
        "slope",
        f"Uno C {at}",
        f"AUC {at}",
        f"Brier {at}",
        "IBS",
        "patients",
    )
    rows = []
    for model, score in result.models.items():
        integrated = score.integrated_brier
        rows.append((
            model,
            score.pooled,
            or_dash(score.within),
            or_dash(score.slope),
            by_horizon(score.uno),
            by_horizon(score.auc),
            by_horizon(score.brier),
            "–" if integrated is None else f"{integrated:.3f} (to {score.integrated_brier_until})",
            result.patients if score.patients is None else score.patients,
        ))  # fmt: skip
    return table(header, rows)


def _differences(result: CohortEvaluation) -> str:
    return table(
        ("paired difference", "C pooled", "C within type"),
        [
            (pair, signed_or_dash(by.get("pooled")), signed_or_dash(by.get("within")))
            for pair, by in result.differences.items()
        ],
    )


def _calibration(result: CohortEvaluation) -> str:
    """Network and ridge by horizon, before and after; evaluation.json has the other models too."""
    return table(
        ("calibration", "slope", "death by", "expected", "observed", "observed/expected", "ICI"),
        [
            row
            for model, score in result.models.items()
            if model in (NETWORK, RIDGE)
            for how, found in (
                (f"{model}, as predicted", score.before),
                (f"{model}, recalibrated on {result.recalibrated_on}", score.after),
            )
            if found is not None
            for row in _horizons(how, found, result.unit)
        ],
    )


def _horizons(how: str, found: Calibration, unit: str) -> Iterator[tuple[object, ...]]:
    for label, at in found.horizons.items():
        figures = f"{at.expected:.3f}", f"{at.observed:.3f}", at.ratio, at.ici
        yield how, or_dash(found.slope), f"{label} {unit}", *figures


def _scenarios(result: CohortEvaluation) -> str:
    return table(
        ("less is known", "patients", "model", "C pooled", "C within type", "change pooled", "change within type"),
        [
            (
                name,
                scenario.patients,
                model,
                scores.pooled,
                or_dash(scores.within),
                scores.pooled_change.signed(),
                signed_or_dash(scores.within_change),
            )
            for name, scenario in result.scenarios.items()
            for model, scores in scenario.models.items()
        ],
    )


def _subgroups(result: CohortEvaluation) -> str:
    return table(
        ("subgroup", "patients", "deaths", "C network", "C ridge", "difference", "slope"),
        [
            (
                f"{row.kind}: {row.name}",
                row.patients,
                row.deaths,
                row.network,
                or_dash(row.ridge),
                signed_or_dash(row.difference),
                or_dash(row.slope),
            )
            for row in result.subgroups
        ],
    )


def _blanking(result: CohortEvaluation) -> str:
    return table(
        ("block removed", "exp(mean log factor)", "median factor", "patients"),
        [(block, f"{b.mean:.3f}", f"{b.median:.3f}", b.patients) for block, b in result.blanking.items()],
    )


def _coverage(result: CohortEvaluation) -> str:
    return table(("modality", "share observed"), [(m, f"{share:.2f}") for m, share in result.coverage.items()])
