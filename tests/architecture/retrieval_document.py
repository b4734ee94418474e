"""`python -m tests.architecture.retrieval_document > docs/retrieval.md`: the templates, and what each is worth.

The relevance of a parameter is the share of the training patients who have it times the standard deviation of its
relevance among them: how much of the score's spread, in log-risk, a record without it would lose.
"""

import sys
from functools import cache

import msgspec

from fhir_mappings.concepts import ICD10_CM, ICD10_GM, ICD10_WHO, ICD_O_3, SNOMED, catalogue
from fhir_mappings.readers.body_composition import TISSUES
from fhir_mappings.retrieval import Query, queries
from models.features import Feature
from models.manifest import ENTITY, Manifest, Setting
from tests.architecture.tree import ROOT

DOCUMENT = ROOT / "docs/retrieval.md"
_MANIFEST = ROOT / "models/packages/pan-cancer/manifest.json"

_MEDICATION = ("medicationAdministrations", "medicationStatements", "medicationRequests")
_BY_SYSTEM = {
    **dict.fromkeys((ICD10_WHO, ICD10_GM, ICD10_CM, ICD_O_3), ("conditions",)),
    **dict.fromkeys(
        ("http://fhir.de/CodeSystem/bfarm/atc", "http://www.whocc.no/atc", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        _MEDICATION,
    ),
    "http://fhir.de/CodeSystem/bfarm/ops": ("procedures",),
    "http://www.genenames.org/geneId": ("sequences",),
    TISSUES: ("bodyComposition",),
}  # fmt: skip
_BY_MISSING_RULE = {"always_known": "patient", "complete_encounters": "encounters", "documented_problems": "conditions"}
_OF_PARTS = {"laboratory": "laboratory", "function": "function", "tumour": "tumour", "history": "conditions"}

_BRINGS = {
    "patient": "birth date, sex, death; needed",
    "conditions": "cancer type, comorbidities, metastases; needed",
    "tumour": "stage, histology, pathology, tumour markers",
    "genetics": "variants, mutational burden, microsatellites",
    "function": "performance status, vital signs, smoking, imaging measures",
    "laboratory": "blood count, chemistry, coagulation, blood gases",
    "sequences": "the genes again, where a server has sequences",
    "encounters": "without them no comorbidity is known to be absent; stays",
    "procedures": "operations, radiotherapy, cycles of therapy",
    "lists": "whether therapy and medication are listed completely",
    "bodyComposition": "tissue volumes of a CT, by the codes of their components",
    "imagingStudies": "the study behind a body composition, its date",
    "medicationAdministrations": "doses given",
    "medicationStatements": "medication in use",
    "medicationRequests": "orders",
}


def found_by(feature: Feature) -> set[str]:
    """The keys of all queries that can bring a value of this parameter."""
    found: set[str] = set()
    for row in _rows()[feature.key]:
        by_code = _keys_by_code().get(row["code"])
        if by_code and row["system"] not in _BY_SYSTEM:
            found.add(by_code)
        elif row["system"] == SNOMED and row["meaning"] == "category":
            found.add("conditions")
        else:
            found.update(_BY_SYSTEM.get(row["system"], ()))
    if feature.missing_rule in _BY_MISSING_RULE:
        found.add(_BY_MISSING_RULE[feature.missing_rule])
    return found or {_OF_PARTS[feature.modality]}


@cache
def _rows() -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = {feature.key: [] for feature in catalogue().schema.features}
    for row in catalogue().rows:
        if row["meaning"] != "ignored":
            rows[row["key"]].append(row)
    return rows


@cache
def _keys_by_code() -> dict[str, str]:
    asked = ((query.key, query.search.partition("&code=")[2].partition("&")[0]) for query in queries())
    return {code: key for key, codes in asked for code in codes.split(",") if code}


@cache
def setting() -> Setting:
    """The network whose weights are measured."""
    return msgspec.json.decode(_MANIFEST.read_bytes(), type=Manifest).settings["diagnosis"]


def relevance(name: str) -> float:
    """What a parameter (or the cancer type) carries; 0 where fewer than 50 training patients have it."""
    group = setting().groups["diagnosis"]
    typical = group.typical.get(name)
    return typical.spread * typical.patients / group.patients if typical else 0.0


def worth(query: Query) -> tuple[int, int, float]:
    """Parameters that a query can bring, how many of them have weights, and what these carry together."""
    found = [f for f in catalogue().schema.features if query.key in found_by(f) and not f.is_entity]
    trained = [f.key for f in found if f.key in setting().trained]
    entity = query.key == "conditions"
    carried = sum(relevance(key) for key in trained) + (relevance(ENTITY) if entity else 0.0)
    return len(found) + entity, len(trained) + entity, carried


def document() -> str:
    """docs/retrieval.md, whole."""
    rows = []
    for number, query in enumerate(queries(), 1):
        parameters, trained, carried = worth(query)
        how = "**by hand**" if query.by_hand else "template"
        rows.append(
            f"| {number} | `{query.key}` | {query.type} | {how} | {_BRINGS[query.key]} "
            f"| {parameters} | {trained} | {carried:.2f} |"
        )
    published = [f"`{query.key}`\n```\n{query.template}\n```" for query in queries()]
    return "\n".join([_HEAD, *rows, _AFTER_TABLE, *published, ""])


_HEAD = """# What is asked of a FHIR server

Written by `python -m tests.architecture.retrieval_document > docs/retrieval.md`; a test keeps it true.

An EHR that reads discovery (`GET /cds-services`) needs nothing from this page: the templates are in `prefetch` of the
service. Where templates are typed in by hand, take the eight marked **by hand**, in this order. Each key that a client
fills saves a search; what it leaves out, the service reads from `fhirServer`, if that is one of the site's.

- **parameters**: of the 350, how many the query can bring (the cancer type counts once; a parameter that several
  queries can bring counts in each)
- **trained**: how many of them have weights in the shipped package
- **relevance**: what these carry: the sum, over the trained ones, of the share of the training patients who have it
  times the standard deviation of its relevance (log-risk)

| | key | type | how | brings | parameters | trained | relevance |
|---|---|---|---|---|---|---|---|"""

_AFTER_TABLE = """
The eight bring every parameter that has weights. `sequences` is among them for the genes of servers that hold
sequences instead of variants, `encounters` because a comorbidity is known to be absent only where encounters prove
that diagnoses were documented.

## Rules
- Codes stand bare (`code=718-7`), since servers differ in what they make of a system; every answer is matched exactly
  by system and code afterwards.
- Newest first, at most 200 a page (`_sort=-date&_count=200`), no date arithmetic, which CDS Hooks 2.0 does not have.
  A Bundle with a `next` link is incomplete: its further pages are read from the stated server; where that is not
  possible, the ledger (`retrieval` of the assessment) says `partial`.
- An address stays under 2,000 characters, below a base of 120, for an id of 64, and with every comma escaped.
- A site whose `[restricted]` names `flags` or `consents` ([quiet-cards.md](quiet-cards.md)) asks for
  `Flag?patient={{context.patientId}}&_count=200` and `Consent?patient={{context.patientId}}&_count=200` as well, as
  `flags` and `consents`, right after `conditions`; nobody is scored without them.
- `code` asks for an Observation's own code. Blood pressure and other panels are found by the panel's code. A component
  under a panel code that the concept map does not have is not found: add the code there with meaning `panel`.
- A search that a server refuses is `failed` in the ledger and costs what it would have found; only `patient` and
  `conditions` are indispensable.
- Medication: many servers hold products as resources of their own (`Medication`), and refer to them. `_include`, which
  brings them, is not for templates (CDS Hooks, Prefetch Template): the service's own searches have it
  (`&_include=MedicationRequest:medication`). Where a client's Bundle refers to a product that is neither in it nor
  contained, the service reads that key from `fhirServer` and adds what is missing; where it cannot, the ledger says
  `partial`, with how many products are named by reference only. A client may add the Medication resources to the
  Bundle. Text (`display`) is no code, and names no drug.

## Templates
"""

if __name__ == "__main__":
    sys.stdout.write(document())
