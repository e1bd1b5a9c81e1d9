"""Which format the bytes are in: content decides, suffix or stated type only where it is mute."""

import re
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import PurePath
from urllib.parse import urlsplit

from kb.errors import DocumentError
from kb.formats.decoding import decode, utf16_without_bom
from kb.formats.format import Format
from kb.formats.known import EML, EPUB, FORMATS, HTML, MSG, PDF, PLAIN, XLS, XML, ZIP
from kb.formats.text_builder import encrypted, malformed

_BEGINNING_BYTES = 4096
_LONGER_BYTES = 65_536
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
_MESSAGE_STREAM = "__properties_version1.0"
_OLE_STREAMS = (
    ("WordDocument", "a Word file of the old .doc format", "Save it as .docx and add that."),
    ("PowerPoint Document", "a presentation of the old .ppt format", "Save it as .pptx."),
)
_MAIL_HEADERS = frozenset(
    {"from", "to", "date", "subject", "received", "message-id", "mime-version", "return-path"}
    | {"delivered-to", "sender", "content-type", "x-mailer", "reply-to"}
)
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")
_CHARACTERS_A_NUL = 16
"""A text may hold a stray NUL, which costs itself; a file with more of them is none."""
_XML_START = re.compile(r"\s*<\?xml\s")
_HTML_TAGS = re.compile(r"<(?:p|div|table|h[1-6]|ul|ol|br|a|span|title|meta)\b", re.IGNORECASE)


def recognise(
    data: bytes, name: str, *, stated: str | None = None, formats: Sequence[Format] = FORMATS
) -> Format:
    """Return the format of `data`.

    Args:
        data: The whole source.
        name: Its file name or URL; the suffix decides only between kinds of text.
        stated: Media type given by the server or the caller, used like the suffix.
        formats: Those that can be read; the first that fits is taken.

    Raises:
        DocumentError: `empty`, `encrypted`, `malformed`, or `unsupported` with what it looks like.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise DocumentError("empty", f"{name!r} is empty. Check that the right file was added.")
    return _Recognition(formats).of(data, name, stated)


class _Recognition:
    """Asks one list of formats."""

    def __init__(self, formats: Sequence[Format]) -> None:
        self._formats = formats
        self._by_media_type = {
            media_type: each for each in formats for media_type in (each.media_type, *each.aliases)
        }

    def of(self, data: bytes, name: str, stated: str | None) -> Format:
        head = data[:1024]
        html = self._by_media_type[HTML].begins
        if b"%PDF-" in head and not (html and html.match(decode(head))):
            return self._by_media_type[PDF]
        if data.startswith(b"PK\x03\x04"):
            return self._zip(data, name)
        if data.startswith(_OLE):
            return self._by_media_type[self._ole(data, name)]
        self._refuse_binary(data, name)
        return self._text(data, name, stated)

    def _text(self, data: bytes, name: str, stated: str | None) -> Format:
        head = decode(data[:_BEGINNING_BYTES])
        if (certain := self._by_first_words(data, head)) is not None:
            return certain
        hint = self._hint(name, stated)
        if hint is None:
            hint = EML if _looks_like_message(head) else XML if _XML_START.match(head) else PLAIN
        elif hint == HTML and not _HTML_TAGS.search(decode(data[:_LONGER_BYTES])):
            hint = PLAIN
        # What is called XML but does not begin like it is better read as it is.
        is_xml = hint != XML or head.lstrip().startswith("<")
        return self._by_media_type[hint if is_xml else PLAIN]

    def _hint(self, name: str, stated: str | None) -> str | None:
        """The media type that the name says, else the one that was stated."""
        suffix = _suffix(name)
        named = next((each for each in self._formats if suffix in each.suffixes), None)
        stated_one = self._by_media_type.get(stated or "")
        if named is None and stated_one is not None and stated_one.suffixes:
            named = stated_one
        return None if named is None else named.media_type

    def _by_first_words(self, data: bytes, head: str) -> Format | None:
        """The format that a text begins like, whatever it is called."""
        # A calendar's lines may be folded inside of a character, which makes decoding guess wrong.
        heads = [_lines(data[:64].decode("ascii", "ignore")), _lines(head)]
        for each in self._formats:
            if each.begins is None or not any(each.begins.match(head) for head in heads):
                continue
            if each.goes_on is None or each.goes_on.match(_lines(decode(data[:_LONGER_BYTES]))):
                return each
        return None

    def _zip(self, data: bytes, name: str) -> Format:
        try:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                members = archive.namelist()
                stated = archive.read("mimetype")[:100] if "mimetype" in members else b""
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise malformed(name, _zip_look(name), error) from error
        own = self._by_media_type.get(stated.decode("ascii", "replace").strip())
        if own is not None:
            return own
        if "[Content_Types].xml" in members:
            for each in self._formats:
                folder = each.office_folder
                if folder and any(member.startswith(folder) for member in members):
                    return each
        return self._by_media_type[EPUB if "META-INF/container.xml" in members else ZIP]

    def _ole(self, data: bytes, name: str) -> str:
        if _MESSAGE_STREAM.encode("utf-16-le") in data:
            return MSG  # Whatever is attached to it.
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise encrypted(name, "document")
        for stream, look, remedy in _OLE_STREAMS:
            if stream.encode("utf-16-le") in data:
                raise self._unsupported(name, look, remedy)
        if not any(stream.encode("utf-16-le") in data for stream in ("Workbook", "Book")):
            raise self._unsupported(name, "an old Microsoft Office file")
        return XLS

    def _refuse_binary(self, data: bytes, name: str) -> None:
        for signature, look in _SIGNATURES:
            # A signature of plain letters could begin a text as well.
            if data.startswith(signature) and not (signature.isascii() and _is_text(data[:1024])):
                raise self._unsupported(name, look)
        if data[4:8] == b"ftyp":
            raise self._unsupported(name, "a video or recording")
        if data[257:262] == b"ustar":
            raise self._unsupported(name, "a tar archive")
        if not _is_text(data[:_LONGER_BYTES]):
            raise self._unsupported(name, "binary data of an unknown kind")

    def _unsupported(self, name: str, look: str, remedy: str = "") -> DocumentError:
        readable = ", ".join(each.listed for each in self._formats if each.listed)
        remedy = remedy or "Convert it to one of these, or leave it out."
        return DocumentError(
            "unsupported",
            f"{name!r} looks like {look}, which cannot be read. The knowledge base reads "
            f"{readable} and ZIP archives of these. {remedy}",
        )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _looks_like_message(head: str) -> bool:
    names = {line.partition(":")[0].lower() for line in head.split("\n\n")[0].splitlines()}
    return len(names & _MAIL_HEADERS) >= 3


def _suffix(name: str) -> str:
    """Suffix of a file name, or of the path in a URL."""
    path = urlsplit(name).path if "://" in name else name
    return PurePath(path).suffix.lower()


def _zip_look(name: str) -> str:
    return {".docx": "Word document", ".xlsx": "spreadsheet", ".pptx": "presentation"}.get(
        _suffix(name), "ZIP archive"
    )


def _is_text(sample: bytes) -> bool:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or utf16_without_bom(sample):
        return True
    control = len(sample) - len(sample.translate(None, _CONTROL))
    few_nuls = sample.count(0) <= max(1, len(sample) // _CHARACTERS_A_NUL)
    return few_nuls and control <= max(2, len(sample) // 100)
