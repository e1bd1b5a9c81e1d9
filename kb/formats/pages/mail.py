"""E-mail messages (.eml): who wrote what to whom, and what was attached."""

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage, MIMEPart

from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.nesting import add_nested
from kb.formats.pages.html import drop_hidden
from kb.formats.pages.html_text import read_tree
from kb.formats.pages.html_tree import add_tree
from kb.formats.text import find_blocks
from kb.formats.text_builder import ParseRequest, TextBuilder, clean, encrypted, one_line

_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a message: the fuller of its bodies, then its attachments."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    if message.get_content_type() in ("multipart/encrypted", "application/pkcs7-mime"):
        raise encrypted(request.name, "message")
    builder = TextBuilder(request)
    subject = _header(message, "Subject")
    builder.add("heading", subject, level=1)
    lines = (f"{name}: {_header(message, name)}" for name in _HEADERS if _header(message, name))
    builder.add("paragraph", "\n".join(lines))
    body = message.get_body(preferencelist=("html", "plain"))
    if body is not None:
        _add_body(builder, body, request)
    for name, content, media_type in _attachments(message):
        add_nested(builder, content, name=name, media_type=media_type, request=request)
    metadata = {"author": _header(message, "From"), "created": _header(message, "Date")}
    return builder.build(title=subject, metadata=metadata)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError, TypeError):
        # The header parser of the standard library stumbles over some malformed addresses.
        return one_line(dict(message.raw_items()).get(name, ""))


def _add_body(builder: TextBuilder, body: MIMEPart, request: ParseRequest) -> None:
    text, hidden = clean(_text(body))
    builder.hidden_chars += hidden
    if body.get_content_type() == "text/html":
        try:
            root = read_tree(text, request.name)
        except DocumentError as error:
            if error.reason != "empty":
                raise
            return
        drop_hidden(root, builder)
        add_tree(builder, root)
        return
    for block in find_blocks(text, headings={}):
        builder.add(block.kind, text[block.start_char : block.end_char])


def _text(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _attachments(message: EmailMessage) -> Iterator[tuple[str, bytes, str]]:
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if part.get_filename() and isinstance(payload, bytes) and payload:
            yield one_line(str(part.get_filename())), payload, part.get_content_type()
