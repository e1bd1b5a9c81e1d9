"""XML: news feeds entry by entry, anything else as the named values it holds."""

import re
from collections.abc import Iterable
from typing import Any

from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.archive import read_xml
from kb.formats.data.marked_up import words_of
from kb.formats.decoding import decode
from kb.formats.pages.html import drop_hidden
from kb.formats.pages.html_text import read_tree, tag_of
from kb.formats.pages.html_tree import add_tree
from kb.formats.text_builder import ParseRequest, TextBuilder, one_line

_FEEDS = frozenset({"rss", "feed", "rdf"})
_ENTRIES = frozenset({"item", "entry"})
_BODIES = ("encoded", "content", "description", "summary")
_MAX_HEADING_LEVEL = 6
_DECLARATION = re.compile(
    rb"""\s*<\?xml[^>]{0,200}?encoding=["']([\w.:-]{1,40})["'][^>]{0,200}?>"""
)

_NOT_ALLOWED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML forbids, which databases export all the same."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an XML file; entities are never expanded."""
    root = _read(data, request.name)
    builder = TextBuilder(request)
    if tag_of(root) in _FEEDS:
        return _parse_feed(builder, root)
    _add_element(builder, root, level=0)
    return builder.build(title=request.name)


def _read(data: bytes, name: str) -> Any:
    """The root; bytes that are none of the stated encoding cost themselves."""
    try:
        return read_xml(data, name=name, what="XML file")
    except DocumentError:
        declared = _DECLARATION.match(data)
        stated = declared[1].decode("ascii") if declared else None
        text = _DECLARATION.sub(b"", data, count=1) if declared else data
        mended = _NOT_ALLOWED.sub("", decode(text, stated=stated)).encode("utf-8", "replace")
        if mended == text:
            raise
        return read_xml(mended, name=name, what="XML file")


def _parse_feed(builder: TextBuilder, root: Any) -> ParsedDocument:
    channel = next((child for child in root if tag_of(child) == "channel"), root)
    title = _child_text(channel, ["title"])
    builder.add("heading", title, level=1)
    builder.add("paragraph", _child_text(channel, ["description", "subtitle"]))
    for entry in (element for element in root.iter() if tag_of(element) in _ENTRIES):
        builder.add("heading", _child_text(entry, ["title"]), level=2)
        builder.add("paragraph", _child_text(entry, ["pubdate", "published", "updated", "date"]))
        _add_body(builder, _child_text(entry, _BODIES))
    return builder.build(title=title, language=_child_text(channel, ["language"]))


def _add_body(builder: TextBuilder, body: str) -> None:
    if not body:
        return
    try:
        tree = read_tree(body, "entry")
    except DocumentError:
        builder.add("paragraph", body)
        return
    drop_hidden(tree, builder)
    add_tree(builder, tree, deeper=2)


def _child_text(parent: Any, names: Iterable[str]) -> str:
    """Text of the first child with one of these names, in the order of the names."""
    for name in names:
        for child in parent:
            if tag_of(child) == name:
                return one_line("".join(str(piece) for piece in child.itertext()))
    return ""


def _add_element(builder: TextBuilder, element: Any, *, level: int) -> None:
    """Leaves as `name: text` lines; what holds more gets a heading and its own part."""
    children = [child for child in element if tag_of(child)]
    if level:
        builder.add("heading", _name(element), level=min(level, _MAX_HEADING_LEVEL))
    if (element.text or "").strip() or any((child.tail or "").strip() for child in children):
        builder.add("paragraph", one_line("".join(str(piece) for piece in element.itertext())))
        return
    leaves = (_named(child, builder) for child in children if not len(child))
    builder.add("paragraph", "\n".join(filter(None, leaves)))
    for child in children:
        if len(child):
            _add_element(builder, child, level=level + 1)


def _name(element: Any) -> str:
    """The element's name with the attributes that tell it from its like."""
    values = [str(value) for value in element.attrib.values() if len(str(value)) <= 80]
    return " ".join([str(element.tag).rpartition("}")[2], *values])


def _named(leaf: Any, builder: TextBuilder) -> str:
    text = leaf.text or ""
    words = words_of(text, builder)
    text = one_line(text) if words == text else words
    if text:
        return f"{_name(leaf)}: {text}"
    return _name(leaf) if leaf.attrib else ""
