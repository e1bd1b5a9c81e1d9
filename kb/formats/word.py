"""Word documents (.docx): headings, lists and tables in document order."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from kb.document import ParsedDocument
from kb.formats.building import ParseRequest, TextBuilder, malformed, render_table

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*(\d)", re.IGNORECASE)
_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a .docx file."""
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document: Any = docx.Document(BytesIO(data))
        return _read(document, request)
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise malformed(request.name, "Word document", error) from error


def _read(document: Any, request: ParseRequest) -> ParsedDocument:
    builder = TextBuilder(request)
    _add_blocks(builder, document.iter_inner_content())
    properties = document.core_properties
    return builder.build(
        title=properties.title,
        language=properties.language,
        metadata={"author": properties.author or "", "subject": properties.subject or ""},
    )


def _add_blocks(builder: TextBuilder, blocks: Iterator[Any]) -> None:
    items: list[str] = []
    for block in blocks:
        is_table = hasattr(block, "rows")
        item = None if is_table else _list_item(block)
        if item is not None:
            items.append(item)
            continue
        builder.add("list", "\n".join(items))
        items.clear()
        if is_table:
            builder.add("table", render_table(list(_rows(block))))
        else:
            level = _heading_level(block)
            builder.add("heading" if level else "paragraph", _text(block), level=level)
    builder.add("list", "\n".join(items))


def _heading_level(paragraph: Any) -> int:
    style = (paragraph.style.name if paragraph.style is not None else None) or ""
    if style == "Title":
        return 1
    match = _HEADING.match(style)
    return int(match[1]) if match else 0


def _list_item(paragraph: Any) -> str | None:
    """The paragraph as a list line, or None when it is no list item."""
    style = (paragraph.style.name if paragraph.style is not None else None) or ""
    if _HEADING.match(style):
        return None
    properties = paragraph._p.pPr
    numbering = properties.numPr if properties is not None else None
    if numbering is None and not style.startswith("List"):
        return None
    text = _text(paragraph).strip()
    depth = numbering.ilvl.val if numbering is not None and numbering.ilvl is not None else 0
    return "  " * depth + "- " + text if text else ""


def _text(paragraph: Any) -> str:
    """Text of a paragraph; the target of an absolute link follows its text."""
    pieces: list[str] = []
    for part in paragraph.iter_inner_content():
        text: str = part.text
        pieces.append(text)
        target = getattr(part, "url", "") or ""
        if _LINK.match(target) and target.rstrip("/") not in text:
            pieces.append(f" ({target})")
    return "".join(pieces)


def _rows(table: Any) -> Iterator[list[str]]:
    for row in table.rows:
        seen: set[Any] = set()
        cells: list[str] = []
        for cell in row.cells:
            # A merged cell is listed once for each column it spans.
            if cell._tc not in seen:
                seen.add(cell._tc)
                cells.append(cell.text)
        yield cells
