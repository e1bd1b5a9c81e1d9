"""HTML inside of Markdown: read as a page is, tables and all."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from kb.errors import DocumentError
from kb.formats.pages.html import drop_hidden, read_tree
from kb.formats.pages.html_text import Element, tag_of
from kb.formats.pages.html_tree import add_tree, item_lines
from kb.formats.text_builder import TextBuilder
from kb.formats.vendors import vendor

_BARE_TAG = re.compile(r"<([A-Za-z][\w-]{0,60})>")
_CLOSING_TAG = re.compile(r"</([A-Za-z][\w-]{0,60})")
_NEWER_TAGS = frozenset(
    {"main", "template", "slot", "dialog", "picture", "search", "hgroup", "ruby", "rt", "rp", "bdi"}
    | {"svg", "portal", "menuitem", "nobr", "rb", "rtc", "noframes", "frame"}
)
"""Tags of HTML that the library does not list."""
_TABLE_TAG = re.compile(r"<(/?)table\b", re.IGNORECASE)


def add_html(builder: TextBuilder, source: str, *, deeper: int = 0) -> None:
    """Append a block of HTML, its headings `deeper`; text that it hides is dropped and counted."""
    root = _tree(source)
    if root is not None:
        drop_hidden(root, builder)
        add_tree(builder, root, deeper=deeper)


def html_lines(builder: TextBuilder, source: str) -> Iterator[str]:
    """The lines of a block of HTML that stands in a list; what it hides is counted."""
    root = _tree(source)
    if root is not None:
        drop_hidden(root, builder)
        yield from item_lines(root)


def blanks_in(source: str) -> frozenset[str]:
    """What looks like a tag and is none of HTML, nor closed: a blank such as `<your-name>`."""
    if not _BARE_TAG.search(source):
        return frozenset()
    known = vendor("lxml.html.defs").tags | _NEWER_TAGS
    closed = {match[1].lower() for match in _CLOSING_TAG.finditer(source)}
    return frozenset(
        match[0]
        for match in _BARE_TAG.finditer(source)
        if match[1].lower() not in known and match[1].lower() not in closed
    )


def whole_tables(nodes: Sequence[SyntaxTreeNode]) -> Iterator[SyntaxTreeNode]:
    """Put a table together whose HTML is cut by blank lines, Markdown in its cells included."""
    parts: list[SyntaxTreeNode] = []
    depth = 0
    for node in nodes:
        if node.type == "html_block":
            depth += sum(-1 if match[1] else 1 for match in _TABLE_TAG.finditer(node.content))
        if depth > 0:
            parts.append(node)
        elif parts:
            yield from _joined([*parts, node])
            parts, depth = [], 0
        else:
            depth = 0
            yield node
    yield from parts  # Never closed: each block for itself.


def _joined(parts: Sequence[SyntaxTreeNode]) -> Iterator[SyntaxTreeNode]:
    first = parts[0]
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    pieces = [
        part.content
        if part.type == "html_block"
        else str(markdown.renderer.render(part.to_tokens(), markdown.options, {}))
        for part in parts
    ]
    if first.token is not None:
        first.token.content = "\n".join(pieces)
    yield first


def _tree(source: str) -> Element | None:
    blanks = blanks_in(source)
    source = _BARE_TAG.sub(lambda tag: f"&lt;{tag[1]}&gt;" if tag[0] in blanks else tag[0], source)
    try:
        root = read_tree(f"<div>{source}</div>", "HTML")
    except DocumentError:
        return None  # A closing tag alone, or a comment.
    for image in root.iter("img"):
        in_cell = any(tag_of(above) in ("td", "th") for above in image.iterancestors())
        if image.get("alt") and not in_cell:
            image.tail = f"{image.get('alt')} {image.tail or ''}"
    return root
