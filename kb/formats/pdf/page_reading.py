"""A page of a PDF to its lines: what is seen, with tables, form values and notes in place."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

from kb.formats.pdf.annotations import mark_lines, mark_words, overlay_of, put_in_place
from kb.formats.pdf.lines import PageLine, ReadPage, measured, positions
from kb.formats.pdf.objects import drawn_on
from kb.formats.pdf.page_table import PageTable
from kb.formats.pdf.tables.ruled import ruled_tables
from kb.formats.pdf.tables.rules import Rules, rules_of
from kb.formats.pdf.tables.unruled import unruled_tables
from kb.formats.pdf.unseen import unseen_objects, without_unseen
from kb.formats.pdf.words import PageWord, has_wide_gap, words_of
from kb.formats.vendors import vendor


def read_pages(document: Any) -> list[ReadPage]:
    """Read all pages of an open document of pypdfium2, with the values of its form."""
    if document.get_formtype() != vendor("pypdfium2.raw").FORMTYPE_NONE:
        document.init_forms()
    pages: list[ReadPage] = []
    above: PageTable | None = None
    for index in range(len(document)):
        page = _read_page(document, index, above)
        pages.append(page)
        # What a page ends with besides a running footer.
        above = next((line.table for line in page.lines[:-4:-1] if line.table), None)
    return pages


def _read_page(document: Any, index: int, above: PageTable | None) -> ReadPage:
    """Read one page. One that cannot be loaded has no lines."""
    try:
        page = document[index]
        text_page = page.get_textpage()
    except vendor("pypdfium2").PdfiumError:
        return ReadPage([])
    try:
        return _read(page, text_page, document.formenv, above)
    finally:
        text_page.close()
        page.close()


def _read(page: Any, text_page: Any, form: Any, above: PageTable | None) -> ReadPage:
    drawn = drawn_on(page)
    box = page.get_bbox()
    placed = list(positions(text_page))
    unseen = unseen_objects(drawn, box)
    dropped: list[str] = []
    if unseen:
        placed, dropped = without_unseen(text_page, placed, unseen)
    lines = [measured(text_page, line, position) for line, position in placed]
    if dropped:
        lines = [replace(line, text=" ".join(line.text.split())) for line in lines]
    overlay = overlay_of(page, form.raw if form else None)
    marks = overlay.marks
    size = median(line.size for line in lines) if lines else 0.0
    lines += mark_lines(marks, size)
    if page.get_rotation() in (0, 180):
        rules = rules_of(drawn)
        if above or rules.may_enclose() or _has_rows(text_page, lines, placed):
            words = [
                word
                for number, (line, position) in enumerate(placed)
                for word in words_of(text_page, line.strip(), position, number)
            ]
            words += mark_words(marks, len(placed))
            lines = with_tables(lines, words, rules, above)
    if marks:
        lines = put_in_place(lines, marks)
    _, bottom, _, top = box
    return ReadPage(
        lines, bottom, top, [*dropped, *overlay.hidden], overlay.left_out, overlay.files
    )


def _has_rows(text_page: Any, lines: Sequence[PageLine], placed: Sequence[tuple[str, int]]) -> bool:
    """Whether two lines of a page, or more, may be rows of a table."""
    found = sum(
        before.baseline == after.baseline and after.left > before.right
        for before, after in pairwise(lines)
    )
    for (text, position), line in zip(placed, lines, strict=False):
        if found > 1:
            return True
        if not line.monospaced:
            found += has_wide_gap(text_page, text.strip(), position, line.size)
    return found > 1


def with_tables(
    lines: Sequence[PageLine], words: Sequence[PageWord], rules: Rules, above: PageTable | None
) -> list[PageLine]:
    """Put each table in place of the lines that it was made of, where the first of them stood."""
    tables = list(ruled_tables(words, rules, above=above))
    used = {word for table in tables for word in table.words}
    loose = [
        word
        for word in words
        if word not in used and not lines[word.line].monospaced and not lines[word.line].mark
    ]
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
    shown: list[PageLine] = []
    for number, line in enumerate(lines):
        shown += [_table_line(table, line) for table in begins[number]]
        if number not in touched:
            shown.append(line)
        elif rest[number]:
            shown.append(replace(line, text=" ".join(rest[number])))
    return shown


def _table_line(table: PageTable, line: PageLine) -> PageLine:
    lowest = min(word.bottom for word in table.words)
    text = " ".join(cell.text for row in table.rows for cell in row if cell.text)
    return replace(line, text=text, end_baseline=lowest, monospaced=False, table=table)
