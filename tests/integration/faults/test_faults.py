"""Every fault of docs/faults.md, against the really served service: it arrives, is told, is counted, and is over."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.faults.cache_rows import CACHE_ROWS, STALE_ROWS
from tests.integration.faults.fhir_rows import FHIR_ROWS
from tests.integration.faults.process_rows import FILE_ROWS
from tests.integration.faults.redis_rows import REDIS_ROWS
from tests.integration.faults.row import AnyRow, Laboratory, Moved, Told, alike

ROWS: tuple[AnyRow, ...] = (*FHIR_ROWS, *STALE_ROWS, *REDIS_ROWS, *CACHE_ROWS, *FILE_ROWS)


def standing(row: AnyRow, lab: Laboratory) -> list[float]:
    """Where the meters of a row stand."""
    samples = [s for family in text_string_to_metric_families(lab.metrics()) for s in family.samples]

    def of(meter: Moved) -> float:
        return sum(s.value for s in samples if s.name == meter.meter and meter.labels.items() <= s.labels.items())

    return [of(meter) for meter in row.moved]


def settled(row: AnyRow, lab: Laboratory, stood: list[float]) -> list[float]:
    """By how much the meters have moved; what is kept of a card is counted after its answer."""
    for _ in range(500):
        by = [now - first for now, first in zip(standing(row, lab), stood, strict=True)]
        if all(meter.is_met(moved) for meter, moved in zip(row.moved, by, strict=True)):
            break
        time.sleep(0.01)
    return by


def recovers(lab: Laboratory, usual: list[Told], pause: float) -> bool:
    """Whether calls are as before: the next one, or one within the pause."""
    until = time.monotonic() + pause
    while not all(alike(got, good) for got, good in zip(lab.calls(), usual, strict=True)):
        if time.monotonic() >= until:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], list[Told]]:
    """What is told where nothing is wrong, once for each kind of laboratory."""

    @cache
    def told(laboratory: Any) -> list[Told]:
        with laboratory(tmp_path_factory.mktemp("before")) as lab:
            calls: list[Told] = lab.calls()
            return calls

    return told


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fault_is_told_counted_and_over(row: AnyRow, before: Callable[[Any], list[Told]], tmp_path: Path) -> None:
    """The fault arrives, the caller sees what the page says, the meters move; afterwards the next call is as before."""
    with row.laboratory(tmp_path) as lab:
        usual = lab.calls() if row.warm else before(row.laboratory)
        stood = standing(row, lab)
        row.inflict(lab)
        told = lab.calls()
        assert row.arrived(lab), "the fault did not arrive"
        for seen, got, good in zip(row.seen, told, usual, strict=True):
            seen.check(got, good)
        for meter, by in zip(row.moved, settled(row, lab, stood), strict=True):
            assert meter.is_met(by), (meter.text, by)
        lab.lift()
        assert recovers(lab, usual, row.pause)
