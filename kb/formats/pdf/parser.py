"""PDF: pypdf opens the file and knows its outline, pdfium reads the text."""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.nesting import MAX_NESTED, add_nested
from kb.formats.pdf import ocr
from kb.formats.pdf.annotations import attached_files
from kb.formats.pdf.layout import OutlineEntry, add_pages
from kb.formats.pdf.lines import ReadPage, plain_lines
from kb.formats.pdf.page_reading import read_pages
from kb.formats.text_builder import ParseRequest, TextBuilder, encrypted, malformed, one_line
from kb.formats.vendors import vendor

MAX_OUTLINE_ENTRIES = 20_000
MAX_FALLBACK_PAGES = 20
"""Of a file in which pdfium found nothing, pypdf tries as many; it is slower by far."""

_USUAL_SIZE = 10.0
"""Of type, in points, where no page says it."""
_NO_TITLE = frozenset({"", "untitled", "(untitled)", "anonymous", "(anonymous)"})

# pdfium keeps state of its own and serves one thread at a time.
_pdfium_lock = threading.Lock()


@dataclass(slots=True)
class _Facts:
    """What pypdf knows of the file."""

    labels: list[str] = field(default_factory=list[str])
    outline: list[OutlineEntry] = field(default_factory=list[OutlineEntry])
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    title: str | None = None
    language: str | None = None
    attached: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    """Name and content of each file inside of it."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read the text layer of a PDF, and with `ocr` on the pages that have none.

    Raises:
        DocumentError: `encrypted`, `malformed`, `too_large` (pages), `no_text_layer` (a scan) or
            `ocr_missing`.
    """
    reader, complaint = _open_reader(data, request)
    facts = _facts(reader) if reader is not None else _Facts()
    pages = _pdfium_pages(data, request, facts)
    if pages is None and reader is not None:
        pages = _pypdf_pages(reader)
    if pages is None:
        raise malformed(request.name, "PDF", complaint or "no page could be read")
    is_blank = not _has_letters(pages) and not any(page.unseen for page in pages)
    if is_blank and reader is not None and len(pages) <= MAX_FALLBACK_PAGES:
        pages = _pypdf_pages(reader) or pages
    recognised = _recognise_pages(data, pages, request) if request.config.ocr else 0
    if not _has_letters(pages):
        raise _no_text_layer(request, len(pages))
    builder = TextBuilder(request)
    labels = [*facts.labels, *(str(at + 1) for at in range(len(facts.labels), len(pages)))]
    add_pages(builder, pages, labels=labels, outline=facts.outline, language=facts.language)
    attached = [*facts.attached, *(file for page in pages for file in page.files)]
    for name, content in attached[:MAX_NESTED]:
        if not add_nested(builder, content, name=name, media_type=None, request=request):
            builder.leave_out("attachment")
    builder.leave_out("attachment", len(attached) - MAX_NESTED)
    metadata = {**facts.metadata, "pages": str(len(pages))}
    if recognised:
        metadata |= {"text_source": "ocr", "pages_recognised": str(recognised)}
    return builder.build(title=facts.title, language=facts.language, metadata=metadata)


def _open_reader(data: bytes, request: ParseRequest) -> tuple[Any, Exception | None]:
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    name = request.name
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise encrypted(name, "PDF")
        _check_pages(len(reader.pages), request)
    except FileNotDecryptedError as error:
        raise encrypted(name, "PDF") from error
    except DocumentError:
        raise
    except Exception as error:
        # pypdf reports a broken file in many ways; pdfium reads some of these all the same.
        return None, error
    return reader, None


def _check_pages(pages: int, request: ParseRequest) -> None:
    limit = request.limits.max_document_pages
    if limit is not None and pages > limit:
        raise DocumentError(
            "too_large",
            f"{request.name!r} has {pages:,} pages and one document may have {limit:,}. Split "
            "it, or raise `limits.max_document_pages`.",
        )


def _facts(reader: Any) -> _Facts:
    """Read what helps but is not needed: a flaw in any of it costs that part only."""
    facts = _Facts()
    for read in (_read_labels, _read_outline, _read_metadata):
        try:
            read(reader, facts)
        except Exception as error:
            facts.metadata[read.__name__.removeprefix("_read_") + "_unreadable"] = type(
                error
            ).__name__
    return facts


def _read_labels(reader: Any, facts: _Facts) -> None:
    if "/PageLabels" in reader.root_object:
        facts.labels = [str(label) for label in reader.page_labels]


def _read_metadata(reader: Any, facts: _Facts) -> None:
    language = reader.root_object.get("/Lang")
    facts.language = str(language) if language else None
    info = reader.metadata
    if info is None:
        return
    title = one_line(str(info.title or ""))
    facts.title = None if title.lower() in _NO_TITLE else title
    facts.metadata |= {"author": str(info.author or ""), "subject": str(info.subject or "")}
    if info.creation_date is not None:
        facts.metadata["created"] = info.creation_date.isoformat()


def _read_outline(reader: Any, facts: _Facts) -> None:
    stack: list[tuple[int, Any]] = [(1, entry) for entry in reversed(reader.outline)]
    while stack and len(facts.outline) < MAX_OUTLINE_ENTRIES:
        level, entry = stack.pop()
        if isinstance(entry, list):
            children: list[Any] = entry  # pyright: ignore[reportUnknownVariableType]
            stack.extend((level + 1, child) for child in reversed(children))
            continue
        page = reader.get_destination_page_number(entry)
        if page is not None and page >= 0:
            facts.outline.append(OutlineEntry(one_line(str(entry.title)), level, page))


def _pdfium_pages(data: bytes, request: ParseRequest, facts: _Facts) -> list[ReadPage] | None:
    pypdfium2 = vendor("pypdfium2")
    with _pdfium_lock:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise encrypted(request.name, "PDF") from error
            return None
        try:
            _check_pages(len(document), request)
            facts.attached = attached_files(document)
            return read_pages(document)
        finally:
            document.close()


def _pypdf_pages(reader: Any) -> list[ReadPage] | None:
    pages: list[ReadPage] = []
    for page in reader.pages:
        pages.append(ReadPage(plain_lines(page.extract_text())))
    return pages or None


def _recognise_pages(data: bytes, pages: list[ReadPage], request: ParseRequest) -> int:
    """Put the lines of pages that are pictures into `pages`; returns how many had any."""
    wanted = [index for index, page in enumerate(pages) if not _has_letters([page])]
    pypdfium2 = vendor("pypdfium2")
    size = _body_size(pages)
    recognised = 0
    with _pdfium_lock:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError:
            # It was pypdf that could open the file; nothing can draw its pages.
            return 0
        try:
            for index in wanted:
                if index < len(document) and ocr.holds_anything(document, index):
                    request.before_recognition()
                    lines = ocr.read_page(document, index, name=request.name, body_size=size)
                    pages[index] = replace(pages[index], lines=lines)
                    recognised += bool(lines)
        finally:
            document.close()
    return recognised


def _body_size(pages: list[ReadPage]) -> float:
    """Size of most of the text, so that recognised lines are not taken for headings beside it."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    return next((size for size, _ in sizes.most_common(1) if size), _USUAL_SIZE)


def _has_letters(pages: list[ReadPage]) -> bool:
    return any(
        character.isalnum() for page in pages for line in page.lines for character in line.text
    )


def _no_text_layer(request: ParseRequest, pages: int) -> DocumentError:
    many = f"{request.name!r} ({pages} page{'s' if pages != 1 else ''})"
    if request.config.ocr:
        return DocumentError(
            "no_text_layer",
            f"{many} has no text layer, and text recognition found no words in its pictures. Scan "
            "it anew, upright and with at least 200 dots per inch, or leave it out.",
        )
    return DocumentError(
        "no_text_layer",
        f"{many} has no text layer: its pages are blank or pictures of text, as in a scan. Switch "
        f"`parsing.ocr` on (needs `{ocr.INSTALL}`), or run text recognition over it (for example "
        "`ocrmypdf`) and add the result.",
    )
