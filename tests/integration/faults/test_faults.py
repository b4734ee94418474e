"""Every fault of docs/faults.md, against the really served service: it arrives, is told, is counted, and is over."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.faults.cache_rows import CACHE_ROWS, STALE_ROWS
from tests.integration.faults.fhir_laboratory import FhirLaboratory, fhir_laboratory
from tests.integration.faults.fhir_rows import FHIR_ROWS
from tests.integration.faults.process_rows import FILE_ROWS
from tests.integration.faults.redis_rows import REDIS_ROWS
from tests.integration.faults.row import AnyRow, Laboratory, Moved, Told, alike

ROWS: tuple[AnyRow, ...] = (*FHIR_ROWS, *STALE_ROWS, *REDIS_ROWS, *CACHE_ROWS, *FILE_ROWS)
_LEFT_ALONE = 8.0  # seconds, at most, for a server that failed again and again


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


class Usual:
    """What is told where nothing is wrong, once for each kind of laboratory; and the one that rows share."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._told: dict[Any, list[Told]] = {}

    def told(self, laboratory: Any) -> list[Told]:
        if laboratory not in self._told:
            with nullcontext(self.shared) if laboratory is fhir_laboratory else laboratory(self._folder) as lab:
                self._told[laboratory] = lab.calls()
        return self._told[laboratory]

    @cached_property
    def shared(self) -> FhirLaboratory:
        return self._stack.enter_context(fhir_laboratory(self._folder))

    @contextmanager
    def laboratory(self, row: AnyRow, folder: Path) -> Iterator[Laboratory]:
        """One of its own, where what a row leaves behind, or finds, could matter; else one in which all is well."""
        if row.laboratory is not fhir_laboratory or row.pause or row.warm:
            with row.laboratory(folder) as lab:
                yield lab
            return
        self.shared.lift()  # of a row that failed
        assert recovers(self.shared, self.told(fhir_laboratory), _LEFT_ALONE)
        self.shared.forget()
        yield self.shared


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Usual]:
    with ExitStack() as stack:
        yield Usual(tmp_path_factory.mktemp("usual"), stack)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_fault_is_told_counted_and_over(row: AnyRow, usual: Usual, tmp_path: Path) -> None:
    """The fault arrives, the caller sees what the page says, the meters move; afterwards the next call is as before."""
    with usual.laboratory(row, tmp_path) as lab:
        before = lab.calls() if row.warm else usual.told(row.laboratory)
        stood = standing(row, lab)
        row.inflict(lab)
        told = lab.calls()
        assert row.arrived(lab), "the fault did not arrive"
        for seen, got, good in zip(row.seen, told, before, strict=True):
            seen.check(got, good)
        for meter, by in zip(row.moved, settled(row, lab, stood), strict=True):
            assert meter.is_met(by), (meter.text, by)
        lab.lift()
        assert recovers(lab, before, row.pause)
