"""What the variants of one patient say of a gene that was sequenced."""

from collections.abc import Iterable

from fhir_mappings.genes import Effect


def gene_value(effects: Iterable[Effect]) -> int | None:
    """1 with any pathogenic variant, else missing with one that cannot be told, else 0: the gene was sequenced."""
    found = set(effects)
    if Effect.PATHOGENIC in found:
        return 1
    return None if Effect.UNKNOWN in found else 0
