"""The model card, written from manifest and evaluation: nobody types it."""

from collections.abc import Iterable

from models.manifest import Manifest, Setting, TrainedInput
from models.training.comparator_text import comparator_tables
from models.training.evaluation_report import CohortEvaluation, Evaluation, Interval

USE = """Research use. The network places a patient with a solid tumour among similar patients of its reference data and
says which of the patient's own values drive that. It is for clinicians who know the patient; it must not by itself
start, limit or end care. Its factors are associations, not causes: nothing here says whether a treatment helps."""

LIMITS = """* No absolute survival is shown: the baselines are stored, but were not recalibrated anywhere.
* Parameters without weights (all that are not listed above) are shown to the reader and do not move the score.
* Not checked at the hospital that runs it: `oncohooks model evaluate` does that on its own cohort."""


def model_card(manifest: Manifest, evaluation: Evaluation) -> str:
    """Markdown, the same bytes for the same inputs."""
    synthetic = "**Synthetic: made for tests, not trained on patients.**\n\n" if manifest.synthetic else ""
    form = (
        "Form: bias-free ReLU network on pairs (x, 1 - x), a centred linear path beside it, an ensemble of members; "
        "relevance is LRP-0 and adds up to the log-risk. "
        f"Opset {manifest.opset}, catalogue {manifest.schema_digest[:12]}."
    )
    parts = [f"# {manifest.name} {manifest.version}\n\n{synthetic}{USE}", form]
    for key, setting in manifest.settings.items():
        parts += _setting(key, setting, manifest.parameters)
        parts += [
            _cohort(name, result) + comparator_tables(result)
            for name, result in evaluation.settings.get(key, {}).items()
        ]
    parts.append(f"## Limits\n\n{LIMITS}")
    return "\n\n".join(parts) + "\n"


def _setting(key: str, setting: Setting, parameters: int) -> Iterable[str]:
    entities = [name for name in setting.trained if name in setting.entities]
    others = len(setting.trained) - len(entities)
    yield (
        f"## Setting {key}\n\nTime zero: {setting.time_zero}. Of {parameters} columns of the catalogue "
        f"{others} parameters and {len(entities)} cancer types have weights; calibration slope {setting.slope:.2f} "
        f"({setting.slope_interval[0]:.2f} to {setting.slope_interval[1]:.2f})."
    )
    rows = [
        (cohort.name, cohort.patients, cohort.deaths, cohort.source, cohort.licence, cohort.attribution)
        for cohort in setting.cohorts
    ]
    yield _table(("cohort", "patients", "deaths", "source", "licence", "attribution"), rows)
    yield _table(
        ("cancer type", "patients", "deaths", "weights"),
        [(name, *counts, "yes" if name in setting.trained else "no") for name, counts in setting.entities.items()],
    )
    yield _table(
        ("parameter", "patients", "positives", "scaling", "from", "to"),
        [_parameter(name, entry) for name, entry in setting.trained.items() if name not in setting.entities],
    )


def _parameter(name: str, entry: TrainedInput) -> tuple[object, ...]:
    positives = "" if entry.positives is None else entry.positives
    return name, entry.patients, positives, entry.method, entry.low, entry.high


def _cohort(name: str, result: CohortEvaluation) -> str:
    scores = _table(
        ("model", "C pooled", "C within type", "slope", "Uno C", "Brier"),
        [
            (model, score.pooled, score.within or "–", score.slope or "–", _horizons(score.uno), _horizons(score.brier))
            for model, score in result.models.items()
        ],
    )
    differences = _table(
        ("paired difference", "C pooled", "C within type"),
        [(pair, _signed(by.get("pooled")), _signed(by.get("within"))) for pair, by in result.differences.items()],
    )
    blanking = _table(
        ("block removed", "exp(mean log factor)", "median factor", "patients"),
        [(block, f"{b.mean:.3f}", f"{b.median:.3f}", b.patients) for block, b in result.blanking.items()],
    )
    coverage = _table(("modality", "share observed"), [(m, f"{share:.2f}") for m, share in result.coverage.items()])
    head = f"### Evaluation on {name} ({result.folds})\n\n{result.patients} patients, {result.deaths} deaths."
    return f"{head}\n\n{scores}\n\n{differences}\n\n{blanking}\n\n{coverage}"


def _signed(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.value:+.4f} ({interval.low:+.4f} to {interval.high:+.4f})"


def _horizons(by_month: dict[str, float]) -> str:
    return ", ".join(f"{month} mo {value:.3f}" for month, value in by_month.items()) or "–"


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
