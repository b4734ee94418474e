"""The model card, written from manifest and evaluation: nobody types it."""

from collections.abc import Iterable

from models.manifest import Manifest, Setting, TrainedInput
from models.training.bars import bars_missed
from models.training.card_evaluation import borrowed_section, cohort_section, gamma_section
from models.training.cohort import WITHOUT_CANCER
from models.training.evaluation_report import Evaluation
from models.training.markdown import table

NOT_STATED = "not stated"

USE = """Research use. The network places a patient with a solid tumour among similar patients of its reference data and
says which of the patient's own values drive that. It is for clinicians who know the patient; it must not by itself
start, limit or end care. Its factors are associations, not causes: nothing here says whether a treatment helps."""

FORMS = {
    "network": "The hidden layers carry weight.",
    "ridge": "The network did not rank better than its ridge: this setting ships the ridge, the same form with w3 = 0.",
}

OUTCOME = """Death from any cause, in days from the setting's time zero; patients alive at last contact are censored
there, and who came under observation later counts from then on."""

MISSING = """What is not recorded stays missing and is never filled in: the pair (x, 1 - x) of an unknown parameter is
(0, 0), and every parameter is centred on the patients who have it, so having been measured does not score."""

BUILDING = """Inputs are the parameters that enough training patients have (50; binary ones 20 of either value and 5
deaths). Training starts at a centred ridge Cox model and may stop there; cohorts are strata, their baselines are never
pooled. Scores below are of patients whom the scoring model did not see; C-indices are Harrell's, intervals 95 %. Those
of the ICI are bootstrap percentiles, which run high where few died: some lie above the estimate."""

LIMITS = (
    """* Absolute survival is shown only at the sites that a setting lists as recalibrated, within its horizons.
* Parameters without weights (all that are not listed above) are shown to the reader and do not move the score.
* Not checked at the hospital that runs it: `oncohooks model evaluate` does that on its own cohort.
* Race is no input. It stands among the subgroups where a cohort states it, in the words of that source: the same word
  is not the same people in every cohort, and ethnicity apart from race, language, income and insurance are not there.
  Its rows say how well patients of one group are ranked and how far apart they are put. They do not say whether
  absolute risks are too high or too low in a group, and a group with a wide interval or without a row is not shown to
  be served as well as others.
* Dates are not in the cohort format, so no fold is later than the others."""
    ""
)

AVAILABILITY = """Code: Apache-2.0. The weights carry the licences and attributions of the training cohorts, in the
tables above; no patient's data are in the package. The graphs run with onnxruntime and nothing of ours; every file is
vouched for by its sha256 in manifest.json. `oncohooks model train` and the cohorts make the package again."""


def model_card(manifest: Manifest, evaluation: Evaluation) -> str:
    """Markdown with the items of TRIPOD+AI (BMJ 2024), the same bytes for the same inputs."""
    synthetic = "**Synthetic: made for tests, not trained on patients.**\n\n" if manifest.synthetic else ""
    title = f"# {manifest.name} {manifest.version}\n\n{synthetic}{_title(manifest)}"
    parts = [title, f"## Intended use and users\n\n{USE}", *_bars(evaluation), f"## Outcome\n\n{OUTCOME}"]
    parts.append(f"## Predictors and missing data\n\n{_predictors(manifest)}\n\n{MISSING}")
    parts.append(f"## Model\n\n{_form(manifest)}\n\n{BUILDING}")
    for key, setting in manifest.settings.items():
        parts += _setting(key, setting, manifest.parameters)
        parts.append(borrowed_section(evaluation.borrowed.get(key, {})))
        parts.append(gamma_section(evaluation.gamma.get(key)))
        parts += [cohort_section(name, result) for name, result in evaluation.settings.get(key, {}).items()]
    parts += [f"## Limits\n\n{LIMITS}", f"## Availability and licences\n\n{AVAILABILITY}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(manifest: Manifest) -> str:
    """What was developed, on how many patients and events."""
    cohorts = [cohort for setting in manifest.settings.values() for cohort in setting.cohorts]
    cancer = [cohort for cohort in cohorts if not cohort.name.endswith(WITHOUT_CANCER)]
    patients, deaths = sum(cohort.patients for cohort in cancer), sum(cohort.deaths for cohort in cancer)
    others = sum(cohort.patients for cohort in cohorts) - patients
    also = f" {others} patients without cancer train as well and are in no figure." if others else ""
    return (
        "Development and internal validation of a prediction model for death from any cause in patients with a solid "
        f"tumour (settings: {', '.join(manifest.settings)}): {patients} patients, {deaths} deaths, {len(cancer)} "
        f"cohorts.{also}"
    )


def _bars(evaluation: Evaluation) -> Iterable[str]:
    missed = bars_missed(evaluation.settings)
    if missed:
        yield "## Bars that were missed\n\n" + "\n".join(f"* {sentence}" for sentence in missed)


def _predictors(manifest: Manifest) -> str:
    counts = [
        f"{sum(name not in setting.entities for name in setting.trained)} parameters and "
        f"{sum(name in setting.entities for name in setting.trained)} cancer types in setting {key}"
        for key, setting in manifest.settings.items()
    ]
    return (
        f"Of {manifest.parameters} columns of the catalogue have weights: {'; '.join(counts)}. They are listed below."
    )


def _form(manifest: Manifest) -> str:
    return (
        "Form: bias-free ReLU network on pairs (x, 1 - x), a centred linear path beside it, an ensemble of members; "
        "relevance is LRP-0 and adds up to the log-risk. "
        f"Opset {manifest.opset}, catalogue {manifest.schema_digest[:12]}."
    )


def _setting(key: str, setting: Setting, parameters: int) -> Iterable[str]:
    entities = [name for name in setting.trained if name in setting.entities]
    others = len(setting.trained) - len(entities)
    yield (
        f"## Setting {key}\n\nTime zero: {setting.time_zero}. Of {parameters} columns of the catalogue "
        f"{others} parameters and {len(entities)} cancer types have weights; calibration slope {setting.slope:.2f} "
        f"({setting.slope_interval[0]:.2f} to {setting.slope_interval[1]:.2f}). {FORMS[setting.form]}"
    )
    rows = [
        (
            cohort.name,
            cohort.patients,
            cohort.deaths,
            cohort.source,
            cohort.eligibility or NOT_STATED,
            cohort.period or NOT_STATED,
            cohort.licence,
            cohort.attribution,
        )
        for cohort in setting.cohorts
    ]
    header = ("cohort", "patients", "deaths", "source", "setting and eligibility", "period", "licence", "attribution")
    yield table(header, rows)
    yield table(
        ("cancer type", "patients", "deaths", "weights"),
        [(name, *counts, "yes" if name in setting.trained else "no") for name, counts in setting.entities.items()],
    )
    yield table(
        ("parameter", "patients", "positives", "scaling", "from", "to", "learned in"),
        [_parameter(name, entry) for name, entry in setting.trained.items() if name not in setting.entities],
    )


def _parameter(name: str, entry: TrainedInput) -> tuple[object, ...]:
    positives = "" if entry.positives is None else entry.positives
    learned = f"borrowed from {', '.join(entry.borrowed_from)}" if entry.borrowed_from else "this setting"
    return name, entry.patients, positives, entry.method, entry.low, entry.high, learned
