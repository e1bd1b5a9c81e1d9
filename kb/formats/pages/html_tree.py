"""Blocks of an HTML tree. Web pages, book chapters, messages and notes all end up here."""

from collections.abc import Iterator
from typing import Any

from kb.formats.text_builder import TextBuilder, one_line, render_table

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
SKIPPED = frozenset(
    {"script", "style", "template", "head", "noscript", "svg", "math", "iframe", "object"}
    | {"select", "datalist", "canvas", "audio", "video", "map"}
)
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_BLOCKS = (
    HEADINGS
    | _LISTS
    | frozenset({"p", "div", "section", "article", "main", "header", "footer", "aside", "nav"})
    | frozenset({"table", "pre", "blockquote", "dl", "dt", "dd", "figure", "figcaption", "hr"})
    | frozenset({"form", "fieldset", "details", "summary", "address", "center", "body", "li"})
    | frozenset({"tr", "td", "th", "thead", "tbody", "tfoot", "caption"})
)

MAX_FLAT_CELL_CHARS = 500
"""A cell longer than this may hold paragraphs, and stays as it is."""

# lxml ships no types; an element is met here and in the modules that make one.
Element = Any


def add_tree(builder: TextBuilder, root: Element, *, deeper: int = 0) -> None:
    """Append every block below `root` in reading order, headings `deeper` levels further in."""
    _Walk(builder, root, deeper).run(root)


def tag_of(element: Element) -> str:
    """Lower-case name without a namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def inline_text(element: Element) -> str:
    """Text inside an element; `<br>` starts a line, other white space is one blank."""
    pieces: list[str] = []
    _collect(element, pieces)
    lines = "".join(pieces).split("\0")
    return "\n".join(filter(None, (one_line(line) for line in lines)))


def visible_text(element: Element) -> str:
    """All text inside, tails of inner elements included, without scripts and the like."""
    pieces: list[str] = []
    stack = [element]
    while stack:
        current = stack.pop()
        if tag_of(current) and tag_of(current) not in SKIPPED:
            pieces.append(current.text or "")
            stack.extend(current)
        if current is not element:
            pieces.append(current.tail or "")
    return " ".join(pieces)


class _Walk:
    """One pass; remembers which elements hold blocks, so that no subtree is searched twice."""

    def __init__(self, builder: TextBuilder, root: Element, deeper: int) -> None:
        self._builder = builder
        self._deeper = deeper
        self._holders = _block_holders(root)

    def run(self, element: Element) -> None:
        tag = tag_of(element)
        if not tag or tag in SKIPPED:
            return
        if tag in HEADINGS:
            level = int(tag[1]) + self._deeper
            self._builder.add("heading", one_line(inline_text(element)), level=level)
        elif tag in _LISTS:
            self._builder.add("list", "\n".join(self._list_lines(element)))
        elif tag == "pre":
            self._builder.add("code", _verbatim(element))
        elif tag == "table" and _is_data_table(element):
            self._builder.add("table", render_table(_table_rows(element)))
        else:
            self._container(element)

    def _container(self, element: Element) -> None:
        """Children that are blocks stand alone; the text between them makes paragraphs."""
        pieces = [element.text or ""]
        for child in element:
            if tag_of(child) in _BLOCKS or child in self._holders:
                self._paragraph(pieces)
                self.run(child)
            else:
                _collect(child, pieces)
            pieces.append(child.tail or "")
        self._paragraph(pieces)

    def _paragraph(self, pieces: list[str]) -> None:
        lines = (one_line(line) for line in "".join(pieces).split("\0"))
        self._builder.add("paragraph", "\n".join(filter(None, lines)))
        pieces.clear()

    def _list_lines(self, element: Element) -> Iterator[str]:
        ordered = tag_of(element) == "ol"
        number = 0
        for item in element:
            tag = tag_of(item)
            if tag in _LISTS:
                yield from ("  " + line for line in self._list_lines(item))
            elif tag:
                number += 1
                marker = f"{number}. " if ordered else "- "
                for index, line in enumerate(self._item_lines(item)):
                    yield (" " * len(marker) if index else marker) + line

    def _item_lines(self, item: Element) -> Iterator[str]:
        pieces = [item.text or ""]
        for child in item:
            tag = tag_of(child)
            if tag in _LISTS or tag in _BLOCKS or child in self._holders:
                yield from _drain(pieces)
                yield from self._block_lines(child, tag)
            else:
                _collect(child, pieces)
            pieces.append(child.tail or "")
        yield from _drain(pieces)

    def _block_lines(self, element: Element, tag: str) -> Iterator[str]:
        if tag in _LISTS:
            yield from self._list_lines(element)
        elif tag == "pre":
            yield from _verbatim(element).strip("\n").split("\n")
        elif tag == "table" and _is_data_table(element):
            yield from render_table(_table_rows(element)).split("\n")
        elif tag not in SKIPPED:
            yield from self._item_lines(element)


def _drain(pieces: list[str]) -> Iterator[str]:
    lines = [one_line(line) for line in "".join(pieces).split("\0")]
    pieces.clear()
    yield from filter(None, lines)


def _block_holders(root: Element) -> set[Element]:
    holders: set[Element] = set()
    for element in root.iter():
        if tag_of(element) in _BLOCKS:
            for ancestor in element.iterancestors():
                if ancestor in holders:
                    break
                holders.add(ancestor)
    return holders


def _collect(element: Element, pieces: list[str], border: str = " ") -> None:
    """Append the text inside `element`, without its tail. A line break is a NUL for now.

    `border` is what comes before and after a block inside of it.
    """
    tag = tag_of(element)
    if not tag or tag in SKIPPED:
        return
    if tag == "br":
        pieces.append("\0")
        return
    apart = border if tag in _BLOCKS else ""
    pieces.append(apart + (element.text or ""))
    for child in element:
        _collect(child, pieces, border)
        pieces.append(child.tail or "")
    pieces.append(apart)


def _lines_of(element: Element) -> Iterator[str]:
    """Its text, a line for each block and each break in it."""
    pieces: list[str] = []
    _collect(element, pieces, "\0")
    return _drain(pieces)


def _verbatim(element: Element) -> str:
    for line_break in element.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    return "".join(str(piece) for piece in element.itertext())


def flatten_cells(root: Element) -> None:
    """Turn short cells of data tables to plain text: lists in them are lost on their way else."""
    for table in root.iter("table"):
        if not _is_data_table(table):
            continue
        for row in _rows(table):
            for cell in row:
                if len(cell) and len(cell.text_content()) <= MAX_FLAT_CELL_CHARS:
                    text = ", ".join(_lines_of(cell))
                    for child in list(cell):
                        cell.remove(child)
                    cell.text = text


def _is_data_table(table: Element) -> bool:
    """A table that only lays out a page holds tables, headings or lists, or has one column."""
    if any(
        tag_of(inner) in HEADINGS or tag_of(inner) == "table"
        for inner in table.iter()
        if inner is not table
    ):
        return False
    return any(len(row) > 1 for row in _rows(table))


def _rows(table: Element) -> Iterator[list[Element]]:
    for row in table.iter():
        if tag_of(row) == "tr":
            yield [cell for cell in row if tag_of(cell) in ("td", "th")]


def _table_rows(table: Element) -> list[list[str]]:
    caption = [[inline_text(part)] for part in table if tag_of(part) == "caption"]
    return [*caption, *([inline_text(cell) for cell in row] for row in _rows(table))]
