"""Tables of Word documents: cells that are merged across and down, header rows, deleted rows."""

from collections.abc import Callable, Iterator
from typing import Any

from kb.formats.office.word_styles import WORD, is_on, value_of
from kb.formats.tables.grid import Cell

_MAX_COLUMNS = 63
"""Word makes no more."""


def table_rows(table: Any, text_of: Callable[[Any], str]) -> list[list[Cell]]:
    """The rows of a `w:tbl`; rows deleted with changes tracked are left out."""
    rows = [row for row in _rows_of(table) if not is_deleted(row)]
    layout = [_Layout(row) for row in rows]
    return [_cells(layout, number, text_of) for number in range(len(rows))]


def lays_out(table: Any) -> bool:
    """Whether a table only puts other tables side by side: none of its rows has texts alone."""
    rows = [list(_cells_of_row(row)) for row in _rows_of(table)]
    inner = [[next(cell.iter(f"{WORD}tbl"), None) is not None for cell in row] for row in rows]
    return any(map(any, inner)) and not any(len(holds) > 1 and not any(holds) for holds in inner)


def cells_of(table: Any) -> Iterator[Any]:
    """The cells of a table in reading order."""
    for row in _rows_of(table):
        yield from _cells_of_row(row)


def _cells_of_row(row: Any) -> Iterator[Any]:
    for cell in row.iter(f"{WORD}tc"):
        if next(cell.iterancestors(f"{WORD}tr"), None) is row:
            yield cell


def deleted_rows(table: Any) -> int:
    """How many rows of a table are deleted, and only kept to be shown as a change."""
    return sum(1 for row in _rows_of(table) if is_deleted(row))


def is_deleted(row: Any) -> bool:
    """Whether the deletion of a row waits to be accepted."""
    return row.find(f"{WORD}trPr/{WORD}del") is not None


class _Layout:
    """Where the cells of one row begin."""

    def __init__(self, row: Any) -> None:
        self.before = _count(row, "trPr gridBefore", 0)
        self.header = is_on(row, "trPr tblHeader") or False
        self.cells: list[tuple[int, int, Any]] = []
        """Column, columns covered and element."""
        self.continued: set[int] = set()
        """Columns where a cell from above goes on."""
        column = self.before
        for cell in _cells_of_row(row):  # A table inside of a cell is that cell's text.
            columns = _count(cell, "tcPr gridSpan", 1)
            merge = cell.find(f"{WORD}tcPr/{WORD}vMerge")
            if merge is not None and merge.get(f"{WORD}val", "continue") == "continue":
                self.continued.add(column)
            self.cells.append((column, columns, cell))
            column += columns


def _cells(layout: list[_Layout], number: int, text_of: Callable[[Any], str]) -> list[Cell]:
    row = layout[number]
    cells = [Cell(columns=row.before)] if row.before else []
    for column, columns, element in row.cells:
        if column in row.continued and number > 0:
            if not _is_covered(layout, number, column):
                cells.append(Cell(columns=columns))
            continue
        rows = 1
        while number + rows < len(layout) and column in layout[number + rows].continued:
            rows += 1
        cells.append(Cell(text_of(element), rows, columns, row.header, _is_strong(element)))
    return cells


def _is_covered(layout: list[_Layout], number: int, column: int) -> bool:
    """Whether the row above has a cell, of its own or from further above, to go on with."""
    return any(begin == column for begin, _, _ in layout[number - 1].cells)


def _rows_of(table: Any) -> Iterator[Any]:
    for row in table.iter(f"{WORD}tr"):
        if next(row.iterancestors(f"{WORD}tbl"), None) is table:
            yield row


def _is_strong(cell: Any) -> bool:
    """Whether every run of text in a cell is set in bold."""
    runs = [run for run in cell.iter(f"{WORD}r") if run.find(f"{WORD}t") is not None]
    return bool(runs) and all(is_on(run, "rPr b") for run in runs)


def _count(element: Any, path: str, default: int) -> int:
    value = value_of(element, path) or ""
    return min(int(value), _MAX_COLUMNS) if value.isdecimal() else default
