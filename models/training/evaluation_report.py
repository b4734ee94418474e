"""What an evaluation says, as structs: written to evaluation.json, printed by the command line and the model card."""

import msgspec


class Interval(msgspec.Struct, frozen=True, array_like=True):
    """An estimate with the limits of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class ModelScores(msgspec.Struct, frozen=True):
    """How one model ranks and calibrates on one cohort.

    `pooled` and `within` are Harrell's C over all pairs and over pairs of one cancer type; `uno` (C) and `brier` are by
    horizon in months; `slope` is the Cox slope of the log-risk (1 = calibrated spread). Out of fold, only patients of
    one fold are compared with each other. What cannot be computed is absent.
    """

    pooled: Interval
    within: Interval | None
    uno: dict[str, float]
    brier: dict[str, float]
    integrated_brier: float | None
    slope: Interval | None


class Ranking(msgspec.Struct, frozen=True, array_like=True):
    """Harrell's C over all pairs, and over pairs of one cancer type; or a paired difference of two of them."""

    pooled: Interval
    within: Interval | None


class Blanking(msgspec.Struct, frozen=True):
    """What removing a block of inputs does to the hazard: exp(mean log factor), and the median factor."""

    mean: float
    median: float
    patients: int


class ComparatorRow(msgspec.Struct, frozen=True):
    """A clinical score and ours on the patients who have the score; `difference` is network - comparator, paired.

    The rankings are absent where fewer than 50 patients or 10 deaths have it: not available in this cohort.
    """

    key: str
    label: str
    patients: int
    deaths: int
    comparator: Ranking | None = None
    network: Ranking | None = None
    ridge: Ranking | None = None
    difference: Ranking | None = None


class HorizonRow(msgspec.Struct, frozen=True):
    """Another model and ours at one horizon: area under the curve of being dead by `days`, on the same patients.

    `left_out` patients have a prediction but no outcome on that day; `differences` are "network - other", paired.
    """

    model: str
    days: int
    patients: int
    deaths: int
    left_out: int
    auc: dict[str, Interval]
    differences: dict[str, Interval]


class CalibrationPoint(msgspec.Struct, frozen=True):
    """A tenth of the patients by predicted survival: its mean, and what Kaplan and Meier observed (95 % interval)."""

    predicted: float
    observed: Interval
    patients: int


class CalibrationCurve(msgspec.Struct, frozen=True):
    """The network's predicted survival at `months`, out of fold, against what happened."""

    months: int
    points: list[CalibrationPoint]


class CohortEvaluation(msgspec.Struct, frozen=True):
    """`folds`: "out of fold" where the cohort was trained on, else "external". `differences` are paired."""

    patients: int
    deaths: int
    entities: int
    folds: str
    models: dict[str, ModelScores]
    differences: dict[str, dict[str, Interval]]
    blanking: dict[str, Blanking]
    coverage: dict[str, float]
    comparators: list[ComparatorRow] = []
    horizons: list[HorizonRow] = []
    calibration_curve: CalibrationCurve | None = None


class Evaluation(msgspec.Struct, frozen=True):
    """Evaluations by setting and cohort; `bootstraps` resamples stand behind the intervals."""

    settings: dict[str, dict[str, CohortEvaluation]]
    bootstraps: int = 0
    seed: int = 0


NETWORK, RIDGE, TYPE_ONLY = "network", "ridge-cox", "type-only"
STAGE_ONLY, BOOSTED, LOGISTIC = "stage-only", "boosted-cox", "ridge-logistic"
