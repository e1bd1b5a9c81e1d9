"""Tables of pages as text; one that goes on over pages has its column names once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from kb.formats.pdf.line_breaks import Hyphens
from kb.formats.pdf.lines import PageLine
from kb.formats.pdf.page_table import PageTable, TableCell
from kb.formats.tables.grid import Cell
from kb.formats.tables.rendering import TableText, render_table

_Rows = list[list[TableCell]]


def table_texts(pages: Sequence[Sequence[PageLine]], hyphens: Hyphens) -> dict[int, TableText]:
    """The text of each table, by the identity of the table."""
    texts: dict[int, TableText] = {}
    for chain in _chains(pages):
        parts = [_rows(table, hyphens) for table in chain]
        parts[1:] = [_without_names(rows, parts[0]) for rows in parts[1:]]
        whole = render_table(
            [
                [Cell(cell.text, cell.rows, cell.columns, column=cell.column) for cell in row]
                for rows in parts
                for row in rows
            ]
        )
        lines = whole.text.split("\n")
        # Title and column names lie on the first page, so that rows are counted from the end.
        for table, rows in reversed(list(zip(chain[1:], parts[1:], strict=True))):
            first = max(len(lines) - _lines(rows), 0)
            texts[id(table)] = replace(whole, text="\n".join(lines[first:]))
            lines = lines[:first]
        texts[id(chain[0])] = replace(whole, text="\n".join(lines))
    return texts


def _chains(pages: Sequence[Sequence[PageLine]]) -> Iterator[list[PageTable]]:
    """Tables, each with those on the next pages that it goes on with."""
    following: dict[int, PageTable] = {}
    continued: set[int] = set()
    for before, after in pairwise(pages):
        last = before[-1].table if before else None
        first = after[0].table if after else None
        if last and first and last.goes_on_with(first):
            following[id(last)] = first
            continued.add(id(first))
    for lines in pages:
        for table in (line.table for line in lines):
            if table is None or id(table) in continued:
                continue
            chain = [table]
            while (after := following.get(id(chain[-1]))) is not None:
                chain.append(after)
            yield chain


def _rows(table: PageTable, hyphens: Hyphens) -> _Rows:
    """The rows with their hyphens; no cell reaches beyond the page."""
    count = len(table.rows)
    return [
        [
            replace(cell, text=hyphens.resolved(cell.text), rows=min(cell.rows, count - number))
            for cell in row
        ]
        for number, row in enumerate(table.rows)
    ]


def _lines(rows: _Rows) -> int:
    """How many of the rows hold text, be it of a cell that began further up."""
    reach = filled = 0
    for number, row in enumerate(rows):
        reach = max([reach, *(number + cell.rows for cell in row if cell.text)])
        filled += reach > number
    return filled


def _without_names(rows: _Rows, first: _Rows) -> _Rows:
    """Leave out the rows at the top that only repeat those of the table's first page."""
    same = 0
    while same < min(len(rows), len(first)) and rows[same] == first[same]:
        same += 1
    return rows[same:]
