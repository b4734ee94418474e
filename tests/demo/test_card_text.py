"""What the demonstration prints beside a card."""

from demo.card_text import interaction_text


def test_the_strongest_pairs_by_their_names() -> None:
    """Three of them, in the order of the assessment, with the labels of the catalogue."""
    pair = {"features": ["gene_tp53", "stage_grade"], "value": -0.1234}
    text = interaction_text({"interactions": [pair] * 4})
    assert text.count("-0.123  TP53 loss of function with Histological grade") == 3


def test_without_pairs_nothing_is_said() -> None:
    """Nor is a heading without lines."""
    assert interaction_text({}) == interaction_text({"interactions": []}) == ""
