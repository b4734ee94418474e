"""The issue codes that the code can raise, found in its syntax tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "fhir_mappings"
# call -> the argument that is the code
CONSTRUCTORS = {"Issue": 1, "NotUsableError": 0, "UnknownUnitError": 0, "_none": 0, "_issue": 0, "_NotCounted": 0}
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def raised(package: Path = PACKAGE) -> set[str]:
    """All of them; a code that comes through a name counts with everything that the name may be."""
    return {code for file in package.rglob("*.py") for code in _of_module(ast.parse(file.read_text(encoding="utf-8")))}


def severities(package: Path = PACKAGE) -> set[tuple[str, str]]:
    """(code, severity) of every issue that is made with both written out; a value that cannot be used is a warning."""
    found: set[tuple[str, str]] = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if not isinstance(node, ast.Call) or name not in {"Issue", "NotUsableError"}:
                continue
            said = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if name == "Issue" and len(node.args) > 1 and [*node.args[:2]] == [a for a in node.args[:2] if _is_text(a)]:
                found.add((said[1], said[0]))
            elif name == "NotUsableError" and _is_text(node.args[0]):
                found.add((said[0], said[-1] if len(node.args) > 2 else "warning"))
    return found


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _of_module(module: ast.Module) -> Iterator[str]:
    for scope in ast.walk(module):
        if isinstance(scope, ast.FunctionDef):
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and (argument := _code_argument(node)) is not None:
                    yield from _texts(argument, scope, module)
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and _returns_reason(scope):
                    yield from _texts(node.value.elts[0], scope, module)


def _returns_reason(scope: ast.FunctionDef) -> bool:
    """A function that answers with code and diagnostics, for `Issue(severity, *reason, source)`."""
    return scope.returns is not None and ast.unparse(scope.returns) == "tuple[str, str] | None"


def _code_argument(call: ast.Call) -> ast.expr | None:
    name = (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )
    place = CONSTRUCTORS.get(name)
    if place is None or len(call.args) <= place or isinstance(call.args[place], ast.Starred):
        return None
    return call.args[place]


def _texts(node: ast.expr, scope: ast.FunctionDef, module: ast.Module) -> Iterator[str]:
    """The texts of an expression; of a name, those that are assigned to it in the function or the module."""
    if isinstance(node, ast.Name):
        for place in (scope, module):
            for statement in ast.walk(place):
                if isinstance(statement, ast.Assign) and any(_is_name(t, node.id) for t in statement.targets):
                    yield from _constants(statement.value)
        return
    yield from _constants(node)


def _is_name(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _constants(node: ast.expr) -> Iterator[str]:
    parts = (
        [node.body, node.orelse]
        if isinstance(node, ast.IfExp)
        else node.values
        if isinstance(node, ast.Dict)
        else [node]
    )
    if isinstance(node, ast.Call):  # {...}.get(state)
        parts = (
            list(node.func.value.values)
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Dict)
            else []
        )
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and _CODE.fullmatch(part.value):
            yield part.value
