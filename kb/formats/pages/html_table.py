"""Tables of an HTML tree: which are tables of data, and what stands in their cells."""

import re
from collections.abc import Iterator

from kb.formats.pages.html_text import HEADINGS, Element, inline_text, lines_of, name_of, tag_of
from kb.formats.tables.grid import Cell
from kb.formats.tables.rendering import in_line

MAX_FLAT_CELL_CHARS = 500
"""A cell longer than this may hold paragraphs, and stays as it is."""
MAX_ROWS = 65_534
"""A cell can cover no more rows, by the HTML standard."""

_MAX_HEADED_CHARS = 120
_TABLE_ROLES = ("table", "grid", "treegrid")
_CELL_ROLES = ("cell", "gridcell", "columnheader", "rowheader")
_COUNT = re.compile(r"\s*(\d{1,6})")


def open_tables(root: Element) -> None:
    """Make tables of what is one only by its roles, and text of small tables in cells of others."""
    for table in list(root.iter()):
        if tag_of(table) not in ("", "table") and table.get("role") in _TABLE_ROLES:
            _make_table(table)
    plain: dict[Element, set[int]] = {}
    holds: dict[Element, bool] = {}
    for inner in reversed(list(root.iter("table"))):
        cell = next(inner.iterancestors("td", "th"), None)
        if cell is not None and cell not in holds:
            holds[cell] = _is_cell_of_data(cell, plain)
        if cell is not None and holds[cell]:
            _write_in_line(inner)


def is_data_table(table: Element) -> bool:
    """A table that only lays out a page holds tables or long headed texts, or has one column."""
    for inner in table.iter(*HEADINGS, "table"):
        if tag_of(inner) == "table" and inner is not table:
            return False
        if tag_of(inner) in HEADINGS and not _is_headed_cell(inner):
            return False
    return any(len(row) > 1 for row in rows_of(table))


def _is_headed_cell(heading: Element) -> bool:
    """Whether a heading stands in a cell that says little more: the name of a column, often."""
    cell = next(heading.iterancestors("td", "th"), None)
    return cell is not None and len(inline_text(cell)) <= _MAX_HEADED_CHARS


def _is_cell_of_data(cell: Element, plain: dict[Element, set[int]]) -> bool:
    """Whether a cell that holds a table is short, and another row has as many cells of text alone.

    `plain` keeps the numbers of cells of such rows, by table.
    """
    table = next(cell.iterancestors("table"), None)
    if table is None or len(cell.getparent()) < 2:
        return False
    if table not in plain:
        rows = (row for row in _own_rows(table) if not any(_holds_table(each) for each in row))
        plain[table] = {len(row) for row in rows}
    return len(cell.getparent()) in plain[table] and len(inline_text(cell)) <= MAX_FLAT_CELL_CHARS


def _own_rows(table: Element) -> Iterator[list[Element]]:
    for part in table:
        for row in part if tag_of(part) in ("thead", "tbody", "tfoot") else (part,):
            if tag_of(row) == "tr":
                yield [cell for cell in row if tag_of(cell) in ("td", "th")]


def _holds_table(cell: Element) -> bool:
    return next(cell.iter("table"), None) is not None


def _write_in_line(table: Element) -> None:
    """A row as `name: value, name: value` where the table names its columns, else cells in turn."""
    rows = [[cell_text(cell) for cell in row] for row in rows_of(table)]
    marks = [[tag_of(cell) == "th" for cell in row] for row in rows_of(table)]
    header = bool(marks) and all(marks[0]) and not all(map(all, marks))
    text, tail = in_line(rows, header=header), table.tail
    table.clear()
    table.tag, table.text, table.tail = "div", text, tail


def _make_table(table: Element) -> None:
    rows = [each for each in table.iter() if each.get("role") == "row"]
    if not any(each.get("role") in _CELL_ROLES for row in rows for each in row.iter()):
        return
    table.tag = "table"
    for row in rows:
        _lift(row, table)
        row.tag = "tr"
        for cell in [each for each in row.iter() if each.get("role") in _CELL_ROLES]:
            _lift(cell, row)
            cell.tag = "td" if cell.get("role") in ("cell", "gridcell") else "th"
            for span in ("rowspan", "colspan"):
                if cell.get(f"aria-{span}"):
                    cell.set(span, cell.get(f"aria-{span}"))


def _lift(element: Element, to: Element) -> None:
    """Take away the elements between two, so that one is the child of the other."""
    while (above := element.getparent()) is not None and above is not to:
        above.drop_tag()


def rows_of(table: Element) -> Iterator[list[Element]]:
    """The cells of each row."""
    for row in table.iter():
        if tag_of(row) == "tr":
            yield [cell for cell in row if tag_of(cell) in ("td", "th")]


def table_rows(table: Element) -> Iterator[list[Cell]]:
    """The rows of a table as `kb.formats.tables` takes them, its caption before them."""
    for part in table:
        if tag_of(part) == "caption":
            yield [Cell(inline_text(part))]
    for row in rows_of(table):
        yield [
            Cell(
                cell_text(cell),
                rows=_count(cell, "rowspan") or MAX_ROWS,
                columns=_count(cell, "colspan") or 1,
                header=tag_of(cell) == "th" or _is_in_head(cell),
                strong=_is_bold(cell),
            )
            for cell in row
        ]


def cell_text(cell: Element) -> str:
    """What a cell says; where it only shows something, what that is called."""
    return inline_text(cell) or ", ".join(_shown(cell))


def flatten_cells(root: Element) -> None:
    """Turn short cells of data tables to plain text: lists and icons are lost on their way else."""
    for table in root.iter("table"):
        if not is_data_table(table):
            continue
        for row in rows_of(table):
            for cell in row:
                if len(cell) and len(cell.text_content()) <= MAX_FLAT_CELL_CHARS:
                    text, is_bold = ", ".join(lines_of(cell)) or cell_text(cell), _is_bold(cell)
                    for child in list(cell):
                        cell.remove(child)
                    holder = cell.makeelement("b") if is_bold else cell
                    cell.text, holder.text = None, text
                    if is_bold:
                        cell.append(holder)


def table_key(table: Element) -> str:
    """The same for two tables that say the same, however they are marked up."""
    return "".join("".join(str(piece) for piece in table.itertext()).split())


def _shown(element: Element) -> Iterator[str]:
    """Names of icons, pictures and boxes to tick: what is read out in place of them."""
    tag = tag_of(element)
    if not tag or (tag == "input" and element.get("type") == "hidden"):
        return
    name = name_of(element)
    if tag == "input" and element.get("type") in ("checkbox", "radio"):
        name = "yes" if element.get("checked") is not None else "no"
    if name:
        yield name
        return
    for child in element:
        yield from _shown(child)


def _is_bold(cell: Element) -> bool:
    """Whether all words of a cell are bold."""
    bold = next(cell.iter("b", "strong"), None)
    return bold is not None and inline_text(bold) == inline_text(cell) != ""


def _count(cell: Element, attribute: str) -> int:
    match = _COUNT.match(cell.get(attribute) or "1")
    return int(match[1]) if match else 1


def _is_in_head(cell: Element) -> bool:
    return any(tag_of(above) == "thead" for above in cell.iterancestors("thead", "table"))
