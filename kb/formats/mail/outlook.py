"""Messages that Outlook saves (.msg): put into the form of the internet, and read like those."""

import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from kb.document import ParsedDocument
from kb.formats.decoding import decode
from kb.formats.mail.compressed_rtf import decompressed
from kb.formats.mail.html_in_rtf import html_in
from kb.formats.mail.message import read_message
from kb.formats.nesting import MAX_DEPTH, MAX_NESTED
from kb.formats.text_builder import ParseRequest, one_line
from kb.formats.vendors import vendor

_SUBJECT, _BODY, _RTF, _HTML, _HTML_TEXT = 0x0037, 0x1000, 0x1009, 0x1013, 0x1013
_RECIPIENT_KIND = 0x0C15
_RECIPIENTS = {1: "To", 2: "Cc"}
_EMBEDDED = "__substg1.0_3701000D"
"""The storage of a message that is attached to another."""
_OUTER_HEADER, _INNER_HEADER = 32, 24
"""Bytes before the properties of a message, and of one that is attached."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an Outlook message, with its attachments and the messages in it."""
    message = vendor("oxmsg").Message.load(data)
    return read_message(_converted(message._storage, _OUTER_HEADER, depth=0), request)


def _converted(storage: Any, header_bytes: int, *, depth: int) -> EmailMessage:
    properties = vendor("oxmsg.properties").Properties(
        storage, properties_header_offset=header_bytes
    )
    source = vendor("oxmsg").Message(storage)
    source.__dict__["_properties"] = properties
    message = EmailMessage(policy=email.policy.default)
    for name, value in _headers(source, properties):
        if value := one_line(value):
            message[name] = value
    _set_bodies(message, properties)
    for index, part in enumerate(storage.iter_attachment_storages()):
        if index >= MAX_NESTED:
            break
        _attach(message, part, depth=depth)
    return message


def _headers(source: Any, properties: Any) -> Iterator[tuple[str, str]]:
    yield "Subject", properties.str_prop_value(_SUBJECT) or ""
    yield "From", source.sender or ""
    for kind, name in _RECIPIENTS.items():
        people = [each for each in source.recipients if _kind_of(each) == kind]
        yield name, ", ".join(_address(each.name, each.email_address) for each in people)
    sent = source.sent_date
    yield "Date", format_datetime(sent) if sent is not None else ""


def _kind_of(recipient: Any) -> int:
    return recipient.properties.int_prop_value(_RECIPIENT_KIND) or 1


def _address(name: str, address: str) -> str:
    if not name or name == address:
        return address
    return f'"{name.replace(chr(34), "")}" <{address}>' if "@" in address else name


def _set_bodies(message: EmailMessage, properties: Any) -> None:
    plain = properties.str_prop_value(_BODY) or ""
    html = _html_of(properties)
    packed: bytes | None = None if html.strip() else properties.binary_prop_value(_RTF)
    rtf = decompressed(packed or b"") or b""
    html = html if html.strip() else html_in(rtf)
    if rtf and not plain.strip() and not html.strip():
        message.make_mixed()
        message.add_attachment(rtf, "application", "rtf", disposition="inline")
        return
    message.set_content(plain)
    if html.strip():
        message.add_alternative(html, subtype="html")


def _html_of(properties: Any) -> str:
    packed: bytes | None = properties.binary_prop_value(_HTML)
    if packed:
        return decode(packed, stated=properties.body_encoding)
    return properties.str_prop_value(_HTML_TEXT) or ""


def _attach(message: EmailMessage, storage: Any, *, depth: int) -> None:
    inner = next((each for each in storage.storages if each.name == _EMBEDDED), None)
    if inner is not None:
        if depth <= MAX_DEPTH:
            message.add_attachment(_converted(inner, _INNER_HEADER, depth=depth + 1))
        return
    attachment = vendor("oxmsg.attachment").Attachment(storage)
    content: bytes = attachment.file_bytes or b""
    main, _, sub = (attachment.mime_type or "").partition("/")
    if main in ("message", "multipart") or not sub:
        main, sub = "application", "octet-stream"
    name = attachment.file_name or attachment.properties.str_prop_value(0x3704) or "attachment"
    message.add_attachment(content, main, sub, filename=one_line(name))
