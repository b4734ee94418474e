import pytest

from service.emergency.answer_form import form_of


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/event-stream", "stream"),
        ("TEXT/Event-Stream", "stream"),
        ("text/event-stream, application/json;q=0.5", "stream"),
        ("application/json;q=0.5, text/event-stream;q=0.9", "stream"),
        ("application/json, text/event-stream", "json"),
        ("application/fhir+json; fhirVersion=4.0", "fhir"),
        ("text/html", "json"),
        ("text/event-stream;q=x, application/json;q=0.1", "json"),
        ("text/event-stream;q=0", "json"),
    ],
)
def test_the_form_is_the_one_that_is_wanted_most(accept: str, form: str) -> None:
    """By weight, the first of equals; JSON where none of ours is asked for."""
    assert form_of(accept) == form
