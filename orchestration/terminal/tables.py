"""Small tables as text: aligned for a terminal, Markdown for the Dagster UI."""

from collections.abc import Sequence

from analysis.columns import in_columns
from analysis.printable import printable

Cell = str | int | float | None


def text_table(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Columns aligned with spaces; numbers to the right. Control characters are replaced."""
    shown = [[_plain(cell) for cell in row] for row in rows]
    right = [
        bool(rows) and all(isinstance(row[column], int | float) for row in rows)
        for column in range(len(headers))
    ]
    return in_columns(headers, shown, right=right)


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A Markdown table; nothing in a cell can end it or start markup."""
    lines = [headers, ["---"] * len(headers), *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.2f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return printable(cell)


def _escaped(cell: Cell) -> str:
    text = _plain(cell)
    for char in "\\`*_[]<>|":
        text = text.replace(char, f"\\{char}")
    return text
