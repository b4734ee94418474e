"""Protein changes as laboratories and callers write them -> first and last codon, and what kind of change it is.

Read are HGVS with one or three letters (p.V600E, p.Val600Glu, p.(Val600Glu), p.E746_A750delinsQ, p.R1446*,
p.Arg1446Ter, p.K601fs, p.P381Qfs*42, p.F328dup, p.M1?) and what older callers print (p.ELREA746del, p.770_771insGL,
p.470_471ED>DY, p.X1028_splice, V600E without the p).
"""

import re
from typing import Literal

import msgspec

Kind = Literal[
    "missense", "truncating", "splice", "inframe_deletion", "inframe_insertion", "start_loss", "stop_loss", "synonymous"
]

THREE_LETTERS = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H",
    "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W",
    "Tyr": "Y", "Val": "V", "Sec": "U", "Ter": "*", "Xaa": "X",
}  # fmt: skip
_NAMES = re.compile("|".join(THREE_LETTERS))
_REFERENCE = re.compile(r"^[\w.]+(?:\([^)]*\))?:")
_CHANGE = re.compile(
    r"""(?P<residues>[A-Z*]*)          # V in V600E, ELREA in ELREA746del, X in X1028_splice
        (?P<first>-?\d+)               # an old caller writes -917fs for an insertion before the codon
        (?:_(?P<to>[A-Z*]*)(?P<last>\d+))?
        (?P<rest>.*)""",
    re.VERBOSE,
)


_LONGEST = 1_000  # characters; the longest insertions that laboratories write out stay well below


class ProteinChange(msgspec.Struct, frozen=True):
    """`residue` is the one-letter amino acid of the first codon ("" where not written), `alternative` what follows."""

    residue: str
    first: int
    last: int
    kind: Kind
    alternative: str = ""


def parse_protein_change(text: str | None) -> ProteinChange | None:
    """The change, or None where the text names no codon ("", ".", "p.?") or follows no notation we know."""
    if not text or len(text) > _LONGEST:
        return None
    plain = _NAMES.sub(lambda name: THREE_LETTERS[name[0]], _REFERENCE.sub("", text.strip()))
    plain = plain.removeprefix("p.").replace("(", "").replace(")", "").replace(" ", "")
    if plain == "=":
        return ProteinChange("", 0, 0, "synonymous")
    found = _CHANGE.fullmatch(plain)
    if not found:
        return None
    residues, rest = found["residues"], found["rest"]
    first = abs(int(found["first"]))
    replaced = int(found["last"]) - first + 1 if found["last"] else 1
    kind = _kind(residues, first, rest, replaced)
    if kind is None:
        return None
    written_out = len(residues) if kind == "inframe_deletion" and residues else 1  # ELREA746del takes 5 codons
    last = int(found["last"]) if found["last"] else first + written_out - 1
    residue = residues[0] if residues and residues[0] not in "X*" else ""
    alternative = rest if re.fullmatch(r"[A-Z]", rest) else ""
    return ProteinChange(residue, first, max(first, last), kind, alternative)


def _kind(residues: str, first: int, rest: str, replaced: int) -> Kind | None:  # noqa: PLR0911 - one line a notation
    if rest == "_splice" or rest.startswith("splice"):
        return "splice"
    if "ext" in rest or residues == "*":
        return "stop_loss"
    if "fs" in rest or "*" in rest or (rest == "X" and residues not in ("", "X")):
        return "truncating"
    if rest == "?" and first == 1:
        return "start_loss"
    if rest == "=" or (rest and rest == residues):
        return "synonymous"
    if ">" in rest:  # 470_471ED>DY, 1437_1437A>AA
        before, after = rest.split(">", 1)
        return _by_length(len(after) - len(before))
    if "delins" in rest:
        return _by_length(len(rest.split("delins", 1)[1]) - replaced)
    if rest.startswith("del"):
        return "inframe_deletion"
    if rest.startswith(("ins", "dup")):
        return "inframe_insertion"
    return "missense" if re.fullmatch(r"[A-Z]", rest) and residues not in ("", "X") else None


def _by_length(gained: int) -> Kind:
    return "missense" if gained == 0 else "inframe_insertion" if gained > 0 else "inframe_deletion"
