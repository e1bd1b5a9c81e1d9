"""What every parser shares: the request, and a builder that keeps text and offsets in step."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from kb.config import Limits, ParsingConfig
from kb.document import Block, BlockKind, PageStart, ParsedDocument
from kb.errors import DocumentError

_SEPARATOR = "\n\n"
# Zero-width and soft-hyphen characters cut words apart for every index.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
# Unicode tag characters render as nothing and serve only to hide text from people.
_HIDDEN = re.compile("[\U000e0000-\U000e007f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def no_clock() -> None:
    """Stand in where no sandbox counts the seconds."""


@dataclass(frozen=True, slots=True)
class ParseRequest:
    """What is known of the bytes besides the bytes."""

    name: str
    media_type: str
    charset: str | None = None
    """As the server or the caller stated it."""
    limits: Limits = field(default_factory=Limits)
    config: ParsingConfig = field(default_factory=ParsingConfig)
    depth: int = 0
    """How many archives or messages the bytes lay inside of."""
    before_recognition: Callable[[], None] = no_clock
    """To be called before each page that is read by text recognition, which takes its own time."""


class TextBuilder:
    """Collects blocks in reading order and knows the offset of each in the text so far."""

    def __init__(self, request: ParseRequest) -> None:
        self._request = request
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[PageStart] = []
        self.hidden_chars = 0
        self.left_out: Counter[str] = Counter()

    def leave_out(self, kind: str, count: int = 1) -> None:
        """Count what is in the source and not in the text, e.g. `comment`: one piece each."""
        if count > 0:
            self.left_out[kind] += count

    def hide(self, kind: str, text: str) -> None:
        """Count a piece of text that a reader would not see, and its characters."""
        length = len(one_line(text))
        self.hidden_chars += length
        self.leave_out(kind, min(length, 1))

    def add(self, kind: BlockKind, text: str, *, level: int = 0, columns: str = "") -> None:
        """Append a block. Blank text adds nothing; unprintable characters are dropped.

        For `level` and `columns` see `Block`.
        """
        text, hidden = clean(text)
        self.hidden_chars += hidden
        text = text.strip("\n").rstrip() if kind == "code" else text.strip()
        if not text.strip():
            return
        separator = _SEPARATOR if self._parts else ""
        start = self._length + len(separator)
        self._length = start + len(text)
        self._check_size()
        self._parts.append(separator + text)
        self._blocks.append(Block(kind, start, self._length, level, clean(columns)[0]))

    def start_page(self, label: str) -> None:
        """Say that what is added from here on is on page `label`."""
        start = self._length + (len(_SEPARATOR) if self._parts else 0)
        self._pages.append(PageStart(start, label))

    def extend(self, parsed: ParsedDocument, *, deeper: int = 0) -> None:
        """Append another document's blocks, its headings `deeper` levels further in."""
        for block in parsed.blocks:
            level = block.level + deeper if block.kind == "heading" else 0
            body = parsed.text[block.start_char : block.end_char]
            self.add(block.kind, body, level=level, columns=block.columns)
        self.hidden_chars += parsed.hidden_chars_dropped
        self.left_out.update(parsed.left_out)

    def build(
        self,
        *,
        title: str | None = None,
        language: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ParsedDocument:
        """Finish. Without a `title`, the first heading of the outermost level is it."""
        text = "".join(self._parts)
        pages = tuple(page for page in self._pages if page.start_char < len(text))
        return ParsedDocument(
            text=text,
            title=one_line(title or "") or self._first_heading(text),
            media_type=self._request.media_type,
            blocks=tuple(self._blocks),
            pages=pages,
            hidden_chars_dropped=self.hidden_chars,
            language=language or None,
            metadata={key: value for key, value in (metadata or {}).items() if value},
            left_out=dict(self.left_out),
        )

    def _first_heading(self, text: str) -> str | None:
        headings = [block for block in self._blocks if block.kind == "heading"]
        if not headings:
            return None
        outermost = min(headings, key=lambda block: (block.level, block.start_char))
        return one_line(text[outermost.start_char : outermost.end_char])

    def _check_size(self) -> None:
        limit = self._request.limits.max_document_chars
        if limit is not None and self._length > limit:
            raise too_long(self._request.name, limit)


def too_long(name: str, limit: int) -> DocumentError:
    """Say that a document holds more text than one document may."""
    return DocumentError(
        "too_large",
        f"{name!r} holds more than {limit:,} characters of text, the limit for one document. "
        "Split it, or raise `limits.max_document_chars`.",
    )


def malformed(name: str, what: str, why: object) -> DocumentError:
    """Say that `name` is a broken `what`; `why` is the parser's own complaint."""
    complaint = one_line(str(why))[:200] or type(why).__name__
    return DocumentError(
        "malformed",
        f"{name!r} is not a readable {what} ({complaint}). Open it in the program that made it "
        "and save it again, or leave it out.",
    )


def encrypted(name: str, what: str) -> DocumentError:
    """Say that `name` needs a password."""
    return DocumentError(
        "encrypted",
        f"{name!r} is a {what} protected by a password. Save a copy without the password and "
        "add that.",
    )


def clean(text: str) -> tuple[str, int]:
    """Normalise line ends and drop characters that nobody sees; count those meant to hide."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text, hidden = _HIDDEN.subn("", text)
    return _CONTROL.sub("", _INVISIBLE.sub("", text)), hidden


def one_line(text: str) -> str:
    """Collapse every run of white space to one space."""
    return " ".join(text.split())
