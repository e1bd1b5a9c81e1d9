"""Values that are HTML, as exports of help desks hold them in any format of data."""

import html
import re

from kb.formats.pages.markdown_html import add_html
from kb.formats.text_builder import ParseRequest, TextBuilder

_MAX_LOOKED_AT = 20_000
_OPENING = re.compile(
    r"<(p|div|ul|ol|table|h[1-6]|strong|em|b|i|a|span|article|section|details|dl|blockquote|pre)"
    r"(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"</([a-z][a-z0-9]{0,12})\s*>", re.IGNORECASE)
_ESCAPED = re.compile(r"\s*&lt;[a-z]", re.IGNORECASE)


def is_html(value: str) -> bool:
    """Whether a text is marked up: words about a tag, such as "use <p>", close none."""
    head = value[:_MAX_LOOKED_AT]
    if "</" not in head:
        return False
    closed = {match[1].lower() for match in _CLOSING.finditer(head)}
    return any(match[1].lower() in closed for match in _OPENING.finditer(head))


def unescaped(value: str) -> str:
    """HTML that was escaped as a whole, `&lt;p&gt;Yes&lt;/p&gt;`, as it was; else `value`."""
    if _ESCAPED.match(value) and value.rstrip().endswith("&gt;"):
        whole = html.unescape(value)
        return whole if is_html(whole) else value
    return value


def words_of(value: str, builder: TextBuilder) -> str:
    """What a reader sees of a value that may be HTML, a line for each line of its blocks.

    Args:
        value: A cell, or the text of an element.
        builder: Counts what is left out.
    """
    value = unescaped(value)
    if not is_html(value):
        return value
    inner = TextBuilder(ParseRequest("HTML", "text/html"))
    add_html(inner, value)
    builder.hidden_chars += inner.hidden_chars
    for kind, number in inner.left_out.items():
        builder.leave_out(kind, number)
    text = inner.build().text
    return "\n".join(line for line in text.split("\n") if line)
