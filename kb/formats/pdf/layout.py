"""Lines of a PDF page to headings, paragraphs, lists and code, by outline, size and position."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from kb.document import BlockKind
from kb.formats.pdf.line_breaks import UNDONE_HYPHEN, Hyphens, separator, width
from kb.formats.pdf.lines import PageLine, ReadPage
from kb.formats.pdf.running_lines import without_running_lines
from kb.formats.pdf.tables.text import table_texts
from kb.formats.tables.rendering import TableText
from kb.formats.text_builder import TextBuilder, one_line

HEADING_SIZE_RATIO = 1.15
"""A short line this much larger than the body text is a heading when there is no outline."""
PARAGRAPH_GAP_RATIO = 1.25
"""A gap this much larger than the usual one between lines ends a paragraph."""
MAX_TINY_SHARE = 0.4
MAX_HEADING_CHARS = 160
MAX_HEADING_SHARE = 0.15
"""A size that holds more of the text than this is not one of headings."""

_SENTENCE_ENDS = (".", "!", "?", ":", "\u201d")
_ITEM = re.compile(r"[•◦▪‣●○■\u2013∙]\s*\S|[-*]\s+\S|\(?(?:\d{1,2}|[a-z])[.)]\s+\S")
_NUMBERING = re.compile(
    r"^(?:(?:chapter|section|appendix|part)\s+)?[\dA-Z]{1,3}(?:\.\d+)*\.?\s+", re.IGNORECASE
)
_WORD_CHARACTERS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark: `title` begins on page number `page`, counted from 0."""

    title: str
    level: int
    page: int


def add_pages(
    builder: TextBuilder,
    pages: Sequence[ReadPage],
    *,
    labels: Sequence[str],
    outline: Sequence[OutlineEntry],
    language: str | None,
) -> None:
    """Append all pages to `builder`; a running header or footer stands where it is first met."""
    shown, tiny = _readable([page.lines for page in pages])
    for text in (text for page in pages for text in page.unseen):
        builder.hide("hidden text", text)
    for kind in (kind for page in pages for kind in page.left_out):
        builder.leave_out(kind)
    for line in tiny:
        builder.hide("hidden text", line.text)
    trimmed = without_running_lines(
        [replace(page, lines=lines) for page, lines in zip(pages, shown, strict=True)], labels
    )
    builder.leave_out("running header or footer", _count(shown) - _count(trimmed))
    style = _Style.of(trimmed)
    hyphens = Hyphens.of((line.text for lines in trimmed for line in lines), language)
    tables = table_texts(trimmed, hyphens)
    by_page: dict[int, list[OutlineEntry]] = defaultdict(list)
    for entry in outline:
        by_page[entry.page].append(entry)
    for index, lines in enumerate(trimmed):
        builder.start_page(labels[index])
        levels = _located(lines, by_page[index]) if outline else style.heading_levels(lines)
        _Writer(builder, style, hyphens, tables).add(lines, levels)


def _count(pages: Sequence[Sequence[PageLine]]) -> int:
    return sum(map(len, pages))


def _readable(pages: Sequence[list[PageLine]]) -> tuple[Sequence[list[PageLine]], list[PageLine]]:
    """Part lines that can be read from those too small for it.

    Where much of the text seems to be that small, the file's measures are wrong instead.
    """
    tiny = [line for lines in pages for line in lines if line.hidden]
    total = sum(len(line.text) for lines in pages for line in lines)
    if sum(len(line.text) for line in tiny) > MAX_TINY_SHARE * total:
        return pages, []
    return [[line for line in lines if not line.hidden] for lines in pages], tiny


@dataclass(frozen=True, slots=True)
class _Style:
    """What is usual in this document."""

    body_size: float
    line_gap: float
    width: int
    """Characters of a full line."""
    heading_sizes: tuple[float, ...]

    @classmethod
    def of(cls, pages: Sequence[Sequence[PageLine]]) -> "_Style":
        sizes: Counter[float] = Counter()
        gaps: list[float] = []
        lengths: list[int] = [1]
        for lines in ([line for line in page if line.table is None] for page in pages):
            for line in lines:
                sizes[line.size] += len(line.text)
                lengths.append(width(line.text.rpartition(UNDONE_HYPHEN)[2]))
            pairs = pairwise(lines)
            drops = [before.end_baseline - line.baseline for before, line in pairs]
            gaps += [drop for drop in drops if 0 < drop < 60]
        body = sizes.most_common(1)[0][0] if sizes else 0.0
        rare = (size for size in sizes if sizes[size] <= MAX_HEADING_SHARE * sizes.total())
        larger = sorted((size for size in rare if size > body * HEADING_SIZE_RATIO), reverse=True)
        lengths.sort()
        full = lengths[int(0.9 * (len(lengths) - 1))]
        return cls(body, median(gaps) if gaps else 0.0, full, tuple(larger) if body else ())

    def heading_levels(self, lines: Sequence[PageLine]) -> dict[int, int]:
        """Index of each line that is large and short -> its level by size."""
        return {
            index: min(self.heading_sizes.index(line.size) + 1, 6)
            for index, line in enumerate(lines)
            if line.size in self.heading_sizes
            and line.table is None
            and len(line.text) <= MAX_HEADING_CHARS
            and any(character.isalpha() for character in line.text)
        }

    def is_new_paragraph(self, paragraph: Sequence[PageLine], line: PageLine) -> bool:
        before = paragraph[-1]
        if "note" in (line.mark, before.mark):
            return True
        if line.monospaced != before.monospaced or not _is_alike(line.size, before.size):
            return True
        drop = before.end_baseline - line.baseline
        if _ITEM.match(line.text):
            # The items of one list belong together.
            return not _ITEM.match(paragraph[0].text) or drop > 2 * self.line_gap
        if drop < 0:
            # The next column: a sentence may run on there.
            return before.text.rstrip().endswith(_SENTENCE_ENDS)
        return self.line_gap > 0 and drop > self.line_gap * PARAGRAPH_GAP_RATIO


def _is_alike(size: float, other: float) -> bool:
    return max(size, other) <= HEADING_SIZE_RATIO * min(size, other)


def _located(lines: Sequence[PageLine], entries: Sequence[OutlineEntry]) -> dict[int, int]:
    """Find the bookmarks of a page among its lines, in order; returns line index -> level."""
    found: dict[int, int] = {}
    start = 0
    for entry in entries:
        wanted = _letters(entry.title)
        for index in range(start, len(lines)):
            if lines[index].table is not None:
                continue
            shown = _letters(lines[index].text)
            bare = _letters(_NUMBERING.sub("", lines[index].text))
            if wanted and wanted in (shown, bare) and index not in found:
                found[index] = entry.level
                start = index + 1
                break
    return found


def _letters(text: str) -> str:
    return "".join(_WORD_CHARACTERS.findall(text.lower()))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Puts the lines of a page into blocks."""

    builder: TextBuilder
    style: _Style
    hyphens: Hyphens
    tables: dict[int, TableText]
    """By identity."""

    def add(self, lines: Sequence[PageLine], levels: dict[int, int]) -> None:
        paragraph: list[PageLine] = []
        for index, line in enumerate(lines):
            level = levels.get(index)
            if level is not None:
                self._flush(paragraph)
                self.builder.add("heading", self.hyphens.resolved(one_line(line.text)), level=level)
                continue
            if line.table is not None:
                self._flush(paragraph)
                table = self.tables[id(line.table)]
                self.builder.add("table", table.text, columns=table.columns)
                continue
            if paragraph and self.style.is_new_paragraph(paragraph, line):
                self._flush(paragraph)
            paragraph.append(line)
        self._flush(paragraph)

    def _flush(self, paragraph: list[PageLine]) -> None:
        if not paragraph:
            return
        if paragraph[0].monospaced:
            text = "\n".join(line.text.rstrip() for line in paragraph)
            self.builder.add("code", text.replace(UNDONE_HYPHEN, "-"))
        else:
            kind: BlockKind = "list" if _ITEM.match(paragraph[0].text) else "paragraph"
            text = "".join(_joined(paragraph, self.style))
            self.builder.add(kind, self.hyphens.resolved(text))
        paragraph.clear()


def _joined(paragraph: Sequence[PageLine], style: _Style) -> Iterator[str]:
    """Full lines run on; a short one was broken on purpose and stays a line."""
    text = paragraph[0].text.strip()
    for before, line in pairwise(paragraph):
        following = line.text.strip()
        length = width(text.rpartition(UNDONE_HYPHEN)[2])
        runs_on = length >= 0.6 * style.width and not _ITEM.match(line.text)
        # What stands beside a field is an entry of its own.
        runs_on = runs_on and not before.mark and not line.mark
        if text.endswith("\u2010") and following[:1].isalpha():
            # The hyphen that browsers set where a word does not fit.
            yield text[:-1] + UNDONE_HYPHEN
        else:
            yield text + (separator(text, following) if runs_on else "\n")
        text = following
    yield text
