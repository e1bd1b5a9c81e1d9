"""Spreadsheets (.xlsx, .xls, .xlsb): each sheet a table."""

import datetime
import re
from io import BytesIO
from typing import Any

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.sheets.workbook import Workbook
from kb.formats.tables.grid import Cell
from kb.formats.tables.sheet import Sheet, add_sheet
from kb.formats.text_builder import ParseRequest, TextBuilder, encrypted, malformed
from kb.formats.vendors import vendor

_CHART = re.compile(r"xl/(?:charts/chart|chartsheets/sheet)\d+\.xml")
_BINARY_BOOK = "xl/workbook.bin"


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a workbook; what is hidden from its reader is dropped and counted.

    Cells say what the sheet shows: `7.5%` and not 0.075. The older formats (.xls, .xlsb) say the
    bare values, and hide sheets only.
    """
    builder = TextBuilder(request)
    if data.startswith(b"PK"):
        archive = Archive(data, name=request.name, what="spreadsheet")
        if _BINARY_BOOK not in archive:
            _add_workbook(builder, Workbook(archive))
            # What charts are drawn from stands in the cells.
            builder.leave_out("chart", sum(map(_is_chart, archive.members())))
            return _built(builder, request)
    _add_old_workbook(builder, data, request.name)
    return _built(builder, request)


def _is_chart(member: str) -> bool:
    return _CHART.fullmatch(member) is not None


def _built(builder: TextBuilder, request: ParseRequest) -> ParsedDocument:
    # A sheet's name says too little to be the title of the whole.
    return builder.build(title=request.name)


def _add_workbook(builder: TextBuilder, workbook: Workbook) -> None:
    for entry in workbook.sheets:
        if not entry.member:
            continue
        sheet = workbook.read(entry)
        if not entry.visible:
            builder.hide("hidden sheet", sheet.text())
        else:
            add_sheet(builder, sheet, name=entry.name)


def _add_old_workbook(builder: TextBuilder, data: bytes, name: str) -> None:
    calamine = vendor("python_calamine")
    try:
        workbook = calamine.load_workbook(BytesIO(data))
    except calamine.PasswordError as error:
        raise encrypted(name, "spreadsheet") from error
    except calamine.CalamineError as error:
        raise malformed(name, "spreadsheet", error) from error
    for entry in workbook.sheets_metadata:
        if entry.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = _read_old(workbook.get_sheet_by_name(entry.name))
        if entry.visible != calamine.SheetVisibleEnum.Visible:
            builder.hide("hidden sheet", sheet.text())
        else:
            add_sheet(builder, sheet, name=entry.name)


def _read_old(source: Any) -> Sheet:
    sheet = Sheet()
    merges = {start: end for start, end in source.merged_cell_ranges or ()}
    for row, values in enumerate(source.to_python(skip_empty_area=False)):
        for column, value in enumerate(values):
            if text := _shown(value):
                bottom, right = merges.get((row, column), (row, column))
                sheet.add(row, column, Cell(text, bottom - row + 1, right - column + 1))
    return sheet


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return str(value).strip()
