"""The locked requirements, read as pip reads them."""

import re

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests.architecture.tree import ROOT

SETS = ("run", "demo", "train", "test")
APART = "sekmet"  # a server of the integration tests, in an environment of its own


def lines(name: str) -> list[str]:
    """The lines of one set, continued ones joined."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def locked(name: str) -> dict[NormalizedName, list[Requirement]]:
    """The requirements of one set by package: more than one where the Python version or platform decides."""
    found: dict[NormalizedName, list[Requirement]] = {}
    for line in lines(name):
        requirement = Requirement(re.split(r"\s--hash=", line)[0].strip())
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def versions(requirements: list[Requirement]) -> set[str]:
    return {specifier.version for requirement in requirements for specifier in requirement.specifier}
