"""A record as it stood: what a later version wrote into a resource does not show."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest

from fhir_mappings.concepts import SNOMED, catalogue
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.history import History
from tests.unit.fhir_mappings.resources_of import (
    ACT_CODE,
    ADMIT_SOURCE,
    AT,
    CLINICAL,
    UICC,
    Resource,
    ago,
    concept,
    condition,
    documented,
    encoded,
    encounter,
    given,
    listing,
    measured,
    ordered,
    patient,
    procedure,
    record,
    reference,
    taken,
    tumour,
)

LUNG = tumour("C34.1", id="lung", days=40)
OVER = concept("resolved", CLINICAL)
STAGED = [{"summary": concept("M1", UICC)}]
CURED: dict[str, Any] = {"clinicalStatus": OVER}
BEGUN = {"start": ago(40)}
INFUSION = {"start": ago(20), "end": ago(-2)}
STAY: dict[str, Any] = {
    "status": "in-progress",
    "class": {"system": ACT_CODE, "code": "IMP"},
    "period": {"start": ago(2)},
}
DISCHARGED: dict[str, Any] = {"status": "finished", "period": {"start": ago(2), "end": ago(-8)}}
EMERGENCY: dict[str, Any] = {"hospitalization": {"admitSource": concept("emd", ADMIT_SOURCE)}}


def then(*resources: Resource) -> EncodedPatient:
    return encode(History(record(*resources)).at(AT), catalogue().schema, AT)


def same(first: EncodedPatient, second: EncodedPatient) -> bool:
    return bool(np.array_equal(first.vector.values, second.vector.values, equal_nan=True))


@pytest.mark.parametrize(
    ("was", "became"),
    [
        (tumour(id="t", days=40), tumour(id="t", days=40, **CURED)),
        (tumour(id="t", days=40), tumour(id="t", days=40, abatementDateTime=ago(-30))),
        (tumour(id="t", days=40), tumour(id="t", days=40, stage=STAGED)),
        (condition("I50.1", id="h"), condition("I50.1", id="h", **CURED)),
        (encounter(id="s", **STAY, **EMERGENCY), encounter(id="s", **(STAY | DISCHARGED), **EMERGENCY)),
        (encounter(id="s", **STAY),
         encounter(id="s", diagnosis=[{"condition": reference("Condition/lung")}],
                   **(STAY | DISCHARGED))),
        (encounter("EMER", id="s", status="in-progress", period={"start": ago(4)}),
         encounter("EMER", id="s", period={"start": ago(4), "end": ago(-8)})),
        (ordered("N02AA01", id="o"), ordered("N02AA01", id="o", status="stopped")),
        (ordered("N02AA01", id="o"), ordered("N02AA01", id="o", status="completed")),
        (taken("N02AA01", id="o"), taken("N02AA01", id="o", until=-5)),
        (taken("N02AA01", id="o"), taken("N02AA01", id="o", status="stopped")),
        (given("L01XA01", id="d", status="in-progress", effectiveDateTime=None, effectivePeriod={"start": ago(20)}),
         given("L01XA01", id="d", status="stopped", effectiveDateTime=None, effectivePeriod=INFUSION)),
        (procedure("8-542", id="c", status="in-progress", performedDateTime=None, performedPeriod=INFUSION),
         procedure("8-542", id="c", status="stopped", performedDateTime=None, performedPeriod=INFUSION)),
        (given("N02AA01", id="d", status="in-progress", effectiveDateTime=None, effectivePeriod={"start": ago(3)}),
         given("N02AA01", id="d", effectiveDateTime=None, effectivePeriod={"start": ago(3)})),
        (procedure("8-800.c0", id="c", status="in-progress", performedDateTime=None, performedPeriod=BEGUN),
         procedure("8-800.c0", id="c", performedDateTime=None, performedPeriod=BEGUN)),
        (listing("10160-0", id="l"), listing("10160-0", id="l", status="retired")),
        (patient(), patient(deceasedBoolean=True)),
        (patient(), patient(deceasedDateTime=ago(5))),
        (patient(), patient(deceasedDateTime=ago(-5))),
    ],
)  # fmt: skip
def test_what_was_written_later_does_not_show(was: Resource, became: Resource) -> None:
    """Status, end, stage, codes of a discharge, death: the same before and after they were written."""
    first, second = then(LUNG, was), then(LUNG, became)
    assert same(first, second)
    assert first.tumours == second.tumours
    assert first.person == second.person
    assert first.unplanned_since == second.unplanned_since


@pytest.mark.parametrize(
    ("key", "value", "resource"),
    [
        ("comorb_chf", 1, condition("I50.1")),
        ("med_opioid", 1, ordered("N02AA01", status="completed")),
        ("med_opioid", 1, taken("N02AA01", until=-5)),
        ("tx_chemo_platinum", 1, given("L01XA01")),
        ("lab_sodium", 138, measured("2951-2", 138, "mmol/L")),
    ],
)
def test_what_was_there_is_read(key: str, value: float, resource: Resource) -> None:
    """An order that ended since was an order; a result of then is one."""
    assert then(LUNG, resource).findings[key].value == value


def test_an_end_with_a_date_counts() -> None:
    """A heart failure that was over is no present one."""
    assert "comorb_chf" not in then(LUNG, condition("I50.1", abatementDateTime=ago(10), **CURED)).findings


@pytest.mark.parametrize(
    ("members", "active"),
    [({}, True), ({"meta": {"lastUpdated": ago(3)}}, False), ({"meta": {"lastUpdated": ago(-3)}}, True)],
)
def test_a_status_counts_if_the_resource_was_not_changed_since(members: dict[str, Any], active: bool) -> None:
    """`meta.lastUpdated` shows that the tumour was already called over."""
    assert then(tumour(days=40, **CURED, **members)).tumours.state == ("one" if active else "inactive")


def test_a_stage_counts_if_the_resource_was_not_changed_since() -> None:
    """Else it may be that of a progression."""
    staged = tumour(days=40, stage=STAGED)
    assert "stage_m1" not in then(staged).findings
    assert then(staged | {"meta": {"lastUpdated": ago(3)}}).findings["stage_m1"].value == 1


def test_what_is_dated_and_unchanged_is_read_as_in_scoring() -> None:
    """The vector is that of the whole record at the same moment."""
    whole = [
        LUNG, measured("1751-7", 38, "g/L"), measured("2951-2", 138, "mmol/L", days=3), condition("I50.1"),
        procedure("8-542"), given("L01XA01"), encounter("EMER", days=20), encounter(days=4),
        condition("E11.9", days=60), listing("10160-0"), measured("1751-7", 30, "g/L", days=-5),
        procedure("80146002", SNOMED, days=-3),
    ]  # fmt: skip
    assert same(then(*whole), encoded(*whole))


@pytest.mark.parametrize(
    "later",
    [
        measured("1751-7", 30, "g/L", effectiveDateTime="2024-05-21"),
        measured("1751-7", 30, "g/L", effectiveDateTime="2024-05-21T01:00:00+02:00"),
        condition("I50.1", recordedDate="2024-05-21"),
        condition("I50.1", onsetDateTime="2024-05-21", recordedDate="2024-05-20"),
        encounter("EMER", period={"start": "2024-05-21", "end": "2024-05-21"}),
    ],
)
def test_the_next_day_is_the_future(later: Resource) -> None:
    """At the end of a day in UTC it has begun elsewhere; in the hospital it has not."""
    end = datetime.combine(AT.date(), time.max, tzinfo=UTC)
    history = History(record(LUNG, *documented(), later))
    without = History(record(LUNG, *documented()))
    assert same(*(encode(one.at(end), catalogue().schema, end) for one in (history, without)))


def test_moments_are_in_order() -> None:
    """Of the chosen resources."""
    history = History(record(LUNG, measured("1751-7", 38, "g/L"), measured("1751-7", 38, "g/L", days=7)))
    found = history.moments(lambda one: one.type == "Observation")
    assert found == [AT - timedelta(days=7), AT - timedelta(days=1)]
