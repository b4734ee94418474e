"""One catalogue, two doors: what cohort builders make of a table is what readers make of the same data as FHIR."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS
from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import encode
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from tests.as_fhir import NotWritableError, resources_of

pytestmark = pytest.mark.corpus

DAY = date(2020, 6, 30)
AT = datetime(2020, 6, 30, 23, 59, 59, tzinfo=UTC)
COMPLETE = (Retrieval("bundle", "bundle", "complete"),)


@pytest.mark.parametrize(("name", "step", "writable"), [("hancock", 5, 1.0), ("tcga", 20, 0.97)])
def test_vectors_are_equal_parameter_by_parameter(name: str, step: int, writable: float, corpus: Path) -> None:
    """Every n-th patient of a cohort, written as FHIR and read again, gives the vector of the table.

    A patient whose cancer type contradicts the recorded histology can be stated by no single record.
    """
    schema = catalogue().schema
    cohort = PUBLIC_COHORTS[name](corpus / "cohorts" / name, schema).cohort
    compared, differences = 0, {}
    chosen = range(0, len(cohort.patient_id), step)
    for number in chosen:
        expected = cohort.values[number]
        row = {key: float(expected[i]) for i, key in enumerate(schema.keys) if not np.isnan(expected[i])}
        try:
            resources = resources_of("p", row, DAY)
        except NotWritableError:
            continue
        bundle = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
        entries = entries_of(decode(json.dumps(bundle).encode()).entries, scoped=False)
        found = encode(PatientRecord("p", entries, retrieval=COMPLETE), schema, AT).vector.values
        same = np.isclose(expected, found, rtol=1e-6, atol=1e-6, equal_nan=True)
        compared += 1
        if not same.all():
            wrong = np.flatnonzero(~same)
            differences[str(cohort.patient_id[number])] = [(schema.keys[i], expected[i], found[i]) for i in wrong]
    assert not differences
    assert compared >= writable * len(chosen)
