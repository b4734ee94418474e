"""What holds for every record."""

import copy
import re
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import decode
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.record import PatientRecord, entries_of
from tests.architecture.issue_codes import raised
from tests.property.generated import TUMOURS, charts, mutated, resources
from tests.unit.fhir_mappings.resources_of import (
    AT,
    BASE,
    PATIENT,
    UICC,
    VERIFICATION,
    Resource,
    ago,
    body_composition,
    bundle,
    coded,
    component,
    concept,
    condition,
    encounter,
    histology,
    imaging_study,
    measured,
    patient,
    reference,
    sequence,
    variant,
)

SCHEMA = catalogue().schema
ISSUE_CODES = raised()
GERMLINE_PATHOGENIC = [("48002-0", "LA6683-2"), ("53037-8", "LA6668-3")]


def read(chart: list[Resource], *, scoped: bool = True) -> PatientRecord:
    decoded = decode(bundle(*chart))
    return PatientRecord(PATIENT, entries_of(decoded.entries, scoped=scoped), (BASE,), issues=decoded.issues)


def encoded(record: PatientRecord) -> EncodedPatient:
    return encode(record, SCHEMA, AT)


def same(one: EncodedPatient, other: EncodedPatient) -> None:
    """The same vector, to the bit, and the same findings with their sources."""
    assert np.array_equal(one.vector.values, other.vector.values, equal_nan=True)
    assert one.findings == other.findings
    assert one.tumours == other.tumours


@given(charts(), st.randoms(use_true_random=False))
def test_the_order_of_the_entries_changes_nothing(chart: list[Resource], random: Any) -> None:
    """Any permutation gives the identical vector, findings and issues."""
    shuffled = copy.copy(chart)
    random.shuffle(shuffled)
    one, other = encoded(read(chart)), encoded(read(shuffled))
    same(one, other)
    assert Counter(one.issues) == Counter(other.issues)


INHERITED = variant(
    "HGNC:1100",
    protein="p.Gln12*",
    parts=[component(code, valueCodeableConcept=concept(said)) for code, said in GERMLINE_PATHOGENIC],
    id="r0",
)


@given(charts(), st.randoms(use_true_random=False))
@example([patient(), INHERITED], Random(0))  # noqa: S311 - an order, not a secret
@example([patient(), INHERITED], Random(1))  # noqa: S311
def test_the_order_within_resources_changes_nothing(chart: list[Resource], random: Any) -> None:
    """Components, codings, members in any order, and beside each coding one of the hospital's own."""
    same(encoded(read(chart)), encoded(read([among_others(resource, random) for resource in chart])))


def among_others(value: Any, random: Any) -> Any:
    """Every list in another order, and every list of codings with one more that nobody knows."""
    if isinstance(value, dict):
        return {name: among_others(_with_local(name, member), random) for name, member in value.items()}
    if isinstance(value, list):
        return random.sample([among_others(member, random) for member in value], len(value))
    return value


def _with_local(name: str, member: Any) -> Any:
    return [*member, {"system": "urn:local", "code": "x"}] if name == "coding" else member


@given(charts(), st.integers(0, 14))
def test_the_same_entry_twice_changes_nothing(chart: list[Resource], place: int) -> None:
    """Prefetch and search may both bring it."""
    again = chart[place % len(chart)]
    if "id" in again:
        same(encoded(read(chart)), encoded(read([*chart, again])))


@given(charts())
def test_reading_older_results_too_changes_nothing_but_issues(chart: list[Resource]) -> None:
    """The newest decides; what a thorough reading adds are reasons."""
    record = read([*chart, *(measured("718-7", value, "g/dL", days) for value, days in ((9, 1), (12, 1), (8, 20)))])
    one, other = encoded(record), encode(record, SCHEMA, AT, thorough=True)
    same(one, other)
    assert Counter(one.issues) <= Counter(other.issues)


def in_error(whole: Resource) -> Resource:
    if whole["resourceType"] == "Condition":
        return whole | {"verificationStatus": concept("entered-in-error", VERIFICATION)}
    return whole | {"status": "entered-in-error"}


def cancelled(whole: Resource) -> Resource:
    return whole | {"status": "cancelled"}


LATER: dict[str, Resource] = {
    "Condition": {"onsetDateTime": ago(-2), "recordedDate": ago(-2)},
    "Encounter": {"period": {"start": ago(-2), "end": ago(-1)}},
    "ImagingStudy": {"started": ago(-2)},
    "List": {"date": ago(-2)},
    "MedicationRequest": {"authoredOn": ago(-2)},
    "MedicationStatement": {"effectivePeriod": {"start": ago(-2)}},
    "Procedure": {"performedDateTime": ago(-2)},
}


def later(whole: Resource) -> Resource:
    return whole | LATER.get(whole["resourceType"], {"effectiveDateTime": ago(-2)})


def of_somebody_else(whole: Resource) -> Resource:
    return whole | {"patient" if whole["resourceType"] == "MolecularSequence" else "subject": reference("Patient/q")}


TAMING: dict[str, tuple[Callable[[Resource], Resource], tuple[str, ...]]] = {
    "entered in error": (in_error, ("MolecularSequence",)),
    "cancelled": (cancelled, ("MolecularSequence", "Condition")),
    "dated later": (later, ("MolecularSequence",)),
    "of somebody else": (of_somebody_else, ()),
}


@pytest.mark.parametrize("how", TAMING)
@given(charts(), resources)
def test_what_does_not_count_changes_nothing(how: str, chart: list[Resource], added: Resource) -> None:
    """Entered in error, cancelled, dated later, of somebody else: no finding differs."""
    tame, exempt = TAMING[how]
    if added["resourceType"] not in exempt:  # a MolecularSequence has neither status nor date
        same(encoded(read(chart)), encoded(read([*chart, tame(added) | {"id": "added"}])))


MOVING: dict[str, Resource] = {
    "laboratory value": measured("718-7", 12, "g/dL"),
    "answer": coded("21901-4", "M1", UICC),
    "pathology report": histology("8070/3", focus=[reference("Condition/lung")]),
    "body composition": body_composition(),
    "somatic variant": variant("HGNC:6407", protein="p.Gly12Asp"),
    "germline variant": INHERITED,
    "sequence": sequence("NC_000012.11", 25398284, "T", "C"),
    "comorbidity": condition("I50.0"),
    "metastasis": condition("C78.7"),
    "visit": encounter("EMER"),
}


@pytest.mark.parametrize("how", TAMING)
@pytest.mark.parametrize("what", MOVING)
def test_what_would_count_counts_no_more(how: str, what: str) -> None:
    """One resource of each reader, that moves a record as it is and leaves it alone when it does not count."""
    tame, exempt = TAMING[how]
    added = MOVING[what] | {"id": "added"}
    chart = [patient(), condition("C34.1", id="lung"), imaging_study(id="scan")]
    before = encoded(read(chart))
    assert encoded(read([*chart, added])).findings != before.findings
    if added["resourceType"] not in exempt:
        same(before, encoded(read([*chart, tame(added)])))


@given(charts(), resources)
def test_what_names_nobody_changes_nothing_where_nothing_is_scoped(chart: list[Resource], added: Resource) -> None:
    """A file of many patients may hold it."""
    nameless = {name: value for name, value in added.items() if name not in {"subject", "patient"}} | {"id": "added"}
    before = read(chart, scoped=False)
    decoded = decode(bundle(nameless))
    after = PatientRecord(PATIENT, (*before.entries, *entries_of(decoded.entries, scoped=False)), (BASE,))
    same(encoded(before), encoded(after))


@given(charts(), st.sampled_from(TUMOURS))
def test_a_refuted_tumour_or_metastasis_changes_nothing(chart: list[Resource], code: str) -> None:
    """That it is not there proves nothing of what is."""
    status: Resource = {"verificationStatus": concept("refuted", VERIFICATION), "recordedDate": ago(0.5), "id": "added"}
    same(encoded(read(chart)), encoded(read([*chart, condition(code, **status)])))


@given(charts())
def test_a_refuted_comorbidity_decides_itself_alone(chart: list[Resource]) -> None:
    """Dementia ruled out today is 0, and only what is summed over it follows."""
    status: Resource = {"verificationStatus": concept("refuted", VERIFICATION), "recordedDate": ago(0), "id": "added"}
    before, after = encoded(read(chart)), encoded(read([*chart, condition("F03", onsetDateTime=None, **status)]))
    assert after.findings["comorb_dementia"].value == 0
    follows = {"comorb_dementia", "comorb_charlson_index", "comorb_count"}
    assert {k: f for k, f in before.findings.items() if k not in follows} == {
        k: f for k, f in after.findings.items() if k not in follows
    }


@given(charts(most=4), mutated())
def test_a_broken_resource_raises_nothing_but_recorded_issues(chart: list[Resource], broken: Resource) -> None:
    """And what comes of it is possible, explained by the closed list of codes, and holds no text of the record."""
    record = read([*chart, broken])
    found = encoded(record)
    assert all(SCHEMA[key].plausible(finding.value) for key, finding in found.findings.items())
    assert not np.isinf(found.vector.values).any()
    assert {issue.code for issue in found.issues} <= ISSUE_CODES
    assert all(re.fullmatch(r"[A-Za-z?]*/?[A-Za-z0-9\-.?]*", issue.source) for issue in record.issues)


@given(charts(most=4), mutated())
def test_a_broken_resource_costs_no_other_its_place(chart: list[Resource], broken: Resource) -> None:
    """The entries beside it are decoded as without it."""
    alone, beside = read(chart), read([chart[0], broken, *chart[1:]])
    kept = Counter(msgspec.json.encode(e.resource) for e in beside.entries)
    assert not Counter(msgspec.json.encode(e.resource) for e in alone.entries) - kept


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_read_or_refused(number: float) -> None:
    """No value breaks the reading, and none outside its range is used."""
    found = encoded(read([measured("2160-0", number, "mg/dL", id="r0")])).findings.get("lab_creatinine")
    assert (found is not None) == (0.1 <= number <= 30)


@given(st.text(max_size=30))
def test_any_text_as_a_date_is_read_or_refused(text: str) -> None:
    """Whatever stands there."""
    height = measured("8302-2", 170, "cm", effectiveDateTime=text, id="r0")
    found = encoded(read([height]))
    codes = {issue.code for issue in found.issues}
    assert ("vital_height" in found.findings) != bool(codes & {"date-unreadable", "after-at"})
