"""Structure of a text given in place, found without changing a character of it."""

import re
from collections.abc import Iterator

from kb.document import Block, BlockKind, ParsedDocument
from kb.formats.tables.pipe_table import column_names

_HEADING = re.compile(r"(#{1,6})[ \t]+\S")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+\S")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")


def parse_text(text: str) -> ParsedDocument:
    """Mark headings, lists, tables and code of Markdown, and the paragraphs of any text.

    The stored text is `text` itself, so that offsets of passages are offsets into what was given.
    """
    return ParsedDocument(
        text=text, title=None, media_type="text/plain", blocks=tuple(_blocks(text))
    )


def _blocks(text: str) -> Iterator[Block]:
    kind: BlockKind | None = None
    start = end = position = 0
    fenced = False
    for line in text.splitlines(keepends=True):
        line_start, position = position, position + len(line)
        content_end = line_start + len(line.rstrip())
        fence = _FENCE.match(line) is not None
        found = _line_kind(line, inside=kind, fenced=fenced or fence)
        if kind is not None and (found != kind or kind == "heading"):
            yield _block(text, kind, start, end)
            kind = None
        if found is not None and kind is None:
            kind, start = found, line_start + len(line) - len(line.lstrip())
        end = content_end if line.strip() else end
        fenced = fenced != fence
    if kind is not None:
        yield _block(text, kind, start, end)


def _line_kind(line: str, *, inside: BlockKind | None, fenced: bool) -> BlockKind | None:
    if fenced:
        return "code"
    if not line.strip():
        return None
    if _HEADING.match(line):
        return "heading"
    if line.lstrip().startswith("|"):
        return "table"
    if _LIST_ITEM.match(line):
        return "list"
    # A line that goes on belongs to the list item above it.
    return "list" if inside == "list" and line[0].isspace() else "paragraph"


def _block(text: str, kind: BlockKind, start: int, end: int) -> Block:
    level = len(text[start:end]) - len(text[start:end].lstrip("#")) if kind == "heading" else 0
    columns = column_names(text[start:end]) if kind == "table" else ""
    return Block(kind, start, end, level, columns)
