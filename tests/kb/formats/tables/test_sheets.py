"""Workbooks: what the sheet shows is what is stored."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from tests.kb.formats.documents import outline, parse, zipped


def workbook(build: Callable[[Any, Any], None]) -> bytes:
    import xlsxwriter

    buffer = BytesIO()
    book: Any = xlsxwriter.Workbook(buffer, {"in_memory": True})
    build(book, book.add_worksheet("Rates"))
    book.close()
    return buffer.getvalue()


def test_cells_say_what_the_sheet_shows():
    def build(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Item", "Discount", "Price", "Postcode", "Time", "Open"])
        sheet.write(1, 0, "Basic")
        shown = {0.075: "0.0%", 1234.5: '#,##0.00 "€"', 1234: "00000", 1.25: "[h]:mm"}
        for column, (value, code) in enumerate(shown.items(), start=1):
            sheet.write(1, column, value, book.add_format({"num_format": code}))
        sheet.write_formula(1, 5, "=1=1", None, True)

    assert outline(parse(workbook(build), "a.xlsx")) == [
        "heading1| Rates",
        "table| Item | Discount | Price | Postcode | Time | Open\n"
        "Basic | 7.5% | 1,234.50 € | 01234 | 30:00 | yes",
    ]


def test_hidden_rows_columns_and_sheets_are_dropped_and_counted():
    def build(book: Any, sheet: Any) -> None:
        for row, cells in enumerate([("Name", "Salary", "Room"), ("Ann", 5000, "B12")]):
            sheet.write_row(row, 0, cells)
        sheet.write_row(2, 0, ["Bob", 6000, "B13"])
        sheet.set_column(1, 1, None, None, {"hidden": True})
        sheet.set_row(2, None, None, {"hidden": True})
        secret = book.add_worksheet("Secret")
        secret.write(0, 0, "margin")
        secret.hide()

    parsed = parse(workbook(build), "a.xlsx")

    assert outline(parsed) == ["heading1| Rates", "table| Name | Room\nAnn | B12"]
    assert parsed.left_out == {"hidden row": 1, "hidden column": 1, "hidden sheet": 1}
    assert parsed.hidden_chars_dropped == len("Bob 6000 B13") + len("Salary 5000") + len("margin")


def test_a_merged_name_stays_with_the_rows_that_are_seen():
    def build(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Region", "Model", "Price"])
        sheet.merge_range(1, 0, 3, 0, "North")
        for row, model in enumerate(["City", "Cargo", "Tandem"], start=1):
            sheet.write_row(row, 1, [model, row])
        sheet.merge_range(4, 0, 5, 0, "South")
        for row, model in enumerate(["City", "Cargo"], start=4):
            sheet.write_row(row, 1, [model, row])
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.set_row(2, None, None, {"hidden": True})

    assert parse(workbook(build), "a.xlsx").text.split("\n")[3:] == [
        "North | Tandem | 3",
        "South | City | 4",
        "South | Cargo | 5",
    ]


@pytest.mark.parametrize("at", [(2, 16_383), (1_048_575, 16_383), (60_000, 51)])
def test_a_stray_cell_costs_itself(at: tuple[int, int]):
    def build(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Code", "Meaning", "Price"])
        for row in range(1, 60):
            sheet.write_row(row, 0, [f"E-{row}", f"Fault number {row}", row])
        sheet.write(*at, "x")

    text = parse(workbook(build), "a.xlsx").text

    assert "Code: E-41 | Meaning: Fault number 41 | Price: 41" in text
    assert len(text) < 4_000


def test_a_bold_row_names_the_columns():
    def build(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Asked", "Said"], book.add_format({"bold": True}))
        for row in range(1, 20):
            sheet.write_row(row, 0, [f"Who has the key of door {row}?", "The porter has it"])

    text = parse(workbook(build), "a.xlsx").text

    assert "Asked: Who has the key of door 3? | Said: The porter has it" in text


def test_an_open_sheet_says_what_its_cells_show():
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table", "manifest", "style")
    )

    def row(*cells: str, more: str = "") -> str:
        inside = "".join(
            f'<table:table-cell office:value="0.075"><text:p>{cell}</text:p></table:table-cell>'
            for cell in cells
        )
        return f"<table:table-row {more}>{inside}</table:table-row>"

    styles = (
        '<office:automatic-styles><style:style style:name="off" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    )
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    shown = (
        row("Name", "Salary", "Share")
        + row("Ann", "5000", "7.5%")
        + row("Bob", "6000", "8%", more='table:visibility="collapse"')
    )
    body = (
        f'<table:table table:name="Staff">{columns}{shown}</table:table>'
        f'<table:table table:name="Old" table:style-name="off">{row("gone")}</table:table>'
    )
    data = zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f"<manifest {names}/>",
            "content.xml": f"<office:document-content {names}>{styles}<office:body>"
            f"<office:spreadsheet>{body}</office:spreadsheet></office:body>"
            "</office:document-content>",
        }
    )

    parsed = parse(data, "a.ods")

    assert outline(parsed) == ["heading1| Staff", "table| Name | Share\nAnn | 7.5%"]
    assert parsed.left_out == {"hidden row": 1, "hidden column": 1, "hidden sheet": 1}


def test_text_boxes_are_text_and_notes_headers_and_formulas_are_counted():
    def build(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Plan", "Price"])
        sheet.write_row(1, 0, ["Basic", 10])
        sheet.write_comment("B2", "only until May")
        sheet.insert_textbox(5, 0, "Prices include tax.\nNo refunds.")
        sheet.set_header('&C&"Arial,Bold"&12Draft of March')
        sheet.set_footer("&P")
        sheet.write_formula(2, 1, "=B2*2", None, "")

    parsed = parse(workbook(build), "a.xlsx")

    assert outline(parsed) == [
        "heading1| Rates",
        "table| Plan | Price\nBasic | 10",
        "paragraph| Prices include tax.\nNo refunds.",
    ]
    assert parsed.left_out == {"comment": 1, "page header": 1, "formula without a value": 1}


def test_rows_and_columns_without_a_size_are_hidden():
    def build(book: Any, sheet: Any) -> None:
        for row, cells in enumerate([("Name", "Salary", "Room"), ("Ann", 5000, "B12")]):
            sheet.write_row(row, 0, cells)
        sheet.write_row(2, 0, ["Bob", 6000, "B13"])
        sheet.set_column(1, 1, 0)
        sheet.set_row(2, 0)

    parsed = parse(workbook(build), "a.xlsx")

    assert outline(parsed) == ["heading1| Rates", "table| Name | Room\nAnn | B12"]
