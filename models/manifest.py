"""What a model package says of itself (manifest.json): frozen structs, written by training, read by the service."""

from typing import Literal

import msgspec


class TrainedInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter with weights: how many training patients have it, how it is scaled, what values training saw.

    `usual` are the 1 % and 99 % quantiles of a continuous one. `borrowed_from` names the cohorts of other settings in
    which a borrowed linear term was learned.
    """

    patients: int
    method: str
    low: float
    high: float
    positives: int | None = None
    usual: tuple[float, float] | None = None
    borrowed_from: tuple[str, ...] = ()


class TypicalRelevance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Mean relevance of a parameter among the `patients` who have it, and its standard deviation among them."""

    value: float
    patients: int
    spread: float


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training patients who are compared with each other: those of a setting, or of one entity in it.

    `typical` holds the parameters that at least 50 of them have; ENTITY stands for the cancer type as one input.
    `quantiles` are the 0 … 100 % quantiles of the sum of (relevance - typical) over these parameters.
    `common` holds the COMMON quantiles of their values, in canonical units, among those who have them; {} in a package
    that was written before it was there.
    """

    patients: int
    deaths: int
    typical: dict[str, TypicalRelevance]
    quantiles: tuple[float, ...]
    common: dict[str, tuple[float, float]] = {}


class TrainingCohort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`eligibility`: who is in it and where they were seen; `period`: when. "" where that is not known."""

    name: str
    patients: int
    deaths: int
    source: str
    licence: str
    attribution: str
    eligibility: str = ""
    period: str = ""


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Breslow's cumulative baseline hazard of one cohort as a step function; `supported_days` ends it."""

    days: tuple[float, ...]
    hazard: tuple[float, ...]
    supported_days: float


class Applicability(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far held-out patients lie from those who trained: `distances` are the 0 ... 100 % quantiles.

    They are of whole pictures and of such with a random share of the inputs missing. Beyond `limit` a patient is not
    scored; `false_alarms` is the share of held-out pictures for which that holds.
    """

    distances: tuple[float, ...]
    limit: float
    false_alarms: float


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network of the package.

    `form` says whether its hidden layers carry weight or it is its centred ridge, the same form with w3 = 0. `borrowed`
    holds what is typical of borrowed terms, among the patients they were learned from.
    `slope` is the calibration slope b and `baselines` belong to it: S(t | x) = exp(-H0(t) exp(b g)); that of the
    `anchor` is served. `horizons`: days of survival that the patients of an entity support. `recalibrated`: sites at
    which b and the baseline were estimated again. `interval_level`: the share that the intervals of g really cover.
    """

    time_zero: str
    members: int
    trained: dict[str, TrainedInput]
    entities: dict[str, tuple[int, int]]
    slope: float
    slope_interval: tuple[float, float]
    cohorts: tuple[TrainingCohort, ...]
    groups: dict[str, Group]
    baselines: dict[str, Baseline]
    anchor: str
    recipe: dict[str, float]
    form: Literal["network", "ridge"] = "network"
    borrowed: dict[str, TypicalRelevance] = {}
    horizons: dict[str, tuple[int, ...]] = {}
    recalibrated: tuple[str, ...] = ()
    interval_level: float = 0.9
    applicability: Applicability | None = None


class ServingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which network scores whom, and when a figure may be shown: what the networks were trained for decides.

    Diagnosis, metastasis and a panel of `panel_genes` genes are new for `new_days`; survivors are compared with after
    `survivor_days`; figures of rule B end after `metastatic_days`, all of them need a laboratory value of
    `laboratory_days`, and `fewest_deaths` training deaths of the entity.
    """

    new_days: float = 90.0
    panel_genes: int = 50
    survivor_days: float = 730.5
    metastatic_days: float = 1095.75
    laboratory_days: float = 30.0
    fewest_deaths: int = 100


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`files` maps every other file of the package to its sha256."""

    format: str
    name: str
    version: str
    synthetic: bool
    schema_digest: str
    parameters: int
    opset: int
    settings: dict[str, Setting]
    files: dict[str, str]
    serving: ServingRule = ServingRule()


class GoldenPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Two parameters of a golden row and their interaction."""

    first: str
    second: str
    value: float


class GoldenRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A made-up patient and what the graphs must answer; parameters that are not named are missing."""

    setting: str
    values: dict[str, float]
    risk: float
    members: tuple[float, ...]
    relevance: dict[str, float]
    interactions: tuple[GoldenPair, ...] = ()
    distance: float = 0.0


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tolerance: float
    rows: tuple[GoldenRow, ...]


FORMAT = "1"
ENTITY = "entity"  # the one-hot cancer types, counted as one input
SMALLEST_GROUP = 50  # patients, CONTRACTS.md
COMMON = (0.1, 0.9)  # quantiles between which a value is common
