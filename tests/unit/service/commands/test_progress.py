"""A line that says where long work stands."""

import io

from service.commands.progress import StandingLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_said_of_short_work() -> None:
    """Nor where nobody sits at a terminal."""
    clock, terminal, file = Clock(), Terminal(), io.StringIO()
    lines = StandingLine("Reading", terminal, clock), StandingLine("Reading", file, clock)
    lines[0].stands("1 of 9")
    clock.now = 3
    lines[1].stands("2 of 9")
    assert (terminal.getvalue(), file.getvalue()) == ("", "")


def test_long_work_says_where_it_stands_on_one_line() -> None:
    """After two seconds, not more than twice a second; cleared at the end."""
    clock, terminal = Clock(), Terminal()
    line = StandingLine("Reading", terminal, clock)
    for clock.now in (2.1, 2.2, 2.7):
        line.stands(f"at {clock.now}")
    line.end()
    assert terminal.getvalue() == "\r\033[KReading: at 2.1\r\033[KReading: at 2.7\r\033[K"


def test_another_line_takes_its_place() -> None:
    """And stays, also where no terminal is."""
    clock, terminal, file = Clock(), Terminal(), io.StringIO()
    line = StandingLine("Reading", terminal, clock)
    clock.now = 3
    line.stands("1")
    line.say("a.ndjson: line 7: not a JSON object")
    StandingLine("Reading", file, clock).say("whole")
    assert terminal.getvalue().endswith("Reading: 1\r\033[Ka.ndjson: line 7: not a JSON object\n")
    assert file.getvalue() == "whole\n"
