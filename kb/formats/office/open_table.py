"""Tables of OpenDocument files: what their cells show, merged cells, hidden rows and columns."""

from collections.abc import Callable, Iterator
from typing import Any

from kb.formats.pages.html_text import tag_of
from kb.formats.tables.grid import Cell
from kb.formats.tables.sheet import Sheet

_MAX_REPEAT = 100
"""A row or cell with text can be stored with a count; no reader sees more of them than this."""
_MAX_COLUMNS = 16_384
_MAX_ROWS = 1_048_576


def read_table(table: Any, text_of: Callable[[Any], str]) -> Sheet:
    """Read a `table:table`."""
    sheet = Sheet(hidden_columns=_hidden_columns(table))
    number = 0
    for row, header in _rows_of(table, header=False):
        repeat = number_of(row, "number-rows-repeated", 1)
        places = list(_places(row, text_of, header=header))
        copies = min(repeat, _MAX_REPEAT) if places else 0
        for copy in range(copies):
            for column, cell in places:
                sheet.add(number + copy, column, cell)
        if _is_hidden(row):
            sheet.hidden_rows.update(range(number, number + min(repeat, _MAX_ROWS)))
        number += repeat
    return sheet


def lays_out(table: Any) -> bool:
    """Whether a table only puts other tables side by side: none of its rows has texts alone."""
    rows = [
        [each for each in row if tag_of(each) == "table-cell"]
        for row, _ in _rows_of(table, header=False)
    ]
    inner = [[next(cell.iter("{*}table"), None) is not None for cell in row] for row in rows]
    return any(map(any, inner)) and not any(len(holds) > 1 and not any(holds) for holds in inner)


def _places(row: Any, text_of: Callable[[Any], str], *, header: bool) -> Iterator[tuple[int, Cell]]:
    """The cells with text or a span, each with its column; covered ones have none."""
    column = 0
    for element in row:
        tag = tag_of(element)
        if tag not in ("table-cell", "covered-table-cell"):
            continue
        repeat = number_of(element, "number-columns-repeated", 1)
        text = text_of(element) if tag == "table-cell" else ""
        columns = number_of(element, "number-columns-spanned", 1)
        rows = number_of(element, "number-rows-spanned", 1)
        if tag == "table-cell" and (text or columns > 1 or rows > 1):
            for copy in range(min(repeat, _MAX_REPEAT)):
                yield column + copy, Cell(text, rows, min(columns, _MAX_COLUMNS), header)
        column += repeat


def _rows_of(parent: Any, *, header: bool) -> Iterator[tuple[Any, bool]]:
    """The rows of a table, and whether each is a header; tables inside of cells are not opened."""
    for element in parent:
        tag = tag_of(element)
        if tag == "table-row":
            yield element, header
        elif tag in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows_of(element, header=header or tag == "table-header-rows")


def _hidden_columns(table: Any) -> set[int]:
    hidden: set[int] = set()
    column = 0
    for element in table.iter():
        if tag_of(element) == "table-row":
            break
        if tag_of(element) == "table-column":
            repeat = min(number_of(element, "number-columns-repeated", 1), _MAX_COLUMNS)
            if _is_hidden(element):
                hidden.update(range(column, column + repeat))
            column += repeat
    return hidden


def _is_hidden(element: Any) -> bool:
    return attribute(element, "visibility") in ("collapse", "filter")


def number_of(element: Any, name: str, default: int) -> int:
    """A count that an attribute states, whatever its namespace."""
    value = attribute(element, name) or ""
    return max(int(value), 1) if value.isdecimal() and len(value) < 9 else default


def attribute(element: Any, name: str) -> str | None:
    """An attribute by its local name."""
    for key, value in element.attrib.items():
        if str(key).endswith("}" + name):
            return str(value)
    return None
