"""Text without characters that are not seen, or that turn what stands beside them."""

import re

_SPACING = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# Controls, format characters (bidi embeddings, overrides, isolates and marks; zero width; tags), lone surrogates.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def printable(text: str) -> str:
    """The text on one line, without control, format and bidirectional characters."""
    if text.isprintable():  # most are; narrow spaces are not, by Python's reckoning
        return text
    return _UNSEEN.sub("", _SPACING.sub(" ", text))
