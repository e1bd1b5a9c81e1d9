"""Tables of RTF: cells by where their right edges lie, merged across and down."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kb.formats.tables.grid import Cell

_BEGIN, _CELL, _END, _INNER = "\ue0f1", "\ue0f2", "\ue0f3", "\ue0f4"
"""Stand in the text while it is one; private characters that no font of use has."""
_ROW_END = re.compile(f"{_END}(\\d{{1,9}}){_END}")
_MERGES = frozenset({"clmgf", "clmrg", "clvmgf", "clvmrg"})
_WORDS = _MERGES | {"trowd", "trleft", "trhdr", "cellx", "cell", "row", "nestcell", "nestrow"}
_MAX_BORDERS = 200
_SAME_TWIPS = 30
"""Edges nearer than this are one."""


@dataclass(slots=True)
class _Shape:
    left: int = 0
    edges: list[tuple[int, frozenset[str]]] = field(
        default_factory=list[tuple[int, frozenset[str]]]
    )
    """The right edge of each cell in twips, and how it is merged."""
    header: bool = False


@dataclass(frozen=True, slots=True)
class RichRow:
    """A row with the texts of its cells."""

    shape: _Shape
    texts: list[str]


class RowShapes:
    """Learns the shapes of rows from control words, and finds the rows again in the text."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self._current = _Shape()
        self._merges: set[str] = set()
        self._is_open = False
        self._nested_at: int | None = None

    def knows(self, word: str | None, *, depth: int) -> bool:
        """Whether a control word is one of tables; `depth` counts the open groups."""
        if word == "nesttableprops":
            self._nested_at = depth
        return word in _WORDS

    def close(self, *, depth: int) -> None:
        """Say that a group has ended, and how many are open still."""
        if self._nested_at is not None and depth < self._nested_at:
            self._nested_at = None

    def mark(self, word: str, number: str | None, *, is_hidden: bool) -> str:
        """What stands for the word in the text."""
        if word in ("nestcell", "nestrow"):
            return _INNER if word == "nestcell" and not is_hidden else ""
        if self._nested_at is not None:
            return ""  # The shape of a table inside of a cell.
        if word == "trowd":
            return self._open()
        if word == "cell":
            return _CELL
        if word == "row":
            self._shapes.append(self._current)
            self._is_open = False
            return f"{_END}{len(self._shapes) - 1}{_END}"
        self._describe(word, int(number or 0))
        return ""

    def _open(self) -> str:
        self._current = _Shape()
        self._merges.clear()
        was_open, self._is_open = self._is_open, True
        return "" if was_open else _BEGIN

    def _describe(self, word: str, number: int) -> None:
        if word == "cellx":
            self._current.edges.append((number, frozenset(self._merges)))
            self._merges.clear()
        elif word == "trleft":
            self._current.left = number
        elif word == "trhdr":
            self._current.header = True
        else:
            self._merges.add(word)

    def rows_in(self, text: str) -> Iterator[tuple[str, RichRow | None]]:
        """The rows of a text that has the marks, each with what stands before it; then the rest."""
        at = 0
        for end in _ROW_END.finditer(text):
            before, inside = _parted(text[at : end.start()])
            texts = [", ".join(_inner(text)) for text in inside.split(_CELL)]
            if len(texts) > 1 and not texts[-1].strip():
                texts.pop()
            yield _unmarked(before), RichRow(self._shapes[int(end[1])], texts)
            at = end.end()
        yield _unmarked(text[at:]), None


def laid_out(rows: Sequence[RichRow]) -> list[list[Cell]]:
    """The rows of one table as cells of its grid."""
    edges = sorted(
        {edge for row in rows for edge, _ in row.shape.edges} | {row.shape.left for row in rows}
    )
    borders = [
        edge
        for before, edge in zip([None, *edges], edges, strict=False)
        if before is None or edge - before > _SAME_TWIPS
    ]
    if len(borders) > _MAX_BORDERS:  # Edges that hardly any two rows share say nothing.
        return [[Cell(text, header=row.shape.header) for text in row.texts] for row in rows]
    places = [list(_places(row, borders)) for row in rows]
    found: list[list[Cell]] = []
    for number, row in enumerate(places):
        cells: list[Cell] = []
        for column, columns, text, merges in row:
            if "clvmrg" in merges and _is_merged(places[number - 1 : number], column):
                continue
            below = number + 1
            while "clvmgf" in merges and _goes_on(places[below : below + 1], column):
                below += 1
            header = rows[number].shape.header
            cells.append(Cell(text, below - number, columns, header, column=column))
        found.append(cells)
    return found


_Place = tuple[int, int, str, frozenset[str]]


def _places(row: RichRow, borders: Sequence[int]) -> Iterator[_Place]:
    """Column, columns covered, text and merges of each cell."""
    edges = row.shape.edges
    begin, at = _border(row.shape.left, borders), 0
    while at < len(row.texts):
        text, merges = row.texts[at], edges[at][1] if at < len(edges) else frozenset[str]()
        end = _border(edges[at][0], borders) if at < len(edges) else begin + 1
        at += 1
        while "clmgf" in merges and at < len(edges) and "clmrg" in edges[at][1]:
            end = _border(edges[at][0], borders)
            text += f" {row.texts[at]}" if at < len(row.texts) else ""
            at += 1
        yield begin, max(end - begin, 1), text, merges
        begin = max(end, begin + 1)


def _border(edge: int, borders: Sequence[int]) -> int:
    return bisect_left(borders, edge - _SAME_TWIPS)


def _goes_on(row: Sequence[Sequence[_Place]], column: int) -> bool:
    return any(
        begin == column and "clvmrg" in merges for each in row for begin, _, _, merges in each
    )


def _is_merged(above: Sequence[Sequence[_Place]], column: int) -> bool:
    return any(
        begin == column and merges & _MERGES for each in above for begin, _, _, merges in each
    )


def _parted(text: str) -> tuple[str, str]:
    """What stands before a row, and the row; one that states no shape begins with its line."""
    before, begins, inside = text.partition(_BEGIN)
    if begins:
        return before, inside
    start = text.rfind("\n", 0, max(text.find(_CELL), 0)) + 1
    return text[:start], text[start:]


def _inner(text: str) -> list[str]:
    """The texts of the cells of a table inside of a cell, or that of the cell."""
    return list(filter(None, (each.strip() for each in text.split(_INNER))))


def _unmarked(text: str) -> str:
    return text.replace(_BEGIN, "").replace(_CELL, " ").replace(_INNER, " ")
