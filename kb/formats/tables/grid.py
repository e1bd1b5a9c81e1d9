"""The grid of a table: where each cell stands once spans are laid out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb.formats.text_builder import one_line

MAX_REPEATED_CHARS = 200
"""The text of a cell that spans more is written once: it is prose and names nothing."""
MAX_SPANNED_COLUMNS = 64
"""More columns than this are spanned only where the cells of some row stand in as many."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as its source has it."""

    text: str = ""
    rows: int = 1
    """How many rows it covers; what lies beyond the table is cut off."""
    columns: int = 1
    header: bool = False
    """Whether the source says that it names what stands below or beside it."""
    strong: bool = False
    """Whether all of it is set in bold, as the names of columns often are."""
    column: int | None = None
    """Its column from 0 where the source states it; else the next one that is free."""


@dataclass(frozen=True, slots=True)
class GridPlace:
    """One place of the grid. Places that a spanning cell covers are equal in `origin`."""

    text: str = ""
    origin: tuple[int, int] = (-1, -1)
    """Row and column of the cell that it belongs to."""
    header: bool = False
    columns: int = 1
    """How many columns that cell covers."""
    strong: bool = False


Grid = list[list[GridPlace]]
Row = Sequence[Cell | str]


def lay_out(rows: Iterable[Row]) -> Grid:
    """Give each cell its row and columns; every row of the result has the same length.

    A cell that spans is repeated in each place it covers, as the reader's eye does. Rows that are
    blank stay (they may separate tables); columns that are blank in every row are dropped, and of
    columns that every row covers with the same cells only the first is kept.
    """
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    most_columns = max(MAX_SPANNED_COLUMNS, 0, *(len(row) for row in cells))
    grid: Grid = []
    below: dict[int, tuple[int, GridPlace]] = {}
    for number, row in enumerate(cells):
        places: dict[int, GridPlace] = {}
        for column, (_, place) in below.items():
            places[column] = place
        below = {column: (left - 1, place) for column, (left, place) in below.items() if left > 1}
        _place_row(row, number, places=places, below=below, most_columns=most_columns)
        width = max(places, default=-1) + 1
        grid.append([places.get(column, _BLANK) for column in range(width)])
    return _without_idle_columns(grid)


_BLANK = GridPlace()


def _place_row(
    row: Sequence[Cell],
    number: int,
    *,
    places: dict[int, GridPlace],
    below: dict[int, tuple[int, GridPlace]],
    most_columns: int,
) -> None:
    column = 0
    for cell in row:
        column = _free(column, places) if cell.column is None else cell.column
        columns = min(max(cell.columns, 1), most_columns)
        text = one_line(cell.text)
        if columns == 1 and cell.rows <= 1:
            places[column] = GridPlace(text, (number, column), cell.header, strong=cell.strong)
            column += 1
            continue
        place = GridPlace(text, (number, column), cell.header, columns, cell.strong)
        once = GridPlace("", place.origin, cell.header, columns, cell.strong)
        repeated = place if len(text) <= MAX_REPEATED_CHARS else once
        for covered in range(column, column + columns):
            if covered in places and (cell.column is None or covered > column):
                break
            places[covered] = place if covered == column else repeated
            if cell.rows > 1:
                below[covered] = (cell.rows - 1, repeated)
        column += columns


def _free(column: int, places: dict[int, GridPlace]) -> int:
    while column in places:
        column += 1
    return column


def _without_idle_columns(grid: Grid) -> Grid:
    """Drop columns without any text, and those that only repeat the column before."""
    width = max((len(row) for row in grid), default=0)
    used = [False] * width
    for row in grid:
        for column, place in enumerate(row):
            if place.text and (column == 0 or row[column - 1].origin != place.origin):
                used[column] = True
    kept = [column for column in range(width) if used[column]]
    return [[row[column] if column < len(row) else _BLANK for column in kept] for row in grid]
