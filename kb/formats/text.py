"""Plain text: kept as it is, character by character, with its paragraphs marked."""

import re
from collections import deque
from collections.abc import Iterator

from kb.document import Block, ParsedDocument
from kb.formats.decoding import decode
from kb.formats.tables.pipe_table import column_names, is_pipe_table
from kb.formats.text_builder import ParseRequest, clean, one_line, too_long

_GAP = re.compile(r"\n[ \t]*\n")
_UNDERLINED = re.compile(r"^(\S.{0,118})\n(={3,}|-{3,}|~{3,}|\*{3,})[ \t]*$", re.MULTILINE)
_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_UNDERLINE_LEVELS = "=*-~"


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read plain text of any encoding.

    Offsets stay those of the text as written: where a line is underlined with `===`, the
    underline becomes blanks of the same length, and the line a heading.
    """
    text, hidden = clean(decode(data, stated=request.charset))
    limit = request.limits.max_document_chars
    if limit is not None and len(text) > limit:
        raise too_long(request.name, limit)
    headings = {match.start(): match for match in _UNDERLINED.finditer(text)}
    text = _UNDERLINED.sub(_blank_underline, text)
    blocks = tuple(
        find_blocks(text, headings={at: _level(match) for at, match in headings.items()})
    )
    title = next((block for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(
        text=text,
        title=one_line(text[title.start_char : title.end_char]) if title else None,
        media_type=request.media_type,
        blocks=blocks,
        hidden_chars_dropped=hidden,
    )


def find_blocks(text: str, *, headings: dict[int, int]) -> Iterator[Block]:
    """Yield the paragraphs of `text`.

    Args:
        text: With normalised line ends.
        headings: Start of each line that is a heading, and its level.
    """
    start = 0
    waiting = deque(sorted(headings))
    for end in [*(gap.start() for gap in _GAP.finditer(text)), len(text)]:
        while waiting and waiting[0] < end:
            at = waiting.popleft()
            yield from _paragraph(text, start, at)
            start = text.index("\n", at)
            yield Block("heading", at, at + len(text[at:start].rstrip()), level=headings[at])
        yield from _paragraph(text, start, end)
        start = end


def _paragraph(text: str, start: int, end: int) -> Iterator[Block]:
    run = text[start:end]
    body = run.strip()
    if body:
        start += len(run) - len(run.lstrip())
        if is_pipe_table(body):
            yield Block("table", start, start + len(body), columns=column_names(body))
            return
        items = len(_LIST_ITEM.findall(body))
        listed = items and _LIST_ITEM.match(body) and (items > 1 or "\n" not in body)
        yield Block("list" if listed else "paragraph", start, start + len(body))


def _level(underlined: re.Match[str]) -> int:
    return _UNDERLINE_LEVELS.index(underlined[2][0]) + 1


def _blank_underline(underlined: re.Match[str]) -> str:
    return underlined[1] + "\n" + " " * (len(underlined[0]) - len(underlined[1]) - 1)
