"""What is not obtained is not taken to be absent: any part of any record, against the whole of it."""

import re
from functools import cache
from random import Random
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from fhir_mappings.concepts import OWN, catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.record import Entry, PatientRecord, Retrieval, State, entries_of
from fhir_mappings.resources.r4 import Observation
from fhir_mappings.retrieval import Query, queries
from tests.property.generated import charts
from tests.unit.fhir_mappings.resources_of import (
    AT,
    BASE,
    PATIENT,
    UICC,
    Resource,
    ago,
    bundle,
    coded,
    component,
    concept,
    condition,
    documented,
    listing,
    patient,
)
from tests.unit.fhir_mappings.resources_of import (
    given as given_dose,
)

SCHEMA = catalogue().schema
# A 0 that is stated, or follows from the diagnosis or its date: another resource may outdo it, but it is no guess.
STATED = ("level of ", "diagnosis of the tumour", "from the dates of diagnosis")
COUNTED = {
    "comorb_charlson_index", "comorb_count", "func_ed_visits_90d", "func_inpatient_days_90d", "stage_n_met_sites",
    "tx_prior_regimens",
}  # fmt: skip
CUTS: dict[State, float] = {"failed": 0.0, "notAsked": 0.0, "partial": 0.5}


def proofs() -> list[Resource]:
    """What lets a whole record prove that something is absent."""
    region = component("48018-6", valueCodeableConcept=concept("HGNC:11998", "http://www.genenames.org/geneId"))
    return [
        *documented(),
        listing("10160-0", date=ago(2)),
        listing("therapy-history", system=OWN, date=ago(2)),
        coded("53041-0", "LA1", component=[region]),
        coded("21901-4", "M0", UICC, days=10),
    ]


@cache
def asked_for(query: Query) -> frozenset[str]:
    """The codes of a query for Observations."""
    found = re.search(r"code=([^&]+)", query.search)
    return frozenset(found[1].split(",")) if found else frozenset()


def answers(query: Query, entry: Entry) -> bool:
    resource = entry.resource
    if not isinstance(resource, Observation) or query.type != "Observation":
        return type(resource).__name__ == query.type
    if "component-code=" in query.search:
        codes = {coding.code for part in resource.component for coding in part.code.coding}
    else:
        codes = {coding.code for coding in resource.code.coding}
    return not codes.isdisjoint(asked_for(query))


def encoded(chart: list[Resource], cut: dict[str, State], random: Any) -> EncodedPatient:
    """What is made of a chart that is read query by query, some of which fail."""
    whole = decode(bundle(*chart))
    found: list[Entry] = []
    for query in queries():
        share = CUTS[cut[query.key]] if query.key in cut else 1.0
        found += [e for e in entries_of(whole.entries, scoped=True) if answers(query, e) and random.random() < share]
    ledger = tuple(Retrieval(query.key, "search", cut.get(query.key, "complete")) for query in queries())
    return encode(PatientRecord(PATIENT, tuple(found), (BASE,), ledger, whole.issues), SCHEMA, AT)


cuts = st.dictionaries(
    st.sampled_from([query.key for query in queries() if query.type != "Patient"]), st.sampled_from([*CUTS]), min_size=1
)


@given(charts(), cuts, st.integers(0, 2**32))
@example([patient(), given_dose("B05AX01", effectiveDateTime=ago(3))], {"medicationAdministrations": "failed"}, 0)
@example(
    [patient(), condition("C61", onsetDateTime=ago(60)), given_dose("L02AE02", effectiveDateTime=ago(20))],
    {"conditions": "partial"},
    0,
)
def test_nothing_is_absent_for_want_of_an_answer(chart: list[Resource], cut: dict[str, State], seed: int) -> None:
    """What is 0 because nothing speaks against it is 0 in the whole record too, and what is counted is the same."""
    chart = [*chart, *proofs()]
    whole = encoded(chart, {}, Random(seed))  # noqa: S311 - no secret
    part = encoded(chart, cut, Random(seed))  # noqa: S311
    for key, finding in part.findings.items():
        is_concluded = finding.value == 0 and not finding.rule.startswith(STATED)
        if is_concluded or key in COUNTED:
            assert key in whole.findings, (key, finding.rule, cut)
            assert whole.findings[key].value == finding.value, (key, finding.rule, cut)
