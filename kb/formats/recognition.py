"""Which format the bytes are in: content decides, suffix or stated type only where it is mute."""

import re
import zipfile
from io import BytesIO
from pathlib import PurePath
from urllib.parse import urlsplit

from kb.errors import DocumentError
from kb.formats.decoding import decode, utf16_without_bom
from kb.formats.text_builder import encrypted, malformed

PDF = "application/pdf"
HTML = "text/html"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
CSV = "text/csv"
JSON = "application/json"
XML = "application/xml"
EML = "message/rfc822"
ICS = "text/calendar"
VTT = "text/vtt"
SRT = "application/x-subrip"
RTF = "application/rtf"
ZIP = "application/zip"
EPUB = "application/epub+zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS = "application/vnd.ms-excel"
ODT = "application/vnd.oasis.opendocument.text"
ODP = "application/vnd.oasis.opendocument.presentation"
ODS = "application/vnd.oasis.opendocument.spreadsheet"

PARSERS = {
    PDF: "kb.formats.pdf.parser",
    HTML: "kb.formats.pages.html",
    MARKDOWN: "kb.formats.pages.markdown",
    PLAIN: "kb.formats.text",
    CSV: "kb.formats.data.delimited",
    JSON: "kb.formats.data.json_data",
    XML: "kb.formats.data.xml_data",
    EML: "kb.formats.pages.mail",
    ICS: "kb.formats.data.calendar_events",
    VTT: "kb.formats.data.captions",
    SRT: "kb.formats.data.captions",
    RTF: "kb.formats.office.rich_text",
    ZIP: "kb.formats.data.zip_archive",
    EPUB: "kb.formats.office.book",
    DOCX: "kb.formats.office.word",
    PPTX: "kb.formats.office.slides",
    XLSX: "kb.formats.sheets.parser",
    XLS: "kb.formats.sheets.parser",
    ODT: "kb.formats.office.open_document",
    ODP: "kb.formats.office.open_document",
    ODS: "kb.formats.office.open_document",
}
"""Media type -> module with the function `parse`."""

FORMAT_NAMES = {
    PDF: "PDF",
    HTML: "HTML page",
    MARKDOWN: "Markdown text",
    PLAIN: "text",
    CSV: "table of separated values",
    JSON: "JSON file",
    XML: "XML file",
    EML: "e-mail message",
    ICS: "calendar",
    VTT: "caption file",
    SRT: "caption file",
    RTF: "RTF document",
    ZIP: "ZIP archive",
    EPUB: "EPUB book",
    DOCX: "Word document",
    PPTX: "presentation",
    XLSX: "spreadsheet",
    XLS: "spreadsheet",
    ODT: "OpenDocument text",
    ODP: "OpenDocument presentation",
    ODS: "spreadsheet",
}
"""Media type -> what a person calls it."""

SUPPORTED = (
    "PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx, .xls), OpenDocument, RTF, EPUB, HTML, "
    "Markdown, plain text, CSV, JSON, XML, e-mail (.eml), calendars (.ics), "
    "captions (.vtt, .srt) and ZIP archives of these"
)

_OFFICE_PARTS = {"word/": DOCX, "ppt/": PPTX, "xl/": XLSX}
_SUFFIXES = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdx": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".csv": CSV,
    ".tsv": CSV,
    ".json": JSON,
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".ipynb": JSON,
    ".xml": XML,
    ".rss": XML,
    ".atom": XML,
    ".eml": EML,
    ".txt": PLAIN,
}
_ALIASES = {
    "text/x-markdown": MARKDOWN,
    "application/xhtml+xml": HTML,
    "text/tab-separated-values": CSV,
    "application/ld+json": JSON,
    "application/x-ndjson": JSON,
    "text/xml": XML,
    "application/rss+xml": XML,
    "application/atom+xml": XML,
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
)
_TEXTUAL = frozenset({HTML, MARKDOWN, PLAIN, CSV, JSON, XML, EML})
_MAIL_HEADERS = frozenset(
    {"from", "to", "date", "subject", "received", "message-id", "mime-version", "return-path"}
    | {"delivered-to", "sender", "content-type", "x-mailer", "reply-to"}
)
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")
_CHARACTERS_A_NUL = 16
"""A text may hold a stray NUL, which costs itself; a file with more of them is none."""
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_CALENDAR_START = re.compile(r"\s*BEGIN:VCALENDAR[ \t]*[\r\n]", re.IGNORECASE)
_TIMING = r"(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}[ \t]*-->"
_VTT_START = re.compile(rf"WEBVTT(?:[ \t].*)?\r?\n(?:.*\n)*?[ \t]*{_TIMING}", re.ASCII)
_SRT_START = re.compile(rf"\s*(?:\d+[ \t]*\r?\n)?[ \t]*{_TIMING}", re.ASCII)
_XML_START = re.compile(r"\s*<\?xml\s")
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
        # A signature of plain letters could begin a text as well.
        if data.startswith(signature) and not (signature.isascii() and _is_text(head)):
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
    stated = _ALIASES.get(stated or "", stated or "")
    hint = _SUFFIXES.get(_suffix(name)) or (stated if stated in _TEXTUAL else None)
    if (certain := _by_first_words(data, head)) is not None:
        return certain
    if hint == HTML and not _HTML_TAGS.search(decode(data[:65_536])):
        return PLAIN
    if hint is None:
        hint = EML if _looks_like_message(head) else XML if _XML_START.match(head) else PLAIN
    # What is called XML but does not begin like it is better read as it is.
    return PLAIN if hint == XML and not head.lstrip().startswith("<") else hint


def _by_first_words(data: bytes, head: str) -> str | None:
    """The format that a text begins like, whatever it is called."""
    # A calendar's lines may be folded inside of a character, which makes decoding guess wrong.
    if _CALENDAR_START.match(data[:64].decode("ascii", "ignore")):
        return ICS
    if head.startswith("WEBVTT"):
        # Notes and styles come before the first words.
        head = decode(data[:65_536])
    head = head.replace("\r\n", "\n").replace("\r", "\n")
    starts = {ICS: _CALENDAR_START, HTML: _HTML_START, VTT: _VTT_START, SRT: _SRT_START}
    if head.startswith("{\\rtf"):
        return RTF
    return next((kind for kind, start in starts.items() if start.match(head)), None)


def _looks_like_message(head: str) -> bool:
    names = {line.partition(":")[0].lower() for line in head.split("\n\n")[0].splitlines()}
    return len(names & _MAIL_HEADERS) >= 3


def _suffix(name: str) -> str:
    """Suffix of a file name, or of the path in a URL."""
    path = urlsplit(name).path if "://" in name else name
    return PurePath(path).suffix.lower()


def _recognise_zip(data: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.namelist()
            stated = archive.read("mimetype")[:100] if "mimetype" in members else b""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise malformed(name, _zip_look(name), error) from error
    own = stated.decode("ascii", "replace").strip()
    if own in PARSERS:
        return own
    if "[Content_Types].xml" in members:
        for folder, media_type in _OFFICE_PARTS.items():
            if any(member.startswith(folder) for member in members):
                return media_type
    if "META-INF/container.xml" in members:
        return EPUB
    return ZIP


def _zip_look(name: str) -> str:
    return {".docx": "Word document", ".xlsx": "spreadsheet", ".pptx": "presentation"}.get(
        _suffix(name), "ZIP archive"
    )


def _recognise_ole(data: bytes, name: str) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise encrypted(name, "document")
    for stream, look, remedy in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            raise _unsupported(name, look, remedy)
    if any(stream.encode("utf-16-le") in data for stream in ("Workbook", "Book")):
        return XLS
    raise _unsupported(name, "an old Microsoft Office file")


def _is_text(sample: bytes) -> bool:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or utf16_without_bom(sample):
        return True
    control = len(sample) - len(sample.translate(None, _CONTROL))
    few_nuls = _CHARACTERS_A_NUL * sample.count(0) <= len(sample)
    return few_nuls and control <= max(2, len(sample) // 100)


def _unsupported(name: str, look: str, remedy: str = "") -> DocumentError:
    remedy = remedy or "Convert it to one of these, or leave it out."
    return DocumentError(
        "unsupported",
        f"{name!r} looks like {look}, which cannot be read. The knowledge base reads {SUPPORTED}. "
        f"{remedy}",
    )
