"""Blocks of an HTML tree. Web pages, book chapters, messages and notes all end up here."""

from collections.abc import Iterator

from kb.formats.pages.html_table import is_data_table, open_tables, table_rows
from kb.formats.pages.html_text import (
    BLOCKS,
    HEADINGS,
    LISTS,
    SKIPPED,
    Element,
    collect,
    drain,
    inline_text,
    tag_of,
)
from kb.formats.tables.rendering import add_table, render_table
from kb.formats.text_builder import ParseRequest, TextBuilder, one_line


def item_lines(root: Element) -> Iterator[str]:
    """The lines of everything below `root`, as they stand in the item of a list."""
    nowhere = TextBuilder(ParseRequest("HTML", "text/html"))
    return _Walk(nowhere, root, 0).item_lines(root)


def add_tree(builder: TextBuilder, root: Element, *, deeper: int = 0) -> None:
    """Append every block below `root` in reading order, headings `deeper` levels further in."""
    open_tables(root)
    _Walk(builder, root, deeper).run(root)


class _Walk:
    """One pass; remembers which elements hold blocks, so that no subtree is searched twice."""

    def __init__(self, builder: TextBuilder, root: Element, deeper: int) -> None:
        self._builder = builder
        self._deeper = deeper
        self._holders = block_holders(root)

    def run(self, element: Element) -> None:
        tag = tag_of(element)
        if not tag or tag in SKIPPED:
            return
        if tag in HEADINGS:
            level = int(tag[1]) + self._deeper
            self._builder.add("heading", one_line(inline_text(element)), level=level)
        elif tag in LISTS:
            self._builder.add("list", "\n".join(self._list_lines(element)))
        elif tag == "pre":
            self._builder.add("code", _verbatim(element))
        elif tag == "table" and is_data_table(element):
            add_table(self._builder, table_rows(element))
        else:
            self._container(element)

    def _container(self, element: Element) -> None:
        """Children that are blocks stand alone; the text between them makes paragraphs."""
        pieces = [element.text or ""]
        for child in element:
            if tag_of(child) in BLOCKS or child in self._holders:
                self._paragraph(pieces)
                self.run(child)
            else:
                collect(child, pieces)
            pieces.append(child.tail or "")
        self._paragraph(pieces)

    def _paragraph(self, pieces: list[str]) -> None:
        lines = (one_line(line) for line in "".join(pieces).split("\0"))
        self._builder.add("paragraph", "\n".join(filter(None, lines)))
        pieces.clear()

    def _list_lines(self, element: Element) -> Iterator[str]:
        ordered = tag_of(element) == "ol"
        number = _whole(element.get("start"), 1) - 1
        for item in element:
            tag = tag_of(item)
            if tag in LISTS:
                yield from ("  " + line for line in self._list_lines(item))
            elif tag:
                number = _whole(item.get("value"), number + 1)
                marker = f"{number}. " if ordered else "- "
                for index, line in enumerate(self.item_lines(item)):
                    yield (" " * len(marker) if index else marker) + line

    def item_lines(self, item: Element) -> Iterator[str]:
        pieces = [item.text or ""]
        for child in item:
            tag = tag_of(child)
            if tag in LISTS or tag in BLOCKS or child in self._holders:
                yield from drain(pieces)
                yield from self._block_lines(child, tag)
            else:
                collect(child, pieces)
            pieces.append(child.tail or "")
        yield from drain(pieces)

    def _block_lines(self, element: Element, tag: str) -> Iterator[str]:
        if tag in LISTS:
            yield from self._list_lines(element)
        elif tag == "pre":
            yield from _verbatim(element).strip("\n").split("\n")
        elif tag == "table" and is_data_table(element):
            yield from render_table(table_rows(element)).text.split("\n")
        elif tag not in SKIPPED:
            yield from self.item_lines(element)


def block_holders(root: Element) -> set[Element]:
    """The elements that hold a block, however deep."""
    holders: set[Element] = set()
    for element in root.iter():
        if tag_of(element) in BLOCKS:
            for ancestor in element.iterancestors():
                if ancestor in holders:
                    break
                holders.add(ancestor)
    return holders


def _whole(number: str | None, otherwise: int) -> int:
    """The number that an attribute gives an item of a list; what is none counts for nothing."""
    given = (number or "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else otherwise


def _verbatim(element: Element) -> str:
    for line_break in element.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    return "".join(str(piece) for piece in element.itertext())
