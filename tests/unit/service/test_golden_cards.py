"""Cards as people read them, whole."""

from tests.unit.service.golden_cards import FOLDER, golden_cards


def test_cards_are_those_that_were_read() -> None:
    """Each stands in golden/ to the letter; a change of a word is seen in a diff (`golden_cards.py` writes them)."""
    cards = dict(golden_cards())
    assert cards.keys() == {file.name for file in FOLDER.iterdir()}
    for name, text in cards.items():
        assert text == (FOLDER / name).read_text(encoding="utf-8"), name
        assert not name.endswith("txt") or max(map(len, text.split("\n\n", 1)[1].splitlines())) <= 80, name
