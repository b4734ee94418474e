"""The model's input contract: which parameters there are, in which order, unit and meaning."""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Kind = Literal["continuous", "ordinal", "binary", "onehot"]
Modality = Literal["demographics", "history", "function", "laboratory", "tumour", "imaging", "genetics"]
MODALITIES: tuple[Modality, ...] = (
    "demographics", "history", "function", "laboratory", "tumour", "imaging", "genetics",
)  # fmt: skip

# What the digest covers: a change of any of these changes what the weights mean. Labels, ranges, definitions
# and codes can be corrected without retraining.
CONTRACT = ("key", "unit", "kind", "missing_rule", "aggregation", "window_days", "window_days_emergency")


class Feature(msgspec.Struct, frozen=True):
    """One parameter. `low` and `high` bound the plausible values (in `unit`), not the healthy ones."""

    key: str
    modality: Modality
    family: str
    label_en: str
    label_de: str
    kind: Kind
    unit: str
    low: float
    high: float
    window_days: float | None
    window_days_emergency: float | None
    aggregation: str
    missing_rule: str
    definition: str

    @property
    def is_entity(self) -> bool:
        """One of the one-hot cancer entities, which count as a single input."""
        return self.kind == "onehot"

    def plausible(self, value: float) -> bool:
        return self.low <= value <= self.high


class FeatureSchema:
    """The ordered parameters. Two schemas with the same digest can stand in for each other."""

    def __init__(self, features: Iterable[Feature]) -> None:
        self.features = tuple(features)
        self.keys = tuple(feature.key for feature in self.features)
        self.index: Mapping[str, int] = {key: i for i, key in enumerate(self.keys)}
        self.by_key: Mapping[str, Feature] = dict(zip(self.keys, self.features, strict=True))
        self.entities = tuple(feature.key for feature in self.features if feature.is_entity)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, key: str) -> Feature:
        return self.by_key[key]

    @cached_property
    def digest(self) -> str:
        """Sha256 over the ordered rows of `CONTRACT`."""
        rows = [[getattr(feature, name) for name in CONTRACT] for feature in self.features]
        return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()

    @cached_property
    def entity_columns(self) -> NDArray[np.intp]:
        return np.array([self.index[key] for key in self.entities], dtype=np.intp)

    @classmethod
    def read(cls, path: Path) -> "FeatureSchema":
        """Read a table with the columns of `Feature` (others are ignored).

        Raises msgspec.ValidationError when a cell does not fit its column.
        """
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{name: cell for name, cell in row.items() if cell != ""} for row in csv.DictReader(file)]
        for row in rows:
            row.setdefault("window_days", None)
            row.setdefault("window_days_emergency", None)
        return cls(msgspec.convert(rows, list[Feature], strict=False))


class FeatureVector(msgspec.Struct, frozen=True):
    """One patient: float32 [len(schema)] in canonical units, NaN = not measured, entity columns 0/1 or all NaN."""

    values: NDArray[np.float32]
    schema: FeatureSchema

    def observed(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.values)

    @classmethod
    def of(cls, schema: FeatureSchema, known: Mapping[str, float]) -> "FeatureVector":
        """The vector of `known`; one entity key given as 1 sets the other entities to 0.

        Raises KeyError for a key that the schema lacks, ValueError for two entities.
        """
        values = np.full(len(schema), np.nan, dtype=np.float32)
        stated = [key for key in schema.entities if key in known]
        if len(stated) > 1:
            raise ValueError(f"one entity at most, not {', '.join(sorted(stated))}")
        if stated:
            values[schema.entity_columns] = 0
        values[[schema.index[key] for key in known]] = list(known.values())
        return cls(values, schema)
