"""What the architecture tests read: the files of this checkout and what the Python ones import."""

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SHIPPED = ("service", "fhir_mappings", "models")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def complaints(tool: str, *arguments: str) -> str:
    """What a program of the test set says against this checkout: nothing when it is content."""
    command = [str(Path(sys.executable).with_name(tool)), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def files(*folders: str) -> Iterator[Path]:
    """Files of the whole tree or of some folders, without what tools leave behind."""
    for start in [ROOT / folder for folder in folders] or [ROOT]:
        for folder, subfolders, names in os.walk(start):
            subfolders[:] = [name for name in subfolders if not _left_behind(name)]
            yield from (Path(folder, name) for name in names)


def python_files(*folders: str) -> list[Path]:
    return [path for path in files(*folders) if path.suffix == ".py"]


def place(path: Path) -> str:
    """The path as people say it: from the root of the checkout."""
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, wherever in it: `from a import b` gives `a` and `a.b`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _left_behind(folder: str) -> bool:
    return folder in {"__pycache__", "target", "build", "dist"} or (folder.startswith(".") and folder != ".ci")
