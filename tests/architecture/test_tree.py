"""What holds for every file of the tree."""

import re
from pathlib import Path

from tests.architecture.tree import SHIPPED, files, place, python_files

LINES = 350


def test_no_file_outgrows_one_idea() -> None:
    """No file of product code is longer than 350 lines."""
    long = {place(path): count for path in python_files(*SHIPPED, "demo") if (count := _lines(path)) > LINES}
    assert long == {}


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_names_say_what_a_file_is_about() -> None:
    """No file or folder has a name that would fit anything."""
    empty_words = {"base", "common", "helpers", "manager", "managers", "schemas", "utils"}
    vague = [
        place(path)
        for path in python_files(*SHIPPED, "demo", "benchmarks", "tests")
        if path.stem == "models" or empty_words & {Path(part).stem for part in Path(place(path)).parts}
    ]
    assert vague == []


def test_packages_do_nothing_on_import() -> None:
    """Every __init__.py is empty."""
    assert [place(path) for path in python_files() if path.name == "__init__.py" and path.read_bytes().strip()] == []


def test_nothing_is_left_for_later() -> None:
    """Code holds no note of work undone and no stub."""
    undone = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
    scripts = [path for path in files(".ci", "scripts", "requirements") if path.suffix != ".txt"]
    left = [place(path) for path in [*python_files(), *scripts] if undone.search(path.read_text())]
    assert left == [place(Path(__file__))]  # the pattern above


def test_no_machine_is_named() -> None:
    """No file names a path that exists on one machine only."""
    machine = re.compile(rb"(?<![\w.:/-])/(?:home|Users|root|work|private)/[\w.]")
    assert [place(path) for path in files() if machine.search(path.read_bytes())] == []
