"""Published and demonstration resources, broken, each among others of its patient: what becomes of them.

`python -m tests.property.mutated_resources --count 100000` runs many; every mutant can be had again by its number.
"""

import argparse
import gzip
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from random import Random
from time import process_time

import msgspec
import numpy as np

from demo.patients import demo_patients
from fhir_mappings.concepts import catalogue
from fhir_mappings.decoding import Decoded, decode
from fhir_mappings.encoder import EncodedPatient, _encoded
from fhir_mappings.moment import latest
from fhir_mappings.readers.all_resources import Readings, read_record
from fhir_mappings.record import PatientRecord, entries_of
from fhir_mappings.resources.r4 import Clinical
from fhir_mappings.versions import DEFAULT, Version
from tests.architecture.issue_codes import raised
from tests.corpus.published import NO_DATE, files, subject
from tests.property.mutations import OPERATORS, Operator, mutated

SCHEMA, ISSUE_CODES = catalogue().schema, raised()
MOST_OTHERS = 6  # resources beside the mutant: enough to see that they are untouched, few enough for many mutants
CPU_SECONDS = 1.0
DEMO_DAY = date(2026, 2, 28)
_SOURCE = re.compile(r"([A-Z][A-Za-z]+|\?)/([A-Za-z0-9\-.]{1,64}|\?)?|")


class Written(msgspec.Struct, frozen=True):
    """A resource as bytes, with the full address of its entry."""

    body: bytes
    url: str = ""

    @property
    def entry(self) -> bytes:
        return b'{"fullUrl":' + msgspec.json.encode(self.url) + b',"resource":' + self.body + b"}"


class Chart(msgspec.Struct):
    """What is read of one patient of one collection."""

    patient_id: str
    at: datetime
    person: list[Written]
    others: list[Written]


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()
    fullUrl: str = ""  # noqa: N815


class _Whole(msgspec.Struct):
    entry: tuple[_Entry, ...] = ()


def charts(corpus: Path | None) -> list[Chart]:
    """The demonstration patients, and all of the published ones where the corpus is there."""
    demo = demo_patients(DEMO_DAY).items()
    found = [_chart(name, [Written(msgspec.json.encode(r)) for r in resources]) for name, resources in demo]
    if corpus is not None:
        by_patient: dict[tuple[str, str], list[Written]] = defaultdict(list)
        for path in files(corpus):
            for one in _written(path):
                for entry in decode(one.body).entries:
                    if isinstance(entry.resource, Clinical):
                        collection = path.name if path.suffix == ".gz" else path.parent.name
                        by_patient[collection, subject(entry.resource)].append(one)
        found += [_chart(name, written) for (_, name), written in sorted(by_patient.items())]
    return [chart for chart in found if chart.person or chart.others]


def _written(path: Path) -> list[Written]:
    """The resources of a file; those of a Bundle each by itself."""
    body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    entries = msgspec.json.decode(body, type=_Whole).entry
    parts = [Written(bytes(entry.resource), entry.fullUrl) for entry in entries if bytes(entry.resource)]
    return parts or [Written(body)]


def _chart(patient_id: str, written: list[Written]) -> Chart:
    decoded = [(one, decode(one.body).entries) for one in written]
    read = [(one, entries[0].resource) for one, entries in decoded if entries]
    record = PatientRecord(patient_id, entries_of(tuple(e for _, es in decoded for e in es), scoped=True))
    return Chart(
        patient_id,
        latest(record) or NO_DATE,
        [one for one, resource in read if resource is not None and resource.type == "Patient"],
        [one for one, resource in read if resource is not None and resource.type != "Patient"],
    )


class Tally(msgspec.Struct):
    """Per operator: how many mutants, what became of them, and what was wrong."""

    mutants: Counter[str] = msgspec.field(default_factory=Counter)
    became: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    faults: list[str] = msgspec.field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def lines(self) -> list[str]:
        """A table for people."""
        rows = [f"{'operator':<16}{'mutants':>9}" + "".join(f"{name:>13}" for name in BECAME)]
        for name, count in sorted(self.mutants.items()):
            rows.append(f"{name:<16}{count:>9}" + "".join(f"{self.became[name, what]:>13}" for what in BECAME))
        total = "".join(f"{sum(n for (_, w), n in self.became.items() if w == what):>13}" for what in BECAME)
        rows.append(f"{'all':<16}{self.mutants.total():>9}{total}")
        return [*rows, f"slowest: {self.slowest[0]:.3f} s of CPU, {self.slowest[1]}", *self.faults]


# a value of it counts; it was decoded, and an issue says why it was not used; its type is not read; it was refused
BECAME = ("used", "not used", "type unread", "refused")


def run(among: list[Chart], count: int, seed: int = 0, first: int = 0) -> Tally:
    """Break `count` resources by all operators in turn."""
    tally = Tally()
    for number in range(first, first + count):
        operator = OPERATORS[number % len(OPERATORS)]
        label = f"seed {seed}, number {number}, {operator.__name__}"
        mutant = _mutant(among, operator, Random(f"{seed}/{number}"))  # noqa: S311
        tally.mutants[operator.__name__] += 1
        started = process_time()
        try:
            tally.became[operator.__name__, _read(mutant)] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            tally.faults.append(f"{label}: {type(error).__name__}: {str(error)[:200]}")
        took = process_time() - started
        tally.slowest = max(tally.slowest, (took, label))
        if took > CPU_SECONDS:
            tally.faults.append(f"{label}: {took:.1f} s of CPU")
    return tally


class Mutant(msgspec.Struct):
    """A broken resource with the others of its patient, and the version that all are read as."""

    chart: Chart
    broken: Written
    beside: list[Written]
    version: Version


def _mutant(among: list[Chart], operator: Operator, random: Random) -> Mutant:
    chart = random.choice(among)
    person, others = chart.person[:1], random.sample(chart.others, min(MOST_OTHERS, len(chart.others)))
    chosen = random.choice([*person, *others])
    beside = [one for one in (*person, *others) if one is not chosen]
    body = mutated(random, operator, chosen.body, [one.body for one in beside])
    return Mutant(chart, Written(body, chosen.url), beside, "R5" if random.random() < 0.1 else DEFAULT)


def _read(mutant: Mutant) -> str:
    """What became of it; AssertionError where it was dropped without a word, or where another one was lost."""
    chart, middle = mutant.chart, len(mutant.beside) // 2
    written = (*mutant.beside[:middle], mutant.broken, *mutant.beside[middle:])
    decoded = decode(_bundle(*written), mutant.version)
    assert len(decoded.entries) + len(decoded.issues) == len(written), "an entry without resource or issue"
    assert mutant.version != DEFAULT or len(decoded.issues) <= 1, "another entry was lost"
    record = PatientRecord(chart.patient_id, entries_of(decoded.entries, scoped=True), issues=decoded.issues)
    readings = read_record(record, catalogue(), chart.at, thorough=True)
    _check(_encoded(record, readings, catalogue(), chart.at))
    told = _told(readings)
    silent = {e.resource.address for e in record.entries if isinstance(e.resource, Clinical)} - told
    assert not silent, f"no word of {min(silent).partition('/')[0]}"
    return _became(mutant, decoded, told - {issue.source for issue in readings.issues})


def _bundle(*written: Written) -> bytes:
    entries = b",".join(one.entry for one in written)
    return b'{"resourceType":"Bundle","type":"searchset","entry":[' + entries + b"]}"


def _check(encoded: EncodedPatient) -> None:
    """Every value is one that the parameter can have, and every issue may be shown."""
    assert all(SCHEMA[key].plausible(finding.value) for key, finding in encoded.findings.items()), "implausible"
    assert not np.isinf(encoded.vector.values).any(), "infinite"
    for issue in encoded.issues:
        assert issue.code in ISSUE_CODES, f"unknown code {issue.code}"
        assert _SOURCE.fullmatch(issue.source), "a source that is no address"
        assert len(issue.diagnostics) < 600, f"diagnostics of {issue.code} too long"


def _told(readings: Readings) -> set[str]:
    """The addresses of all resources that were used or have an issue."""
    told = {source for finding in readings.findings for source in finding.sources}
    told |= {source for tumour in readings.tumours.tumours for source in tumour.sources}
    return told | {issue.source for issue in readings.issues} | {one.address for one in readings.documented}


def _became(mutant: Mutant, decoded: Decoded, used: set[str]) -> str:
    alone = decode(_bundle(mutant.broken), mutant.version)
    if alone.issues:
        return "type unread" if alone.issues[0].code == "type-not-read" else "refused"
    [entry] = alone.entries
    assert entry.resource in [one.resource for one in decoded.entries], "decoded otherwise among others"
    return "used" if entry.resource is not None and entry.resource.address in used else "not used"


def main(arguments: Iterable[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.property.mutated_resources", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    options = parser.parse_args([*arguments])
    corpus = Path(os.environ.get("ONCOHOOKS_CORPUS", Path(__file__).parents[3] / "shared" / "data"))
    tally = run(charts(corpus if (corpus / "fhir").is_dir() else None), options.count, options.seed, options.first)
    print(*tally.lines(), sep="\n")  # noqa: T201
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
