"""One catalogue, two doors: what cohort builders make of a table is what readers make of the same data as FHIR."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import encode
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from tests.as_fhir import NotWritableError, resources_of
from tests.corpus.built_cohorts import built

pytestmark = pytest.mark.corpus

DAY = date(2020, 6, 30)
AT = datetime(2020, 6, 30, 23, 59, 59, tzinfo=UTC)
COMPLETE = (Retrieval("bundle", "bundle", "complete"),)


# What `tests/as_fhir.py` does not write: problem lists, drugs, rearrangements, the course of the disease, sites.
HISTORY = ("comorb_", "med_", "stage_months_", "tx_")
UNWRITTEN = {
    "nhanes": HISTORY,
    "support2": (*HISTORY, "vital_map"),
    "hcc_coimbra": HISTORY,
    "hcc_tace_seg": HISTORY,
    "msk_met": (
        *HISTORY, "stage_met", "path_colon_right_sided", "gene_alk", "gene_ros1", "gene_ret", "gene_ntrk", "gene_fgfr2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "step", "writable"),
    [
        ("hancock", 5, 1.0),
        ("tcga", 20, 0.97),
        ("msk_met", 250, 0.97),
        ("support2", 20, 1.0),
        ("nhanes", 40, 0.85),
        ("metabric", 40, 1.0),
        ("hcc_sysucc", 60, 1.0),
        ("hcc_coimbra", 4, 1.0),
        ("hcc_tace_seg", 3, 1.0),
        ("ucsf_pdgm", 10, 1.0),
        ("ncctg_lung", 10, 1.0),
        ("inspire", 4, 1.0),
    ],
)
def test_vectors_are_equal_parameter_by_parameter(name: str, step: int, writable: float, corpus: Path) -> None:
    """Every n-th patient of a cohort, written as FHIR and read again, gives the vector of the table.

    A patient whose cancer type contradicts the recorded histology can be stated by no single record, nor one without
    a cancer type.
    """
    schema = catalogue().schema
    cohort = built(corpus, name).cohort
    compared, differences = 0, {}
    chosen = np.flatnonzero(cohort.entity != "")[::step]
    written = np.array([not key.startswith(UNWRITTEN.get(name, ("none",))) for key in schema.keys])
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
        same = np.isclose(expected, found, rtol=1e-6, atol=1e-6, equal_nan=True) | ~written
        compared += 1
        if not same.all():
            wrong = np.flatnonzero(~same)
            differences[str(cohort.patient_id[number])] = [(schema.keys[i], expected[i], found[i]) for i in wrong]
    assert not differences
    assert compared >= writable * len(chosen)
