"""The table of pathogenic alterations per gene (catalogue/gene_rules.csv), reviewed by a molecular pathologist.

| column | meaning |
|---|---|
| codons | listed codons, `12`, `32-45`, or with the residue that must stand there, `K27` |
| changes | single exact changes (L858R) |
| truncating | yes: any truncating or essential splice variant counts, loss of the start or stop codon included |
| inframe_deletion, inframe_insertion | codons where such a variant counts; they then replace `codons` for that kind |
| splice | codons at whose exon border a splice variant counts (skipping of one exon) |
| coding | named positions before the gene (promoter) |
| events | amplification, fusion, deletion, promoter |
| zero_needs | what must have been examined before an unreported gene is 0 |
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import msgspec

Test = Literal["sequence", "structural", "copy_number", "promoter"]
Intervals = tuple[tuple[int, int], ...]

CATALOGUE = Path(__file__).parent / "catalogue"
EVENTS = frozenset({"amplification", "fusion", "deletion"})
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


class Rule(msgspec.Struct, frozen=True):
    """The pathogenic alterations of one gene; intervals of codons are inclusive, `residues` holds the required ones."""

    symbol: str
    key: str
    codons: Intervals
    residues: Mapping[int, str]
    changes: tuple[str, ...]
    truncating: bool
    inframe_deletion: Intervals
    inframe_insertion: Intervals
    splice: Intervals
    coding: tuple[str, ...]
    events: tuple[str, ...]
    zero_needs: tuple[Test, ...]

    @property
    def by_codon(self) -> bool:
        """Whether a codon decides: a missense variant without a known codon then cannot be told."""
        return bool(self.codons or self.changes or self.inframe_deletion or self.inframe_insertion or self.splice)


def read_rules(path: Path) -> dict[str, Rule]:
    """The rules by gene symbol. Raises ValueError naming the gene whose row is not right."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["symbol"]: _rule(row, path.name) for row in csv.DictReader(file)}


def _rule(row: Mapping[str, str], name: str) -> Rule:
    needs = tuple(row["zero_needs"].split())
    events = tuple(row["events"].split())
    if not needs or not set(needs) <= set(get_args(Test)) or not set(events) <= EVENTS | {"promoter"}:
        raise ValueError(f"{name}: {row['symbol']}: unknown test or event")
    return Rule(
        symbol=row["symbol"],
        key=row["key"],
        codons=_intervals(row["codons"]),
        residues={int(word[1:]): word[0] for word in row["codons"].split() if word[0] in RESIDUES},
        changes=tuple(row["changes"].split()),
        truncating=row["truncating"] == "yes",
        inframe_deletion=_intervals(row["inframe_deletion"]),
        inframe_insertion=_intervals(row["inframe_insertion"]),
        splice=_intervals(row["splice"]),
        coding=tuple(row["coding"].split()),
        events=events,
        zero_needs=tuple(need for need in get_args(Test) if need in needs),
    )


def _intervals(cell: str) -> Intervals:
    """Turn `12 32-45 K27` into ((12, 12), (32, 45), (27, 27))."""
    ends = [word.lstrip(RESIDUES).split("-") for word in cell.split()]
    return tuple((int(pair[0]), int(pair[-1])) for pair in ends)


RULES: Mapping[str, Rule] = read_rules(CATALOGUE / "gene_rules.csv")
