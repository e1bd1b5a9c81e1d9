"""Lines of a PDF page to headings, paragraphs, lists and code, by outline, size and position."""

import ctypes
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, TypeVar

from kb.document import BlockKind
from kb.formats.building import TextBuilder, one_line
from kb.formats.vendors import vendor

HEADING_SIZE_RATIO = 1.15
"""A short line this much larger than the body text is a heading when there is no outline."""
PARAGRAPH_GAP_RATIO = 1.25
"""A gap this much larger than the usual one between lines ends a paragraph."""
MAX_HEADING_CHARS = 160
MAX_HEADING_SHARE = 0.15
"""A size that holds more of the text than this is not one of headings."""
MIN_READABLE_SIZE = 1.5
"""In points, as on the page."""
REPEATED_SHARE = 0.25
"""A first or last line on this share of the pages, and on three, is a running header or footer."""

_SENTENCE_ENDS = (".", "!", "?", ":", "\u201d")
_UNDONE_HYPHEN = "\ufffe"
_FIXED_PITCH = 1
_MONOSPACED = re.compile(rb"mono|courier|consol|menlo|typewriter|\d?tt\b|cmtt", re.IGNORECASE)
_ITEM = re.compile(r"[•◦▪‣●○■\u2013∙]\s*\S|[-*]\s+\S|\(?(?:\d{1,2}|[a-z])[.)]\s+\S")
_NUMBERING = re.compile(
    r"^(?:(?:chapter|section|appendix|part)\s+)?[\dA-Z]{1,3}(?:\.\d+)*\.?\s+", re.IGNORECASE
)
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_WORD_CHARACTERS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stands on the page. Lengths are in points; 0 where nothing is known."""

    text: str
    baseline: float = 0.0
    """Of its first character."""
    end_baseline: float = 0.0
    size: float = 0.0
    monospaced: bool = False

    @property
    def hidden(self) -> bool:
        """Too small for anyone to read it."""
        return 0 < self.size < MIN_READABLE_SIZE


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark: `title` begins on page number `page`, counted from 0."""

    title: str
    level: int
    page: int


def read_lines(document: Any, index: int) -> list[Line]:
    """Read one page with pdfium. A page that cannot be loaded has no lines."""
    try:
        page = document[index]
        text_page = page.get_textpage()
    except vendor("pypdfium2").PdfiumError:
        return []
    text: str = text_page.get_text_range()
    lines: list[Line] = []
    position = 0
    for line in text.split("\r\n"):
        if line.strip():
            skipped = len(line) - len(line.lstrip())
            lines.append(_measured(text_page, line, position + skipped))
        position += len(line.encode("utf-16-le", "surrogatepass")) // 2 + 2
    text_page.close()
    page.close()
    return lines


def plain_lines(text: str) -> list[Line]:
    """Lines without any measure, as pypdf gives them."""
    return [Line(line) for line in text.split("\n") if line.strip()]


def _measured(text_page: Any, text: str, position: int) -> Line:
    raw = vendor("pypdfium2.raw")
    # Where pdfium undid a hyphen, one line of text spans two lines of the page.
    end = position + len(text.strip()) - 1
    probes = (position, (position + end) // 2, end)
    return Line(
        text,
        baseline=_baseline(raw, text_page, position),
        end_baseline=_baseline(raw, text_page, end),
        size=round(_size(raw, text_page, position), 1),
        # A line that merely begins with a word in code type is prose.
        monospaced=all(_is_monospaced(raw, text_page, at) for at in probes),
    )


def _size(raw: Any, text_page: Any, position: int) -> float:
    """Of a character as it stands on the page: many files set size 1 and scale by a matrix."""
    matrix = raw.FS_MATRIX()
    size = raw.FPDFText_GetFontSize(text_page, position)
    if not raw.FPDFText_GetMatrix(text_page, position, matrix):
        return size
    return size * math.hypot(matrix.b, matrix.d)


def _baseline(raw: Any, text_page: Any, position: int) -> float:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, position, x, y)
    return y.value


def _is_monospaced(raw: Any, text_page: Any, position: int) -> bool:
    """Whether the character is of a font whose letters are all of one width."""
    flags, name = ctypes.c_int(), ctypes.create_string_buffer(64)
    raw.FPDFText_GetFontInfo(text_page, position, name, 64, flags)
    return bool(flags.value & _FIXED_PITCH) or _MONOSPACED.search(name.value) is not None


def add_pages(
    builder: TextBuilder,
    pages: Sequence[Sequence[Line]],
    *,
    labels: Sequence[str],
    outline: Sequence[OutlineEntry],
) -> None:
    """Append all pages to `builder`, without running headers, footers and page numbers."""
    builder.hidden_chars += sum(len(line.text) for lines in pages for line in lines if line.hidden)
    pages = [[line for line in lines if not line.hidden] for lines in pages]
    pages = _without_running_lines(pages, labels)
    style = _Style.of(pages)
    by_page: dict[int, list[OutlineEntry]] = defaultdict(list)
    for entry in outline:
        by_page[entry.page].append(entry)
    for index, lines in enumerate(pages):
        builder.start_page(labels[index])
        levels = _located(lines, by_page[index]) if outline else style.heading_levels(lines)
        _add_page(builder, lines, levels=levels, style=style)


@dataclass(frozen=True, slots=True)
class _Style:
    """What is usual in this document."""

    body_size: float
    line_gap: float
    width: int
    """Characters of a full line."""
    heading_sizes: tuple[float, ...]

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]]) -> "_Style":
        sizes: Counter[float] = Counter()
        gaps: list[float] = []
        lengths: list[int] = [1]
        for lines in pages:
            for line in lines:
                sizes[line.size] += len(line.text)
                lengths.append(len(line.text.rpartition(_UNDONE_HYPHEN)[2]))
            pairs = pairwise(lines)
            drops = [before.end_baseline - line.baseline for before, line in pairs]
            gaps += [drop for drop in drops if 0 < drop < 60]
        body = sizes.most_common(1)[0][0] if sizes else 0.0
        rare = (size for size in sizes if sizes[size] <= MAX_HEADING_SHARE * sizes.total())
        larger = sorted((size for size in rare if size > body * HEADING_SIZE_RATIO), reverse=True)
        lengths.sort()
        width = lengths[int(0.9 * (len(lengths) - 1))]
        return cls(body, median(gaps) if gaps else 0.0, width, tuple(larger) if body else ())

    def heading_levels(self, lines: Sequence[Line]) -> dict[int, int]:
        """Index of each line that is large and short -> its level by size."""
        return {
            index: min(self.heading_sizes.index(line.size) + 1, 6)
            for index, line in enumerate(lines)
            if line.size in self.heading_sizes
            and len(line.text) <= MAX_HEADING_CHARS
            and any(character.isalpha() for character in line.text)
        }

    def is_new_paragraph(self, paragraph: Sequence[Line], line: Line) -> bool:
        before = paragraph[-1]
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


def _without_running_lines(
    pages: Sequence[Sequence[Line]], labels: Sequence[str]
) -> list[list[Line]]:
    running = _RunningLines.of(pages, labels)
    trimmed: list[list[Line]] = []
    for lines, label in zip(pages, labels, strict=False):
        kept = list(lines)
        for end in (0, -1):
            for _ in range(2):
                if kept and running.holds(kept[end], label):
                    kept.pop(end)
        trimmed.append(kept)
    # Pages that are all alike have lost what they say, not what frames it.
    return trimmed if _length(trimmed) > _length(pages) / 2 else [list(lines) for lines in pages]


@dataclass(frozen=True, slots=True)
class _RunningLines:
    """First and last lines that many pages share: the same words, or a place for page numbers."""

    texts: frozenset[str]
    shapes: frozenset[str]
    baselines: frozenset[int]

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]], labels: Sequence[str]) -> "_RunningLines":
        texts: Counter[str] = Counter()
        shapes: Counter[str] = Counter()
        baselines: Counter[int] = Counter()
        for lines, label in zip(pages, labels, strict=False):
            edges = (*lines[:2], *lines[-2:])
            numbered = [line for line in edges if label in line.text.split()]
            texts.update({one_line(line.text) for line in edges})
            shapes.update({_shape(line) for line in numbered})
            baselines.update({round(line.baseline) for line in numbered} - {0})
        least = max(3, REPEATED_SHARE * len(pages))
        return cls(_frequent(texts, least), _frequent(shapes, least), _frequent(baselines, least))

    def holds(self, line: Line, label: str) -> bool:
        if one_line(line.text) in self.texts:
            return True
        words = line.text.split()
        if label in (words[0], words[-1]) and round(line.baseline) in self.baselines:
            return True
        return label in words and _shape(line) in self.shapes


_Counted = TypeVar("_Counted")


def _frequent(counts: Counter[_Counted], least: float) -> frozenset[_Counted]:
    return frozenset(value for value, count in counts.items() if count >= least)


def _length(pages: Sequence[Sequence[Line]]) -> int:
    return sum(len(line.text) for lines in pages for line in lines)


def _shape(line: Line) -> str:
    return _DIGITS.sub("#", one_line(line.text).lower())


def _located(lines: Sequence[Line], entries: Sequence[OutlineEntry]) -> dict[int, int]:
    """Find the bookmarks of a page among its lines, in order; returns line index -> level."""
    found: dict[int, int] = {}
    start = 0
    for entry in entries:
        wanted = _letters(entry.title)
        for index in range(start, len(lines)):
            shown = _letters(lines[index].text)
            bare = _letters(_NUMBERING.sub("", lines[index].text))
            if wanted and wanted in (shown, bare) and index not in found:
                found[index] = entry.level
                start = index + 1
                break
    return found


def _letters(text: str) -> str:
    return "".join(_WORD_CHARACTERS.findall(text.lower()))


def _add_page(
    builder: TextBuilder, lines: Sequence[Line], *, levels: dict[int, int], style: _Style
) -> None:
    paragraph: list[Line] = []
    for index, line in enumerate(lines):
        level = levels.get(index)
        if level is not None:
            _flush(builder, paragraph, style)
            builder.add("heading", one_line(line.text), level=level)
            continue
        if paragraph and style.is_new_paragraph(paragraph, line):
            _flush(builder, paragraph, style)
        paragraph.append(line)
    _flush(builder, paragraph, style)


def _flush(builder: TextBuilder, paragraph: list[Line], style: _Style) -> None:
    if not paragraph:
        return
    if paragraph[0].monospaced:
        builder.add("code", "\n".join(line.text.rstrip() for line in paragraph))
    else:
        kind: BlockKind = "list" if _ITEM.match(paragraph[0].text) else "paragraph"
        builder.add(kind, "".join(_joined(paragraph, style)))
    paragraph.clear()


def _joined(paragraph: Sequence[Line], style: _Style) -> Iterator[str]:
    """Full lines run on with a blank; a short one was broken on purpose and stays a line."""
    for before, line in zip((None, *paragraph), paragraph, strict=False):
        if before is not None:
            length = len(before.text.rpartition(_UNDONE_HYPHEN)[2])
            runs_on = length >= 0.6 * style.width and not _ITEM.match(line.text)
            yield " " if runs_on else "\n"
        yield line.text.strip()
