"""Which targets an evaluation misses, said in sentences: a card must not leave that to the reader of its tables."""

from collections.abc import Iterator, Mapping

from models.training.evaluation_report import EXTERNAL_COHORT, NETWORK, RIDGE, CohortEvaluation
from models.training.scenarios import RANDOM_QUARTER

BLANKING = (0.9, 1.1)  # exp(mean log factor) of removing a block
SLOPE = (0.9, 1.1)  # after recalibration
ICI = 0.03  # after recalibration
DROP = 0.02  # of C without a random quarter of what is known
GAIN = {"msk_met": 0.008, "support2": 0.02}  # of pooled C over the ridge

Evaluations = Mapping[str, Mapping[str, CohortEvaluation]]


def bars_missed(settings: Evaluations) -> tuple[str, ...]:
    """One sentence for each bar and cohort, by setting and cohort; empty where every bar was reached."""
    return tuple(
        f"{setting}, {name}: {sentence}"
        for setting, cohorts in settings.items()
        for name, result in cohorts.items()
        for sentence in (*_blanking(result), *_calibration(result), *_missing_data(result), *_ridge(name, result))
    )


def _blanking(result: CohortEvaluation) -> Iterator[str]:
    for block, found in result.blanking.items():
        if not BLANKING[0] <= found.mean <= BLANKING[1]:
            yield f"removing {block} multiplies the hazard by {found.mean:.3f} on average (bar .9 to 1.1)"


def _calibration(result: CohortEvaluation) -> Iterator[str]:
    after = result.models[NETWORK].after
    if after is None:
        return
    if after.slope and not SLOPE[0] <= after.slope.value <= SLOPE[1]:
        yield f"slope after recalibration {after.slope} (bar .9 to 1.1)"
    for label, found in after.horizons.items():
        if found.ici.value > ICI:
            yield f"ICI at {label} {result.unit} after recalibration {found.ici} (bar at most .03)"


def _missing_data(result: CohortEvaluation) -> Iterator[str]:
    scenario = result.scenarios.get(RANDOM_QUARTER)
    scores = scenario.models.get(NETWORK) if scenario else None
    if scores is None:
        return
    for kind, change in (("pooled", scores.pooled_change), ("within type", scores.within_change)):
        if change is not None and change.value < -DROP:
            yield f"C {kind} changes by {change.signed()} when a random 25 % of the inputs is removed (bar -.02)"


def _ridge(name: str, result: CohortEvaluation) -> Iterator[str]:
    """The bars against the ridge hold for cohorts that trained."""
    differences = result.differences.get(f"{NETWORK} - {RIDGE}", {})
    if result.folds == EXTERNAL_COHORT:
        return
    for kind, difference in differences.items():
        if difference.high < 0:
            yield f"C {kind} of the network minus that of the ridge {difference.signed()} (bar: upper limit >= 0)"
    pooled = differences.get("pooled")
    if name in GAIN and pooled is not None and pooled.value < GAIN[name]:
        yield f"C pooled of the network minus that of the ridge {pooled.signed()} (bar at least +{GAIN[name]})"
