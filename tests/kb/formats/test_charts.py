"""Charts say what their labels show, in slides, Word and sheets."""

import zipfile
from io import BytesIO
from typing import Any

import pptx
import pytest
import xlsxwriter
from docx import Document
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from tests.kb.formats.documents import outline, parse

_TYPES = b'<Override PartName="/word/charts/chart1.xml" ContentType="application/xml"/></Types>'
_RELATION = b"""<Relationship Id="rIdChart" Target="charts/chart1.xml" Type=
"http://schemas.openxmlformats.org/officeDocument/2006/relationships/chart"/></Relationships>"""
_DRAWING = b"""<w:r><w:drawing><wp:inline xmlns:wp=
"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"><a:graphic xmlns:a=
"http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData><c:chart xmlns:c=
"http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:r=
"http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rIdChart"/>
</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"""


def chart_deck(
    values: tuple[float, ...],
    *,
    number_format: str = "General",
    labels: str | None = None,
    axis: str | None = None,
) -> bytes:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    data: Any = CategoryChartData(number_format=number_format)
    data.categories = [f"Q{n + 1}" for n in range(len(values))]
    data.add_series("Share", values)
    place = Inches(1), Inches(1), Inches(4), Inches(3)
    frame: Any = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = "By quarter"
    if labels is not None:
        plot = frame.chart.plots[0]
        plot.has_data_labels = True
        plot.data_labels.number_format = labels
        plot.data_labels.number_format_is_linked = False
    if axis is not None:
        frame.chart.value_axis.tick_labels.number_format = axis
        frame.chart.value_axis.tick_labels.number_format_is_linked = False
    written = BytesIO()
    presentation.save(written)
    return written.getvalue()


def with_chart(deck: bytes) -> bytes:
    """A Word document with the chart of a deck between two paragraphs."""
    document = Document()
    document.add_paragraph("Before")
    document.add_paragraph("After")
    plain, written = BytesIO(), BytesIO()
    document.save(plain)
    with zipfile.ZipFile(BytesIO(deck)) as source:
        member = next(name for name in source.namelist() if name.startswith("ppt/charts/chart"))
        chart = source.read(member)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(written, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                content = content.replace(b"</w:p>", _DRAWING, 1)
            content = content.replace(b"</Types>", _TYPES)
            if name == "word/_rels/document.xml.rels":
                content = content.replace(b"</Relationships>", _RELATION)
            target.writestr(name, content)
        target.writestr("word/charts/chart1.xml", chart)
    return written.getvalue()


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, ("0.075", "0.12")),
        ({"number_format": "0.0%"}, ("7.5%", "12.0%")),
        ({"number_format": "0%"}, ("8%", "12%")),
        ({"number_format": "0.00 %"}, ("7.50 %", "12.00 %")),
        ({"number_format": '0.000 "kg"'}, ("0.075 kg", "0.120 kg")),
        ({"labels": "0.0%"}, ("7.5%", "12.0%")),
        ({"number_format": "0.00", "labels": "0.0%"}, ("7.5%", "12.0%")),
        ({"axis": "0%"}, ("7.5%", "12%")),
        ({"axis": "0.0"}, ("0.075", "0.12")),
        ({"number_format": "[$€-407] #,##0.00"}, ("€ 0.08", "€ 0.12")),
    ],
)
def test_values_have_the_form_that_the_chart_shows(options: dict[str, str], shown: tuple[str, str]):
    deck = chart_deck((0.075, 0.12), **options)
    table = f"table| | Share\nQ1 | {shown[0]}\nQ2 | {shown[1]}"

    assert outline(parse(deck, "a.pptx")) == ["paragraph| By quarter", table]
    assert outline(parse(with_chart(deck), "a.docx")) == [
        "paragraph| Before",
        "paragraph| By quarter",
        table,
        "paragraph| After",
    ]


def test_the_chart_of_a_sheet_is_counted_as_its_values_stand_in_cells():
    written = BytesIO()
    with xlsxwriter.Workbook(written) as book:
        sheet = book.add_worksheet("Shares")
        share = book.add_format({"num_format": "0.0%"})
        sheet.write_row(0, 0, ["Quarter", "Share"])
        sheet.write(1, 0, "Q1")
        sheet.write(1, 1, 0.075, share)
        chart = book.add_chart({"type": "column"})
        assert chart is not None
        chart.add_series({"values": "=Shares!$B$2:$B$2"})
        sheet.insert_chart("D2", chart)

    parsed = parse(written.getvalue(), "a.xlsx")

    assert "7.5%" in parsed.text
    assert parsed.left_out == {"chart": 1}
