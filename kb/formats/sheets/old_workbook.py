"""Workbooks of Excel 97 and before (.xls): what their sheets show."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

from kb.formats.link_targets import beside
from kb.formats.sheets.filling import ERRORS, MIN_POINTS, CellStyle, Filling
from kb.formats.sheets.number_format import BUILT_IN, GENERAL
from kb.formats.tables.sheet import Sheet
from kb.formats.text_builder import encrypted, malformed
from kb.formats.vendors import vendor

_OF_READER = (14, 22)
"""Formats of dates that depend on the settings of the reader."""
_TEXT, _BOOLEAN, _ERROR = 1, 4, 5
_NUMBERS = (2, 3)
_TWIPS = 20
_WHITE = (255, 255, 255)
_PAPER = 65
"""The colour of the window, as a palette counts."""
_PAINTS = frozenset({0x01B0, 0x0879, 0x00E9, 0x00EC, 0x005D})
"""Records of conditional formats, a picture behind the sheet, and drawings on it."""
_BEGIN, _END = 0x0809, 0x000A


def read_old_workbook(data: bytes, name: str) -> Iterator[tuple[str, bool, Sheet]]:
    """Name, visibility and cells of each sheet.

    Raises:
        DocumentError: `encrypted` or `malformed`.
    """
    xlrd = vendor("xlrd")
    try:
        book = xlrd.open_workbook(
            file_contents=data,
            logfile=StringIO(),
            formatting_info=True,
            ragged_rows=True,
            on_demand=True,
            ignore_workbook_corruption=True,
        )
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise encrypted(name, "spreadsheet") from error
        raise malformed(name, "spreadsheet", error) from error
    styles = [_style(book, xf) for xf in book.xf_list]
    for index in range(book.nsheets):
        sheet = book.sheet_by_index(index)
        yield sheet.name, sheet.visibility == 0, _read(book, sheet, styles)
        book.unload_sheet(index)


def _read(book: Any, source: Any, styles: list[CellStyle]) -> Sheet:
    filling = Filling(since_1904=book.datemode == 1)
    for row in range(source.nrows):
        for column in range(source.row_len(row)):
            _add_cell(filling, source, (row, column), styles)
    filling.sheet.hidden_rows.update(
        row for row, info in source.rowinfo_map.items() if info.hidden or info.height == 0
    )
    filling.sheet.hidden_columns.update(
        column for column, info in source.colinfo_map.items() if info.hidden or info.width == 0
    )
    merges = (
        (top, below - 1, left, beyond - 1) for top, below, left, beyond in source.merged_cells
    )
    return filling.finish(merges, painted=_is_painted(book, source.number))


def _add_cell(filling: Filling, source: Any, at: tuple[int, int], styles: list[CellStyle]) -> None:
    kind, value = source.cell_type(*at), source.cell_value(*at)
    number = int(source.cell_xf_index(*at))
    style = styles[number] if number < len(styles) else CellStyle()
    if kind in _NUMBERS:
        filling.add_number(*at, value, style)
    elif kind == _TEXT:
        link = source.hyperlink_map.get(at)
        filling.add_text(*at, value + beside(value, link.url_or_path if link else None), style)
    elif kind == _BOOLEAN:
        filling.add_sign(*at, "yes" if value else "no", style)
    elif kind == _ERROR:
        filling.add_sign(*at, ERRORS.get(value, "#N/A"), style)


def _style(book: Any, xf: Any) -> CellStyle:
    own = book.format_map.get(xf.format_key)
    code = own.format_str if own is not None else GENERAL
    if xf.format_key in _OF_READER:
        code = BUILT_IN[xf.format_key]
    if xf.font_index >= len(book.font_list):
        return CellStyle(code)
    font = book.font_list[xf.font_index]
    is_white = book.colour_map.get(font.colour_index) == _WHITE
    is_tiny = 0 < font.height < MIN_POINTS * _TWIPS
    return CellStyle(code, bool(font.bold), is_tiny, is_white and not _is_filled(book, xf))


def _is_filled(book: Any, xf: Any) -> bool:
    ground = xf.background
    if not ground.fill_pattern:
        return False
    is_white = book.colour_map.get(ground.pattern_colour_index) == _WHITE
    return ground.fill_pattern != 1 or not (is_white or ground.pattern_colour_index == _PAPER)


def _is_painted(book: Any, index: int) -> bool:
    """Whether records of a sheet may lay a colour behind its cells without their styles."""
    at, depth = book._sh_abs_posn[index], 0
    while at + 4 <= len(book.mem):
        record = int.from_bytes(book.mem[at : at + 2], "little")
        if record in _PAINTS:
            return True
        depth += (record == _BEGIN) - (record == _END)
        if record == _END and depth <= 0:
            break
        at += 4 + int.from_bytes(book.mem[at + 2 : at + 4], "little")
    return False
