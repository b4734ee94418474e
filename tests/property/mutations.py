"""Ways to break a resource. Each operator changes one place that chance chooses, or the resource as a whole."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from tests.property.generated import places

Resource = dict[str, Any]

# What no value of Python becomes by itself: texts of JSON that stand for these names until the resource is written.
RAW: Mapping[str, bytes] = {
    "@1e400@": b"1e400",
    "@nan@": b"NaN",
    "@infinity@": b"-Infinity",
    "@400 digits@": b"9" * 400,
    "@5000 digits@": b"9" * 5_000,
    "@half@": rb'"a\ud800"',
    "@deep@": b"[" * 2_000 + b"]" * 2_000,
    "@deep objects@": b'{"extension":[' * 400 + b"]}" * 400,
}
_TWICE = "@twice@"  # in front of a member's name: the member stands there again

VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 1.5, "", "x", [], {}, [[]], [None], {"a": 1}, [{}], {"coding": []})
NUMBERS = (
    1e308, -1e308, 5e-324, -0.0, 2**31, 2**63, -(2**64), 10**30, "@1e400@", "@nan@", "@infinity@", "@400 digits@",
    "@5000 digits@",
)  # fmt: skip
TEXTS = (
    "x" * 100_000, "9" * 5_000, "p.G" + "9" * 5_000 + "D", "c." + "9" * 5_000, "a\0b", "\u202egnp", "<script>", " ",
    "٣٤", "a/b", "../" * 50, "http://" + "a/" * 5_000, "@half@", "C34.1\n", "-" * 1_000,
)  # fmt: skip
DATES = (
    "+1000000000-01-01", "12345678901234567890-01-01", "0000-01-01", "0001-01-01", "0001-01-01T00:00:00+14:00",
    "9999-12-31", "9999-12-31T23:59:59-14:00", "9999", "2024-13", "2024-02-30", "2024-01-01T24:00:00Z",
    "2024-01-01T23:59:60Z", "2024-01-01T00:00:00+99:99", "2024-W01-1", "20240101", "٢٠٢٤-01-01", "24-1-1", "now", "",
)  # fmt: skip
TYPES = (
    "Patient", "Encounter", "Condition", "Observation", "ImagingStudy", "MolecularSequence", "OperationOutcome",
    "Bundle", "Procedure", "", "<b>",
)  # fmt: skip


def _chosen(random: Random, whole: Resource) -> tuple[Any, Any]:
    """A place: its holder (object or list) and the key or position in it."""
    *path, last = random.choice(places(whole))
    holder: Any = whole
    for key in path:
        holder = holder[key]
    return holder, last


def _copy(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def delete(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    holder, last = _chosen(random, whole)
    del holder[last]


def retype(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    holder, last = _chosen(random, whole)
    holder[last] = _copy(random.choice([value for value in VALUES if type(value) is not type(holder[last])]))


def null(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    holder, last = _chosen(random, whole)
    holder[last] = None


def duplicate(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    """An element once or many times more; a member a second time, which JSON allows."""
    holder, last = _chosen(random, whole)
    if isinstance(holder, list):
        holder += [_copy(holder[last]) for _ in range(random.choice([1, 2, 200]))]
    else:
        holder[_TWICE + last] = _copy(random.choice([holder[last], None, "x", [holder[last]]]))


def nest(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    holder, last = _chosen(random, whole)
    value = holder[last]
    around = ([value], {"coding": value}, {"coding": [value]}, {"extension": [{"url": "x", "extension": [value]}]})
    holder[last] = random.choice([*around, "@deep@", "@deep objects@"])


def swap_members(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    """Two values change places, or one comes to stand at both where one is within the other."""
    (one, first), (other, second) = _chosen(random, whole), _chosen(random, whole)
    value = _copy(one[first])
    one[first] = _copy(other[second])
    other[second] = value


def swap_types(random: Random, whole: Resource, others: Sequence[Resource]) -> None:
    """Another type's name over the resource, or a part of another resource in a place of this one."""
    if random.random() < 0.4:
        whole["resourceType"] = random.choice(TYPES)
        return
    (source, there), (holder, last) = _chosen(random, random.choice(others)), _chosen(random, whole)
    holder[there if isinstance(holder, dict) and isinstance(there, str) else last] = _copy(source[there])


def overflow_number(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    holder, last = _of(random, whole, (int, float))
    holder[last] = random.choice(NUMBERS)


def overflow_text(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    holder, last = _of(random, whole, (str,))
    holder[last] = random.choice(TEXTS)


def overflow_date(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    holder, last = _of(random, whole, (str,), "12")
    holder[last] = random.choice(DATES)


def _of(random: Random, whole: Resource, kinds: tuple[type, ...], starts: str = "") -> tuple[Any, Any]:
    """A place whose value is of these types and starts so, if one of ten is."""
    for _ in range(10):
        holder, last = _chosen(random, whole)
        value = holder[last]
        if isinstance(value, kinds) and (not starts or str(value)[:1] in starts):
            break
    return holder, last


def reorder(random: Random, whole: Resource, _: Sequence[Resource]) -> None:
    """All members and elements in another order."""
    for value in [whole, *(holder for holder in _holders(whole) if holder is not whole)]:
        if isinstance(value, list):
            random.shuffle(value)
        else:
            members = list(value.items())
            random.shuffle(members)
            value.clear()
            value.update(members)


def _holders(value: Any) -> list[Any]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*([value] if isinstance(value, dict | list) else []), *(h for one in below for h in _holders(one))]


Operator = Callable[[Random, Resource, Sequence[Resource]], None]
OPERATORS: tuple[Operator, ...] = (
    delete, retype, null, duplicate, nest, swap_members, swap_types, overflow_number, overflow_text, overflow_date,
    reorder,
)  # fmt: skip


def mutated(random: Random, operator: Operator, body: bytes, others: Sequence[bytes]) -> bytes:
    """The resource after one to three applications of the operator, as JSON or nearly so."""
    whole = msgspec.json.decode(body)
    donors = [msgspec.json.decode(other) for other in others] or [msgspec.json.decode(body)]
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        if whole:
            operator(random, whole, donors)
    return _written(whole)


def _written(whole: Resource) -> bytes:
    text = msgspec.json.encode(whole).replace(_TWICE.encode(), b"")
    if b"@" in text:
        for name, raw in RAW.items():
            text = text.replace(b'"' + name.encode() + b'"', raw)
    return text
