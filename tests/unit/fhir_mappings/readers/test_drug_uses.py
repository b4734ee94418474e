"""What counts as a drug in use: done and dated, not planned, refused or doubtful."""

from typing import Any

import pytest

from tests.unit.fhir_mappings.resources_of import ago, codes, given, issues, ordered, taken, value

PLATINUM, DIURETIC = "tx_chemo_platinum", "med_diuretic"
CISPLATIN, FUROSEMIDE = "L01XA01", "C03CA01"
TORASEMIDE = "C03CA04"


@pytest.mark.parametrize(
    ("status", "counts", "code"),
    [
        ("completed", True, None),
        ("in-progress", True, None),
        ("stopped", True, None),
        ("on-hold", True, None),
        ("not-done", False, "not-done"),
        ("entered-in-error", False, "status-not-used"),
        ("unknown", False, "status-unknown"),
        ("done", False, "status-not-used"),
        (None, False, "status-unknown"),
    ],
)
def test_an_administration_counts_where_some_of_it_took_place(status: str | None, counts: bool, code: str) -> None:
    """And each other status is said."""
    dose = given(CISPLATIN, status=status)
    assert value(PLATINUM, dose) == (1 if counts else None)
    assert codes(dose) == ({code} if code else set())


@pytest.mark.parametrize(
    ("status", "counts", "code"),
    [
        ("active", True, None),
        ("completed", True, None),
        ("stopped", True, None),
        ("on-hold", True, None),
        ("intended", False, "only-planned"),
        ("not-taken", False, "not-done"),
        ("entered-in-error", False, "status-not-used"),
        ("unknown", False, "status-unknown"),
    ],
)
def test_a_statement_counts_where_the_drug_was_taken(status: str, counts: bool, code: str) -> None:
    """Not where it is intended or refused."""
    said = taken(CISPLATIN, status=status)
    assert value(PLATINUM, said) == (1 if counts else None)
    assert codes(said) == ({code} if code else set())


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"intent": "proposal"}, "only-planned"),
        ({"intent": "plan"}, "only-planned"),
        ({"intent": "option"}, "only-planned"),
        ({"status": "draft"}, "only-planned"),
        ({"doNotPerform": True}, "not-done"),
        ({"status": "stopped"}, "status-not-used"),
        ({"status": "cancelled"}, "status-not-used"),
        ({"status": "completed"}, "status-not-used"),
        ({"status": "unknown"}, "status-unknown"),
    ],
)
def test_only_an_active_order_is_one(members: dict[str, Any], code: str) -> None:
    """A recommendation of the tumour board, a draft, "do not give", a finished order."""
    order = ordered(FUROSEMIDE, **members)
    assert value(DIURETIC, order) is None
    assert codes(order) == {code}
    assert value(DIURETIC, ordered(FUROSEMIDE)) == 1


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (given(CISPLATIN, -1), "after-at"),
        (taken(CISPLATIN, -1), "after-at"),
        (ordered(FUROSEMIDE, -1), "after-at"),
        (taken(CISPLATIN, effectivePeriod=None, dateAsserted=ago(-1)), "after-at"),
        (given(CISPLATIN, effectiveDateTime="last week"), "date-unreadable"),
        (taken(CISPLATIN, effectivePeriod={"start": "soon"}), "date-unreadable"),
        (given(CISPLATIN, modifierExtension=[{"url": "urn:x"}]), "modifier-unknown"),
    ],
)
def test_what_is_dated_later_or_not_understood_is_not_used(resource: dict[str, Any], code: str) -> None:
    """Nothing after the assessment is known."""
    assert codes(resource) == {code}
    assert value(PLATINUM, resource) is None
    assert value(DIURETIC, resource) is None


def test_an_order_begins_with_its_period_not_before() -> None:
    """A prescription for next week."""
    later = {"timing": {"repeat": {"boundsPeriod": {"start": ago(-7)}}}}
    assert codes(ordered(FUROSEMIDE, dosageInstruction=[later])) == {"after-at"}


def test_no_issue_repeats_what_the_record_says() -> None:
    """A status that FHIR does not define is not shown."""
    assert "SECRET" not in " ".join(issue.diagnostics for issue in issues(given(CISPLATIN, status="SECRET")))
    assert "SECRET" not in " ".join(issue.diagnostics for issue in issues(ordered(CISPLATIN, status="SECRET")))
