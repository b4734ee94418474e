"""Notations of protein changes."""

import pytest

from fhir_mappings.protein_change import parse_protein_change


@pytest.mark.parametrize(
    ("text", "first", "last", "kind"),
    [
        ("p.V600E", 600, 600, "missense"),
        ("V600E", 600, 600, "missense"),
        ("p.Val600Glu", 600, 600, "missense"),
        ("p.(Val600Glu)", 600, 600, "missense"),
        ("NP_004324.2:p.Val600Glu", 600, 600, "missense"),
        ("NP_004324.2:p.(Val600Glu)", 600, 600, "missense"),
        ("NM_004333.4(BRAF):p.Val600Glu", 600, 600, "missense"),
        ("p.R1446*", 1446, 1446, "truncating"),
        ("p.Arg1446Ter", 1446, 1446, "truncating"),
        ("p.R1446X", 1446, 1446, "truncating"),
        ("p.K601fs", 601, 601, "truncating"),
        ("p.P381Qfs*42", 381, 381, "truncating"),
        ("p.Pro381GlnfsTer42", 381, 381, "truncating"),
        ("p.QPYG393fs", 393, 393, "truncating"),
        ("p.-917fs", 917, 917, "truncating"),
        ("p.740_743SMNQ>*", 740, 743, "truncating"),
        ("p.X1028_splice", 1028, 1028, "splice"),
        ("p.ELREA746del", 746, 750, "inframe_deletion"),
        ("p.E746_A750del", 746, 750, "inframe_deletion"),
        ("p.Glu746_Ala750del", 746, 750, "inframe_deletion"),
        ("p.L747_P753delinsS", 747, 753, "inframe_deletion"),
        ("p.709_710ET>D", 709, 710, "inframe_deletion"),
        ("p.S45del", 45, 45, "inframe_deletion"),
        ("p.770_771insGL", 770, 771, "inframe_insertion"),
        ("p.S1427_N1428insK", 1427, 1428, "inframe_insertion"),
        ("p.F328dup", 328, 328, "inframe_insertion"),
        ("p.A767_V769dup", 767, 769, "inframe_insertion"),
        ("p.T417_Y418delinsLRWD", 417, 418, "inframe_insertion"),
        ("p.1437_1437A>AA", 1437, 1437, "inframe_insertion"),
        ("p.470_471ED>DY", 470, 471, "missense"),
        ("p.M1?", 1, 1, "start_loss"),
        ("p.*757K", 757, 757, "stop_loss"),
        ("p.*1069Wext*4", 1069, 1069, "stop_loss"),
        ("p.G590G", 590, 590, "synonymous"),
        ("p.Gly590=", 590, 590, "synonymous"),
    ],
)
def test_notations(text: str, first: int, last: int, kind: str) -> None:
    """Every notation of the cohort files and of HGVS yields its codons and kind."""
    change = parse_protein_change(text)
    assert change is not None
    assert (change.first, change.last, change.kind) == (first, last, kind)


@pytest.mark.parametrize("text", [None, "", ".", "p.?", "p.0", "exon 19 deletion", "amplification", "600", "p.600"])
def test_what_names_no_change_is_not_guessed(text: str | None) -> None:
    """Free text and empty cells are no protein change."""
    assert parse_protein_change(text) is None


def test_residue_and_alternative_are_kept() -> None:
    """The exact change can be compared with a listed one."""
    change = parse_protein_change("p.Leu858Arg")
    assert change is not None
    assert (change.residue, change.alternative) == ("L", "R")
