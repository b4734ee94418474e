"""Why a clinician sets a card aside: what the card offers, and what came back.

The five follow AHRQ's CDSiC taxonomy of override reasons, as far as a card that proposes no action needs it. A client
may offer reasons of its own (CDS Hooks 2.0, Explicit reject with override reasons): those are kept as `system|code`.
"""

import re

from service.cds_hooks.wire import Coding
from service.language.sentences import ENGLISH, Language

SYSTEM = "urn:oncohooks:override-reason"
NONE = ""  # set aside without a reason
UNREADABLE = "unreadable"  # a code that is none: it may be text, which is not kept

_OURS = ENGLISH.override_reasons
_CODE = re.compile(r"[\w.:/-]{1,64}", re.ASCII)
_SYSTEM = re.compile(r"[!-{}~]{0,200}")  # no space, no `|`


def override_reasons(language: Language) -> tuple[Coding, ...]:
    """The reasons that a card offers: the same codes in every language."""
    return tuple(Coding(code, SYSTEM, display) for code, display in language.override_reasons.items())


def reason_key(system: str, code: str) -> str:
    """A reason as it is kept: one of our codes, else `system|code`; a display is not needed and never kept."""
    if system == SYSTEM and code in _OURS:
        return code
    if not _CODE.fullmatch(code):
        return UNREADABLE
    return f"{system if _SYSTEM.fullmatch(system) else ''}|{code}"


def reason_text(key: str) -> str:
    """A kept reason for a reader."""
    return {NONE: "no reason given", UNREADABLE: "a reason without a readable code"}.get(key) or _OURS.get(key, key)


def reason_class(key: str) -> str:
    """A kept reason in the closed list of the meters: our codes, `none`, `other`."""
    return key if key in _OURS else "none" if key == NONE else "other"
