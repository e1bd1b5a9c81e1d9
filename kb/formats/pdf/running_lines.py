"""Running headers, footers and page numbers of PDFs, told from what the pages say."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from kb.formats.pdf.lines import Line
from kb.formats.text_builder import one_line

REPEATED_SHARE = 0.25
"""A first or last line on this share of the pages, and on three, is a running header or footer."""

_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")


def without_running_lines(
    pages: Sequence[Sequence[Line]], labels: Sequence[str]
) -> list[list[Line]]:
    """Leave out running headers, footers and page numbers; `labels` are the pages' own."""
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
