"""Tables whose cells are ruled off: the cells are what the rules enclose."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kb.formats.pdf.page_table import PageTable, TableCell
from kb.formats.pdf.tables.rules import SNAP, Rule, Rules
from kb.formats.pdf.words import PageWord, joined

MAX_RULES = 1_500
"""Of a page; a drawing of more is no table."""
MIN_FILLED_SHARE = 0.3
"""Of the cells where no row of names stands on top; the grid of a chart encloses little text."""


def ruled_tables(
    words: Sequence[PageWord], rules: Rules, *, above: PageTable | None = None
) -> Iterator[PageTable]:
    """The grids of a page that are tables, or go on with the one `above`."""
    if len(rules.horizontal) + len(rules.vertical) > MAX_RULES:
        return
    for grid in _grids(rules):
        table = _filled(grid, words)
        if table is not None and ((above and above.goes_on_with(table)) or _is_table(table)):
            yield table


def _is_table(table: PageTable) -> bool:
    """Whether the cells of a grid hold enough; one that goes on with another may hold little."""
    cells = [cell for row in table.rows for cell in row]
    filled = sum(bool(cell.text) for cell in cells)
    is_named = all(cell.text for cell in table.rows[0])
    is_filled = is_named or filled >= MIN_FILLED_SHARE * len(cells)
    return len(table.rows) > 1 and filled >= min(3, len(cells)) and is_filled


def _grids(rules: Rules) -> Iterator[Rules]:
    """Rules that cross or touch one another, directly or through others."""
    count = len(rules.horizontal)
    parent = list(range(count + len(rules.vertical)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for number, level in enumerate(rules.horizontal):
        for other, upright in enumerate(rules.vertical):
            if level.covers(upright.at) and upright.covers(level.at):
                parent[root(number)] = root(count + other)
    found: dict[int, Rules] = defaultdict(Rules)
    for number, rule in enumerate(rules.horizontal):
        found[root(number)].horizontal.append(rule)
    for number, rule in enumerate(rules.vertical):
        found[root(count + number)].vertical.append(rule)
    yield from found.values()


def _levels(rules: Sequence[Rule], ends: Sequence[Rule]) -> list[float]:
    """Where the rules lie, and where those across them end when that is further out."""
    places = sorted(rule.at for rule in rules)
    if not places or not ends:
        return []
    levels = [places[0]]
    for place in places:
        if place - levels[-1] > SNAP:
            levels.append(place)
    outer = min(rule.start for rule in ends), max(rule.end for rule in ends)
    margin = 3 * SNAP
    before = [outer[0]] if outer[0] < levels[0] - margin else []
    after = [outer[1]] if outer[1] > levels[-1] + margin else []
    return [*before, *levels, *after]


def _filled(grid: Rules, words: Sequence[PageWord]) -> PageTable | None:
    columns = _levels(grid.vertical, grid.horizontal)
    rows = _levels(grid.horizontal, grid.vertical)[::-1]
    if len(columns) < 3 or len(rows) < 2:
        return None
    inside: dict[tuple[int, int], list[PageWord]] = defaultdict(list)
    for word in words:
        place = _place(word, columns, rows)
        if place is not None:
            inside[place].append(word)
    cells = _cells(grid, columns, rows, inside)
    if not inside:
        return None
    used = frozenset(word for each in inside.values() for word in each)
    return PageTable(tuple(tuple(row) for row in cells), used, tuple(columns))


def _place(
    word: PageWord, columns: Sequence[float], rows: Sequence[float]
) -> tuple[int, int] | None:
    x, y = (word.left + word.right) / 2, word.middle
    if not (columns[0] <= x <= columns[-1] and rows[-1] <= y <= rows[0]):
        return None
    column = sum(border <= x for border in columns[1:-1])
    row = sum(border >= y for border in rows[1:-1])
    return row, column


def _cells(
    grid: Rules,
    columns: Sequence[float],
    rows: Sequence[float],
    inside: dict[tuple[int, int], list[PageWord]],
) -> list[list[TableCell]]:
    """Join the places that no rule parts, and put the words of each cell together."""
    upright = [[rule for rule in grid.vertical if abs(rule.at - at) <= SNAP] for at in columns]
    level = [[rule for rule in grid.horizontal if abs(rule.at - at) <= SNAP] for at in rows]
    taken: set[tuple[int, int]] = set()
    found: list[list[TableCell]] = []
    for row in range(len(rows) - 1):
        found.append([])
        for column in range(len(columns) - 1):
            if (row, column) in taken:
                continue
            middle = (rows[row] + rows[row + 1]) / 2
            right = column + 1
            while right < len(columns) - 1 and not any(r.covers(middle) for r in upright[right]):
                right += 1
            below = row + 1
            while below < len(rows) - 1 and not any(
                rule.covers((columns[at] + columns[at + 1]) / 2)
                for at in range(column, right)
                for rule in level[below]
            ):
                below += 1
            places = [(r, c) for r in range(row, below) for c in range(column, right)]
            places = [place for place in places if place not in taken]
            taken.update(places)
            text = joined(word for place in places for word in inside.get(place, ()))
            found[row].append(TableCell(text, column, below - row, right - column))
    return found
