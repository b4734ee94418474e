"""One catalogue, two doors: cohort rows written as FHIR score as the rows themselves do."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from demo.ehr import Ehr
from demo.service_process import service
from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS
from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import encode
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from models.features import FeatureVector
from models.package import Package
from models.setting import Network
from service.settings import Settings
from tests.as_fhir import NotWritableError, resources_of
from tests.integration.hapi_server import Hapi
from tests.integration.load_corpus import put_resources

pytestmark = pytest.mark.corpus

PATIENTS = 25
AT = date(2020, 6, 30)

Row = Mapping[str, float]


@pytest.fixture(scope="module")
def package() -> Package:
    """The shipped package."""
    return Package.load(Settings(auth="off").model, catalogue().schema)


@pytest.fixture(scope="module")
def ehr(hapi: Hapi) -> Iterator[Ehr]:
    with service(hapi.base_url, clock=AT.isoformat()) as url, Ehr(url, hapi.base_url) as client:
        yield client


def network_of(row: Row, package: Package) -> Network:
    """Rows are written without a date of diagnosis: rule D, or B where they are metastatic or have a panel."""
    spread = any(value == 1 for key, value in row.items() if key == "stage_m1" or key.startswith("stage_met_"))
    sequenced = sum(key.startswith("gene_") for key in row) >= package.manifest.serving.panel_genes
    return package.networks["metastatic" if spread or sequenced else "diagnosis"]


def vector_of(row: Row) -> FeatureVector:
    return FeatureVector.of(catalogue().schema, {k: v for k, v in row.items() if not _is_zero_entity(k, v)})


def is_unusual(row: Row, network: Network) -> bool:
    return network.is_unusual(network.predict(vector_of(row)).distance)


def rows_of(name: str, corpus: Path, package: Package) -> dict[str, Row]:
    """The first patients, in an order drawn with a fixed seed, that the service scores and one record can state.

    A row whose cancer type contradicts its own histology (2 % of TCGA) can be stated by no single record.
    """
    cohort = PUBLIC_COHORTS[name](corpus / "cohorts" / name, catalogue().schema).cohort
    schema = catalogue().schema
    chosen: dict[str, Row] = {}
    for number in np.random.default_rng(0).permutation(len(cohort.patient_id)):
        values = cohort.values[number]
        row = {key: float(values[i]) for i, key in enumerate(schema.keys) if not np.isnan(values[i])}
        network = network_of(row, package)
        stated = [key for key in row if key in network.trained and not schema[key].is_entity]
        is_scored = network.entity_patients(str(cohort.entity[number])) >= 50 and len(stated) > 5
        if not is_scored or "demo_age_at_baseline" not in row or is_unusual(row, network):
            continue
        try:
            resources_of("x", row, AT)
        except NotWritableError:
            continue
        chosen[f"{name}-{len(chosen)}"] = row
        if len(chosen) == PATIENTS:
            return chosen
    raise AssertionError(f"fewer than {PATIENTS} patients of {name}")


@pytest.mark.parametrize("name", ["tcga", "hancock"])
def test_a_record_scores_as_its_row(name: str, hapi: Hapi, ehr: Ehr, corpus: Path, package: Package) -> None:
    """Vector and risk of 25 patients of a cohort are the same from its table and through FHIR, HAPI and the hook."""
    rows = rows_of(name, corpus, package)
    load = put_resources(
        hapi, [r for patient, row in rows.items() for r in resources_of(patient, row, AT)], source=f"round trip {name}"
    )
    assert not load.refused

    differences: dict[tuple[str, str], tuple[float, float]] = {}
    for patient, row in rows.items():
        expected, network = vector_of(row), network_of(row, package)
        found = _vector_through(ehr, patient)
        differences |= {(patient, key): pair for key, pair in _different(expected, found).items()}
        assessment = ehr.open_chart(patient).assessment
        assert assessment["setting"]["key"] == network.setting
        assert assessment["riskScore"] == pytest.approx(network.explain(expected).risk, abs=1e-6), patient
    assert not differences


def _is_zero_entity(key: str, value: float) -> bool:
    return catalogue().schema[key].is_entity and value == 0


def _vector_through(ehr: Ehr, patient: str) -> FeatureVector:
    """What the service's own queries bring from HAPI, encoded."""
    decoded = [decode(json.dumps(answer).encode()) for answer in ehr.prefetch(patient).values()]
    assert not any(page.next for page in decoded)
    record = PatientRecord(
        patient,
        tuple(entry for page in decoded for entry in entries_of(page.entries, scoped=True)),
        retrieval=(Retrieval("bundle", "prefetch", "complete"),),
    )
    at = datetime(AT.year, AT.month, AT.day, 23, 59, 59, tzinfo=UTC)
    return encode(record, catalogue().schema, at).vector


def _different(expected: FeatureVector, found: FeatureVector) -> dict[str, tuple[float, float]]:
    same = np.isclose(expected.values, found.values, rtol=1e-6, atol=1e-6, equal_nan=True)
    keys = catalogue().schema.keys
    return {keys[i]: (float(expected.values[i]), float(found.values[i])) for i in np.flatnonzero(~same)}
