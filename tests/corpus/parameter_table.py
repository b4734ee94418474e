"""`python -m tests.corpus.parameter_table [CORPUS]`: what of each parameter is read, seen elsewhere, trained, relevant.

| column | yes means |
|---|---|
| read | some record gives it a value: a published or demonstration chart, a cohort row or a code written as FHIR |
| others | a published resource that nobody of this project wrote gives it a value |
| trained | one of the shipped networks has weights for it |
| relevance | it moved the score of at least one patient of the training cohorts or of the demonstration |
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo.patients import demo_patients
from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS
from fhir_mappings.concepts import ATC, LOINC, OPS, OWN, SNOMED, catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.gene_rules import RULES
from fhir_mappings.genes import HGNC
from fhir_mappings.record import PatientRecord, Retrieval, entries_of
from models.package import Package
from tests.as_fhir import NotWritableError, Resource, resources_of
from tests.conftest import CORPUS, ROOT
from tests.corpus.built_cohorts import built
from tests.corpus.published import moments, records

DAY = date(2026, 6, 30)
AT = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
_STATES_A_NUMBER = frozenset({"value", "component", "multiple_of_limit"})
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
    networks = list(package.networks.values())
    others: set[str] = set()
    for record in records(corpus):
        for moment in moments(record):
            others |= set(encode(record, catalogue().schema, moment).findings)
    own: list[EncodedPatient] = [_encoded(chart) for chart in demo_patients(DAY).values()]
    whole = [*_each_code(), *_each_event(), *_each_treatment()]
    treated = [*_each_treatment(), *_each_tumour()[0]]  # endocrine drugs count beside a tumour only
    own += [_encoded([_person(), *written]) for written in (whole, treated, *_each_tumour())]
    relevant = {
        key for patient in own for network in networks for key in _relevant(network.explain(patient.vector).relevance)
    }
    for name in PUBLIC_COHORTS:
        cohort = built(corpus, name).cohort
        for network in networks:
            _, relevance = network.predictor.relevance(cohort.values)
            relevant |= {catalogue().schema.keys[i] for i in np.flatnonzero((relevance != 0).any(axis=0))}
        own += _rows_as_records(cohort.values[cohort.entity != ""][::40])  # no record states a tumour of no kind
    read = others | {key for patient in own for key in patient.findings}
    return Reach(read, others, {key for network in networks for key in network.trained}, relevant)


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
        if row["system"] in {LOINC, SNOMED, OWN} and row["meaning"] in _STATES_A_NUMBER and not feature.is_entity:
            middle = feature.low if feature.kind in {"binary", "ordinal"} else (feature.low + feature.high) / 2
            quantity = {"value": middle, "code": feature.unit, "system": "http://unitsofmeasure.org"}
            numbers = {"valueQuantity": quantity, "referenceRange": [{"high": quantity | {"value": 1}}]}
            written[row["key"]] = (
                _observation(f"o-{row['key'].replace('_', '-')}", row["system"], row["code"]) | numbers
            )
    return list(written.values())


def _each_treatment() -> list[Resource]:
    """A drug that has been taken for a month for each parameter that one states, and a care level."""
    subject, since = {"reference": "Patient/p"}, (DAY - timedelta(days=30)).isoformat()
    drugs = {
        row["key"]: {
            "resourceType": "MedicationStatement",
            "id": f"m-{row['key'].replace('_', '-')}",
            "status": "active",
            "subject": subject,
            "medicationCodeableConcept": {"coding": [{"system": ATC, "code": row["code"]}]},
            "effectivePeriod": {"start": since},
        }
        for row in catalogue().rows
        if row["system"] == ATC and row["meaning"] in {"1", "category"}
    }
    care = {
        "resourceType": "Procedure",
        "id": "care",
        "status": "completed",
        "subject": subject,
        "code": {"coding": [{"system": OPS, "code": "9-984.8"}]},
        "performedDateTime": since,
    }
    return [*drugs.values(), care]


def _each_event() -> list[Resource]:
    """A fusion, an amplification or a loss for each gene that one of them alters, and an admission from a home."""
    answers = {"fusion": "SO:0001565", "amplification": "SO:0001889", "deletion": "SO:0001893"}
    written: list[Resource] = []
    for rule in RULES.values():
        for event in [event for event in rule.events if event in answers]:
            gene = next(r["code"] for r in catalogue().rows if r["system"] == HGNC and r["display"] == rule.symbol)
            parts = [(LOINC, "48018-6", HGNC, gene), (LOINC, "48019-4", "http://sequenceontology.org", answers[event])]
            written.append(
                _observation(f"o-{rule.symbol}-{event}", LOINC, "69548-6")
                | {
                    "valueCodeableConcept": _concept(LOINC, "LA9633-4"),
                    "component": [
                        {"code": _concept(system, code), "valueCodeableConcept": _concept(of, answer)}
                        for system, code, of, answer in parts
                    ],
                }
            )
    source = {"admitSource": _concept("http://terminology.hl7.org/CodeSystem/admit-source", "nursing")}
    stay = {"status": "finished", "period": {"start": "2026-06-01", "end": "2026-06-04"}, "hospitalization": source}
    return [*written, {"resourceType": "Encounter", "id": "e", "subject": {"reference": "Patient/p"}} | stay]


def _each_tumour() -> list[list[Resource]]:
    """One record for each name of a tumour in SNOMED."""
    named = [row["code"] for row in catalogue().rows if row["system"] == SNOMED and row["key"].startswith("entity_")]
    own = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
    return [[own | {"code": _concept(SNOMED, code)}] for code in named]


def _observation(name: str, system: str, code: str) -> Resource:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": _concept(system, code),
        "effectiveDateTime": DAY.isoformat(),
    }


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


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
- **trained**: one of the shipped networks has weights for it
- **relevance**: it moved the score of at least one patient of the training cohorts or of the demonstration

"""


if __name__ == "__main__":
    sys.stdout.write(HEAD + table(reach(Path(sys.argv[1] if len(sys.argv) > 1 else CORPUS))) + "\n")
