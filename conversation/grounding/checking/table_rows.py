"""The rows of tables in a passage, as they were written into its text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from conversation.grounding.checking.stated_values import values_in
from conversation.language.choosing.table_lines import BORDER, NAMED_CELL, TableLine, tables_in
from kb.document import RetrievedPassage


@dataclass(frozen=True, slots=True)
class RowCell:
    """One place of a row."""

    text: str
    column: str = ""
    """The name of its column; empty where none is known."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table."""

    passage: RetrievedPassage
    table: int
    """Number of its table in the passage."""
    start: int
    end: int
    """In the text of the passage."""
    cells: tuple[RowCell, ...]

    @property
    def label(self) -> str:
        """What the row is about: its first cell."""
        return next((cell.text for cell in self.cells if cell.text), "")

    def said(self) -> str:
        """The row as a person reads it out: each cell behind the name of its column."""
        return ", ".join(
            f"{cell.column}: {cell.text}" if cell.column else cell.text
            for cell in self.cells
            if cell.text
        )


def rows_of(passage: RetrievedPassage) -> list[TableRow]:
    """Every row of the passage's tables, in order."""
    found: list[TableRow] = []
    for number, lines in enumerate(tables_in(passage.text)):
        above = _columns_above(passage) if lines[0].start == 0 else ()
        names, first = _names(lines, above)
        for line in lines[first:]:
            cells = _cells(line.cells, names)
            found.append(TableRow(passage, number, line.start, line.end, cells))
    return found


def columns_of_lines(text: str) -> dict[int, str]:
    """The names of the columns for each row below a line of such names, by where it begins."""
    named: dict[int, str] = {}
    for lines in tables_in(text):
        names, first = _names(lines, ())
        named |= {line.start: " ".join(names) for line in lines[first:] if names}
    return named


def _columns_above(passage: RetrievedPassage) -> tuple[str, ...]:
    """Names of the columns, where a passage begins inside of a table."""
    last = passage.heading_path[-1] if passage.heading_path else ""
    return tuple(BORDER.split(last)) if "|" in last else ()


def _names(lines: Sequence[TableLine], above: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and the first line that is a row."""
    named = [NAMED_CELL.fullmatch(cell) for cell in lines[-1].cells]
    if any(named):
        # The names may stand above the rows as well, once more.
        names = [found[1].strip() for found in named if found is not None]
        return (), int(list(lines[0].cells)[: len(names)] == names)
    if above:
        return above, 0
    return (lines[0].cells, 1) if len(lines) > 1 and not _is_row(lines[0].cells) else ((), 0)


def _is_row(cells: Sequence[str]) -> bool:
    """Whether a first line is no header: prices and times name no column, though years may."""
    values = [value for cell in cells[1:] for value in values_in(cell)]
    return any(value.unit or any(form[0] in "td" for form in value.forms) for value in values)


def _cells(cells: Sequence[str], names: Sequence[str]) -> tuple[RowCell, ...]:
    if names:
        padded = [*names, *[""] * (len(cells) - len(names))]
        return tuple(map(RowCell, cells, padded))
    read: list[RowCell] = []
    for cell in cells:
        named = NAMED_CELL.fullmatch(cell)
        read.append(RowCell(cell) if named is None else RowCell(named[2], named[1].strip()))
    return tuple(read)
