"""Parsed document -> chunks, with exact offsets into its text.

Structure first: a chunk never crosses a heading, and closes at the border of a block or sentence.
Then the bound in tokens of the embedder. Sentences are found by a regular expression here and not
by llama-index's splitters: those return strings without offsets, trim white space, need seconds to
import and download sentence models at run time.
"""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.config import ChunkingConfig
from kb.document import Block, Chunk, PageStart, ParsedDocument, Place
from kb.embedding.embedder import Tokenizer
from kb.words.sentences import SCRIPT_END

CHUNKER_VERSION = 3
"""Counts up when the same input gives other chunks, so that unchanged sources are cut again."""

_SENTENCE_END = re.compile(rf"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s)|{SCRIPT_END}|\n{{2,}}")
_BLANK_LINES = re.compile(r"\n\s*\n")
_LINE_END = re.compile(r"\n")
_WORD_END = re.compile(r"(?<=\S)(?=\s)")
_PREFIX_SHARE = 4
"""Title and headings may take at most this fraction of a chunk's tokens: one in four."""
_MAX_LEAD_CHARS = 80
"""A paragraph that is longer is none that leads to the next."""
_HARD_FACTOR = 3
"""A chunk is at most this many targets long: a run without spaces can count as one token."""


@dataclass(frozen=True, slots=True)
class _Heading:
    start: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    """Characters [start, end): headings that follow one another directly, and their own text."""

    start: int
    end: int
    borders: tuple[int, ...]
    """Ends of its blocks."""
    line_borders: bool
    """Whether it holds lists, tables or code, where a line is what a sentence is in prose."""


def split_document(
    parsed: ParsedDocument, *, document_id: str, tokenizer: Tokenizer, config: ChunkingConfig
) -> list[Chunk]:
    """Cut a document into chunks in reading order.

    Every character that is not white space lies in exactly one chunk; `chunk.text` is exactly
    `parsed.text[chunk.start_char:chunk.end_char]`; a chunk together with its title and heading
    path has at most `config.max_tokens` tokens.
    """
    headings = _headings(parsed)
    chunks: list[Chunk] = []
    for section in _sections(parsed):
        position = _skip_space(parsed.text, section.start, section.end)
        while position < section.end:
            path = (*_path_before(headings, position), *_columns_at(parsed.blocks, position))
            prefix = _bounded_prefix(parsed.title, path, tokenizer=tokenizer, config=config)
            budget = config.max_tokens - len(tokenizer.offsets(prefix))
            end = _chunk_end(parsed.text, position, section, tokenizer, budget, config)
            body = parsed.text[position:end].rstrip()
            chunks.append(
                Chunk(
                    chunk_id=_chunk_id(document_id, position, prefix + body),
                    document_id=document_id,
                    ordinal=len(chunks),
                    start_char=position,
                    end_char=position + len(body),
                    text=body,
                    heading_path=path,
                    page=_page_at(parsed.pages, position),
                    places=_places(parsed.pages, headings, position, position + len(body), path),
                    headings=prefix.rstrip("\n"),
                )
            )
            position = _skip_space(parsed.text, end, section.end)
    return chunks


def subject_name(parsed: ParsedDocument, chunk: Chunk, *, document_name: str) -> str:
    """What a person would call the subject of a chunk: title, outermost heading or file name."""
    name = parsed.title or next(iter(chunk.heading_path), None)
    if name is None:
        blocks = parsed.blocks
        first = bisect_left(blocks, chunk.start_char, key=lambda block: block.start_char)
        if first < len(blocks) and blocks[first].kind == "heading":
            name = parsed.text[blocks[first].start_char : blocks[first].end_char]
    name = name or document_name.rpartition(".")[0]
    return " ".join((name or document_name).lstrip("#").split())


def heading_line(title: str | None, path: Sequence[str]) -> str:
    """Title and headings in one line, the title left out where the first heading repeats it."""
    parts = [part for part in (title, *path) if part]
    if len(parts) > 1 and parts[0].casefold() == parts[1].casefold():
        parts = parts[1:]
    return " > ".join(parts)


def _bounded_prefix(
    title: str | None, path: Sequence[str], *, tokenizer: Tokenizer, config: ChunkingConfig
) -> str:
    """What stands before a chunk's text when it is embedded; its end is cut when it is too long."""
    line = heading_line(title, path)
    if not line:
        return ""
    most = config.max_tokens // _PREFIX_SHARE
    offsets = tokenizer.offsets(line)
    while len(offsets) > most:
        line = line[: min(offsets[most - 1][1], len(line) - 1)] if most else ""
        offsets = tokenizer.offsets(line)
    return f"{line}\n" if line else ""


def _chunk_end(
    text: str,
    start: int,
    section: _Section,
    tokenizer: Tokenizer,
    budget: int,
    config: ChunkingConfig,
) -> int:
    """Where the chunk that starts at `start` ends: at the best border within its bounds."""
    target = config.target_chars
    hard_end = min(section.end, start + _HARD_FACTOR * target)
    offsets = tokenizer.offsets(text[start:hard_end])
    if len(offsets) > budget:
        hard_end = start + max(offsets[budget - 1][1], 1)
    if section.end <= min(hard_end, start + target + target // 3):
        return section.end
    end = _best_border(text, start, hard_end, section, target)
    # A cut inside a word can give its parts more tokens than the whole had.
    while len(tokenizer.offsets(text[start:end])) > budget and end - start > 1:
        end = start + max((end - start) // 2, 1)
    return end


def _best_border(text: str, start: int, hard_end: int, section: _Section, target: int) -> int:
    """The border nearest to the target length: of a block, else a sentence, else a word."""
    wanted = min(start + target, hard_end)
    lower = start + max(1, (wanted - start) // 2)
    upper = min(hard_end, start + target + target // 2)
    low, high = bisect_left(section.borders, lower), bisect_right(section.borders, upper)
    blocks = section.borders[low:high]
    if blocks:
        return min(blocks, key=lambda border: abs(border - wanted))
    for pattern in (_LINE_END if section.line_borders else _SENTENCE_END, _SENTENCE_END, _WORD_END):
        borders = [match.end() for match in pattern.finditer(text, lower, hard_end)]
        borders = [border for border in borders if start < border <= hard_end]
        if borders:
            return min(borders, key=lambda border: abs(border - wanted))
    return hard_end


def _sections(parsed: ParsedDocument) -> Iterator[_Section]:
    """Cut the text before each heading that follows something else than a shallower heading."""
    blocks = parsed.blocks or _paragraphs(parsed.text)
    gathered: list[Block] = []
    start = 0
    for block in blocks:
        if block.kind == "heading" and gathered and not _continues(gathered[-1], block):
            yield _section(parsed.text, gathered, start, block.start_char)
            gathered, start = [], block.start_char
        gathered.append(block)
    yield _section(parsed.text, gathered, start, len(parsed.text))


def _continues(previous: Block, heading: Block) -> bool:
    return previous.kind == "heading" and previous.level < heading.level


def _section(text: str, blocks: Sequence[Block], start: int, end: int) -> _Section:
    # A heading's end is no border: it would be cut off from what it is the heading of.
    borders = tuple(block.end_char for block in blocks if not _leads_on(text, block))
    by_line = any(block.kind in ("list", "table", "code") for block in blocks)
    return _Section(start=start, end=end, borders=borders, line_borders=by_line)


def _leads_on(text: str, block: Block) -> bool:
    """Whether a block is a heading, by its mark or by its looks: "Article 41" on its own line."""
    if block.kind != "paragraph":
        return block.kind == "heading"
    if block.end_char - block.start_char > _MAX_LEAD_CHARS:
        return False
    line = text[block.start_char : block.end_char].strip()
    return "\n" not in line and not _SENTENCE_END.search(f"{line} ", max(0, len(line) - 4))


def _paragraphs(text: str) -> tuple[Block, ...]:
    """Blocks of a text without known structure: what blank lines separate."""
    blocks: list[Block] = []
    start = 0
    for match in _BLANK_LINES.finditer(text):
        blocks.append(Block("paragraph", start, match.start()))
        start = match.end()
    return (*blocks, Block("paragraph", start, len(text)))


def _headings(parsed: ParsedDocument) -> list[_Heading]:
    return [
        _Heading(
            block.start_char,
            block.level,
            " ".join(parsed.text[block.start_char : block.end_char].lstrip("#").split()),
        )
        for block in parsed.blocks
        if block.kind == "heading"
    ]


def _path_before(headings: Sequence[_Heading], position: int) -> tuple[str, ...]:
    """Headings that a chunk starting at `position` stands under, outermost first."""
    before = bisect_left(headings, position, key=lambda heading: heading.start)
    path: list[str] = []
    level: int | None = None
    if before < len(headings) and headings[before].start == position:
        # The chunk starts with a heading of its own: only shallower ones stand above it.
        level = headings[before].level
    for heading in reversed(headings[:before]):
        if level is None or heading.level < level:
            path.append(heading.text)
            level = heading.level
    return tuple(reversed(path))


def _columns_at(blocks: Sequence[Block], position: int) -> tuple[str, ...]:
    """The names of the columns, for a chunk that begins inside of a table."""
    index = bisect_left(blocks, position, key=lambda block: block.start_char) - 1
    if index < 0 or not blocks[index].columns or position >= blocks[index].end_char:
        return ()
    return (blocks[index].columns,)


def _page_at(pages: Sequence[PageStart], position: int) -> str | None:
    index = bisect_right(pages, position, key=lambda page: page.start_char)
    return pages[index - 1].label if index else None


def _places(
    pages: Sequence[PageStart],
    headings: Sequence[_Heading],
    start: int,
    end: int,
    path: tuple[str, ...],
) -> tuple[Place, ...]:
    """Where the parts of a chunk stand; none when all of it stands where its start does."""
    first_page = bisect_right(pages, start, key=lambda page: page.start_char)
    last_page = bisect_left(pages, end, key=lambda page: page.start_char)
    first = bisect_left(headings, start, key=lambda heading: heading.start)
    last = bisect_left(headings, end, key=lambda heading: heading.start)
    if first_page >= last_page and first >= last:
        return ()
    borders = {start, *(page.start_char for page in pages[first_page:last_page])}
    levels = [(0, text) for text in path]
    found: dict[int, tuple[str, ...]] = {}
    for heading in headings[first:last]:
        levels = [(level, text) for level, text in levels if level < heading.level]
        levels.append((heading.level, heading.text))
        found[heading.start] = tuple(text for _, text in levels)
    places: list[Place] = []
    for border in sorted(borders | found.keys()):
        path = found.get(border, path)
        places.append(Place(border, _page_at(pages, border), path))
    return tuple(places)


def _skip_space(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position


def _chunk_id(document_id: str, start: int, indexed: str) -> str:
    identity = f"{document_id}\x1f{start}\x1f{indexed}"
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:24]
