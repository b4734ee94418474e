"""What stops a decoder is replaced by a mark, and nothing else of the body is touched."""

import json

import pytest

from fhir_mappings.salvage import DEEPEST, MARK, salvaged

MARKED = json.loads(b'"' + MARK + b'"')


def nested(levels: int) -> str:
    return "[" * levels + "1" + "]" * levels


@pytest.mark.parametrize(
    "body",
    [
        '{"a": [1, -2.5e3, "NaN", "-Infinity", "[[[", "\\"", "\\\\"], "NaN": {"I": null}}',
        r'{"a": "\ud83d\ude00 \\ud800 \u00e9 \\\\ud800"}',
        nested(DEEPEST),
        "",
        '{"never closed": ["',
        "]]]]}}",
    ],
)
def test_a_body_without_any_of_it_is_unchanged(body: str) -> None:
    """Words in texts and keys, whole pairs, escaped backslashes, nesting up to the limit."""
    assert salvaged(body.encode()) == body.encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a": NaN, "b": 1}', {"a": MARKED, "b": 1}),
        ('{"a": [Infinity, -Infinity, -1]}', {"a": [MARKED, MARKED, -1]}),
        (r'["x\ud800", "\udfff\ud800y", "\ud83d\ude00"]', ["x" + MARKED, MARKED + MARKED + "y", "😀"]),
        (r'["\\\ud800"]', ["\\" + MARKED]),
        ('{"a": ' + nested(5_000) + ', "b": [' + nested(5_000) + ", 2]}", None),
    ],
)
def test_each_is_replaced_where_it_stands(body: str, expected: object) -> None:
    """What stands beside it is kept."""
    whole = json.loads(salvaged(body.encode()))
    assert expected is None or whole == expected
    assert MARKED in json.dumps(whole, ensure_ascii=False) or MARK.decode() in json.dumps(whole)


def test_only_what_is_deeper_than_the_limit_is_cut() -> None:
    """Objects and lists by turns; what follows the deep value is read."""
    deep = '{"a": [' * 5_000 + "1" + "]}" * 5_000
    whole = json.loads(salvaged(f'[{deep}, {{"b": [2]}}, {nested(DEEPEST - 1)}]'.encode()))
    assert whole[1:] == [{"b": [2]}, json.loads(nested(DEEPEST - 1))]
    levels = 0
    inner = whole
    while inner != MARKED:
        inner, levels = inner[0] if isinstance(inner, list) else inner["a"], levels + 1
    assert levels == DEEPEST
