"""A table as text that can be found and read without its grid."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kb.formats.tables.column_names import (
    ColumnNames,
    cut_at_names,
    figure_columns,
    find_column_names,
    is_marked,
    is_single,
)
from kb.formats.tables.grid import Grid, GridPlace, Row, lay_out
from kb.formats.text_builder import TextBuilder

COMPACT_TABLE_CHARS = 600
"""Tables up to this size stay rows under one header; in larger ones each row names its columns."""

_LONGEST_HEAD = 100
"""Rows above which names are no longer looked for across blank rows."""


@dataclass(frozen=True, slots=True)
class TableText:
    """A table as it is stored."""

    text: str
    """A line for each row."""
    columns: str = ""
    """The line that names the columns, when the rows themselves do not name them."""


def add_table(builder: TextBuilder, rows: Iterable[Row], *, header: bool = False) -> None:
    """Append a table to `builder`; see `render_table`."""
    table = render_table(rows, header=header)
    builder.add("table", table.text, columns=table.columns)


def render_table(rows: Iterable[Row], *, header: bool = False) -> TableText:
    """Write a table, title and notes included, a line for each row.

    A small table is its rows, cells separated by ` | `. In one too large for a single passage
    each row repeats the names of its columns (`Plan: Basic | Price: 10`), so that any row
    found alone still says what its numbers mean. Where it is not sure which row names the
    columns, nothing is named.

    Args:
        rows: In reading order; blank rows may separate tables.
        header: The first row is known to name the columns.
    """
    parts = list(_parts(lay_out(rows), trusted=header))
    plain = ["\n".join(_plain_lines(part, names)) for part, names in parts]
    if len(parts) > 1 or sum(len(text) for text in plain) > COMPACT_TABLE_CHARS:
        return TableText(
            "\n".join(
                "\n".join(_labelled_lines(part, names)) if names else text
                for (part, names), text in zip(parts, plain, strict=True)
            )
        )
    named = next((names for _, names in parts if names), None)
    return TableText("\n".join(plain), _plain_names(named) if named else "")


def in_line(rows: Sequence[Sequence[str]], *, header: bool = False) -> str:
    """A table inside of a cell as one line: `Users: 1; Price: 10`.

    Args:
        rows: The texts of its cells.
        header: The first row names the columns: each row is `name: value, name: value`.
    """
    if header and len(rows) > 1:
        names, *body = rows
        named = (
            (
                f"{name}: {text}" if name else text
                for name, text in zip(names, row, strict=False)
                if text
            )
            for row in body
        )
        return "; ".join(filter(None, map(", ".join, named)))
    lines = [[text for text in row if text] for row in rows]
    return "; ".join((": " if len(line) == 2 else ", ").join(line) for line in lines if line)


def _parts(grid: Grid, *, trusted: bool) -> Iterator[tuple[Grid, ColumnNames | None]]:
    """Cut at blank rows, wherever a table begins that does not go on with the one before."""
    if trusted and grid and is_single(grid[0]) and len(grid[0]) > 1:
        trusted = False  # A title where names should stand.
    if trusted or is_marked(grid):
        whole = [row for row in grid if _is_filled(row)]
        if trusted and whole:
            yield whole, find_column_names(whole, trusted=True) if _is_filled(grid[0]) else None
        for part in () if trusted else cut_at_names(whole):
            yield part, find_column_names(part)
        return
    part: Grid = []
    names: ColumnNames | None = None
    for band in _bands(grid):
        found = find_column_names(band, inside=names is not None)
        if names is not None and (found or not _goes_on(part[names.end :], band)):
            yield part, names
            part, names = [], None
        if found is not None:
            first = len(part)
            names = ColumnNames(found.first + first, found.end + first, found.names)
        part.extend(band)
        if names is None and len(band) < len(part) <= _LONGEST_HEAD:
            names = find_column_names(part)  # A blank row below the names, or inside of a title.
    if part:
        yield part, names


def _goes_on(body: Grid, band: Grid) -> bool:
    """Whether rows below a blank row are more rows of the table above it, or notes to it."""
    rows = [row for row in band if not is_single(row)]
    return not rows or bool(figure_columns(body) & figure_columns(rows))


def _bands(grid: Grid) -> Iterator[Grid]:
    band: Grid = []
    for row in grid:
        if _is_filled(row):
            band.append(row)
        elif band:
            yield band
            band = []
    if band:
        yield band


def _is_filled(row: Sequence[GridPlace]) -> bool:
    return any(place.text for place in row)


def _plain_lines(part: Grid, names: ColumnNames | None) -> Iterator[str]:
    for number, row in enumerate(part):
        if names is None or number >= names.end:
            yield _plain(row)
        elif number < names.first:
            yield _bare(row)
        elif number == names.first:
            yield _plain_names(names)


def _labelled_lines(part: Grid, names: ColumnNames) -> Iterator[str]:
    for number, row in enumerate(part):
        if number < names.first:
            yield _bare(row)
        elif number == names.first:
            yield " | ".join(dict.fromkeys(name for name in names.names if name))
        elif number >= names.end:
            yield _labelled(row, names.names)


def _plain(row: Sequence[GridPlace]) -> str:
    if _is_one_across(row):
        return _bare(row)
    return " | ".join(_cell(place.text) for place in row).strip()


def _cell(text: str) -> str:
    """A text in which no bar reads as the border of two cells."""
    return text.replace(" | ", " \\| ") if " | " in text else text


def _plain_names(names: ColumnNames) -> str:
    return " | ".join(map(_cell, names.names)).strip()


def _bare(row: Sequence[GridPlace]) -> str:
    """The cells of a row, each once, those without text left out."""
    return " | ".join({place.origin: place.text for place in row if place.text}.values())


def _is_one_across(row: Sequence[GridPlace]) -> bool:
    return is_single(row) and sum(1 for place in row if place.text) > 1


def _labelled(row: Sequence[GridPlace], names: Sequence[str]) -> str:
    if is_single(row) and (row[0].text or _is_one_across(row)):
        return _bare(row)  # A note or the name of a section: no value of the first column.
    pieces: dict[tuple[tuple[int, int], str], str] = {}
    for place, name in zip(row, names, strict=True):
        if place.text:
            label = f"{name}: " if name else ""
            pieces[place.origin, name] = _cell(label + place.text)
    return " | ".join(pieces.values())
