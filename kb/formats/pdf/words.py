"""Words of a page with the boxes around them, for what is read by place and not by order."""

import ctypes
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kb.formats.pdf.line_breaks import UNDONE_HYPHEN
from kb.formats.vendors import vendor

_WORD = re.compile(r"[^\s\ufffe]+\ufffe?")
_WIDE = 0.7
"""Of the size of the type."""
_BULLET = 0.5
_SAME_ROW_SHARE = 0.4
"""Two words stand in one row when their baselines differ by less than this share of the type."""


@dataclass(frozen=True, slots=True)
class PageWord:
    """A word and its box, in points from the bottom left of the page."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    line: int
    """Number of the line that it belongs to."""

    @property
    def size(self) -> float:
        """Height of its box."""
        return self.top - self.bottom

    @property
    def middle(self) -> float:
        """Where it stands vertically."""
        return (self.top + self.bottom) / 2

    def is_level_with(self, other: "PageWord") -> bool:
        """Whether both stand in one row of text."""
        return abs(self.bottom - other.bottom) < _SAME_ROW_SHARE * max(self.size, other.size, 1.0)


def words_of(text_page: Any, text: str, position: int, line: int) -> list[PageWord]:
    """The words of one line whose first character has the number `position`."""
    raw = vendor("pypdfium2.raw")
    first, last = raw.FS_RECTF(), raw.FS_RECTF()
    words: list[PageWord] = []
    for match in _WORD.finditer(text):
        start, end = position + match.start(), position + match.end() - 1
        end -= match.group().endswith(UNDONE_HYPHEN) and end > start
        boxed = raw.FPDFText_GetLooseCharBox(text_page, start, ctypes.byref(first))
        if not boxed or not raw.FPDFText_GetLooseCharBox(text_page, end, ctypes.byref(last)):
            continue
        left, right = min(first.left, last.left), max(first.right, last.right)
        words.append(PageWord(match.group(), left, right, first.bottom, first.top, line))
    return words


def has_wide_gap(text_page: Any, text: str, position: int, size: float) -> bool:
    """Whether pieces of a line lie far apart; quick, since whole pieces are asked for."""
    raw = vendor("pypdfium2.raw")
    count = raw.FPDFText_CountRects(text_page, position, len(text))
    left, top, right, bottom = (ctypes.c_double() for _ in range(4))
    before: float | None = None
    for index in range(count if count > 1 else 0):
        raw.FPDFText_GetRect(text_page, index, left, top, right, bottom)
        if before is not None and abs(left.value - before) > _WIDE * size:
            return True
        # The blank behind the bullet of a list parts no columns.
        is_bullet = index == 0 and right.value - left.value < _BULLET * size
        before = None if is_bullet else right.value
    return False


def joined(words: Iterable[PageWord]) -> str:
    """Words that lie in one cell as text, row by row."""
    rows: list[list[PageWord]] = []
    for word in sorted(words, key=lambda word: (-word.bottom, word.left)):
        if rows and rows[-1][0].is_level_with(word):
            rows[-1].append(word)
        else:
            rows.append([word])
    ordered = (word.text for row in rows for word in sorted(row, key=lambda word: word.left))
    return " ".join(ordered).replace(f"{UNDONE_HYPHEN} ", UNDONE_HYPHEN)
