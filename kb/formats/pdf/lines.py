"""Lines of PDF pages with their measures, as pdfium or pypdf reads them."""

import ctypes
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kb.formats.pdf.arabic import in_reading_order, is_arabic
from kb.formats.pdf.page_table import PageTable
from kb.formats.vendors import vendor

MIN_READABLE_SIZE = 1.5
"""In points, as on the page."""
EDGE_SHARE = 0.12
"""Of a page's height, at the top and at the bottom, where running lines stand."""

_FIXED_PITCH = 1
_MONOSPACED = re.compile(rb"mono|courier|consol|menlo|typewriter|\d?tt\b|cmtt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageLine:
    """One line as it stands on the page. Lengths are in points; 0 where nothing is known."""

    text: str
    baseline: float = 0.0
    """Of its first character."""
    end_baseline: float = 0.0
    size: float = 0.0
    monospaced: bool = False
    left: float = 0.0
    """Where its first character begins."""
    right: float = 0.0
    """Where its last character begins."""
    table: PageTable | None = None
    """What stands here instead of a line of text."""
    mark: str = ""
    """`value`, `choice` or `note` where it came from a form or an annotation."""

    @property
    def hidden(self) -> bool:
        """Too small for anyone to read it."""
        return 0 < self.size < MIN_READABLE_SIZE


@dataclass(slots=True)
class ReadPage:
    """The lines of a page in reading order, and where the page ends."""

    lines: list[PageLine]
    bottom: float = 0.0
    top: float = 0.0
    """Equal to `bottom` where nothing is known."""
    unseen: list[str] = field(default_factory=list[str])
    """Text that lies on the page and that no reader sees; in no line."""
    left_out: list[str] = field(default_factory=list[str])
    """Kinds of what lies over the page and was not read, one for each piece."""
    files: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    """Name and content of what is attached to a place of it."""

    def is_near_edge(self, line: PageLine) -> bool:
        """Whether a line stands where running headers and footers do."""
        margin = EDGE_SHARE * (self.top - self.bottom)
        return not self.bottom + margin < line.baseline < self.top - margin


def positions(text_page: Any) -> Iterator[tuple[str, int]]:
    """Each line that is not blank, with the number of its first character that is not."""
    text: str = text_page.get_text_range()
    position = 0
    for line in text.split("\r\n"):
        if line.strip():
            yield line, position + len(line) - len(line.lstrip())
        position += len(line.encode("utf-16-le", "surrogatepass")) // 2 + 2


def plain_lines(text: str) -> list[PageLine]:
    """Lines without any measure, as pypdf gives them."""
    return [PageLine(line) for line in text.split("\n") if line.strip()]


def measured(text_page: Any, text: str, position: int) -> PageLine:
    """A line whose first character has the number `position`, with its measures."""
    raw = vendor("pypdfium2.raw")
    # Where pdfium undid a hyphen, one line of text spans two lines of the page.
    stripped = text.strip()
    end = position + len(stripped) - 1
    probes = (position, (position + end) // 2, end)
    left, baseline = _origin(raw, text_page, position)
    right, end_baseline = _origin(raw, text_page, end)
    if is_arabic(stripped):
        origins = [_origin(raw, text_page, at)[0] for at in range(position, end + 1)]
        text = in_reading_order(stripped, origins)
    return PageLine(
        text,
        baseline=baseline,
        end_baseline=end_baseline,
        size=round(_size(raw, text_page, position), 1),
        # A line that merely begins with a word in code type is prose.
        monospaced=all(_is_monospaced(raw, text_page, at) for at in probes),
        left=min(left, right),
        right=max(left, right),
    )


def _size(raw: Any, text_page: Any, position: int) -> float:
    """Of a character as it stands on the page: many files set size 1 and scale by a matrix."""
    matrix = raw.FS_MATRIX()
    size = raw.FPDFText_GetFontSize(text_page, position)
    if not raw.FPDFText_GetMatrix(text_page, position, matrix):
        return size
    return size * math.hypot(matrix.b, matrix.d)


def _origin(raw: Any, text_page: Any, position: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, position, x, y)
    return x.value, y.value


def _is_monospaced(raw: Any, text_page: Any, position: int) -> bool:
    """Whether the character is of a font whose letters are all of one width."""
    flags, name = ctypes.c_int(), ctypes.create_string_buffer(64)
    raw.FPDFText_GetFontInfo(text_page, position, name, 64, flags)
    return bool(flags.value & _FIXED_PITCH) or _MONOSPACED.search(name.value) is not None
