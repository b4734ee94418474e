"""Which language a reader gets."""

import pytest

from service.language.choice import chosen
from service.language.sentences import LanguageCode


@pytest.mark.parametrize(
    ("client", "site", "header", "expected"),
    [
        ("de", "en", "en", "de"),
        (None, "de", "en", "de"),
        (None, None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, None, "", "en"),
    ],
)
def test_the_clients_language_stands_above_the_sites_and_the_browsers(
    client: LanguageCode | None, site: LanguageCode | None, header: str, expected: str
) -> None:
    """Client, site, Accept-Language, English: the first that says something."""
    assert chosen(client, site, header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("en;q=0.5, de", "de"),
        ("de;q=0.2, en;q=0.7", "en"),
        ("de, en", "de"),
        ("fr, de;q=0.1", "de"),
        ("fr", "en"),
        ("*, de;q=0.5", "en"),
        ("DE-ch", "de"),
        ("de;q=0", "en"),
        ("de;q=", "en"),
        ("de;q=nan", "en"),
        ("de;q=2", "en"),
        ("de;x=1", "en"),
        (",;,=;q=1,\x00", "en"),
        ("x," * 5_000 + "de", "en"),
    ],
)
def test_the_header_is_read_by_weight(header: str, expected: str) -> None:
    """Weights, regions and capitals as HTTP has them; what cannot be read does not count."""
    assert chosen(None, None, header) == expected
