"""Tables of pages as text; one that goes on over pages has its column names once."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from kb.formats.pdf.line_breaks import Hyphens
from kb.formats.pdf.lines import Line
from kb.formats.pdf.table import PageTable
from kb.formats.text_builder import render_table


def table_texts(pages: Sequence[Sequence[Line]], hyphens: Hyphens) -> dict[int, str]:
    """The text of each table, by the identity of the table."""
    texts: dict[int, str] = {}
    for chain in _chains(pages):
        grids = [_grid(table, hyphens) for table in chain]
        for number in range(1, len(grids)):
            grids[number] = _without_names(grids[number], grids[0])
        lines = render_table([row for grid in grids for row in grid]).split("\n")
        # Title and column names lie on the first page, so that rows are counted from the end.
        for table, grid in reversed(list(zip(chain[1:], grids[1:], strict=True))):
            texts[id(table)] = "\n".join(lines[len(lines) - len(grid) :] if grid else [])
            lines = lines[: len(lines) - len(grid)]
        texts[id(chain[0])] = "\n".join(lines)
    return texts


def _chains(pages: Sequence[Sequence[Line]]) -> Iterator[list[PageTable]]:
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


def _grid(table: PageTable, hyphens: Hyphens) -> list[list[str]]:
    """Rows of equal length; a cell that spans is repeated in each place that it covers."""
    width = len(table.borders) - 1
    grid = [[""] * width for _ in table.rows]
    for number, row in enumerate(table.rows):
        for cell in row:
            for below in range(number, min(number + cell.rows, len(grid))):
                for column in range(cell.column, min(cell.column + cell.columns, width)):
                    grid[below][column] = hyphens.resolved(cell.text)
    return [row for row in grid if any(row)]


def _without_names(grid: list[list[str]], first: list[list[str]]) -> list[list[str]]:
    """Leave out the rows at the top that only repeat those of the table's first page."""
    same = 0
    while same < min(len(grid), len(first)) and grid[same] == first[same]:
        same += 1
    return grid[same:]
