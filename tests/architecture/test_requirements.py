"""requirements/*.txt against pyproject.toml: complete, pinned by hash, one version each, licences we may pass on."""

import re
from importlib.metadata import metadata
from itertools import combinations

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.locked import APART, SETS, lines, locked, versions
from tests.architecture.tree import project

# Licences that let us ship a package unchanged beside Apache-2.0 code. MPL-2.0 (certifi) is copyleft file by file: it
# asks for the source of its own files only.
PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Zlib",
}
# What packages without a licence expression say instead, in a classifier or in words.
IN_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def asked(name: str) -> list[Requirement]:
    """What pyproject.toml asks for in one set: the base, its extra, and the extras which that one names."""
    table = project()["project"]
    texts = list(table["dependencies"])
    waiting = [] if name == "run" else [name]
    while waiting:
        for text in table["optional-dependencies"][waiting.pop()]:
            if canonicalize_name(Requirement(text).name) == table["name"]:
                waiting += Requirement(text).extras
            else:
                texts.append(text)
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("name", SETS)
def test_everything_asked_for_is_locked(name: str) -> None:
    """Each requirement of pyproject.toml is locked in its set, at versions that it admits."""
    have = locked(name)
    for requirement in asked(name):
        found = versions(have.get(canonicalize_name(requirement.name), []))
        assert found, f"{requirement.name}: run requirements/compile"
        assert all(requirement.specifier.contains(version, prereleases=True) for version in found), requirement


@pytest.mark.parametrize("name", [*SETS, APART])
def test_every_line_is_pinned_by_hash(name: str) -> None:
    """Each locked line is one exact version with SHA-256 hashes and nothing else."""
    pinned = re.compile(r"[\w.-]+==[\w.!+]+( ; [^;]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
    assert [line for line in lines(name) if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("name", [*SETS, APART])
def test_no_index_is_named(name: str) -> None:
    """No set says where packages come from: that is each machine's own setting."""
    assert [line for line in lines(name) if line.startswith("-") or "://" in line or " @ " in line] == []


@pytest.mark.parametrize(("one", "other"), list(combinations(SETS, 2)))
def test_sets_agree(one: str, other: str) -> None:
    """A package that two sets hold has the same versions in both."""
    first, second = locked(one), locked(other)
    assert {name for name in first.keys() & second.keys() if versions(first[name]) != versions(second[name])} == set()


def test_the_test_set_holds_the_others() -> None:
    """The test set holds every other set, so the scripts need not install those after it."""
    assert {name: locked(name).keys() - locked("test").keys() for name in SETS} == {name: set() for name in SETS}


def test_runtime_licences_are_permissive() -> None:
    """Every package of the image is under a licence that lets us pass it on."""
    refused = {
        name: sorted(licences(name) or {"unknown"})
        for name, requirements in locked("run").items()
        if any(requirement.marker is None or requirement.marker.evaluate() for requirement in requirements)
        and not set() < licences(name) <= PERMISSIVE
    }
    assert refused == {}


def licences(package: str) -> set[str]:
    """All licences that a package's metadata name, alternatives included; unknown words stay as they are."""
    about = metadata(package)
    if expressions := about.get_all("License-Expression"):
        return set(re.findall(r"[\w.+-]+", expressions[0])) - {"AND", "OR", "WITH"}
    classifiers = [
        text.rpartition(" :: ")[2] for text in about.get_all("Classifier", []) if text.startswith("License ::")
    ]
    words = classifiers or about.get_all("License", [])
    return {IN_WORDS.get(text, text) for text in words}
