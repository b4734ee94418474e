"""A statement as a fragment of HTML, for EHRs that show a card's detail as such. No style, no script, no link."""

from html import escape

from service.statement.factors import Row, Table
from service.statement.printable import printable
from service.statement.statement import Paragraph, Statement


def rendered(statement: Statement) -> str:
    """The detail in one `div` with its language; tables have a caption and headers with a scope (WCAG 2.2, 1.3.1)."""
    parts = [_paragraph(part) if isinstance(part, Paragraph) else _table(part) for part in statement.parts]
    return "\n".join([f'<div lang="{statement.language}">', *parts, "</div>"])


def escaped(text: str) -> str:
    """Text for an element or a quoted attribute."""
    return escape(printable(text), quote=True)


def _paragraph(paragraph: Paragraph) -> str:
    text = escaped(paragraph.text)
    if paragraph.loud:
        text = f"<strong>{text}</strong>"
    heading = f"<strong>{escaped(paragraph.heading)}:</strong> " if paragraph.heading else ""
    return f"<p>{heading}{text}</p>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escaped(column)}</th>' for column in table.columns)
    return "\n".join(
        [
            "<table>",
            f"<caption>{escaped(table.heading)}</caption>",
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *(_row(row) for row in table.rows),
            "</tbody>",
            "</table>",
        ]
    )


def _row(row: Row) -> str:
    direction, label, *others = (escaped(cell) for cell in row.cells)
    cells = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr><td>{direction}</td><th scope="row">{label}</th>{cells}</tr>'
