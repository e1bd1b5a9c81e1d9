"""Tables of an HTML tree: which are tables of data, and what stands in their cells."""

import re
from collections.abc import Iterator

from kb.formats.pages.html_text import HEADINGS, Element, inline_text, lines_of, name_of, tag_of
from kb.formats.tables.grid import Cell

MAX_FLAT_CELL_CHARS = 500
"""A cell longer than this may hold paragraphs, and stays as it is."""
MAX_ROWS = 65_534
"""A cell can cover no more rows, by the HTML standard."""

_COUNT = re.compile(r"\s*(\d{1,6})")


def is_data_table(table: Element) -> bool:
    """A table that only lays out a page holds tables, headings or lists, or has one column."""
    if any(
        tag_of(inner) in HEADINGS or tag_of(inner) == "table"
        for inner in table.iter()
        if inner is not table
    ):
        return False
    return any(len(row) > 1 for row in rows_of(table))


def rows_of(table: Element) -> Iterator[list[Element]]:
    """The cells of each row."""
    for row in table.iter():
        if tag_of(row) == "tr":
            yield [cell for cell in row if tag_of(cell) in ("td", "th")]


def table_rows(table: Element) -> Iterator[list[Cell]]:
    """The rows of a table as `kb.formats.tables` takes them, its caption before them."""
    for part in table:
        if tag_of(part) == "caption":
            yield [Cell(inline_text(part))]
    for row in rows_of(table):
        yield [
            Cell(
                cell_text(cell),
                rows=_count(cell, "rowspan") or MAX_ROWS,
                columns=_count(cell, "colspan") or 1,
                header=tag_of(cell) == "th" or _is_in_head(cell),
            )
            for cell in row
        ]


def cell_text(cell: Element) -> str:
    """What a cell says; where it only shows something, what that is called."""
    return inline_text(cell) or ", ".join(_shown(cell))


def flatten_cells(root: Element) -> None:
    """Turn short cells of data tables to plain text: lists and icons are lost on their way else."""
    for table in root.iter("table"):
        if not is_data_table(table):
            continue
        for row in rows_of(table):
            for cell in row:
                if len(cell) and len(cell.text_content()) <= MAX_FLAT_CELL_CHARS:
                    text = ", ".join(lines_of(cell)) or cell_text(cell)
                    for child in list(cell):
                        cell.remove(child)
                    cell.text = text


def table_key(table: Element) -> str:
    """The same for two tables that say the same, however they are marked up."""
    return "".join("".join(str(piece) for piece in table.itertext()).split())


def _shown(element: Element) -> Iterator[str]:
    """Names of icons, pictures and boxes to tick: what is read out in place of them."""
    tag = tag_of(element)
    if not tag or (tag == "input" and element.get("type") == "hidden"):
        return
    name = name_of(element)
    if tag == "input" and element.get("type") in ("checkbox", "radio"):
        name = "yes" if element.get("checked") is not None else "no"
    if name:
        yield name
        return
    for child in element:
        yield from _shown(child)


def _count(cell: Element, attribute: str) -> int:
    match = _COUNT.match(cell.get(attribute) or "1")
    return int(match[1]) if match else 1


def _is_in_head(cell: Element) -> bool:
    return any(tag_of(above) == "thead" for above in cell.iterancestors("thead", "table"))
