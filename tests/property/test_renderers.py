"""Whatever a text holds, it is shown as text in Markdown, HTML and plain text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.service.statement.hostile import HOSTILE, check_html, check_markdown, check_unseen

PIECES = st.sampled_from([*HOSTILE, "|", "\\", "\n", "<!--", "]]>", "1.", "10. ", " ", "\u2067", "\U000e0041"])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=5).map("".join)))
def test_text_stays_text(text: str) -> None:
    """In any mixture of marks, controls and letters."""
    check_html(text)
    check_markdown(text)
    check_unseen(text)
