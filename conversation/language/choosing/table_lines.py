"""Lines of tables in the text of a passage. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from conversation.language.telling_words import telling_words

BORDER = re.compile(r"\s*\|\s*|\t+")
NAMED_CELL = re.compile(r"([^:|]{1,60}):\s+(\S.*)")
"""A cell that brings the name of its column along."""
_LINE = re.compile(r"[^\n]+")
_RULE = re.compile(r"[\s|:+=-]+")
_LONGEST_TITLE_CHARS = 80
_SENTENCE_ENDS = tuple(".!?\u3002\uff01\uff1f")


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of a table."""

    start: int
    end: int
    """In the text."""
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuotableRow:
    """A row of a table in words that say by themselves what each value is."""

    start: int
    text: str
    """`COLUMN: VALUE, COLUMN: VALUE`."""
    words: frozenset[str]
    """Telling words of the row, of its columns and of what stands above the table."""
    own_words: frozenset[str]
    """Those of its cells that not every row of the table has."""
    label_words: frozenset[str]
    """Those of its first cell."""
    table: int
    """Tells the tables of a text apart."""


@lru_cache(maxsize=512)
def tables_in(text: str) -> tuple[tuple[TableLine, ...], ...]:
    """Each table of a text: its lines with their place and cells."""
    tables: list[list[TableLine]] = []
    last_end = -2
    for line in _LINE.finditer(text):
        inner = line.group().strip()
        if _RULE.fullmatch(inner) and tables and line.start() == last_end + 1:
            last_end = line.end()
            continue
        cells = tuple(BORDER.split(inner.strip("|").strip()))
        if len(cells) < 2:
            continue
        if line.start() != last_end + 1:
            tables.append([])
        last_end = line.end()
        tables[-1].append(TableLine(line.start(), line.end(), cells))
    return tuple(tuple(table) for table in tables)


def quotable_rows(text: str, language: str = "en") -> list[QuotableRow]:
    """Every row of the tables of a text that can be quoted, in order; words of a language."""
    found: list[QuotableRow] = []
    for number, lines in enumerate(tables_in(text)):
        rows = [[_named(cell) for cell in line.cells] for line in lines]
        names, first = _columns(lines, rows)
        rows = [_under(names, row) if names else row for row in rows[first:]]
        cells = [telling_words(" ".join(value for _, value in row), language) for row in rows]
        common = frozenset[str].intersection(*cells) if len(cells) > 1 else frozenset[str]()
        title = _title_above(text, lines[0].start)
        for line, row, words in zip(lines[first:], rows, cells, strict=True):
            said = ", ".join(f"{name}: {value}" if name else value for name, value in row if value)
            found.append(
                QuotableRow(
                    start=line.start,
                    text=f"{said}.",
                    words=telling_words(f"{title} {said}", language),
                    own_words=words - common,
                    label_words=telling_words(row[0][1], language),
                    table=number,
                )
            )
    return found


def _named(cell: str) -> tuple[str, str]:
    """The name of the column, empty where the cell does not say it, and the value."""
    named = NAMED_CELL.fullmatch(cell)
    return ("", cell) if named is None else (named[1].strip(), named[2])


def _columns(
    lines: Sequence[TableLine], rows: Sequence[Sequence[tuple[str, str]]]
) -> tuple[tuple[str, ...], int]:
    """The names of the columns where they stand above the rows, and the first row."""
    names = lines[0].cells
    if any(name for name, _ in rows[-1]):
        # They may stand above rows that have them as well, once more.
        return (), int([name for name, _ in rows[-1]][: len(names)] == list(names))
    is_header = not any(char.isdecimal() for cell in names[1:] for char in cell)
    return (names, 1) if len(lines) > 1 and is_header else ((), 0)


def _under(names: tuple[str, ...], row: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    padded = [*names, *[""] * (len(row) - len(names))]
    return [(name, value) for name, (_, value) in zip(padded, row, strict=False)]


def _title_above(text: str, start: int) -> str:
    """The heading right above a table; empty where a sentence stands there."""
    above = text[max(0, start - 3 * _LONGEST_TITLE_CHARS) : start].rstrip()
    title = above[above.rfind("\n") + 1 :].strip()
    is_title = len(title) <= _LONGEST_TITLE_CHARS and not title.endswith(_SENTENCE_ENDS)
    return title if is_title else ""
