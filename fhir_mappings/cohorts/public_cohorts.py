"""The public cohorts that `oncohooks cohort build` knows by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.hancock import build_hancock
from fhir_mappings.cohorts.tcga import build_tcga
from models.features import FeatureSchema

PUBLIC_COHORTS: Mapping[str, Callable[[Path, FeatureSchema], BuiltCohort]] = {
    "tcga": build_tcga,
    "hancock": build_hancock,
}
