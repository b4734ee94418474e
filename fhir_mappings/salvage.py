"""A body that the decoder cannot follow -> one that it can, with a mark at each place that it could not.

Three things make a decoder give up on a whole body for the sake of one value: nesting deeper than its stack, the words
NaN and Infinity (which Python and others write), and half of a surrogate pair. Only after such a failure are the bytes
searched for them, in time linear in their number; what holds the mark is then refused alone.
"""

import re

MARK = rb"\u0000unreadable"  # as it stands in a JSON string; harmless where a body holds it already
DEEPEST = 300  # levels; FHIR's own nesting (extensions, contained resources) ends far above

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+", re.DOTALL)
_BRACKETS = re.compile(rb"[{\[]++|[}\]]++")
_TO_WORD = re.compile(rb'(?:[^"NI-]++|' + _STRING + rb"|-(?!I))*+", re.DOTALL)
_WORD = re.compile(rb"NaN|-?Infinity")
_PAIR = rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(_PAIR + rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL)


def salvaged(body: bytes) -> bytes:
    """The body with a marked string for each of these; unchanged where it holds none."""
    return _without_words(_without_halves(_cut(body)))


def _without_words(body: bytes) -> bytes:
    if b"NaN" not in body and b"Infinity" not in body:
        return body
    parts: list[bytes] = []
    kept = 0
    while word := _WORD.match(body, _end(_TO_WORD, body, kept)):
        parts += [body[kept : word.start()], b'"', MARK, b'"']
        kept = word.end()
    return b"".join([*parts, body[kept:]])


def _without_halves(body: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: MARK if found["half"] else found[0], body) if rb"\u" in body else body


def _cut(body: bytes) -> bytes:
    """Each value that begins deeper than DEEPEST replaced; the rest of what never closes is left to the decoder."""
    parts: list[bytes] = []
    depth = kept = position = 0
    while position < len(body):
        start = _end(_TO_BRACKET, body, position)
        position = _end(_BRACKETS, body, start)
        if position == start:
            break
        before, run = depth, position - start
        depth += run if body[start] in b"{[" else -run
        if before <= DEEPEST < depth:
            parts += [body[kept : position - (depth - DEEPEST)], b'"', MARK, b'"']
            kept = len(body)
        elif depth <= DEEPEST < before:
            kept = position - (DEEPEST - depth)
    return b"".join([*parts, body[kept:]]) if parts else body


def _end(pattern: re.Pattern[bytes], body: bytes, position: int) -> int:
    found = pattern.match(body, position)
    return found.end() if found else position
