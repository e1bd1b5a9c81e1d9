"""Rows as an Excel workbook. The only importer of xlsxwriter."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from analysis.errors import ExportError

MAX_ROWS = 1_048_575
"""What a sheet holds below its header."""
_MAX_CELL_CHARS = 32_767
_MAX_NAME_CHARS = 31
_WIDEST = 60


def write_excel(
    path: Path, names: Sequence[str], next_rows: Callable[[], Sequence[Sequence[Any]]], title: str
) -> int:
    """Write rows below a header that stays in sight, with filters, and return their number.

    Text stays text: what a user said never becomes a formula or a link. Cells hold 32,767
    characters; longer text is cut.

    Args:
        path: Ends in `.xlsx`.
        names: The header.
        next_rows: Gives some rows at each call, and none when there are no more.
        title: Of the sheet.

    Raises:
        ExportError: There are more rows than a sheet holds.
    """
    writer: Any = import_module("xlsxwriter")
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }
    with writer.Workbook(str(path), options) as workbook:
        sheet = workbook.add_worksheet(_sheet_name(title))
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for column, name in enumerate(names):
            sheet.set_column(column, column, min(_WIDEST, max(10, len(name) + 4)))
        sheet.write_row(0, 0, list(names), workbook.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        count = 0
        while rows := next_rows():
            if count + len(rows) > MAX_ROWS:
                raise ExportError(
                    f"An Excel sheet holds {MAX_ROWS:,} rows and this has more. Narrow the query, "
                    "or write .parquet or .csv."
                )
            for row in rows:
                count += 1
                for column, value in enumerate(row):
                    _write_cell(sheet, count, column, value, day)
        if names:
            sheet.autofilter(0, 0, count, len(names) - 1)
    return count


def _write_cell(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool | int | float):
        sheet.write(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.replace(tzinfo=None))
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, day)
    else:
        sheet.write_string(row, column, str(value)[:_MAX_CELL_CHARS])


def _sheet_name(title: str) -> str:
    """What Excel takes as the name of a sheet."""
    allowed = "".join(" " if char in "[]:*?/\\'" else char for char in title)
    return allowed[:_MAX_NAME_CHARS].strip() or "Rows"
