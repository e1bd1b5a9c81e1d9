"""Documents made for tests, each by the library that makes such files best."""

import zipfile
from io import BytesIO
from typing import Any

from kb.config import Limits, ParsingConfig
from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.parse import parse_document


def parse(data: bytes | str, name: str, **options: Any) -> ParsedDocument:
    """Parse in process, and check what holds for every parsed document."""
    data = data.encode() if isinstance(data, str) else data
    parsed = parse_document(data, name=name, **{"limits": Limits(), **options})
    position = 0
    for block in parsed.blocks:
        assert position <= block.start_char < block.end_char <= len(parsed.text)
        assert not parsed.text[position : block.start_char].strip(), "text outside of blocks"
        assert (block.level > 0) == (block.kind == "heading")
        position = block.end_char
    assert not parsed.text[position:].strip()
    assert [page.start_char for page in parsed.pages] == sorted(
        page.start_char for page in parsed.pages
    )
    return parsed


def outline(parsed: ParsedDocument) -> list[str]:
    """Blocks as `kind level| text`, which reads well in a test."""
    return [
        f"{block.kind}{block.level or ''}| {parsed.text[block.start_char : block.end_char]}"
        for block in parsed.blocks
    ]


def reason(data: bytes | str, name: str, **options: Any) -> str:
    """The reason code that a document is refused for."""
    try:
        parse(data, name, **options)
    except DocumentError as error:
        return error.reason if name in str(error) else f"unnamed: {error}"
    return "read"


def zipped(members: dict[str, bytes | str]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


Page = list[tuple[str, int, str]]
"""Lines of text, each with its size and font."""


def pdf(*pages: Page, outline: list[tuple[str, int, int]] | None = None, top: int = 780) -> bytes:
    """A PDF; entries of its outline are (title, level from 0, page from 0)."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    canvas: Any = Canvas(buffer, pagesize=(595, 842), invariant=True)
    for index, lines in enumerate(pages):
        y = top
        for title, level, page in outline or []:
            if page == index:
                canvas.bookmarkPage(f"{title}{page}")
                canvas.addOutlineEntry(title, f"{title}{page}", level=level)
        for text, size, font in lines:
            canvas.setFont(font, size)
            canvas.drawString(72, y, text)
            y -= 14
            if not text:
                y -= 14
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def docx(build: Any) -> bytes:
    import docx as library

    document: Any = library.Document()
    build(document)
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


SMALL = Limits(max_document_chars=200, max_document_pages=2)
EVERYTHING = ParsingConfig(html_focus="everything")
