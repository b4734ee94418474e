import json
import logging

import pytest

from service.logs import JsonLine, OneLine, configure, told


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("some.logger", logging.ERROR, "file.py", 1, message, (), info)


def failure() -> BaseException:
    def inner() -> None:
        raise KeyError("Mrs Canary")

    def outer() -> None:
        try:
            inner()
        except KeyError as error:
            raise ValueError("canary-4711 is not a number") from error

    with pytest.raises(ValueError, match="4711") as caught:
        outer()
    return caught.value


def test_a_line_is_one_line() -> None:
    """A message of several lines becomes one."""
    line = OneLine().format(record("one\n  two\n\nthree"))
    assert line.endswith("ERROR some.logger one | two | three")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("GET http://a/fhir/Patient/canary-4711 failed", "GET http://a/fhir/Patient/*** failed"),
        ("GET /Observation?patient=canary-4711&code=1", "GET /Observation?patient=***&code=1"),
        ("Authorization: Bearer eyJ.abc-_", "Authorization: Bearer ***"),
        ("access_token='abc'", "access_token='***'"),
    ],
)
def test_references_and_tokens_are_masked(message: str, expected: str) -> None:
    """What a library logs holds no patient and no token afterwards."""
    assert OneLine().format(record(message)).endswith(expected)


def test_an_exception_is_told_without_its_message() -> None:
    """An exception is told by types and places: its message may hold what it choked on."""
    line = OneLine().format(record("incident", failure()))
    assert "ValueError (test_logs.py:" in line
    assert "<- KeyError" in line
    assert "canary" not in line.lower()
    assert told(ValueError("canary")) == "ValueError"


def test_a_line_can_be_json() -> None:
    """The JSON form has time, level, logger and message."""
    parts = json.loads(JsonLine().format(record("Patient/canary-4711")))
    assert (parts["level"], parts["logger"], parts["message"]) == ("ERROR", "some.logger", "Patient/***")


def test_the_whole_process_logs_in_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    """Every logger's lines go to standard error in the chosen form; the server's access log is off."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        configure("json")
        logging.getLogger("uvicorn.error").warning("subject=canary-4711")
        logging.getLogger("uvicorn.access").warning("GET /Patient/1")
        (line,) = capsys.readouterr().err.splitlines()
        assert json.loads(line)["message"] == "subject=***"
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.getLogger("uvicorn.access").disabled = False
