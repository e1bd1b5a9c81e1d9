"""Spreadsheets (.xlsx, .xls, .xlsb, .ods): each sheet a table."""

import datetime
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.text_builder import ParseRequest, TextBuilder, encrypted, malformed, render_table
from kb.formats.vendors import vendor


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a workbook; sheets hidden from its reader are dropped and counted."""
    calamine = vendor("python_calamine")
    if data.startswith(b"PK"):
        Archive(data, name=request.name, what="spreadsheet")
    try:
        workbook = calamine.load_workbook(BytesIO(data))
    except calamine.PasswordError as error:
        raise encrypted(request.name, "spreadsheet") from error
    except calamine.CalamineError as error:
        raise malformed(request.name, "spreadsheet", error) from error
    builder = TextBuilder(request)
    for sheet in workbook.sheets_metadata:
        if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        rows = list(_rows(workbook.get_sheet_by_name(sheet.name)))
        table = render_table(rows) if rows else ""
        if sheet.visible != calamine.SheetVisibleEnum.Visible:
            builder.hidden_chars += len(table)
        elif table:
            builder.add("heading", sheet.name, level=1)
            builder.add("table", table)
    # A sheet's name says too little to be the title of the whole.
    return builder.build(title=request.name)


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.to_python(skip_empty_area=True):
        cells = [_cell(value) for value in row]
        if any(cells):
            yield cells


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
