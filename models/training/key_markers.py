"""Key markers: the smallest set of parameters that carries 90 % of what the explanations say (Keyl et al. 2025).

What counts is the relevance beyond the typical one, |relevance - typical|; what is missing says nothing. The 38 cancer
types are one marker.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import ENTITY

Array = NDArray[np.float64]

CARRIED = 0.9


class Deviations(msgspec.Struct, frozen=True):
    """`absolute` [n, D + 1]: |relevance - typical| per patient and marker, 0 where missing; `markers` names them."""

    markers: tuple[str, ...]
    absolute: Array

    def by_marker(self) -> dict[str, float]:
        """Mean over the patients, those who lack the marker included."""
        return dict(zip(self.markers, self.absolute.mean(axis=0).tolist(), strict=True))


def markers_of(schema: FeatureSchema) -> tuple[str, ...]:
    """The parameters in the order of the catalogue, and the cancer type as the last."""
    return (*(feature.key for feature in schema.features if not feature.is_entity), ENTITY)


def deviations(
    relevance: NDArray[np.floating], observed: NDArray[np.bool_], typical: NDArray[np.floating], schema: FeatureSchema
) -> Deviations:
    """`relevance`, `observed` [n, 350]; `typical` [350] or [n, 350], all entity columns alike (`Network.typical`)."""
    entities = np.zeros(len(schema), dtype=bool)
    entities[schema.entity_columns] = True
    usual = np.broadcast_to(typical, relevance.shape).astype(np.float64)
    others = np.where(observed, np.abs(relevance - usual), 0.0)[:, ~entities]
    # an entity without weights says as little as none
    known = (relevance[:, entities] != 0).any(axis=1)
    shared = np.abs(relevance[:, entities].sum(axis=1) - usual[:, schema.entity_columns[0]])
    return Deviations(markers_of(schema), np.column_stack([others, np.where(known, shared, 0.0)]))


def key_markers(strength: Mapping[str, float], carried: float = CARRIED) -> tuple[str, ...]:
    """The fewest names whose strengths add up to `carried` of all, the strongest first; none where nothing has any."""
    names = sorted(strength, key=lambda name: (-strength[name], name))
    sums = np.cumsum([strength[name] for name in names])
    if not len(sums) or sums[-1] <= 0:
        return ()
    # rounding must not ask for one more than reaches the share
    needed = int(np.searchsorted(sums, carried * sums[-1] * (1 - 1e-12))) + 1
    return tuple(names[:needed])


def of_cohort(found: Deviations, carried: float = CARRIED) -> tuple[str, ...]:
    """The key markers of all patients together."""
    return key_markers(found.by_marker(), carried)


def of_patients(found: Deviations, carried: float = CARRIED) -> list[tuple[str, ...]]:
    """The key markers of each patient."""
    return [key_markers(dict(zip(found.markers, row.tolist(), strict=True)), carried) for row in found.absolute]


def markers_per_patient(found: Deviations, carried: float = CARRIED) -> NDArray[np.intp]:
    """How many markers each patient's key markers are, [n]: the sizes of `of_patients`, for a cohort at once."""
    ranked = -np.sort(-found.absolute, axis=1)
    sums = np.cumsum(ranked, axis=1)
    reached = sums >= carried * sums[:, -1:] * (1 - 1e-12)
    return np.where(sums[:, -1] > 0, reached.argmax(axis=1) + 1, 0)
