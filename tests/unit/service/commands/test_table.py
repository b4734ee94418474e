"""Tables that fit."""

from service.commands.table import Column, paragraph, table

COLUMNS = (Column("Name", wraps=True), Column("n", right=True), Column("Note", wraps=True))


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    """Numbers at the right, nothing behind the last word."""
    assert table(COLUMNS, [("a", "1", "x"), ("long", "20", "")], 80) == [
        "Name   n  Note",
        "a      1  x",
        "long  20",
    ]


def test_a_column_without_text_is_left_out() -> None:
    """Title and all."""
    assert table(COLUMNS, [("a", "1", "")], 80) == ["Name  n", "a     1"]


def test_the_widest_column_gives_way_at_spaces_and_hyphens() -> None:
    """Every line fits, every word is there."""
    lines = table(COLUMNS, [("one two three four five six", "1", "Observation/8f3c-4a2b-9d1e")], 34, "  ")
    assert max(map(len, lines)) <= 34
    assert all(line.startswith("  ") for line in lines)
    assert "".join("".join(lines).split()).count("Observation/8f3c-") == 1
    assert len(lines) > 2


def test_words_stay_whole_where_they_are_not_too_long() -> None:
    """A narrow terminal is overrun rather than a word cut; a very long one is cut."""
    [*lines] = table(COLUMNS, [("comorbidities present", "1", "x")], 10)
    assert any("comorbidities" in line for line in lines)
    assert max(map(len, table((Column("a", wraps=True),), [("x" * 90,)], 40))) == 40


def test_a_paragraph_hangs_under_its_bullet() -> None:
    """Or two columns in."""
    assert paragraph("one two three", 9, "- ") == ["- one two", "  three"]
    assert paragraph("one two three", 9) == ["one two", "  three"]
