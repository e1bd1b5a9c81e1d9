"""Which rows of a table name its columns, and what each column is called."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kb.formats.tables.grid import Grid, GridPlace

MAX_NAME_CHARS = 80
_TITLE_ROWS = 40
"""The names of columns are looked for below at most this many rows of title and preamble."""
_HEADER_ROWS = 4
_BODY_ROWS = 60
"""What a column holds is judged by this many rows below its name."""
_MAX_FIGURE_CHARS = 40
_FIGURE = re.compile(
    r"(?:[A-Z]{3} )?[-+(\u2212]?[$€£¥]? ?\d[\d.,:'/ \u00a0\u202f-]*"
    r"[%\u2030)$€£¥]*(?: ?[^\W\d_]{1,8}\.?)?"
)
_BARE_NUMBER = re.compile(r"[-+(\u2212]?[$€£¥]? ?\d+(?:[.,'\u00a0 ]\d+)?[%$€£¥ )]*")
_DIGIT_RUN = re.compile(r"\d+")
_DIGITS = re.compile(r"\d[\d.,]*")
_YEAR = re.compile(r"(?:19|20|21)\d\d")
_WHOLE = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Rows [first, end) of a grid name its columns; those before are title and preamble."""

    first: int
    end: int
    names: tuple[str, ...]
    """One for each column; empty where a column has none."""


def is_number(text: str) -> bool:
    """Whether a cell holds a figure: a number, price, date or time, with a short unit or none."""
    return len(text) <= _MAX_FIGURE_CHARS and _FIGURE.fullmatch(text) is not None


def is_single(row: Sequence[GridPlace]) -> bool:
    """Whether a row holds one cell only: a title, the name of a section, a note."""
    return len({place.origin for place in row if place.text}) == 1


def is_marked(grid: Grid) -> bool:
    """Whether the source says of some cells, and not of all, that they are headers."""
    marks = {place.header for row in grid for place in row if place.text}
    return len(marks) == 2


def cut_at_names(grid: Grid) -> Iterator[Grid]:
    """Cut a table where a row further down is marked as names too: another table begins there.

    A row of sums may be marked so as well; it holds figures, or nothing stands below it.
    """
    begin, has_body = 0, False
    for number, row in enumerate(grid[:-1]):
        if not _is_marked(row):
            has_body = has_body or not is_single(row)
        elif has_body and not is_single(row) and not any(is_number(place.text) for place in row):
            yield grid[begin:number]
            begin, has_body = number, False
    yield grid[begin:]


def find_column_names(
    grid: Grid, *, trusted: bool = False, inside: bool = False
) -> ColumnNames | None:
    """The rows that name the columns of `grid`, or None when no row does so for sure.

    Where the source marks header cells, the marked rows are taken. Otherwise it is the first row
    that fills the columns with names, below any title and preamble, when what stands below is of
    another kind. A row of groups above (`Adult` over `Single` and `Return`) belongs to it.

    Args:
        grid: Without blank rows.
        trusted: The format says that its first row is the header, as Markdown does.
        inside: The grid may go on with a table above it, so that its first row needs figures
            below it to count as names.
    """
    if not grid:
        return None
    if trusted:
        return _named(grid, 0, _header_end(grid, 0)) if len(grid) > 1 else None
    if is_marked(grid):
        marked = _marked_rows(grid)
        return _named(grid, *marked) if marked else None
    first = _first_wide_row(grid)
    if first is None:
        return None
    end = _header_end(grid, first)
    found = _named(grid, first, end)
    if end - first == 1 and not _is_header(grid, first, end, figures=inside):
        return None
    return found


def _marked_rows(grid: Grid) -> tuple[int, int] | None:
    """The first rows whose cells are all marked as headers, below any title."""
    first = 0
    while first < len(grid) and is_single(grid[first]) and len(grid[first]) > 1:
        first += 1
    end = first
    while end < len(grid) and _is_marked(grid[end]) and not _only_of_row_above(grid, end, first):
        end += 1
    if end == len(grid) or end == first:
        return None
    return first, max(end, _header_end(grid, end - 1))


def _only_of_row_above(grid: Grid, number: int, first: int) -> bool:
    """Whether a marked row is the name of a section below the header: one cell, all across."""
    return number > first and is_single(grid[number]) and len(grid[number]) > 1


def _is_marked(row: Sequence[GridPlace]) -> bool:
    filled = [place for place in row if place.text]
    # One marked cell beside blanks is the name of a row.
    names = {place.origin for place in filled}
    if not filled or not all(place.header for place in filled):
        return False
    return len(names) > 1 or len(row) < 3 or len(filled) == len(row)


def _first_wide_row(grid: Grid) -> int | None:
    """The first row that fills most columns which the rows below fill."""
    head = grid[: _TITLE_ROWS + _BODY_ROWS]
    width = len(grid[0])
    filled = [sum(1 for row in head if row[column].text) for column in range(width)]
    most = max(filled)
    # A stray cell far out is no column that needs a name.
    columns = [column for column in range(width) if filled[column] * 5 >= most]
    for number, row in enumerate(head[:_TITLE_ROWS]):
        names = [row[column] for column in columns]
        if is_single(row) or not any(place.text for place in names):
            continue
        blank = sum(1 for place in names[1:] if not place.text)
        if blank * 3 <= len(names) - 1:
            return number
        if _next_is_part(grid, number):
            return number
    return None


def _header_end(grid: Grid, first: int) -> int:
    end = first + 1
    while end - first < _HEADER_ROWS and end + 1 < len(grid) and _next_is_part(grid, end - 1):
        end += 1
    return end


def _next_is_part(grid: Grid, number: int) -> bool:
    """Whether the row below `number` divides its groups, and only that.

    Below the name of a group stand names; below the name of a single column stands nothing, or
    the same cell goes on. A row of data has something of its own in every column.
    """
    if number + 2 >= len(grid):
        return False
    row, below = grid[number], grid[number + 1]
    group = _groups(row)
    if not any(group):
        return False
    singles = [column for column in range(len(row)) if not group[column]]
    if not singles and not all(below[column].text for column in range(len(row))):
        return False
    if any(not _goes_on(row[column], below[column]) for column in singles):
        return False
    parts = [below[column] for column in range(len(row)) if group[column]]
    if any(not place.text or len(place.text) > MAX_NAME_CHARS for place in parts):
        return False
    numbers = [place for place in parts if is_number(place.text)]
    if not numbers:
        return bool(singles) or _differs(grid, number + 1, number + 2)
    # Years and the like divide a group too, where the column of row names shows what is data.
    return bool(singles) and bool(grid[number + 2][singles[0]].text)


def _goes_on(above: GridPlace, below: GridPlace) -> bool:
    if not above.text:
        return True
    return not below.text or above.origin == below.origin


def _groups(row: Sequence[GridPlace]) -> list[bool]:
    """For each column, whether a name of several columns stands over it."""
    starts = [column for column, place in enumerate(row) if place.text]
    covered = [place.columns > 1 and bool(place.text) for place in row]
    if any(covered) or len(starts) < 2:
        return covered
    # Without merged cells, a name is followed by the blanks that it stands over too.
    for start, following in pairwise([*starts, len(row)]):
        if following - start > 1:
            covered[start:following] = [True] * (following - start)
    return covered


def _is_header(grid: Grid, first: int, end: int, *, figures: bool) -> bool:
    """Whether a row that nothing marks is one of names; `figures`: only above figures."""
    row, body = grid[first], grid[end : end + _BODY_ROWS]
    texts = list({place.origin: place.text for place in row if place.text}.values())
    if len(texts) < 2 or not body or any(len(text) > MAX_NAME_CHARS for text in texts):
        return False
    if _stands_out(row, body):
        return True
    distinct = {text.casefold() for text in texts}
    if len(distinct) < 2 or (len(distinct) < len(texts) and not _differs(grid, first, end)):
        return False
    numbers = [text for text in texts if _BARE_NUMBER.fullmatch(text)]
    if numbers:
        return not is_number(row[0].text) and _are_steps(numbers, body)
    if any(_is_like_values(place, body, column) for column, place in enumerate(row) if place.text):
        return False
    return (len(texts) > 2 and not figures) or _differs(grid, first, end)


def _stands_out(row: Sequence[GridPlace], body: Grid) -> bool:
    """Whether a row is bold and what stands below it is not."""
    if not all(place.strong for place in row if place.text):
        return False
    return not any(place.strong for below in body for place in below[1:] if place.text)


def _are_steps(numbers: Sequence[str], body: Grid) -> bool:
    """Whether figures can be names: years, or numbers that count by one, above other figures."""
    if not all(_WHOLE.fullmatch(number) for number in numbers):
        return False
    steps = _steps(numbers)
    years = all(_YEAR.fullmatch(number) for number in numbers)
    enough = len(set(steps)) == 1 and 0 not in steps
    if not enough or not (years or (len(numbers) > 2 and steps[0] in (1, -1))):
        return False
    return any(_goes_otherwise(row, steps, years=years) for row in body)


def _goes_otherwise(row: Sequence[GridPlace], steps: Sequence[int], *, years: bool) -> bool:
    """Whether a row below is none of the same kind as the numbers above it."""
    figures = [place.text for place in row[1:] if place.text]
    if years:
        return any(not _YEAR.fullmatch(text) for text in figures)
    if not all(_WHOLE.fullmatch(text) for text in figures):
        return bool(figures)
    return _steps(figures) != steps


def _steps(numbers: Sequence[str]) -> list[int]:
    return [int(later) - int(earlier) for earlier, later in pairwise(numbers)]


def _is_like_values(name: GridPlace, body: Grid, column: int) -> bool:
    """Whether a name looks like the values of its column, as in a table without names."""
    values = [row[column] for row in body if row[column].text]
    others = [place.text.casefold() for place in values if place.origin != name.origin]
    if name.text.casefold() in others:
        return True
    if not any(character.isdigit() for character in name.text):
        return False
    form = _DIGIT_RUN.sub("9", name.text.casefold())
    alike = sum(_DIGIT_RUN.sub("9", text) == form for text in others)
    return alike * 2 > len(others)


def _shape(text: str) -> str:
    """What kind of figure it is, whatever its digits and its sign."""
    return _DIGITS.sub("9", text.strip("()+-\u2212 "))


def _differs(grid: Grid, first: int, end: int) -> bool:
    """Whether some column holds figures of one kind below a name of words.

    Figures of many kinds are the properties of one thing, which are named by row.
    """
    body = grid[end : end + _BODY_ROWS]
    for column, place in enumerate(grid[end - 1] if end > first + 1 else grid[first]):
        values = [row[column].text for row in body if row[column].text]
        if not place.text or is_number(place.text) or not values:
            continue
        shapes = [_shape(value) for value in values if is_number(value)]
        usual = max((shapes.count(shape) for shape in set(shapes)), default=0)
        if len(shapes) * 5 >= len(values) * 4 and usual * 5 >= len(values) * 3:
            return True
    return False


def figure_columns(body: Grid) -> set[int]:
    """The columns that hold figures only."""
    head = body[:_BODY_ROWS]
    width = len(head[0]) if head else 0
    found: set[int] = set()
    for column in range(width):
        values = [row[column].text for row in head if row[column].text]
        if values and all(is_number(value) for value in values):
            found.add(column)
    return found


def _named(grid: Grid, first: int, end: int) -> ColumnNames:
    names: list[str] = []
    rows = [_spread(grid[number], last=number == end - 1) for number in range(first, end)]
    for column in range(len(grid[first])):
        parts: list[str] = []
        for row in rows:
            text = row[column]
            if text and (not parts or parts[-1] != text):
                parts.append(text)
        names.append(" / ".join(parts))
    return ColumnNames(first, end, tuple(names))


def _spread(row: Sequence[GridPlace], *, last: bool) -> list[str]:
    """The texts of a row of names; that of a group stands over each of its columns."""
    texts = [place.text for place in row]
    if last or any(place.columns > 1 for place in row):
        return texts
    group = _groups(row)
    for column in range(1, len(row)):
        if group[column] and group[column - 1] and not texts[column]:
            texts[column] = texts[column - 1]
    return texts
