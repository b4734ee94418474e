"""MolecularSequence.variant (FHIR R4) -> evidence about genes, by coordinates.

A real site rarely has these (Genomics Reporting carries variants as Observations); where it has, a position is all that
is said. So a variant counts only in a listed codon of an oncogene; anywhere else in a gene it is located, not judged.
"""

import re
from collections.abc import Iterable

from fhir_mappings.finding import Issue
from fhir_mappings.gene_rules import RULES
from fhir_mappings.loci import Locus, accession_of, build_of, locate
from fhir_mappings.readers.gene_evidence import GeneEvidence
from fhir_mappings.resources.r4 import MolecularSequence, ReferenceSequence, SequenceVariant

_NUCCORE = frozenset({"http://www.ncbi.nlm.nih.gov/nuccore", "http://www.ncbi.nlm.nih.gov/nuccore/"})

_EXON_OF_DELETIONS = 19
# RefSeq transcripts, proteins and gene regions; Ensembl transcripts, proteins and genes; Locus Reference Genomic.
_OTHER_REFERENCE = re.compile(r"([NX][MRP]|NG)_\d|ENS[TPG]\d|LRG_\d")


def read_sequences(sequences: Iterable[MolecularSequence]) -> tuple[list[GeneEvidence], list[Issue]]:
    """Evidence from the variants of each sequence, and an issue for each sequence or variant that says nothing."""
    evidence: list[GeneEvidence] = []
    issues: list[Issue] = []
    for sequence in sequences:
        accession = _accession(sequence.referenceSeq) if sequence.referenceSeq else None
        if not sequence.variant:
            issues.append(Issue("information", "no-value", "no variant; FHIR R5 has none here", sequence.address))
        elif accession is None and sequence.referenceSeq and _is_transcript(sequence.referenceSeq):
            text = "positions on a transcript, a protein or a gene, not on a chromosome"
            issues.append(Issue("warning", "reference-not-read", text, sequence.address))
        elif accession is None:
            text = "no chromosome of a known genome build, or of two"
            issues.append(Issue("warning", "build-unknown", text, sequence.address))
        elif sequence.coordinateSystem not in {0, 1}:
            text = "counted neither from 0 nor from 1"
            issues.append(Issue("warning", "coordinates-unknown", text, sequence.address))
        else:
            for variant in sequence.variant:
                found, said = _judge(variant, accession, sequence)
                evidence += found
                issues += said
    return evidence, issues


def _accession(reference: ReferenceSequence) -> str | None:
    """The versioned chromosome accession (NC_000007.14), which tells the build, or that of chromosome and build.

    None where one of the two names no chromosome of a known build, or where they contradict each other.
    """
    chromosomes = [coding.code for coding in reference.chromosome.coding] or [reference.chromosome.text]
    by_build = {a for c in chromosomes if (a := accession_of(c, reference.genomeBuild)) is not None}
    named = {coding.code for coding in reference.referenceSeqId.coding if coding.system in _NUCCORE and coding.code}
    if any(build_of(code) is None for code in named):
        return None  # a transcript, or a chromosome of another build
    stated = named | by_build
    return stated.pop() if len(stated) == 1 else None


def _is_transcript(reference: ReferenceSequence) -> bool:
    """Whether a reference is named that is no chromosome: its positions cannot be moved without its exons."""
    codings = reference.referenceSeqId.coding
    return any(_OTHER_REFERENCE.match(coding.code) for coding in codings)


def _judge(
    variant: SequenceVariant, accession: str, sequence: MolecularSequence
) -> tuple[list[GeneEvidence], list[Issue]]:
    locus = _locus(variant, accession, sequence.coordinateSystem)
    if locus is None or locus.symbol not in RULES:
        return [], [Issue("information", "gene-unknown", "no gene of the catalogue at this position", sequence.address)]
    if not variant.observedAllele or variant.observedAllele == variant.referenceAllele:
        return [], [Issue("information", "no-value", f"{locus.symbol}: no differing allele", sequence.address)]
    if _is_listed(locus, variant):
        return [GeneEvidence(locus.symbol, "positive", sequence.address, None, rule="listed codon, by coordinates")], []
    unclear = GeneEvidence(locus.symbol, "unclear", sequence.address, None)
    text = f"{locus.symbol}: located by coordinates only"
    return [unclear], [Issue("warning", "variant-unclassified", text, sequence.address)]


def _is_listed(locus: Locus, variant: SequenceVariant) -> bool:
    """Whether the place (and the length of the alleles) decides.

    EGFR 858 does not: its rule names the change, and a position has none. In exon 19 of EGFR an in-frame loss of bases
    counts, in exon 20 of EGFR and ERBB2 an in-frame gain.
    """
    if locus.site is not None:
        return True
    gained = _gained(variant)
    if gained is None or gained % 3:
        return False  # a shift of the reading frame is no change of a codon
    if locus.exon is not None and gained:
        return gained < 0 if locus.exon == _EXON_OF_DELETIONS else gained > 0
    codons = RULES[locus.symbol].codons
    return locus.codon is not None and any(first <= locus.codon <= last for first, last in codons)


def _gained(variant: SequenceVariant) -> int | None:
    """Bases gained (lost: negative); None where that cannot be told, as the allele it replaces is not stated."""
    observed, replaced = variant.observedAllele.strip("-"), variant.referenceAllele
    if not replaced:
        return 0 if len(observed) == 1 else None
    return len(observed) - len(replaced.strip("-"))


def _locus(variant: SequenceVariant, accession: str, system: int | None) -> Locus | None:
    """The place of a variant; FHIR counts from 0 with an open end, or from 1 with both ends included."""
    if variant.start is None:
        return None
    first = variant.start + 1 if system == 0 else variant.start
    last = max(first, variant.end if variant.end is not None else first)
    return locate(accession, first, last)
