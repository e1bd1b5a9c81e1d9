"""Word documents (.docx): headings, lists and tables in document order."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.pages.html_tree import tag_of
from kb.formats.text_builder import ParseRequest, TextBuilder, malformed, one_line, render_table
from kb.formats.vendors import vendor

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*(\d)", re.IGNORECASE)
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# Deleted text, and the copy of a text box for programs of before 2010.
_SKIPPED = frozenset({"del", "movefrom", "fallback", "ppr", "rpr", "instrtext"})
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "nobreakhyphen": "-"}


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a .docx file; text formatted as hidden is dropped and counted."""
    Archive(data, name=request.name, what="Word document")
    docx = vendor("docx")
    try:
        document = docx.Document(BytesIO(data))
    except (
        vendor("docx.opc.exceptions").PackageNotFoundError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
    ) as error:
        raise malformed(request.name, "Word document", error) from error
    builder = TextBuilder(request)
    _Reader(builder, document).run(document.element.body)
    properties = document.core_properties
    return builder.build(
        title=properties.title,
        language=properties.language,
        metadata={"author": properties.author or "", "subject": properties.subject or ""},
    )


class _Reader:
    """Walks the body; list items wait until their list ends."""

    def __init__(self, builder: TextBuilder, document: Any) -> None:
        self._builder = builder
        self._links = document.part.rels
        self._styles = {style.style_id: style.name or "" for style in document.styles}
        self._items: list[str] = []
        self._boxes: list[Any] = []

    def run(self, body: Any) -> None:
        self._blocks(body)
        self._end_list()

    def _blocks(self, parent: Any) -> None:
        for element in parent:
            tag = tag_of(element)
            if tag == "p":
                self._paragraph(element)
            elif tag == "tbl":
                self._end_list()
                self._builder.add("table", render_table(list(self._rows(element))))
            elif tag not in _SKIPPED and len(element):
                # Content controls, insertions and the like only wrap blocks.
                self._blocks(element)

    def _paragraph(self, paragraph: Any) -> None:
        text = self._text(paragraph)
        style = self._style(paragraph)
        heading = _HEADING.match(style)
        level = 1 if style == "Title" else int(heading[1]) if heading else 0
        depth = None if level else _list_depth(paragraph, style)
        if depth is not None:
            if text.strip():
                self._items.append("  " * depth + "- " + one_line(text))
        else:
            self._end_list()
            self._builder.add("heading" if level else "paragraph", text, level=level)
        boxes, self._boxes = self._boxes, []
        for box in boxes:
            self._blocks(box)

    def _end_list(self) -> None:
        self._builder.add("list", "\n".join(self._items))
        self._items.clear()

    def _style(self, paragraph: Any) -> str:
        found = paragraph.find(f"{_WORD}pPr/{_WORD}pStyle")
        return self._styles.get(found.get(f"{_WORD}val"), "") if found is not None else ""

    def _text(self, element: Any) -> str:
        pieces: list[str] = []
        self._collect(element, pieces)
        return "".join(pieces).strip()

    def _collect(self, element: Any, pieces: list[str]) -> None:
        for child in element:
            tag = tag_of(child)
            if tag == "t":
                pieces.append(child.text or "")
            elif tag in _BREAKS:
                pieces.append(_BREAKS[tag])
            elif tag == "txbxcontent":
                self._boxes.append(child)
            elif tag == "hyperlink":
                self._link(child, pieces)
            elif tag == "r" and _is_hidden(child):
                texts = (part.text or "" for part in child.iter(f"{_WORD}t"))
                self._builder.hide("hidden text", "".join(texts))
            elif tag and tag not in _SKIPPED:
                self._collect(child, pieces)

    def _link(self, link: Any, pieces: list[str]) -> None:
        """The target of an absolute link follows its text."""
        shown: list[str] = []
        self._collect(link, shown)
        text = "".join(shown)
        relation = self._links.get(link.get(_RELATION))
        target = str(relation.target_ref) if relation is not None else ""
        pieces.append(text)
        if _LINK.match(target) and target.rstrip("/") not in text:
            pieces.append(f" ({target})")

    def _rows(self, table: Any) -> Iterator[list[str]]:
        for row in table.iter(f"{_WORD}tr"):
            if next(row.iterancestors(f"{_WORD}tbl"), None) is not table:
                continue  # A table inside of a cell is that cell's text.
            cells = [cell for cell in row.iter(f"{_WORD}tc") if _row_of(cell) is row]
            yield [" ".join(self._cell_texts(cell)) for cell in cells]

    def _cell_texts(self, cell: Any) -> Iterator[str]:
        for part in cell:
            if tag_of(part) == "tbl":
                yield from (" ".join(row) for row in self._rows(part))
            else:
                yield self._text(part)


def _row_of(cell: Any) -> Any:
    return next(cell.iterancestors(f"{_WORD}tr"), None)


def _is_hidden(run: Any) -> bool:
    found = run.find(f"{_WORD}rPr/{_WORD}vanish")
    return found is not None and found.get(f"{_WORD}val") not in ("0", "false")


def _list_depth(paragraph: Any, style: str) -> int | None:
    """How deep in a list the paragraph is, or None when it is in none."""
    numbering = paragraph.find(f"{_WORD}pPr/{_WORD}numPr")
    if numbering is None:
        return 0 if style.startswith("List") else None
    level = numbering.find(f"{_WORD}ilvl")
    return int(level.get(f"{_WORD}val", "0")) if level is not None else 0
