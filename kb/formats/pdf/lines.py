"""Lines of PDF pages with their measures, as pdfium or pypdf reads them."""

import ctypes
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from kb.formats.pdf.arabic import in_reading_order, is_arabic
from kb.formats.pdf.objects import drawn_on
from kb.formats.pdf.ruled_tables import ruled_tables
from kb.formats.pdf.rules import Rules, rules_of
from kb.formats.pdf.table import PageTable
from kb.formats.pdf.unruled_tables import unruled_tables
from kb.formats.pdf.unseen import unseen_objects, without_unseen
from kb.formats.pdf.words import Word, has_wide_gap, words_of
from kb.formats.vendors import vendor

MIN_READABLE_SIZE = 1.5
"""In points, as on the page."""
EDGE_SHARE = 0.12
"""Of a page's height, at the top and at the bottom, where running lines stand."""

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
    left: float = 0.0
    """Where its first character begins."""
    right: float = 0.0
    """Where its last character begins."""
    table: PageTable | None = None
    """What stands here instead of a line of text."""

    @property
    def hidden(self) -> bool:
        """Too small for anyone to read it."""
        return 0 < self.size < MIN_READABLE_SIZE


@dataclass(slots=True)
class Page:
    """The lines of a page in reading order, and where the page ends."""

    lines: list[Line]
    bottom: float = 0.0
    top: float = 0.0
    """Equal to `bottom` where nothing is known."""
    unseen: list[str] = field(default_factory=list[str])
    """Text that lies on the page and that no reader sees; in no line."""

    def is_near_edge(self, line: Line) -> bool:
        """Whether a line stands where running headers and footers do."""
        margin = EDGE_SHARE * (self.top - self.bottom)
        return not self.bottom + margin < line.baseline < self.top - margin


def read_pages(document: Any) -> list[Page]:
    """Read all pages with pdfium."""
    pages: list[Page] = []
    above: PageTable | None = None
    for index in range(len(document)):
        page = _read_page(document, index, above)
        pages.append(page)
        # What a page ends with besides a running footer.
        above = next((line.table for line in page.lines[:-4:-1] if line.table), None)
    return pages


def _read_page(document: Any, index: int, above: PageTable | None) -> Page:
    """Read one page. One that cannot be loaded has no lines."""
    try:
        page = document[index]
        text_page = page.get_textpage()
    except vendor("pypdfium2").PdfiumError:
        return Page([])
    drawn = drawn_on(page)
    box = page.get_bbox()
    placed = list(positions(text_page))
    unseen = unseen_objects(drawn, box)
    dropped: list[str] = []
    if unseen:
        placed, dropped = without_unseen(text_page, placed, unseen)
    lines = [_measured(text_page, line, position) for line, position in placed]
    if dropped:
        lines = [replace(line, text=" ".join(line.text.split())) for line in lines]
    if page.get_rotation() in (0, 180):
        rules = rules_of(drawn)
        if above or rules.may_enclose() or _has_rows(text_page, lines, placed):
            words = [
                word
                for number, (line, position) in enumerate(placed)
                for word in words_of(text_page, line.strip(), position, number)
            ]
            lines = with_tables(lines, words, rules, above)
    _, bottom, _, top = box
    text_page.close()
    page.close()
    return Page(lines, bottom, top, dropped)


def _has_rows(text_page: Any, lines: Sequence[Line], placed: Sequence[tuple[str, int]]) -> bool:
    """Whether two lines of a page, or more, may be rows of a table."""
    found = sum(
        before.baseline == after.baseline and after.left > before.right
        for before, after in pairwise(lines)
    )
    for line, position in placed:
        if found > 1:
            return True
        found += has_wide_gap(text_page, line.strip(), position)
    return found > 1


def with_tables(
    lines: Sequence[Line], words: Sequence[Word], rules: Rules, above: PageTable | None
) -> list[Line]:
    """Put each table in place of the lines that it was made of, where the first of them stood."""
    tables = list(ruled_tables(words, rules, above=above))
    used = {word for table in tables for word in table.words}
    loose = [word for word in words if word not in used and not lines[word.line].monospaced]
    for table in unruled_tables(loose, rules, above=above):
        tables.append(table)
        used |= table.words
    if not tables:
        return list(lines)
    begins: dict[int, list[PageTable]] = defaultdict(list)
    for table in tables:
        begins[min(word.line for word in table.words)].append(table)
    rest: dict[int, list[str]] = defaultdict(list)
    touched = {word.line for word in used}
    for word in words:
        if word not in used:
            rest[word.line].append(word.text)
    shown: list[Line] = []
    for number, line in enumerate(lines):
        shown += [_table_line(table, line) for table in begins[number]]
        if number not in touched:
            shown.append(line)
        elif rest[number]:
            shown.append(replace(line, text=" ".join(rest[number])))
    return shown


def _table_line(table: PageTable, line: Line) -> Line:
    lowest = min(word.bottom for word in table.words)
    text = " ".join(cell.text for row in table.rows for cell in row if cell.text)
    return replace(line, text=text, end_baseline=lowest, monospaced=False, table=table)


def positions(text_page: Any) -> Iterator[tuple[str, int]]:
    """Each line that is not blank, with the number of its first character that is not."""
    text: str = text_page.get_text_range()
    position = 0
    for line in text.split("\r\n"):
        if line.strip():
            yield line, position + len(line) - len(line.lstrip())
        position += len(line.encode("utf-16-le", "surrogatepass")) // 2 + 2


def plain_lines(text: str) -> list[Line]:
    """Lines without any measure, as pypdf gives them."""
    return [Line(line) for line in text.split("\n") if line.strip()]


def _measured(text_page: Any, text: str, position: int) -> Line:
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
    return Line(
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
