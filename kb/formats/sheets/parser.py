"""Spreadsheets (.xlsx, .xls, .xlsb): each sheet a table."""

import re

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.sheets.around import add_text_boxes, count_notes
from kb.formats.sheets.binary_workbook import read_binary_workbook
from kb.formats.sheets.old_workbook import read_old_workbook
from kb.formats.sheets.workbook import Workbook
from kb.formats.tables.sheet import Sheet, add_sheet
from kb.formats.text_builder import ParseRequest, TextBuilder

_CHART = re.compile(r"xl/(?:charts/chart|chartsheets/sheet)\d+\.xml")
_BINARY_BOOK = "xl/workbook.bin"


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a workbook; what is hidden from its reader is dropped and counted.

    Cells say what the sheet shows: `7.5%` and not 0.075.
    """
    builder = TextBuilder(request)
    if data.startswith(b"PK"):
        archive = Archive(data, name=request.name, what="spreadsheet")
        if _BINARY_BOOK not in archive:
            _add_workbook(builder, Workbook(archive), archive)
            # What charts are drawn from stands in the cells.
            builder.leave_out("chart", sum(map(_is_chart, archive.members())))
            return _built(builder, request)
        sheets = read_binary_workbook(archive)
    else:
        sheets = read_old_workbook(data, request.name)
    for name, is_visible, sheet in sheets:
        _add(builder, sheet, name=name, is_visible=is_visible)
    return _built(builder, request)


def _is_chart(member: str) -> bool:
    return _CHART.fullmatch(member) is not None


def _built(builder: TextBuilder, request: ParseRequest) -> ParsedDocument:
    # A sheet's name says too little to be the title of the whole.
    return builder.build(title=request.name)


def _add_workbook(builder: TextBuilder, workbook: Workbook, archive: Archive) -> None:
    for entry in workbook.sheets:
        if not entry.member:
            continue
        _add(builder, workbook.read(entry), name=entry.name, is_visible=entry.visible)
        drawings, notes = workbook.beside(entry)
        for drawing in drawings if entry.visible else ():
            add_text_boxes(builder, archive, drawing)
        for each in notes:
            count_notes(builder, archive, each)


def _add(builder: TextBuilder, sheet: Sheet, *, name: str, is_visible: bool) -> None:
    if is_visible:
        add_sheet(builder, sheet, name=name)
    else:
        builder.hide("hidden sheet", sheet.text())
