"""OpenDocument text and presentations (.odt, .odp)."""

from collections.abc import Iterator
from typing import Any

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.pages.html_tree import tag_of
from kb.formats.text_builder import ParseRequest, TextBuilder, encrypted, one_line, render_table

_SKIPPED = frozenset(
    {"tracked-changes", "forms", "sequence-decls", "annotation", "table-of-content"}
)
_MAX_REPEAT = 100
"""Spaces and cells can be stored as a count; no reader sees more of them than this."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an OpenDocument file."""
    archive = Archive(data, name=request.name, what="OpenDocument file")
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise encrypted(request.name, "document")
    builder = TextBuilder(request)
    body = next(
        element for element in archive.xml("content.xml").iter() if tag_of(element) == "body"
    )
    _add_children(builder, body, slide=[0])
    about = _about(archive)
    return builder.build(title=about.get("title"), language=about.get("language"), metadata=about)


def _add_children(builder: TextBuilder, parent: Any, *, slide: list[int]) -> None:
    for element in parent:
        tag = tag_of(element)
        if tag in _SKIPPED:
            continue
        if tag == "h":
            level = int(_attribute(element, "outline-level") or 1)
            builder.add("heading", one_line(_text(element)), level=level)
        elif tag == "p":
            builder.add("paragraph", _text(element))
            _add_frames(builder, element, slide)
        elif tag == "list":
            builder.add("list", "\n".join(_list_lines(element)))
        elif tag == "table":
            builder.add("table", render_table(list(_rows(element))))
        else:
            if tag == "page":
                slide[0] += 1
                builder.start_page(str(slide[0]))
            _add_children(builder, element, slide=slide)


def _add_frames(builder: TextBuilder, paragraph: Any, slide: list[int]) -> None:
    """Text boxes are anchored inside of paragraphs but are read on their own."""
    for element in paragraph.iter():
        if tag_of(element) == "text-box":
            _add_children(builder, element, slide=slide)


def _text(element: Any) -> str:
    pieces: list[str] = []
    _collect(element, pieces)
    return "".join(pieces).strip()


def _collect(element: Any, pieces: list[str]) -> None:
    pieces.append(element.text or "")
    for child in element:
        tag = tag_of(child)
        if tag == "s":
            pieces.append(" " * min(int(_attribute(child, "c") or 1), _MAX_REPEAT))
        elif tag == "tab":
            pieces.append("\t")
        elif tag == "line-break":
            pieces.append("\n")
        elif tag == "note":
            pieces.append(" (")
            _collect(child, pieces)
            pieces.append(")")
        elif tag and tag not in ("text-box", "note-citation", *_SKIPPED):
            _collect(child, pieces)
        pieces.append(child.tail or "")


def _list_lines(element: Any) -> Iterator[str]:
    for item in element:
        first = True
        for child in item:
            if tag_of(child) == "list":
                yield from ("  " + line for line in _list_lines(child))
            elif text := one_line(_text(child)):
                yield ("- " if first else "  ") + text
                first = False


def _rows(table: Any) -> Iterator[list[str]]:
    for row in table.iter():
        if tag_of(row) != "table-row":
            continue
        cells: list[str] = []
        for cell in row:
            if tag_of(cell) == "table-cell":
                text = " ".join(_text(part) for part in cell)
                repeat = int(_attribute(cell, "number-columns-repeated") or 1)
                cells += [text] * min(repeat, _MAX_REPEAT if text else 1)
        yield cells


def _attribute(element: Any, name: str) -> str | None:
    for key, value in element.attrib.items():
        if str(key).endswith("}" + name):
            return str(value)
    return None


def _about(archive: Archive) -> dict[str, str]:
    if "meta.xml" not in archive:
        return {}
    names = {"title": "title", "language": "language", "creator": "author", "date": "changed"}
    about: dict[str, str] = {}
    for element in archive.xml("meta.xml").iter():
        key = names.get(tag_of(element))
        if key and element.text:
            about.setdefault(key, one_line(element.text))
    return about
