"""Word, PowerPoint, spreadsheets, OpenDocument and RTF."""

import datetime
from io import BytesIO
from typing import Any

import pytest

from tests.kb.formats.documents import docx, outline, parse, reason, zipped


def build_word(document: Any) -> None:
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document.core_properties.title = "Terms"
    document.add_heading("Refunds", level=1)
    paragraph = document.add_paragraph("They take ")
    paragraph.add_run("five days").bold = True
    hidden = paragraph.add_run("psst")
    hidden.font.hidden = True
    document.add_paragraph("Open settings", style="List Bullet")
    document.add_paragraph("Press refund", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Plan", "Days", "Basic", "5"), strict=True):
        cell.text = text
    document.add_heading("Details", level=2)
    inserted = f"<w:p {nsdecls('w')}><w:ins><w:r><w:t>New </w:t></w:r></w:ins><w:del><w:r>"
    inserted += "<w:delText>old </w:delText></w:r></w:del><w:r><w:t>words</w:t></w:r></w:p>"
    body = document.element.body
    body.insert(len(body) - 1, parse_xml(inserted))
    control = f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>In a form</w:t></w:r></w:p>"
    body.insert(len(body) - 1, parse_xml(control + "</w:sdtContent></w:sdt>"))


def test_word_in_document_order():
    parsed = parse(docx(build_word), "a.docx")

    assert outline(parsed) == [
        "heading1| Refunds",
        "paragraph| They take five days",
        "list| - Open settings\n- Press refund",
        "table| Plan | Days\nBasic | 5",
        "heading2| Details",
        "paragraph| New words",
        "paragraph| In a form",
    ]
    assert (parsed.title, parsed.hidden_chars_dropped) == ("Terms", 4)


def test_a_word_file_with_a_missing_part_is_malformed():
    data = zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"})

    assert reason(data, "a.docx") == "malformed"


def slides() -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    presentation: Any = Presentation()
    for title in ("Refunds", "Secret", "Plans"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "First point\nSecond point"
    presentation.slides[1]._element.set("show", "0")
    last = presentation.slides[2]
    last.notes_slide.notes_text_frame.text = "Mention the discount"
    table = last.shapes.add_table(2, 2, Inches(1), Inches(5), Inches(4), Inches(1)).table
    for index, text in enumerate(("Plan", "Price", "Basic", "10")):
        table.cell(index // 2, index % 2).text = text
    buffer = BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def test_slides_are_pages_and_hidden_ones_are_not_shown():
    parsed = parse(slides(), "a.pptx")

    assert outline(parsed) == [
        "heading1| Refunds",
        "list| - First point\n- Second point",
        "heading1| Plans",
        "list| - First point\n- Second point",
        "table| Plan | Price\nBasic | 10",
        "paragraph| Notes: Mention the discount",
    ]
    assert [page.label for page in parsed.pages] == ["1", "3"]
    assert parsed.hidden_chars_dropped > 0


def workbook() -> bytes:
    import xlsxwriter

    buffer = BytesIO()
    book: Any = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("Prices")
    for row, cells in enumerate(
        (("Plan", "Price", "Active"), ("Basic", 10, True), ("Pro", 12.5, False))
    ):
        for column, value in enumerate(cells):
            sheet.write(row, column, value)
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_datetime(3, 0, datetime.date(2026, 11, 2), date)
    hidden = book.add_worksheet("Lists")
    hidden.write(0, 0, "internal")
    hidden.hide()
    book.add_worksheet("Empty")
    book.close()
    return buffer.getvalue()


def test_sheets_are_tables_with_values_as_people_write_them():
    parsed = parse(workbook(), "prices.xlsx")

    assert outline(parsed) == [
        "heading1| Prices",
        "table| Plan | Price | Active\nBasic | 10 | yes\nPro | 12.5 | no\n2026-11-02 |  |",
    ]
    assert parsed.hidden_chars_dropped == len("internal")


@pytest.mark.parametrize(
    "source",
    ['Plan,Price\nBasic,"1,000"\n', "Plan;Price\nBasic;1,000\n", "Plan\tPrice\nBasic\t1,000\n"],
)
def test_the_delimiter_is_found(source: str):
    assert outline(parse(source, "a.csv")) == ["table| Plan | Price\nBasic | 1,000"]


def test_a_line_that_states_the_delimiter_is_no_row():
    source = "\ufeffsep=;\r\nPlan;Price\r\nBasic;9,90\r\n"

    assert outline(parse(source, "a.csv")) == ["table| Plan | Price\nBasic | 9,90"]


def test_a_csv_of_another_encoding():
    assert "Größe" in parse("Größe;Preis\n1;2\n".encode("cp1252"), "a.csv").text


NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
)


def odt(body: str, manifest: str = "") -> bytes:
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": f"<manifest {NAMESPACES}>{manifest}</manifest>",
            "content.xml": f"<office:document-content {NAMESPACES}><office:body><office:text>{body}"
            "</office:text></office:body></office:document-content>",
        }
    )


def test_open_document_text():
    body = (
        '<text:h text:outline-level="2">Refunds</text:h><text:p>Five<text:s text:c="2"/>days'
        "<text:line-break/>or so</text:p><text:list><text:list-item><text:p>one</text:p>"
        "<text:list><text:list-item><text:p>inner</text:p></text:list-item></text:list>"
        "</text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>A"
        "</text:p></table:table-cell><table:table-cell><text:p>B</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )

    assert outline(parse(odt(body), "a.odt")) == [
        "heading2| Refunds",
        "paragraph| Five  days\nor so",
        "list| - one\n  - inner",
        "table| A | B",
    ]


def test_an_encrypted_open_document_says_so():
    assert reason(odt("", "<manifest:encryption-data/>"), "a.odt") == "encrypted"


def test_rich_text_with_its_code_page():
    source = (
        rb"{\rtf1\ansi\ansicpg1250{\info{\title Terms}}\pard Refunds take \b five\b0  days.\par "
        rb"Za\'9ft\par}"
    )

    parsed = parse(source, "a.rtf")

    assert outline(parsed) == ["paragraph| Refunds take five days.", "paragraph| Zaźt"]
    assert parsed.title == "Terms"
