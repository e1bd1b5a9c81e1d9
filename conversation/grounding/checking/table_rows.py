"""The rows of tables in a passage, as they were written into its text. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from conversation.grounding.checking.stated_values import values_in
from kb.document import RetrievedPassage

_BORDER = re.compile(r"\s*\|\s*|\t+")
_LINE = re.compile(r"[^\n]+")
_RULE = re.compile(r"[\s|:+=-]+")
_NAMED_CELL = re.compile(r"([^:|]{1,60}):\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class Cell:
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
    cells: tuple[Cell, ...]

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


@lru_cache(maxsize=512)
def _table_lines(text: str) -> tuple[tuple[tuple[int, int, tuple[str, ...]], ...], ...]:
    """Each table of a text: its lines with their place and cells."""
    tables: list[list[tuple[int, int, tuple[str, ...]]]] = []
    last_end = -2
    for line in _LINE.finditer(text):
        inner = line.group().strip()
        if _RULE.fullmatch(inner) and tables and line.start() == last_end + 1:
            last_end = line.end()
            continue
        cells = tuple(_BORDER.split(inner.strip("|").strip()))
        if len(cells) < 2:
            continue
        if line.start() != last_end + 1:
            tables.append([])
        last_end = line.end()
        tables[-1].append((line.start(), line.end(), cells))
    return tuple(tuple(table) for table in tables)


def rows_of(passage: RetrievedPassage) -> list[TableRow]:
    """Every row of the passage's tables, in order."""
    found: list[TableRow] = []
    for number, lines in enumerate(_table_lines(passage.text)):
        above = _columns_above(passage) if lines[0][0] == 0 else ()
        names, first = _names(lines, above)
        for start, end, cells in lines[first:]:
            found.append(TableRow(passage, number, start, end, _cells(cells, names)))
    return found


def columns_of_lines(text: str) -> dict[int, str]:
    """The names of the columns for each row below a line of such names, by where it begins."""
    named: dict[int, str] = {}
    for lines in _table_lines(text):
        names, first = _names(lines, ())
        named |= {start: " ".join(names) for start, _, _ in lines[first:] if names}
    return named


def _columns_above(passage: RetrievedPassage) -> tuple[str, ...]:
    """Names of the columns, where a passage begins inside of a table."""
    last = passage.heading_path[-1] if passage.heading_path else ""
    return tuple(_BORDER.split(last)) if "|" in last else ()


def _names(
    lines: Sequence[tuple[int, int, tuple[str, ...]]], above: tuple[str, ...]
) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and the first line that is a row."""
    named = [_NAMED_CELL.fullmatch(cell) for cell in lines[-1][2]]
    if any(named):
        # The names may stand above the rows as well, once more.
        names = [found[1].strip() for found in named if found is not None]
        return (), int(list(lines[0][2])[: len(names)] == names)
    if above:
        return above, 0
    return (lines[0][2], 1) if len(lines) > 1 and not _is_row(lines[0][2]) else ((), 0)


def _is_row(cells: Sequence[str]) -> bool:
    """Whether a first line is no header: prices and times name no column, though years may."""
    values = [value for cell in cells[1:] for value in values_in(cell)]
    return any(value.unit or any(form[0] in "td" for form in value.forms) for value in values)


def _cells(cells: Sequence[str], names: Sequence[str]) -> tuple[Cell, ...]:
    if names:
        padded = [*names, *[""] * (len(cells) - len(names))]
        return tuple(map(Cell, cells, padded))
    read: list[Cell] = []
    for cell in cells:
        named = _NAMED_CELL.fullmatch(cell)
        read.append(Cell(cell) if named is None else Cell(named[2], named[1].strip()))
    return tuple(read)
