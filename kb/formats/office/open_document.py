"""OpenDocument text, presentations and spreadsheets (.odt, .odp, .ods)."""

from collections.abc import Iterator
from typing import Any

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.office.open_table import attribute, number_of, read_table
from kb.formats.pages.html_text import tag_of
from kb.formats.tables.rendering import add_table
from kb.formats.tables.sheet import add_sheet
from kb.formats.text_builder import ParseRequest, TextBuilder, encrypted, one_line

_SKIPPED = frozenset(
    {"tracked-changes", "forms", "sequence-decls", "annotation", "table-of-content"}
)
_MAX_SPACES = 100
"""Spaces can be stored as a count; no reader sees more of them than this."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an OpenDocument file."""
    archive = Archive(data, name=request.name, what="OpenDocument file")
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise encrypted(request.name, "document")
    builder = TextBuilder(request)
    content = archive.xml("content.xml")
    body = next(element for element in content.iter() if tag_of(element) == "body")
    if any(tag_of(element) == "spreadsheet" for element in body):
        _add_sheets(builder, body, hidden=_hidden_styles(content))
    else:
        _add_children(builder, body, slide=[0])
    about = _about(archive)
    title = about.get("title") or _sheet_title(body, request.name)
    return builder.build(title=title, language=about.get("language"), metadata=about)


def _add_children(builder: TextBuilder, parent: Any, *, slide: list[int]) -> None:
    for element in parent:
        tag = tag_of(element)
        if tag in _SKIPPED:
            continue
        if tag == "h":
            level = int(attribute(element, "outline-level") or 1)
            builder.add("heading", one_line(_text(element)), level=level)
        elif tag == "p":
            builder.add("paragraph", _text(element))
            _add_frames(builder, element, slide)
        elif tag == "list":
            builder.add("list", "\n".join(_list_lines(element)))
        elif tag == "table":
            add_table(builder, read_table(element, _cell_text).visible_rows())
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
            pieces.append(" " * min(number_of(child, "c", 1), _MAX_SPACES))
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


def _cell_text(cell: Any) -> str:
    return " ".join(_text(part) for part in cell if tag_of(part) not in _SKIPPED)


def _add_sheets(builder: TextBuilder, body: Any, *, hidden: set[str]) -> None:
    for table in body.iter():
        if tag_of(table) != "table" or tag_of(table.getparent()) != "spreadsheet":
            continue
        sheet = read_table(table, _cell_text)
        if attribute(table, "style-name") in hidden:
            builder.hide("hidden sheet", sheet.text())
            continue
        add_sheet(builder, sheet, name=attribute(table, "name") or "")


def _hidden_styles(content: Any) -> set[str]:
    """Names of the styles of sheets that are not shown."""
    hidden: set[str] = set()
    for properties in content.iter():
        if tag_of(properties) == "table-properties" and attribute(properties, "display") == "false":
            hidden.add(attribute(properties.getparent(), "name") or "")
    return hidden


def _sheet_title(body: Any, name: str) -> str | None:
    """A sheet's name says too little to be the title of the whole."""
    return name if any(tag_of(part) == "spreadsheet" for part in body) else None


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
