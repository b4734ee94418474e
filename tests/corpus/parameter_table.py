"""`python -m tests.corpus.parameter_table [CORPUS]`: what of each parameter is read, seen elsewhere, trained, relevant.

| column | yes means |
|---|---|
| read | some record gives it a value: a published or demonstration chart, a cohort row or a code written as FHIR |
| others | a published resource that nobody of this project wrote gives it a value |
| trained | the shipped package has weights for it |
| relevance | it moved the score of at least one patient of the training cohorts or of the demonstration |
"""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo.patients import demo_patients
from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS
from fhir_mappings.concepts import LOINC, OWN, SNOMED, catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from models.package import Package
from tests.as_fhir import NotWritableError, Resource, resources_of
from tests.conftest import CORPUS, ROOT
from tests.corpus.built_cohorts import built
from tests.corpus.published import moments, records

DAY = date(2026, 6, 30)
AT = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
PACKAGE = ROOT / "models/packages/pan-cancer"


class Reach(NamedTuple):
    """Parameter keys by column."""

    read: set[str]
    others: set[str]
    trained: set[str]
    relevant: set[str]


def reach(corpus: Path) -> Reach:
    """Fill the columns from the published examples, the demonstration, the cohorts and the catalogue's own codes."""
    package = Package.load(PACKAGE, catalogue().schema)
    network = package.network("diagnosis")
    others: set[str] = set()
    for record in records(corpus):
        for moment in moments(record):
            others |= set(encode(record, catalogue().schema, moment).findings)
    own: list[EncodedPatient] = [_encoded(chart) for chart in demo_patients(DAY).values()]
    own += [_encoded([_person(), *_each_code()])]
    relevant = {key for patient in own for key in _relevant(network.explain(patient.vector).relevance)}
    for name in PUBLIC_COHORTS:
        cohort = built(corpus, name).cohort
        _, relevance = network.predictor.relevance(cohort.values)
        relevant |= {catalogue().schema.keys[i] for i in np.flatnonzero((relevance != 0).any(axis=0))}
        own += _rows_as_records(cohort.values[cohort.entity != ""][::40])  # no record states a tumour of no kind
    read = others | {key for patient in own for key in patient.findings}
    return Reach(read, others, set(network.trained), relevant)


def _relevant(relevance: NDArray[np.float32]) -> list[str]:
    return [catalogue().schema.keys[i] for i in np.flatnonzero(relevance)]


def _encoded(resources: list[Resource]) -> EncodedPatient:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}
    entries = entries_of(decode(json.dumps(bundle).encode()).entries, scoped=True)
    patient = next(r["id"] for r in resources if r["resourceType"] == "Patient")
    record = PatientRecord(patient, entries, retrieval=(Retrieval("bundle", "bundle", "complete"),))
    return encode(record, catalogue().schema, AT)


def _rows_as_records(rows: NDArray[np.float32]) -> list[EncodedPatient]:
    found = []
    for values in rows:
        row = {key: float(v) for key, v in zip(catalogue().schema.keys, values, strict=True) if not np.isnan(v)}
        try:
            found.append(_encoded(resources_of("p", row, DAY)))
        except NotWritableError:
            continue
    return found


def _person() -> Resource:
    return {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1960-01-01"}


def _each_code() -> list[Resource]:
    """One Observation in the canonical unit for each parameter that a code alone states."""
    schema, written = catalogue().schema, {}
    for row in catalogue().rows:
        feature = schema[row["key"]]
        if row["system"] in {LOINC, SNOMED, OWN} and row["meaning"] in {"value", "component"} and not feature.is_entity:
            middle = feature.low if feature.kind in {"binary", "ordinal"} else (feature.low + feature.high) / 2
            written[row["key"]] = {
                "resourceType": "Observation",
                "id": f"o-{row['key'].replace('_', '-')}",
                "status": "final",
                "subject": {"reference": "Patient/p"},
                "code": {"coding": [{"system": row["system"], "code": row["code"]}]},
                "effectiveDateTime": DAY.isoformat(),
                "valueQuantity": {"value": middle, "code": feature.unit, "system": "http://unitsofmeasure.org"},
            }
    return list(written.values())


def table(columns: Reach) -> str:
    """The table in Markdown, with its sums on top; the 38 entities are rows of their own."""
    features = catalogue().schema.features
    names = ("read", "others", "trained", "relevance")
    sums = ", ".join(f"{name} {len(column)}" for name, column in zip(names, columns, strict=True))
    lines = [
        f"Of {len(features)} parameters: {sums}.",
        "",
        "| parameter | " + " | ".join(names) + " |",
        "|---|---|---|---|---|",
    ]
    for feature in features:
        marks = ("yes" if feature.key in column else "" for column in columns)
        lines.append(f"| {feature.key} | " + " | ".join(marks) + " |")
    return "\n".join(lines)


DOCUMENT = ROOT / "docs/parameters.md"
HEAD = """# Parameters: read, seen, trained, relevant

Written by `python -m tests.corpus.parameter_table > docs/parameters.md`; a test keeps it true.

- **read**: some record gives it a value: a published or demonstration chart, a cohort row or a code written as FHIR
- **others**: a published resource that nobody of this project wrote gives it a value
- **trained**: the shipped package has weights for it
- **relevance**: it moved the score of at least one patient of the training cohorts or of the demonstration

"""


if __name__ == "__main__":
    sys.stdout.write(HEAD + table(reach(Path(sys.argv[1] if len(sys.argv) > 1 else CORPUS))) + "\n")
