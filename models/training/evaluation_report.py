"""What an evaluation says, as structs: written to evaluation.json, printed by the command line and the model card."""

from typing import Literal

import msgspec


class Interval(msgspec.Struct, frozen=True, array_like=True):
    """An estimate with the limits of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def signed(self) -> str:
        """As a difference."""
        return f"{self.value:+.4f} ({self.low:+.4f} to {self.high:+.4f})"


class HorizonCalibration(msgspec.Struct, frozen=True):
    """Probabilities of death by a horizon: mean predicted, observed (Kaplan-Meier), observed/expected, and the ICI.

    Of patients who were under observation from time zero on. ICI: mean distance to the smoothed observed probability.
    """

    expected: float
    observed: float
    ratio: Interval
    ici: Interval


class Calibration(msgspec.Struct, frozen=True):
    """`slope`: of the log-risk; `horizons`: those with enough patients at risk."""

    slope: Interval | None
    horizons: dict[str, HorizonCalibration]


class ModelScores(msgspec.Struct, frozen=True):
    """How one model ranks and calibrates on one cohort.

    `pooled` and `within` are Harrell's C over all pairs and over pairs of one cancer type; `uno` (C), `auc`
    (cumulative/dynamic) and `brier` are by horizon; `integrated_brier` runs up to the horizon `integrated_brier_until`.
    `slope` is the Cox slope of the log-risk (1 = calibrated spread). `before` is the calibration as predicted, `after`
    that of a recalibration on other patients. `patients` is given where the model cannot score everybody. Out of fold,
    only patients of one fold are compared with each other. What cannot be computed is absent.
    """

    pooled: Interval
    within: Interval | None
    uno: dict[str, float]
    brier: dict[str, float]
    integrated_brier: float | None
    slope: Interval | None
    auc: dict[str, float] = {}
    integrated_brier_until: str = "60"
    before: Calibration | None = None
    after: Calibration | None = None
    patients: int | None = None


class ScenarioScores(msgspec.Struct, frozen=True):
    """C with inputs blanked, and its paired change from the full picture (below 0: worse)."""

    pooled: Interval
    within: Interval | None
    pooled_change: Interval
    within_change: Interval | None


class Scenario(msgspec.Struct, frozen=True):
    """`patients`: those whose estimate changes."""

    patients: int
    models: dict[str, ScenarioScores]


class Subgroup(msgspec.Struct, frozen=True):
    """C of network and ridge inside a part of the patients, with the paired difference; slope of the network."""

    kind: str
    name: str
    patients: int
    deaths: int
    network: Interval
    ridge: Interval | None
    difference: Interval | None
    slope: Interval | None


class Ranking(msgspec.Struct, frozen=True, array_like=True):
    """Harrell's C over all pairs, and over pairs of one cancer type; or a paired difference of two of them."""

    pooled: Interval
    within: Interval | None


class InteractionCheck(msgspec.Struct, frozen=True):
    """A pair that the network claims to interact, and what patients who did not train it say.

    `strength` is the mean |mixed difference| (log-risk), `claimed` its slope over the product of the centred, scaled
    inputs, `observed` the coefficient of that product in a Cox model with both inputs. The `verdict` is by their signs:
    undecided where the interval of the second holds 0.
    """

    first: str
    second: str
    patients: int
    strength: float
    claimed: float
    observed: Interval
    verdict: Literal["confirmed", "refuted", "undecided"]


class KeyMarkers(msgspec.Struct, frozen=True):
    """The fewest markers that carry 90 % of the explanations of the cohort, the strongest first.

    `per_patient` is the median number that carry 90 % of one patient's, `with_relevance` how many say anything at all.
    """

    markers: tuple[str, ...]
    per_patient: int
    with_relevance: int


class AbstentionEffect(msgspec.Struct, frozen=True):
    """`patients` lie too far from those who trained to be scored; C of `everybody`, and of those who are `kept`."""

    patients: int
    everybody: float
    kept: float


class Blanking(msgspec.Struct, frozen=True):
    """What removing a block of inputs does to the hazard: exp(mean log factor), and the median factor."""

    mean: float
    median: float
    patients: int


class BorrowedCheck(msgspec.Struct, frozen=True):
    """A block of parameters hidden where it was measured, and lent by other cohorts.

    C (pairs inside a cohort and fold) `without` the block, with the `lent` terms, and with the cohort's `own` values;
    `gain` is lent - without; `slope` is the coefficient of the lent terms beside the hidden risk: 1 where they come
    true, 0 where they say nothing.
    """

    block: str
    patients: int
    deaths: int
    without: float
    lent: float
    own: float
    gain: Interval
    slope: Interval


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
    """The network's predicted survival at a `horizon` ("24 months"), out of fold, against what happened."""

    horizon: str
    points: list[CalibrationPoint]


class GammaDifference(msgspec.Struct, frozen=True):
    """How far gamma LRP is from LRP-0 over a cohort.

    `rank_correlation` is the mean over patients (those with three inputs and more) of Spearman's over the patient's
    inputs, None where there is no such patient; `relative` the sum of |difference| over the sum of |relevance|.
    """

    gamma: float
    patients: int
    rank_correlation: float | None
    relative: float


class CohortEvaluation(msgspec.Struct, frozen=True):
    """`folds`: "out of fold" (and how) where the cohort was trained on, else "external". `differences` are paired.

    Horizons are in `unit`s. `recalibrated_on` says whose outcomes a recalibration used: the other folds or half.
    """

    patients: int
    deaths: int
    entities: int
    folds: str
    models: dict[str, ModelScores]
    differences: dict[str, dict[str, Interval]]
    blanking: dict[str, Blanking]
    coverage: dict[str, float]
    unit: str = "months"
    recalibrated_on: str = ""
    scenarios: dict[str, Scenario] = {}
    subgroups: tuple[Subgroup, ...] = ()
    comparators: list[ComparatorRow] = []
    horizons: list[HorizonRow] = []
    calibration_curve: CalibrationCurve | None = None
    abstention: AbstentionEffect | None = None
    interactions: list[InteractionCheck] = []
    key_markers: KeyMarkers | None = None


class Evaluation(msgspec.Struct, frozen=True):
    """Evaluations by setting and cohort; `bootstraps` resamples stand behind the intervals (half for subgroups).

    `borrowed` holds the checks of borrowed terms by setting, block and cohort; `bars_missed` are sentences on targets
    that were not reached, `notes` on what was not looked at; `gamma` compares the paper's rule with the served one.
    """

    settings: dict[str, dict[str, CohortEvaluation]]
    bootstraps: int = 0
    seed: int = 0
    borrowed: dict[str, dict[str, dict[str, BorrowedCheck]]] = {}
    bars_missed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gamma: dict[str, GammaDifference] = {}


NETWORK, RIDGE, TYPE_ONLY = "network", "ridge-cox", "type-only"
EXTERNAL_COHORT = "external"  # in `CohortEvaluation.folds`
STAGE_ONLY, BOOSTED, LOGISTIC = "stage-only", "boosted-cox", "ridge-logistic"
