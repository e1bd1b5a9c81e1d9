"""Lines of PDF pages with their measures, as pdfium or pypdf reads them."""

import ctypes
import math
import re
from dataclasses import dataclass
from typing import Any

from kb.formats.vendors import vendor

MIN_READABLE_SIZE = 1.5
"""In points, as on the page."""

_FIXED_PITCH = 1
_MONOSPACED = re.compile(rb"mono|courier|consol|menlo|typewriter|\d?tt\b|cmtt", re.IGNORECASE)


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
