from pathlib import Path

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from service import errors
from service.errors import TABLE, Category, OncohooksError, ToldError
from service.fhir.written import operation_outcome

DOCS = Path(__file__).parents[3] / "docs" / "errors.md"


def tree(root: type[BaseException]) -> list[type[BaseException]]:
    return [root, *(below for child in root.__subclasses__() for below in tree(child))]


def rows() -> list[str]:
    return [
        f"| `{category}` | {told.status} | {told.issue_code} | {told.severity} | {told.meaning} | {told.action} |"
        for category, told in TABLE.items()
    ]


def test_the_page_lists_every_error() -> None:
    """docs/errors.md lists every code with status, severity, meaning and what to do, and no other."""
    page = [line for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    assert page == rows(), "docs/errors.md must hold:\n" + "\n".join(rows())


def test_the_tree_stands_in_the_docstring() -> None:
    """Every exception of the tree is in the docstring of its module."""
    assert errors.__doc__
    drawn = [word for word in errors.__doc__.partition("A message")[0].split() if word.endswith("Error")]
    assert drawn == [kind.__name__ for kind in tree(OncohooksError)]


def test_every_category_has_one_row() -> None:
    """The table answers every category, and every exception that is told has one."""
    assert set(TABLE) == set(Category)
    leaves = [kind for kind in tree(ToldError) if not kind.__subclasses__()]
    assert len({kind.category for kind in leaves if issubclass(kind, ToldError)}) == len(leaves)


@pytest.mark.parametrize("category", list(Category))
def test_every_error_is_valid_fhir(category: Category) -> None:
    """Each error is an OperationOutcome with severity, issue type, our code, its meaning and what to do."""
    read = OperationOutcome.model_validate_json(operation_outcome(category, "context.patientId is missing"))
    (issue,) = read.issue
    assert issue.code == TABLE[category].issue_code
    assert issue.details
    assert issue.details.coding
    assert issue.details.coding[0].code == category
    assert TABLE[category].action in str(issue.details.text)
    assert issue.diagnostics == "context.patientId is missing"
