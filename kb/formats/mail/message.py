"""E-mail messages (.eml): who wrote what to whom, and what was attached."""

import email
import email.errors
import email.header
import email.policy
import re
from collections.abc import Sequence
from email.message import EmailMessage, Message
from typing import Any, TypeAlias

from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.decoding import decode
from kb.formats.nesting import MAX_DEPTH, MAX_NESTED, add_nested
from kb.formats.pages.html import drop_hidden
from kb.formats.pages.html_text import read_tree
from kb.formats.pages.html_tree import add_tree
from kb.formats.text import find_blocks
from kb.formats.text_builder import ParseRequest, TextBuilder, clean, encrypted, one_line

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_RICH_SHARE = 0.6
"""An HTML body with less than this of the words of the plain one leaves something out."""
_FEW_WORDS = 6
_MAILBOX_LINE = re.compile(
    rb"(?:\A|(?<=\n)\r?\n)From [^\n]{1,200}?\d\d:\d\d[^\n]{0,100}\n(?=[A-Za-z][\w-]{0,60}:)"
)
"""What each message of a mailbox begins with: who sent it, and when; then its first header."""
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
"""A line of text that a mailbox quotes, since it looks like the begin of a message."""

# Generic in the types of its headers, for type checkers alone.
Part: TypeAlias = "Message[Any, Any]"


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a message: the fuller of its bodies, every further part, then its attachments.

    Of a mailbox (.mbox) every message, one after the other.
    """
    messages = [_message(each) for each in _messages(data)]
    if len(messages) == 1:
        return read_message(messages[0], request)
    builder = TextBuilder(request)
    for message in messages:
        if _is_encrypted(message):
            builder.leave_out("encrypted message")
        else:
            _Reader(builder, request).message(message, level=1)
    return builder.build(title=None)


def read_message(message: EmailMessage, request: ParseRequest) -> ParsedDocument:
    """Read a message that was taken apart already."""
    if _is_encrypted(message):
        raise encrypted(request.name, "message")
    builder = TextBuilder(request)
    _Reader(builder, request).message(message, level=1)
    metadata = {"author": _header(message, "From"), "created": _header(message, "Date")}
    return builder.build(title=_header(message, "Subject"), metadata=metadata)


def _messages(data: bytes) -> list[bytes]:
    """The messages of a mailbox, or the only one."""
    starts = list(_MAILBOX_LINE.finditer(data)) if data.startswith(b"From ") else []
    if len(starts) < 2:
        return [data]
    ends = [*(each.start() for each in starts[1:]), len(data)]
    pieces = (data[each.end() : end] for each, end in zip(starts, ends, strict=True))
    return [_QUOTED_FROM.sub(rb"\1", piece) for piece in pieces]


def _message(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.default)


def _is_encrypted(message: EmailMessage) -> bool:
    return message.get_content_type() in ("multipart/encrypted", "application/pkcs7-mime")


class _Reader:
    """Walks the parts of a message; attachments wait until its text is through."""

    def __init__(self, builder: TextBuilder, request: ParseRequest) -> None:
        self._builder = builder
        self._request = request
        self._read = 0

    def message(self, message: EmailMessage, *, level: int, depth: int = 0) -> None:
        """Append a message, and those that are attached to it below."""
        self._builder.add("heading", _header(message, "Subject"), level=level)
        lines = (f"{name}: {_header(message, name)}" for name in _HEADERS if _header(message, name))
        self._builder.add("paragraph", "\n".join(lines))
        attached: list[Part] = []
        self._part(message, attached, self._builder)
        for part in attached:
            if part.get_content_type() == "message/rfc822":
                self._attached_message(part, level=level, depth=depth)
            else:
                self._attachment(part)

    def _part(self, part: Part, attached: list[Part], builder: TextBuilder) -> None:
        kind = part.get_content_type()
        if part.get_content_maintype() == "message" or part.get_filename():
            attached.append(part)
        elif kind == "multipart/alternative":
            self._alternatives(_inner(part), attached, builder)
        elif part.is_multipart():
            for inner in _inner(part):
                self._part(inner, attached, builder)
        elif kind in ("text/html", "text/plain", "text/enriched"):
            self._body(part, builder)
        elif kind in _SIGNATURES:
            builder.leave_out("signature")
        elif part.get_payload():
            attached.append(part)

    def _alternatives(
        self, parts: Sequence[Part], attached: list[Part], builder: TextBuilder
    ) -> None:
        """Of the same text in several forms the last, as its writer prefers, if nothing is lost."""
        forms: list[TextBuilder] = []
        for part in parts:
            form = TextBuilder(self._request)
            if part.get_content_type() == "text/calendar":
                attached.append(part)
                continue
            self._part(part, attached, form)
            forms.append(form)
        sizes = [_words(form) for form in forms]
        full = [at for at, size in enumerate(sizes) if _says_all(size, max(sizes))]
        for at, form in enumerate(forms):
            if at == max(full, default=len(forms) - 1):
                builder.extend(form.build())
            else:
                builder.hidden_chars += form.hidden_chars

    def _body(self, part: Part, builder: TextBuilder) -> None:
        text, hidden = clean(_text(part))
        builder.hidden_chars += hidden
        if part.get_content_type() == "text/html":
            try:
                root = read_tree(text, self._request.name)
            except DocumentError as error:
                if error.reason != "empty":
                    raise
                return
            drop_hidden(root, builder)
            add_tree(builder, root)
            return
        for block in find_blocks(text, headings={}):
            body = text[block.start_char : block.end_char]
            builder.add(block.kind, body, columns=block.columns)

    def _attached_message(self, part: Part, *, level: int, depth: int) -> None:
        inner = _inner(part)
        if not inner or not isinstance(inner[0], EmailMessage) or depth >= MAX_DEPTH:
            self._builder.leave_out("attached message")
            return
        self.message(inner[0], level=level + 1, depth=depth + 1)

    def _attachment(self, part: Part) -> None:
        payload = part.get_payload(decode=True)
        kind = part.get_content_type()
        self._read += 1
        if self._read > MAX_NESTED or not isinstance(payload, bytes) or not payload:
            self._builder.leave_out("attachment", int(bool(payload)))
            return
        name = one_line(str(part.get_filename() or _name_of(kind)))
        charset = part.get_content_charset()
        stated = f"{kind}; charset={charset}" if charset else kind
        if not add_nested(
            self._builder, payload, name=name, media_type=stated, request=self._request
        ):
            is_picture = part.get_content_maintype() == "image"
            self._builder.leave_out("picture" if is_picture else "attachment")


def _inner(part: Part) -> list[Part]:
    payload: Any = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if part.is_multipart() else []


def _says_all(words: int, most: int) -> bool:
    return bool(words) and (words >= _RICH_SHARE * most or most - words < _FEW_WORDS)


def _words(form: TextBuilder) -> int:
    return len(form.build().text.split())


def _name_of(kind: str) -> str:
    """A name for an attachment without one, so that the kinds of text are told apart."""
    suffixes = {"text/calendar": ".ics", "text/csv": ".csv", "text/markdown": ".md"}
    return f"attachment{suffixes.get(kind, '')}"


def _header(message: EmailMessage, name: str) -> str:
    try:
        text = one_line(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError, TypeError):
        # The header parser of the standard library stumbles over some malformed addresses.
        text = one_line(str(dict(message.raw_items()).get(name, "")))
    if "\ufffd" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return _guessed_header(message, name) or text
    return text


def _guessed_header(message: EmailMessage, name: str) -> str:
    """A header whose charset is unknown, or not stated at all."""
    wanted = name.lower()
    raw = next((str(each) for key, each in message.raw_items() if key.lower() == wanted), "")
    try:
        pieces = email.header.decode_header(raw)
    except (ValueError, email.errors.HeaderParseError):
        return ""
    return one_line("".join(_piece(piece, charset) for piece, charset in pieces))


def _piece(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        piece = piece.encode("utf-8", "surrogateescape")
    return decode(piece, stated=charset)


def _text(part: Part) -> str:
    payload = part.get_payload(decode=True)
    return decode(payload, stated=part.get_content_charset()) if isinstance(payload, bytes) else ""
