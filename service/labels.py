"""What parameters are called on cards and reports."""

# Labels that would read oddly beside a value ("Female sex: male").
_BESIDE_A_VALUE = {"demo_sex_female": "Sex"}


def short(label: str) -> str:
    """A label without what stands in brackets."""
    return label.partition(" (")[0]


def in_sentence(label: str) -> str:
    """A label inside a sentence: "Non-small cell lung cancer" -> "non-small cell lung cancer"."""
    plain = short(label)
    return plain[0].lower() + plain[1:]


def beside_value(key: str, label: str) -> str:
    return _BESIDE_A_VALUE.get(key) or short(label)
