"""Tables without a ruled grid: rows of short pieces of text that stand below one another."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from kb.formats.pdf.page_table import PageTable, TableCell
from kb.formats.pdf.tables.rules import Rules
from kb.formats.pdf.words import PageWord, joined

GAP_RATIO = 0.9
"""A gap wider than this share of the type's height parts two cells."""
MIN_ROWS = 3
MAX_WRAPPED_ROWS = 8
"""Lines of one cell."""
MAX_CROSSING_SHARE = 0.15
"""Of the rows may run across the border of two columns, as cells that span do."""
MAX_PROSE_CHARS = 28
"""Columns whose usual text is longer than this, in each of them, are columns of prose."""
LINE_RATIO = 1.5
"""Lines of one cell lie at most this many times the type's height apart."""

_TOP_ROWS = 4
"""A table that goes on begins within as many rows of the page."""
_TOUCHING = 1.5
"""Points by which words that belong to two columns may overlap the blank between them."""
_MARK = re.compile(r"[•◦▪‣●○■\u2013∙*-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]", re.IGNORECASE)
_LEADERS = re.compile(r"(?:\. ?){4,}")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of one row without a wide gap between them."""

    words: tuple[PageWord, ...]

    @property
    def left(self) -> float:
        return self.words[0].left

    @property
    def right(self) -> float:
        return self.words[-1].right

    @property
    def first(self) -> PageWord:
        return self.words[0]


@dataclass(slots=True)
class _Row:
    pieces: list[_Piece] = field(default_factory=list[_Piece])

    @property
    def top(self) -> PageWord:
        """The word that stands highest."""
        return max((piece.first for piece in self.pieces), key=lambda word: word.bottom)

    @property
    def lowest(self) -> PageWord:
        return min((piece.first for piece in self.pieces), key=lambda word: word.bottom)


def unruled_tables(
    words: Sequence[PageWord], rules: Rules, *, above: PageTable | None = None
) -> Iterator[PageTable]:
    """The tables of a page.

    Args:
        words: In the order of its text; those in ruled grids left out.
        rules: Of the page.
        above: The table that the page before ends with, and may go on here.
    """
    lines = _rows(list(_pieces(words)))
    if above is not None and above.gaps:
        start, end = _continued(lines, above.gaps)
        if end > start:
            cells = [_row_cells(row, above.gaps) for row in lines[start:end]]
            yield _page_table(_unwrapped(cells, rules), above.gaps)
            lines = lines[:start] + lines[end:]
    for run in _runs(lines):
        gaps = _gaps(run)
        if not gaps:
            continue
        rows = [_row_cells(row, gaps) for row in run]
        rows = _unwrapped(rows, rules)
        if _is_table(rows):
            yield _page_table(rows, gaps)


def _continued(rows: Sequence[_Row], gaps: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Which rows near the top of a page stand in the columns of the table before it."""
    for start in range(min(_TOP_ROWS, len(rows))):
        end = start
        while end < len(rows) and _fits(rows[end], gaps):
            end += 1
        while end > start and len(rows[end - 1].pieces) == 1:
            end -= 1
        if end > start:
            return start, end
    return 0, 0


def _fits(row: _Row, gaps: Sequence[tuple[float, float]]) -> bool:
    """Whether a row stands in columns: a single piece in one of them, several in more."""
    if len(row.pieces) == 1:
        piece = row.pieces[0]
        return not any(piece.left < start and end < piece.right for start, end in gaps)
    parts = [part for piece in row.pieces for part in _cut(piece.words, gaps)]
    crossing = any(
        part[0].left < start and end < part[-1].right for part in parts for start, end in gaps
    )
    return not crossing and len({_column(part, gaps) for part in parts}) > 1


def _pieces(words: Sequence[PageWord]) -> Iterator[_Piece]:
    """Cut lines at wide gaps."""
    current: list[PageWord] = []
    for word in words:
        if current:
            last = current[-1]
            gap = word.left - last.right
            is_near = -0.5 * word.size <= gap <= GAP_RATIO * min(word.size, last.size)
            if word.line != last.line or not is_near or not word.is_level_with(last):
                yield _Piece(tuple(current))
                current = []
        current.append(word)
    if current:
        yield _Piece(tuple(current))


def _rows(pieces: Sequence[_Piece]) -> list[_Row]:
    """Put pieces side by side that stand so, also where a cell of several lines came between."""
    rows: list[_Row] = []
    for piece in pieces:
        row = _row_beside(rows, piece)
        if row is None:
            rows.append(_Row([piece]))
            continue
        for wrapped in rows[row + 1 :]:
            rows[row].pieces += wrapped.pieces
        del rows[row + 1 :]
        rows[row].pieces.append(piece)
    return rows


def _row_beside(rows: Sequence[_Row], piece: _Piece) -> int | None:
    """The row at whose right a piece stands; rows after it are lines of its last cell."""
    for back in range(1, min(MAX_WRAPPED_ROWS, len(rows)) + 1):
        row = rows[-back]
        last = row.pieces[-1]
        if row.top.is_level_with(piece.first):
            return len(rows) - back if piece.left >= last.right - 1 else None
        is_one_line = len(row.pieces) == 1
        if not is_one_line or piece.left < last.right - 1 or piece.first.bottom < row.top.bottom:
            return None
    return None


def _runs(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows of several pieces that follow one another, with single pieces between them."""
    run: list[_Row] = []
    for row in rows:
        if run and _breaks(run, row):
            yield from _trimmed(run)
            run = []
        if run or len(row.pieces) > 1:
            run.append(row)
    yield from _trimmed(run)


def _trimmed(run: list[_Row]) -> Iterator[list[_Row]]:
    while run and len(run[-1].pieces) == 1 and not _is_under_column(run, run[-1]):
        run.pop()
    if sum(len(row.pieces) > 1 for row in run) >= MIN_ROWS - 1:
        yield run


def _breaks(run: Sequence[_Row], row: _Row) -> bool:
    drop = run[-1].lowest.bottom - row.top.bottom
    size = max(row.top.size, 1.0)
    if drop <= 0 or drop > 4 * size:
        return True
    if len(row.pieces) > 1:
        return False
    piece = row.pieces[0]
    starts = sorted(each.left for each in _widest(run).pieces)
    # Prose that follows runs across the columns.
    return piece.right > starts[1] and not _is_under_column(run, row)


def _is_under_column(run: Sequence[_Row], row: _Row) -> bool:
    """Whether a single piece stands below a cell that is not the first: a line more of it."""
    piece = row.pieces[0]
    widest = _widest(run)
    return any(abs(piece.left - other.left) < 2 for other in widest.pieces[1:])


def _widest(run: Sequence[_Row]) -> _Row:
    return max(run, key=lambda row: len(row.pieces))


def _gaps(run: Sequence[_Row]) -> list[tuple[float, float]]:
    """The blanks between columns: where hardly any row runs across."""
    rows = [row for row in run if len(row.pieces) > 1]
    edges = sorted({edge for row in rows for p in row.pieces for edge in (p.left, p.right)})
    steps: list[tuple[float, int]] = []
    for row in rows:
        for piece in row.pieces:
            steps += [(piece.left, 1), (piece.right, -1)]
    steps.sort()
    allowed = int(MAX_CROSSING_SHARE * len(rows))
    gaps: list[tuple[float, float]] = []
    crossing = at = 0
    start: float | None = None
    for edge in edges:
        while at < len(steps) and steps[at][0] <= edge:
            crossing += steps[at][1]
            at += 1
        if crossing <= allowed and start is None:
            start = edge
        elif crossing > allowed and start is not None:
            gaps.append((start, edge))
            start = None
    return gaps


def _row_cells(row: _Row, gaps: Sequence[tuple[float, float]]) -> list[list[PageWord]]:
    """The words of each column; what runs across a blank between columns is cut in it."""
    cells: list[list[PageWord]] = [[] for _ in range(len(gaps) + 1)]
    for piece in row.pieces:
        for part in _cut(piece.words, gaps):
            cells[_column(part, gaps)] += part
    return cells


def _cut(
    words: Sequence[PageWord], gaps: Sequence[tuple[float, float]]
) -> Iterator[list[PageWord]]:
    cuts: set[int] = set()
    for start, end in gaps:
        if words[0].left >= start or words[-1].right <= end:
            continue
        blanks = [
            (min(after.left, end) - max(before.right, start), number)
            for number, (before, after) in enumerate(pairwise(words), start=1)
        ]
        width, number = max(blanks, default=(-1.0, 0))
        if width > -_TOUCHING:
            cuts.add(number)
    part: list[PageWord] = []
    for number, word in enumerate(words):
        if number in cuts:
            yield part
            part = []
        part.append(word)
    yield part


def _column(part: Sequence[PageWord], gaps: Sequence[tuple[float, float]]) -> int:
    """The column that holds most of a part; the first of those that it fills."""
    left, right = part[0].left, part[-1].right
    starts = [float("-inf"), *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), float("inf")]
    shares = [min(right, end) - max(left, start) for start, end in zip(starts, ends, strict=True)]
    return max(range(len(shares)), key=shares.__getitem__)


def _unwrapped(rows: list[list[list[PageWord]]], rules: Rules) -> list[list[list[PageWord]]]:
    """Join rows that are further lines of the cells above them."""
    parted = [_is_ruled_off(above, row, rules) for above, row in pairwise(rows)]
    is_ruled = sum(parted) * 2 >= len(parted) > 0 and sum(parted) > 1
    joined_rows = rows[:1]
    for row, is_parted in zip(rows[1:], parted, strict=True):
        above = joined_rows[-1]
        if (is_ruled and not is_parted) or (not is_parted and _continues(above, row)):
            joined_rows[-1] = [[*one, *other] for one, other in zip(above, row, strict=True)]
        else:
            joined_rows.append(row)
    return joined_rows


def _continues(above: list[list[PageWord]], row: list[list[PageWord]]) -> bool:
    """Whether a row without a first cell holds further lines of cells above it."""
    if row[0] or any(cell and not above[at] for at, cell in enumerate(row)):
        return False
    filled = sum(bool(cell) for cell in row)
    size = max(word.size for cell in row for word in cell)
    drop = _bottom(above) - max(word.bottom for cell in row for word in cell)
    return drop <= LINE_RATIO * size and filled <= max(1, sum(map(bool, above)) // 2)


def _is_ruled_off(above: list[list[PageWord]], row: list[list[PageWord]], rules: Rules) -> bool:
    lower, upper = max(word.middle for cell in row for word in cell), _bottom(above)
    left = min(word.left for cell in row for word in cell)
    return any(lower < rule.at < upper + 2 and rule.covers(left) for rule in rules.horizontal)


def _bottom(row: list[list[PageWord]]) -> float:
    return min(word.bottom for cell in row for word in cell)


def _is_table(rows: list[list[list[PageWord]]]) -> bool:
    if len(rows) < MIN_ROWS or sum(sum(map(bool, row)) > 1 for row in rows) * 5 < len(rows) * 3:
        return False
    texts = [[joined(cell) for cell in row] for row in rows]
    firsts = [row[0] for row in texts if row[0]]
    marks = sum(_MARK.fullmatch(text) is not None for text in firsts)
    leaders = sum(any(_LEADERS.search(text) for text in row) for row in texts)
    if marks * 2 > len(firsts) or leaders * 4 > len(rows):
        return False
    columns = [[len(row[at]) for row in texts if row[at]] for at in range(len(texts[0]))]
    # Two columns of prose stand side by side too.
    return any(lengths and median(lengths) <= MAX_PROSE_CHARS for lengths in columns)


def _page_table(rows: list[list[list[PageWord]]], gaps: Sequence[tuple[float, float]]) -> PageTable:
    cells = tuple(tuple(TableCell(joined(cell), at) for at, cell in enumerate(row)) for row in rows)
    used = frozenset(word for row in rows for cell in row for word in cell)
    left, right = min(word.left for word in used), max(word.right for word in used)
    return PageTable(
        cells, used, (left, *((start + end) / 2 for start, end in gaps), right), tuple(gaps)
    )
