"""The published cohorts, each built once a session: together they take half a minute."""

from functools import cache
from pathlib import Path

import numpy as np

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS
from fhir_mappings.concepts import catalogue

SCHEMA = catalogue().schema


@cache
def built(corpus: Path, name: str) -> BuiltCohort:
    return PUBLIC_COHORTS[name](corpus / "cohorts" / name, SCHEMA)


def counts(cohort: BuiltCohort, key: str, stratum: str | None = None) -> tuple[int, int]:
    """Patients who have a parameter, and deaths among them, in one stratum or in all."""
    table = cohort.cohort
    known = ~np.isnan(table.values[:, SCHEMA.index[key]])
    if stratum is not None:
        known &= table.cohort == stratum
    return int(known.sum()), int(table.event[known].sum())


def positives(cohort: BuiltCohort, key: str) -> int:
    return int((cohort.cohort.values[:, SCHEMA.index[key]] == 1).sum())
