"""A sheet whose cells have addresses: what is hidden or blank in it taken out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kb.formats.tables.grid import Cell
from kb.formats.tables.rendering import add_table
from kb.formats.text_builder import TextBuilder


@dataclass(slots=True)
class Sheet:
    """The cells that hold text or span, by row and column from 0."""

    rows: dict[int, dict[int, Cell]] = field(default_factory=dict[int, dict[int, Cell]])
    hidden_rows: set[int] = field(default_factory=set[int])
    hidden_columns: set[int] = field(default_factory=set[int])
    unseen: list[str] = field(default_factory=list[str])
    """What stands in cells that show nothing of it."""
    left_out: list[str] = field(default_factory=list[str])
    """Kinds of what else is on the sheet and not in its cells, one for each piece."""

    def add(self, row: int, column: int, cell: Cell) -> None:
        """Set a cell."""
        self.rows.setdefault(row, {})[column] = cell

    def text(self) -> str:
        """All of it, for a sheet that is left out."""
        return " ".join(
            cell.text for cells in self.rows.values() for cell in cells.values() if cell.text
        )

    def hidden_texts(self) -> tuple[list[str], list[str]]:
        """The texts of each hidden row, and of each hidden column."""
        by_row: list[str] = []
        by_column: dict[int, list[str]] = {}
        for row, cells in self.rows.items():
            if row in self.hidden_rows:
                by_row.append(" ".join(cell.text for cell in cells.values() if cell.text))
                continue
            for column, cell in cells.items():
                if column in self.hidden_columns and not self._reaches_out(row, column, cell):
                    by_column.setdefault(column, []).append(cell.text)
        columns = (" ".join(filter(None, texts)) for texts in by_column.values())
        return list(filter(None, by_row)), list(filter(None, columns))

    def _reaches_out(self, row: int, column: int, cell: Cell) -> bool:
        """Whether a cell that begins in a hidden column is seen in one beside it."""
        covered = range(column, column + min(cell.columns, len(self.hidden_columns) + 1))
        return row not in self.hidden_rows and any(
            each not in self.hidden_columns for each in covered
        )

    def visible_rows(self) -> Iterator[list[Cell]]:
        """The rows that a reader sees, a blank one for any number of blank rows.

        Columns that are blank everywhere are left out, and spans count what is left.
        """
        rows = self._seen_rows()
        columns = self._seen_columns()
        at_row = {row: index for index, row in enumerate(rows)}
        at_column = {column: index for index, column in enumerate(columns)}
        grid: list[dict[int, Cell]] = [{} for _ in rows]
        for row, cells in sorted(self.rows.items()):
            for column, cell in sorted(cells.items()):
                over = _seen(row, cell.rows, at_row, last=rows[-1] if rows else 0)
                across = _seen(column, cell.columns, at_column, last=columns[-1] if columns else 0)
                if over and across:
                    placed = Cell(
                        cell.text, len(over), len(across), cell.header, cell.strong, across[0]
                    )
                    grid[over[0]].setdefault(across[0], placed)
        for index, cells in enumerate(grid):
            if index and rows[index] - rows[index - 1] > 1 and not self._is_hidden_gap(rows, index):
                yield []
            yield [cells[column] for column in sorted(cells)]

    def _is_hidden_gap(self, rows: list[int], index: int) -> bool:
        between = range(rows[index - 1] + 1, rows[index])
        return len(between) <= len(self.hidden_rows) and all(
            row in self.hidden_rows for row in between
        )

    def _seen_rows(self) -> list[int]:
        used = {row for row, cells in self.rows.items() if any(c.text for c in cells.values())}
        last = max(used, default=-1)
        for row, cells in self.rows.items():
            most = max((cell.rows for cell in cells.values() if cell.text), default=1)
            used.update(range(row, min(row + most, last + 1)))
        return sorted(used - self.hidden_rows)

    def _seen_columns(self) -> list[int]:
        used: set[int] = set()
        for row, cells in self.rows.items():
            for column, cell in cells.items():
                if cell.text and row not in self.hidden_rows:
                    used.add(column)
        for cells in self.rows.values():
            for column, cell in cells.items():
                # A cell that begins in a hidden column is seen in the next one that is not.
                if cell.text and column in self.hidden_columns and cell.columns > 1:
                    used.update(range(column, min(column + cell.columns, max(used) + 1)))
        return sorted(used - self.hidden_columns)


def _seen(begin: int, count: int, at: dict[int, int], *, last: int) -> list[int]:
    """The places that a cell covers of those that are seen."""
    if count == 1:
        return [at[begin]] if begin in at else []
    covered = range(begin, min(begin + count, last + 1))
    return [at[each] for each in covered if each in at]


def add_sheet(builder: TextBuilder, sheet: Sheet, *, name: str) -> None:
    """Append what is seen of a sheet under its name; hidden rows and columns are counted."""
    rows, columns = sheet.hidden_texts()
    for text in rows:
        builder.hide("hidden row", text)
    for text in columns:
        builder.hide("hidden column", text)
    for text in sheet.unseen:
        builder.hide("hidden cell", text)
    for kind in sheet.left_out:
        builder.leave_out(kind)
    seen = list(sheet.visible_rows())
    if seen:
        builder.add("heading", name, level=1)
        add_table(builder, seen)
