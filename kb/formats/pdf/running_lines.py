"""Running headers, footers and page numbers of PDFs, told from what the pages say."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kb.formats.pdf.lines import PageLine, ReadPage
from kb.formats.text_builder import one_line

HEADING_SHARE = 1.2
"""A line of this times the size of the text is set to be seen, not to run along."""
REPEATED_SHARE = 0.25
"""A first or last line on this share of the pages, and on three, is a running header or footer."""

_NUMBER = re.compile(r"\d+")
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")


def without_running_lines(pages: Sequence[ReadPage], labels: Sequence[str]) -> list[list[PageLine]]:
    """Leave out page numbers, and running headers and footers.

    What one says and nothing else in the document does stays where it is said first.

    Args:
        pages: With their lines in reading order.
        labels: The pages' own.
    """
    running = _RunningLines.of(pages, labels)
    edges = [running.at_edges(page, label) for page, label in zip(pages, labels, strict=False)]
    body = _letters(
        line.text
        for page, left_out in zip(pages, edges, strict=True)
        for at, line in enumerate(page.lines)
        if at not in left_out
    )
    met: set[str] = set()
    trimmed: list[list[PageLine]] = []
    for page, left_out in zip(pages, edges, strict=True):
        kept: list[PageLine] = []
        for at, line in enumerate(page.lines):
            if at not in left_out:
                kept.append(line)
            elif any(part not in met and part not in body for part in _parts(line.text)):
                kept.append(line)
                met.update(_parts(line.text))
        trimmed.append(kept)
    # Pages that are all alike have lost what they say, not what frames it.
    whole = [list(page.lines) for page in pages]
    return trimmed if _length(trimmed) > _length(whole) / 2 else whole


@dataclass(frozen=True, slots=True)
class _RunningLines:
    """First and last lines that many pages share: the same words, or a place for page numbers."""

    texts: frozenset[tuple[str, int]]
    shapes: frozenset[str]
    baselines: frozenset[int]
    body_size: float
    """Of most of the text, in points; 0 where nothing is known."""

    @classmethod
    def of(cls, pages: Sequence[ReadPage], labels: Sequence[str]) -> "_RunningLines":
        texts: Counter[tuple[str, int]] = Counter()
        shapes: Counter[str] = Counter()
        baselines: Counter[int] = Counter()
        for page, label in zip(pages, labels, strict=False):
            edges = (*page.lines[:2], *page.lines[-2:])
            numbered = [line for line in edges if label in line.text.split()]
            texts.update({_placed(line) for line in edges if page.is_near_edge(line)})
            shapes.update({_shape(line) for line in numbered})
            baselines.update({round(line.baseline) for line in numbered} - {0})
        least = max(3, REPEATED_SHARE * len(pages))
        return cls(
            _frequent(texts, least),
            _frequent(shapes, least),
            _frequent(baselines, least),
            _body_size(pages),
        )

    def at_edges(self, page: ReadPage, label: str) -> frozenset[int]:
        """Which of the first and last two lines of a page are running ones."""
        found: set[int] = set()
        last = len(page.lines) - 1
        for order in ((0, 1), (last, last - 1)):
            for at in order:
                if not 0 <= at <= last or not self.holds(page, page.lines[at], label):
                    break
                found.add(at)
        return frozenset(found)

    def holds(self, page: ReadPage, line: PageLine, label: str) -> bool:
        """Whether the line of a page is a running one."""
        if line.table is not None:
            return False
        if _placed(line) in self.texts and page.is_near_edge(line):
            return True
        if line.size >= HEADING_SHARE * self.body_size > 0:
            # Chapters that begin on pages of their own have the pages' numbers too.
            return False
        words = line.text.split()
        if label in (words[0], words[-1]) and round(line.baseline) in self.baselines:
            return True
        return label in words and _shape(line) in self.shapes


def _body_size(pages: Sequence[ReadPage]) -> float:
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    return max(sizes, key=lambda size: (sizes[size], size), default=0.0)


_Counted = TypeVar("_Counted")


def _frequent(counts: Counter[_Counted], least: float) -> frozenset[_Counted]:
    return frozenset(value for value, count in counts.items() if count >= least)


def _length(pages: Sequence[Sequence[PageLine]]) -> int:
    return sum(len(line.text) for lines in pages for line in lines)


def _placed(line: PageLine) -> tuple[str, int]:
    """What a line says and where it stands, to within two points."""
    return one_line(line.text), round(line.baseline / 2)


def _parts(text: str) -> list[str]:
    """What a line says between its numbers: name of the manual, title of the chapter."""
    parts = (_letters(part) for part in _NUMBER.split(one_line(text)))
    return [part for part in parts if part]


def _letters(texts: Iterable[str]) -> str:
    return "".join(char for text in texts for char in text.casefold() if char.isalpha())


def _shape(line: PageLine) -> str:
    return _DIGITS.sub("#", one_line(line.text).lower())
