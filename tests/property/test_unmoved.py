"""What must not move a published patient's findings: order, repetition, and what does not count.

Every published patient, at up to six moments of their record, the last among them.
"""

import random
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from fhir_mappings.concepts import catalogue
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.finding import Finding
from fhir_mappings.record import Entry, OwnResources, PatientRecord
from fhir_mappings.resources.datatypes import CodeableConcept, Coding, Period, Reference
from fhir_mappings.resources.objections import Flag
from fhir_mappings.resources.r4 import (
    Clinical,
    Condition,
    Encounter,
    ImagingStudy,
    MolecularSequence,
    Observation,
    Patient,
)
from tests.corpus.published import moments, records
from tests.unit.fhir_mappings.resources_of import VERIFICATION

pytestmark = pytest.mark.corpus
SCHEMA = catalogue().schema
LATER = "2199-01-01T00:00:00Z"
ADDED = ("zz-added", "0-added")  # ids that no published resource has: after all of them, and before

Change = Callable[[Clinical], Clinical | None]


@cache
def unchanged(corpus: Path) -> tuple[tuple[PatientRecord, datetime, EncodedPatient], ...]:
    """Every patient at those moments, as they are."""
    return tuple((r, at, encode(r, SCHEMA, at)) for r in records(corpus) for at in moments(r, most=5))


def with_entries(record: PatientRecord, entries: list[Entry]) -> PatientRecord:
    return msgspec.structs.replace(record, entries=tuple(entries))


def same(before: EncodedPatient, after: EncodedPatient) -> None:
    """The same vector, to the bit, the same findings with their sources, and the same tumours."""
    assert np.array_equal(before.vector.values, after.vector.values, equal_nan=True)
    assert after.findings == before.findings
    assert after.tumours == before.tumours


@pytest.mark.parametrize("seed", range(2))
def test_no_order_in_a_published_record_changes_anything(seed: int, corpus: Path) -> None:
    """Entries, components, codings, members, extensions: a permutation of each; only a rule may name another coding."""
    order = random.Random(seed)  # noqa: S311 - the same permutations in every run
    for record, at, before in unchanged(corpus):
        shuffled: dict[bytes, Any] = {}  # copies alike, or they would be two versions of one resource
        for entry in record.entries:
            written = msgspec.json.encode(entry.resource)
            shuffled.setdefault(written, _shuffled(written, type(entry.resource), order))
        entries = [
            msgspec.structs.replace(e, resource=shuffled[msgspec.json.encode(e.resource)]) for e in record.entries
        ]
        order.shuffle(entries)
        after = encode(with_entries(record, entries), SCHEMA, at)
        assert np.array_equal(before.vector.values, after.vector.values, equal_nan=True)
        assert _but_for_rules(after) == _but_for_rules(before)
        assert after.tumours == before.tumours


def _shuffled(written: bytes, kind: type, order: random.Random) -> Any:
    return msgspec.json.decode(msgspec.json.encode(_permuted(msgspec.json.decode(written), order)), type=kind)


def _permuted(value: Any, order: random.Random) -> Any:
    """Every list inside, whatever it is of: none that the readers look at has an order in FHIR."""
    if isinstance(value, dict):
        return {name: _permuted(member, order) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return order.sample([_permuted(member, order) for member in value], len(value))
    return value


def _but_for_rules(encoded: EncodedPatient) -> dict[str, Finding]:
    """A rule names the first of several codings that say the same."""
    return {key: msgspec.structs.replace(finding, rule="") for key, finding in encoded.findings.items()}


def test_a_published_record_twice_is_the_record_once(corpus: Path) -> None:
    """Two answers may bring the same resources; one without an id cannot be known again."""
    for record, at, before in unchanged(corpus):
        again = [
            Entry(msgspec.structs.replace(e.resource), e.full_url, e.scoped) for e in record.entries if e.resource.id
        ]
        same(before, encode(with_entries(record, [*record.entries, *again]), SCHEMA, at))


def entered_in_error(resource: Clinical) -> Clinical | None:
    return _with_status(resource, "entered-in-error")


def cancelled(resource: Clinical) -> Clinical | None:
    return None if isinstance(resource, Condition) else _with_status(resource, "cancelled")


def refuted(resource: Clinical) -> Clinical | None:
    """On the same day as the confirmed one, which wins."""
    return _with_status(resource, "refuted") if isinstance(resource, Condition) else None


def _with_status(resource: Clinical, status: str) -> Clinical | None:
    match resource:
        case Condition():
            verification = CodeableConcept(coding=(Coding(system=VERIFICATION, code=status),))
            return msgspec.structs.replace(resource, verificationStatus=verification)
        case Observation() | Encounter() | ImagingStudy():
            return msgspec.structs.replace(resource, status=status)
    return None  # neither a Patient nor a MolecularSequence has a status


def later(resource: Clinical) -> Clinical | None:
    match resource:
        case Observation():
            when = {"effectiveDateTime": LATER, "effectivePeriod": None, "effectiveInstant": "", "issued": LATER}
            return msgspec.structs.replace(resource, **when)
        case Condition():
            return msgspec.structs.replace(resource, onsetDateTime=LATER, onsetPeriod=None, recordedDate=LATER)
        case Encounter():
            return msgspec.structs.replace(resource, period=Period(start=LATER, end=LATER))
        case ImagingStudy():
            return msgspec.structs.replace(resource, started=LATER)
    return None  # neither a Patient nor a MolecularSequence has a date


def of_somebody_else(resource: Clinical) -> Clinical | None:
    other = Reference(reference="Patient/somebody-else")
    match resource:
        case Patient():
            return resource  # somebody else by its id
        case MolecularSequence():
            return msgspec.structs.replace(resource, patient=other)
    return msgspec.structs.replace(resource, subject=other)


WITH_A_STATUS: frozenset[type] = frozenset({Observation, Encounter, ImagingStudy})
REACHED: dict[Change, frozenset[type]] = {
    entered_in_error: WITH_A_STATUS | {Condition},
    cancelled: WITH_A_STATUS,
    refuted: frozenset({Condition}),
    later: WITH_A_STATUS | {Condition},
    of_somebody_else: frozenset(get_args(Clinical)) - {Flag},  # no published record holds one
}


@pytest.mark.parametrize("how", REACHED)
def test_what_does_not_count_moves_no_published_patient(how: Change, corpus: Path) -> None:
    """A second of each of the patient's own resources, of every type, made so that it does not count."""
    types: set[type] = set()
    for record, at, before in unchanged(corpus):
        added = list(_second_of_each(record, how))
        types |= {type(e.resource) for e in added}
        same(before, encode(with_entries(record, [*record.entries, *added]), SCHEMA, at))
    assert types == REACHED[how]


def _second_of_each(record: PatientRecord, how: Change) -> Iterator[Entry]:
    own = OwnResources(record)
    for kind in get_args(Clinical):
        for number, resource in enumerate(own.of(kind)):
            changed = how(resource)
            if changed is not None:
                yield Entry(msgspec.structs.replace(changed, id=f"{ADDED[number % 2]}-{number}"), scoped=True)
