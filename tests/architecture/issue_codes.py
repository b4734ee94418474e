"""The issue codes that the code can raise, found in its syntax tree.

Where a code is an argument of a function, that function is a way to raise a code too: its callers are looked at. A code
that cannot be followed to its text is named by `untraced`, so that no code escapes the list in silence.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2] / "fhir_mappings"
# call -> place and name of the argument that is the code
CONSTRUCTORS = {
    "Issue": (1, "code"),
    "NotUsableError": (0, "issue_code"),
    "UnknownUnitError": (0, "code"),
    "_NotCounted": (0, "code"),
}
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Use(NamedTuple):
    """An expression that is a code: where, and what it was followed to."""

    place: str
    codes: frozenset[str]


def raised(package: Path = PACKAGE) -> set[str]:
    """All of them; a code that comes through a name counts with everything that the name may be."""
    return {code for use in _uses(package) for code in use.codes}


def untraced(package: Path = PACKAGE) -> list[str]:
    """Where a code is made of something that this search does not follow."""
    return [use.place for use in _uses(package) if not use.codes]


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


@cache
def _uses(package: Path) -> list[Use]:
    modules = {file: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(package.rglob("*.py"))}
    constants = {name: value for module in modules.values() for name, value in _constants_of(module)}
    ways = dict(CONSTRUCTORS)
    while True:  # a function found to hand a code on makes its callers count, which may be such functions themselves
        found: list[Use] = []
        before = len(ways)
        for file, module in modules.items():
            for node, scope in _with_scope(module):
                for argument in _arguments(node, scope, ways):
                    handed_on = _parameter(argument, scope)
                    if handed_on is not None and scope is not None:
                        ways[scope.name] = handed_on
                    elif not _is_attribute_of_error(argument):
                        codes = frozenset(_texts(argument, scope, constants))
                        found.append(Use(f"{file.name}:{node.lineno}", codes))
        if len(ways) == before:
            return found


def _with_scope(module: ast.Module) -> Iterator[tuple[ast.Call | ast.Return, Function | None]]:
    """Every call and return with the innermost function around it."""

    def below(node: ast.AST, scope: Function | None) -> Iterator[tuple[ast.Call | ast.Return, Function | None]]:
        for child in ast.iter_child_nodes(node):
            inner = child if isinstance(child, Function) else scope
            if isinstance(child, ast.Call | ast.Return):
                yield child, scope
            yield from below(child, inner)

    return below(module, None)


def _arguments(
    node: ast.Call | ast.Return, scope: Function | None, ways: dict[str, tuple[int, str]]
) -> Iterator[ast.expr]:
    """The expression that is the code: in a call that raises one, or first in a returned (code, diagnostics)."""
    if isinstance(node, ast.Return):
        if isinstance(node.value, ast.Tuple) and scope is not None and _returns_reason(scope):
            yield node.value.elts[0]
        return
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in ways:
        place, keyword = ways[name]
        named = [k.value for k in node.keywords if k.arg == keyword]
        given = node.args[place : place + 1] if not any(isinstance(a, ast.Starred) for a in node.args[:place]) else []
        yield from (argument for argument in [*given, *named] if not isinstance(argument, ast.Starred))
    elif name == "replace":  # msgspec.structs.replace(issue, code=...)
        yield from (k.value for k in node.keywords if k.arg == "code" and "issue" in ast.unparse(node.args[0]).lower())


def _returns_reason(scope: Function) -> bool:
    """A function that answers with code and diagnostics, for `Issue(severity, *reason, source)`."""
    return scope.returns is not None and ast.unparse(scope.returns).startswith("tuple[str, str]")


def _parameter(argument: ast.expr, scope: Function | None) -> tuple[int, str] | None:
    """Place and name of the function's parameter that the argument is; `self` is not counted."""
    if scope is None or not isinstance(argument, ast.Name):
        return None
    names = [parameter.arg for parameter in (*scope.args.posonlyargs, *scope.args.args) if parameter.arg != "self"]
    return (names.index(argument.id), argument.id) if argument.id in names else None


def _is_attribute_of_error(argument: ast.expr) -> bool:
    """`error.code`: it was counted where the error was made."""
    return isinstance(argument, ast.Attribute) and argument.attr in {"code", "issue_code"}


def _constants_of(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in module.body:
        if isinstance(statement, ast.Assign):
            yield from ((target.id, statement.value) for target in statement.targets if isinstance(target, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            yield statement.target.id, statement.value


def _texts(node: ast.expr, scope: Function | None, constants: dict[str, ast.expr]) -> Iterator[str]:
    """The texts of an expression; of a name, all that is assigned to it in the function, else in any module."""
    if not isinstance(node, ast.Name):
        yield from _codes(node)
        return
    assigned = list(_assigned(node.id, scope)) if scope is not None else []
    for value in assigned or ([constants[node.id]] if node.id in constants else []):
        yield from _codes(value)


def _assigned(name: str, scope: Function) -> Iterator[ast.expr]:
    for node in ast.walk(scope):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) else None
        for target in targets if value is not None else ():
            if isinstance(target, ast.Name) and target.id == name and value is not None:
                yield value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = zip(target.elts, value.elts, strict=False)
                yield from (given for one, given in pairs if isinstance(one, ast.Name) and one.id == name)


def _codes(node: ast.expr) -> Iterator[str]:
    """Texts that may be codes: either side of a choice, the values of a table, what `.get` takes from one."""
    if isinstance(node, ast.IfExp):
        yield from (*_codes(node.body), *_codes(node.orelse))
    elif isinstance(node, ast.BoolOp | ast.Dict):
        yield from (code for value in node.values for code in _codes(value))
    elif isinstance(node, ast.Subscript):
        yield from _codes(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from (code for part in (node.func.value, *node.args[1:]) for code in _codes(part))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
        yield node.value
