"""One network of a package, as the service uses it: predict, explain, and what is typical of similar patients."""

from collections.abc import Mapping
from functools import cached_property, lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema, FeatureVector
from models.manifest import ENTITY, SMALLEST_GROUP, Setting
from models.position import Position, compared, percentiles, position, supported_risk
from models.predictor import Attribution, Interactions, Predictor, Prognosis
from models.survival import SurvivalAt, check_horizon, survival_with_range

OWN, SHARED, BORROWED = "entity+setting", "setting", "borrowed"
INTERACTING = 20  # inputs of a patient whose interactions are looked at: 190 pairs


class Typical(msgspec.Struct, frozen=True):
    """Mean relevance per parameter among training patients who have it: `value`, `patients` and `origin`, [350] each.

    `origin` is "entity+setting" where at least 50 patients of the entity have the parameter, else "setting", "borrowed"
    for a term that was learned in another setting; "" and zeros where the network has no weights. The 38 entity columns
    are one input and hold the same value: count it once.
    """

    value: NDArray[np.float64]
    patients: NDArray[np.int64]
    origin: tuple[str, ...]


class Network:
    """The network of one setting with its reference groups."""

    def __init__(self, key: str, setting: Setting, predictor: Predictor, schema: FeatureSchema) -> None:
        self.setting = key
        self.manifest = setting
        self.predictor = predictor
        self._schema = schema
        self.typical = lru_cache(maxsize=len(setting.groups) + 1)(self._typical)

    @property
    def time_zero(self) -> str:
        return self.manifest.time_zero

    @property
    def slope(self) -> float:
        """Calibration slope b: a relevance difference d is shown as the factor exp(b * d)."""
        return self.manifest.slope

    @cached_property
    def trained(self) -> frozenset[str]:
        """Keys with weights, entities included; every other parameter has exactly zero relevance."""
        return frozenset(self.manifest.trained)

    def entity_patients(self, entity: str) -> int:
        """Training patients of this setting with the entity."""
        return self.manifest.entities.get(entity, (0, 0))[0]

    def entity_deaths(self, entity: str) -> int:
        return self.manifest.entities.get(entity, (0, 0))[1]

    def predict(self, vector: FeatureVector) -> Prognosis:
        return self.predictor.predict(vector)

    def explain(self, vector: FeatureVector) -> Attribution:
        return self.predictor.explain(vector)

    def interactions(self, vector: FeatureVector, attribution: Attribution, entity: str | None) -> Interactions:
        """All pairs of the inputs that distinguish this patient most, by |relevance - typical|, strongest first.

        At most 20 inputs; the entity is one of them, by its column that is 1.
        """
        distance = np.abs(attribution.relevance - self.typical(entity).value)
        known = np.flatnonzero(attribution.relevance)
        strongest = known[np.argsort(-distance[known], kind="stable")[:INTERACTING]]
        return self.predictor.interactions(vector, strongest)

    def out_of_range(self, vector: FeatureVector) -> tuple[str, ...]:
        """Trained parameters whose value lies outside of what any training patient had."""
        keys, columns, low, high = self._ranges
        values = vector.values[columns]
        return tuple(keys[i] for i in np.flatnonzero((values < low) | (values > high)))  # NaN is neither

    @cached_property
    def _ranges(self) -> tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
        """The trained parameters, their columns, the lowest and the highest value that training saw."""
        trained = self.manifest.trained
        columns = np.array([self._schema.index[key] for key in trained], dtype=np.intp)
        low, high = ([getattr(one, end) for one in trained.values()] for end in ("low", "high"))
        return tuple(trained), columns, np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)

    def distance_quantile(self, distance: float) -> float | None:
        """Which share of held-out patients lie nearer to the training patients; None where that was not looked at."""
        distances, shares = self._held_out
        return float(np.interp(distance, distances, shares)) if len(distances) else None

    @cached_property
    def _held_out(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The distances of held-out patients, and the share of them that lies nearer; none where nobody looked."""
        known = self.manifest.applicability
        distances = np.array(known.distances if known else ())
        return distances, np.linspace(0, 1, len(distances))

    def is_unusual(self, distance: float) -> bool:
        """Whether the patient lies beyond the limit that few held-out patients passed."""
        known = self.manifest.applicability
        return known is not None and distance > known.limit

    def position(
        self, attribution: Attribution, vector: FeatureVector, entity: str | None, members: NDArray[np.float32]
    ) -> Position:
        """Where the patient stands among the training patients of the same entity, else of the setting."""
        name = self._group_name(entity)
        group = self.manifest.groups[name]
        return position(attribution.relevance, vector.observed(), members, group, name, self._schema)

    def percentiles(self, values: NDArray[np.float32], entity: str | None) -> NDArray[np.int64]:
        """The position's percentile of many patients of one entity: values [N, 350] -> [N]."""
        _, relevance = self.predictor.relevance(values)
        return percentiles(relevance, ~np.isnan(values), self.manifest.groups[self._group_name(entity)], self._schema)

    def common(self, entity: str | None) -> Mapping[str, tuple[float, float]]:
        """Which values are common in the patient's group, by parameter; {} in a package that does not say so.

        Where nearly all of the group have the same value, what is common in the setting.
        """
        groups = self.manifest.groups
        own, shared = groups[self._group_name(entity)].common, groups[self.setting].common
        return {key: ends if ends[0] < ends[1] else shared.get(key, ends) for key, ends in own.items()}

    def group_parameters(self, group: str) -> frozenset[str]:
        """What positions of a group are compared by; ENTITY stands for the cancer type."""
        return frozenset(self.manifest.groups[group].typical)

    def horizons(self, entity: str | None) -> tuple[int, ...]:
        """Days for which the training patients of the entity support a survival figure."""
        return self.manifest.horizons.get(entity, ()) if entity else ()

    def survival(
        self, attribution: Attribution, vector: FeatureVector, entity: str, members: NDArray[np.float32], days: int,
        since: float = 0.0,
    ) -> SurvivalAt:  # fmt: skip
        """Survival `days` days after today by the anchor's baseline, for one who is alive `since` days after time zero.

        As for the position, an input that fewer than 50 patients of the group have does not count: what it does in
        such patients nobody has seen. Raises BeyondFollowUpError for a horizon that the entity, or the baseline, does
        not support.
        """
        check_horizon(self.horizons(entity), days, since)
        group = self.manifest.groups[self._group_name(entity)]
        _, half = compared(attribution.relevance, vector.observed(), members, group, self._schema)
        baseline = self.manifest.baselines[self.manifest.anchor]
        risk = supported_risk(attribution.relevance, group, self._schema)
        return survival_with_range(baseline, self.slope, risk, half, days, since)

    def _group_name(self, entity: str | None) -> str:
        own = self.manifest.groups.get(entity) if entity else None
        return entity if entity and own and own.patients >= SMALLEST_GROUP else self.setting

    def _typical(self, entity: str | None) -> Typical:
        """What relevance each parameter has in a typical patient of the entity (None: of the setting)."""
        schema = self._schema
        value, patients = np.zeros(len(schema)), np.zeros(len(schema), dtype=np.int64)
        origin = [""] * len(schema)
        shared = self.manifest.groups[self.setting]
        own = self.manifest.groups.get(entity) if entity else None
        known = (BORROWED, self.manifest.borrowed), (SHARED, shared.typical), (OWN, own.typical if own else {})
        for source, by_key in known:
            for key, typical in by_key.items():
                for column in schema.entity_columns if key == ENTITY else (schema.index[key],):
                    value[column], patients[column], origin[column] = typical.value, typical.patients, source
        return Typical(value, patients, tuple(origin))
