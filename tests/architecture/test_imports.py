"""Who may import whom, where pyproject's import contracts cannot say it."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.architecture.locked import locked
from tests.architecture.tree import SHIPPED, complaints, imports, place, python_files

ONLY_IN = {
    "fhir.resources": ["fhir_mappings/", "service/fhir/written.py", "service/fhir/risk_assessment.py"],
    "onnxruntime": ["models/"],
    "fastapi": ["service/"],
    "httpx": ["service/"],
    "opentelemetry": ["service/"],
    "redis": ["service/"],
    "starlette": ["service/"],
    "uvicorn": ["service/"],
    "jax": ["models/training/", "models/network/"],
    "onnx": ["models/training/", "models/network/"],
    "benchmarks": [],
    "demo": [],
    "tests": [],
}
# Rooms that no hook enters: run from a checkout, with another set than the image has.
SET_OF = {
    "fhir_mappings/catalogue/": "test",
    "fhir_mappings/cohorts/": "train",
    "models/network/": "train",
    "models/training/": "train",
}


def test_import_contracts_hold() -> None:
    """Every import contract of pyproject.toml holds."""
    assert complaints("lint-imports") == ""


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_its_room(library: str) -> None:
    """A library is imported only where the floor plan puts it."""
    strangers = [
        place(path)
        for path in python_files(*SHIPPED)
        if not place(path).startswith(tuple(ONLY_IN[library]))
        and any(name == library or name.startswith(f"{library}.") for name in imports(path))
    ]
    assert strangers == []


def test_one_file_makes_http_clients() -> None:
    """Every HTTP client comes from one file under service/fhir."""
    makers = {place(path) for path in python_files(*SHIPPED) if any(_client_calls(path))}
    assert len(makers) <= 1
    assert all(maker.startswith("service/fhir/") for maker in makers)


def _client_calls(path: Path) -> Iterator[ast.Call]:
    """Calls that make a client of httpx, or a request without one."""
    makers = {"AsyncClient", "Client", "delete", "get", "head", "options", "patch", "post", "put", "request", "stream"}
    tree = ast.parse(path.read_bytes())
    taken = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "httpx"
        for alias in node.names
        if alias.name in makers
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(value=ast.Name(id="httpx"), attr=name) if name in makers:
                    yield node
                case ast.Name(id=name) if name in taken:
                    yield node


def test_the_run_set_is_enough() -> None:
    """Shipped code imports nothing that the image lacks, but where tables are written and models trained."""
    distributions = packages_distributions()
    have = {name: locked(name).keys() for name in ("run", "train", "test")}
    missing = [
        f"{place(path)} imports {name}"
        for path in python_files(*SHIPPED)
        for name in sorted({name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - set(SHIPPED))
        if not {canonicalize_name(distribution) for distribution in distributions.get(name, [])} & have[_set(path)]
    ]
    assert missing == []


def _set(path: Path) -> str:
    return next((name for room, name in SET_OF.items() if place(path).startswith(room)), "run")
