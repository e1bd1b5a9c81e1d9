"""Which format the bytes are in: content decides, suffix or stated type only where it is mute."""

import re
import zipfile
from io import BytesIO
from pathlib import PurePath

from kb.errors import DocumentError
from kb.formats.building import encrypted, malformed
from kb.formats.decoding import decode, is_utf16_without_bom

PDF = "application/pdf"
HTML = "text/html"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

PARSERS = {
    PDF: "kb.formats.pdf",
    HTML: "kb.formats.html",
    MARKDOWN: "kb.formats.markdown",
    PLAIN: "kb.formats.text",
    DOCX: "kb.formats.word",
}
"""Media type -> module with the function `parse`."""

FORMAT_NAMES = {
    PDF: "PDF",
    HTML: "HTML page",
    MARKDOWN: "Markdown text",
    PLAIN: "text",
    DOCX: "Word document",
}
"""Media type -> what a person calls it."""

SUPPORTED = "PDF, Word (.docx), HTML, Markdown and plain text"

_OFFICE_PARTS = {"word/": DOCX}
_SUFFIXES = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdx": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
}
_SIGNATURES = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"BM", "a bitmap image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"Rar!", "a RAR archive"),
    (b"ITSF", "a compiled Windows help file"),
    (b"\xe4\x52\x5c\x7b", "a OneNote notebook"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"ID3", "an MP3 recording"),
    (b"OggS", "an Ogg recording"),
    (b"fLaC", "a FLAC recording"),
    (b"RIFF", "a sound, video or WebP file"),
    (b"\x1aE\xdf\xa3", "a Matroska video"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"%!PS", "a PostScript file"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("WordDocument", "a Word file of the old .doc format", "Save it as .docx and add that."),
    ("PowerPoint Document", "a presentation of the old .ppt format", "Save it as .pptx."),
    ("__substg1.0_", "an Outlook .msg message", "Save it as .eml and add that."),
    ("Workbook", "a spreadsheet of the old .xls format", "Save it as .xlsx and add that."),
)
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_HTML_TAGS = re.compile(r"<(?:p|div|table|h[1-6]|ul|ol|br|a|span|title|meta)\b", re.IGNORECASE)


def recognise(data: bytes, name: str, *, stated: str | None = None) -> str:
    """Return the media type of `data`, one of `PARSERS`.

    Args:
        data: The whole source.
        name: Its file name or URL; the suffix decides only between kinds of text.
        stated: Media type given by the server or the caller, used like the suffix.

    Raises:
        DocumentError: `empty`, `encrypted`, `malformed`, or `unsupported` with what it looks like.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise DocumentError("empty", f"{name!r} is empty. Check that the right file was added.")
    head = data[:1024]
    if b"%PDF-" in head and not _HTML_START.match(decode(head)):
        return PDF
    if data.startswith(b"PK\x03\x04"):
        return _recognise_zip(data, name)
    if data.startswith(_OLE):
        return _recognise_ole(data, name)
    for signature, look in _SIGNATURES:
        if data.startswith(signature) and not _is_text(head):
            raise _unsupported(name, look)
    if data[4:8] == b"ftyp":
        raise _unsupported(name, "a video or recording")
    if data[257:262] == b"ustar":
        raise _unsupported(name, "a tar archive")
    if not _is_text(data[:65_536]):
        raise _unsupported(name, "binary data of an unknown kind")
    return _recognise_text(data, name, stated)


def _recognise_text(data: bytes, name: str, stated: str | None) -> str:
    head = decode(data[:4096])
    hint = _SUFFIXES.get(PurePath(name).suffix.lower()) or (stated if stated in PARSERS else None)
    if _HTML_START.match(head):
        return HTML
    if hint == HTML and not _HTML_TAGS.search(decode(data[:65_536])):
        return PLAIN
    return hint if hint in (HTML, MARKDOWN) else PLAIN


def _recognise_zip(data: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise malformed(name, _zip_look(name), error) from error
    for folder, media_type in _OFFICE_PARTS.items():
        if any(member.startswith(folder) for member in members):
            return media_type
    raise _unsupported(name, "a ZIP archive")


def _zip_look(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    return {".docx": "Word document", ".xlsx": "spreadsheet", ".pptx": "presentation"}.get(
        suffix, "ZIP archive"
    )


def _recognise_ole(data: bytes, name: str) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise encrypted(name, "document")
    for stream, look, remedy in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            raise _unsupported(name, look, remedy)
    raise _unsupported(name, "an old Microsoft Office file")


def _is_text(sample: bytes) -> bool:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or is_utf16_without_bom(sample):
        return True
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in sample)
    return b"\0" not in sample and control <= len(sample) // 100


def _unsupported(name: str, look: str, remedy: str = "") -> DocumentError:
    remedy = remedy or "Convert it to one of these, or leave it out."
    return DocumentError(
        "unsupported",
        f"{name!r} looks like {look}, which cannot be read. The knowledge base reads {SUPPORTED}. "
        f"{remedy}",
    )
