"""White and tiny text of sheets, slides, OpenDocument and RTF; that of Word has its own file."""

import zipfile
from io import BytesIO
from typing import Any

import pptx
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from pptx.util import Pt
from xlsxwriter.color import Color

from kb.document import ParsedDocument
from kb.formats.sheets.unseen import shows_no_text
from tests.kb.formats.documents import parse
from tests.kb.formats.test_links_and_hidden import open_document, style


def workbook(
    cell: object, properties: dict[str, Any], *, then: dict[str, Any] | None = None
) -> ParsedDocument:
    written = BytesIO()
    with xlsxwriter.Workbook(written) as book:
        sheet = book.add_worksheet("Prices")
        sheet.write_row(0, 0, ["Item", "Price"])
        sheet.write_row(1, 0, ["Pump", 5])
        sheet.write(2, 0, "Valve")
        sheet.write(2, 1, cell, book.add_format(properties))
        if then is not None:
            sheet.conditional_format("A1:B9", {**then, "format": book.add_format({"bold": True})})
    return parse(written.getvalue(), "a.xlsx")


@pytest.mark.parametrize("cell", ["SECRET", 4711])
@pytest.mark.parametrize(
    "properties",
    [
        {"font_color": "white"},
        {"font_color": "#FFFFFF", "bg_color": "#FFFFFF", "pattern": 1},
        {"font_color": Color.theme(0, 0)},
        {"font_color": Color.theme(0, 0), "bg_color": Color.theme(0, 0), "pattern": 1},
        {"font_size": 1},
        {"num_format": ";;;"},
        {"num_format": '"";"";"";'},
    ],
)
def test_a_cell_that_shows_nothing_is_dropped_and_counted(cell: object, properties: dict[str, Any]):
    parsed = workbook(cell, properties)

    assert str(cell) not in parsed.text
    assert "Pump | 5" in parsed.text
    if '"' not in str(properties) or cell == "SECRET":
        assert (parsed.left_out, parsed.hidden_chars_dropped) == (
            {"hidden cell": 1},
            len(str(cell)),
        )


@pytest.mark.parametrize(
    "properties",
    [
        {"font_color": "white", "bg_color": "black", "pattern": 1},
        {"font_color": "white", "pattern": 4},
        {"font_color": Color.theme(0, 0), "bg_color": Color.theme(1, 0), "pattern": 1},
        {"font_color": Color.theme(0, 1)},
        {"font_color": Color.theme(1, 0)},
        {"font_color": "#FFFFFE"},
        {"font_size": 6},
        {"num_format": "0;-0;0;@"},
        {"num_format": "0;;"},
    ],
)
def test_a_cell_that_is_seen_is_read(properties: dict[str, Any]):
    parsed = workbook("SHOWN", properties)

    assert "Valve | SHOWN" in parsed.text
    assert not parsed.left_out


def test_white_text_stays_where_a_rule_of_the_sheet_may_colour_the_cell():
    parsed = workbook("SHOWN", {"font_color": "white"}, then={"type": "no_blanks"})

    assert "Valve | SHOWN" in parsed.text


def test_a_theme_that_is_no_xml_costs_a_workbook_nothing_but_its_colours():
    written, broken = BytesIO(), BytesIO()
    with xlsxwriter.Workbook(written) as book:
        book.add_worksheet("Prices").write_row(0, 0, ["Pump", 5])
    with zipfile.ZipFile(written) as whole, zipfile.ZipFile(broken, "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, "<a:theme" if "theme" in name else whole.read(name))

    assert "Pump | 5" in parse(broken.getvalue(), "a.xlsx").text


@given(st.text(alphabet='0#@;"\\[]x', max_size=40))
def test_any_format_of_numbers_can_be_asked_whether_it_shows_text(code: str):
    assert isinstance(shows_no_text(code), bool)
    assert not shows_no_text(code.replace(";", ""))


@pytest.mark.parametrize(("points", "read"), [(1, False), (1.4, False), (4, True), (12, True)])
def test_tiny_words_of_a_slide_are_dropped_and_counted(points: float, read: bool):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    frame: Any = slide.placeholders[1]
    paragraph = frame.text_frame.paragraphs[0]
    paragraph.add_run().text = "Open at nine. "
    small = paragraph.add_run()
    small.text, small.font.size = "SECRET", Pt(points)
    written = BytesIO()
    deck.save(written)

    parsed = parse(written.getvalue(), "a.pptx")

    assert ("SECRET" in parsed.text) is read
    assert parsed.left_out.get("hidden text", 0) == (not read)
    assert "Open at nine." in parsed.text


COLOURED = '<style:paragraph-properties fo:background-color="#204080"/>'


@pytest.mark.parametrize(
    ("properties", "others", "read"),
    [
        ('fo:color="#ffffff"', "", False),
        ('fo:color="#FFFFFF" fo:background-color="transparent"', "", False),
        ('fo:font-size="1pt"', "", False),
        ('fo:font-size="1pt"', COLOURED, False),
        ('fo:color="#ffffff"', COLOURED, True),
        ('fo:color="#ffffff" fo:background-color="#000000"', "", True),
        ('fo:color="#fffffe"', "", True),
        ('fo:font-size="8pt"', "", True),
        ('fo:font-size="90%"', "", True),
    ],
)
def test_white_and_tiny_text_of_open_document(properties: str, others: str, read: bool):
    automatic = style("T1", "text", f"<style:text-properties {properties}/>")
    automatic += style("P9", "paragraph", others) if others else ""
    span = '<text:span text:style-name="T1">SECRET</text:span>'
    body = f"<text:p>Open at nine. {span} Closed.</text:p>"

    parsed = parse(open_document("odt", body, automatic=automatic), "a.odt")

    assert ("SECRET" in parsed.text) is read
    assert parsed.left_out.get("hidden text", 0) == (not read)
    assert "Closed." in parsed.text


COLOURS = r"{\colortbl;\red0\green0\blue0;\red255\green255\blue255;\red255\green255\blue250;}"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"{\cf2 SECRET}", False),
        (r"\cf2 SECRET\cf0 ", False),
        (r"\cf2 SECRET\plain ", False),
        (r"{\fs2 SECRET}", False),
        (r"{\fs2\cf1 SECRET}", False),
        (r"{\v SECRET}", False),
        (r"{\cf2\cf1 SECRET}", True),
        (r"{\cf3 SECRET}", True),
        (r"{\fs2\fs20 SECRET}", True),
        (r"{\v\v0 SECRET}", True),
        (r"{\highlight1\cf2 SECRET}", True),
        (r"{\cf2 }SECRET", True),
    ],
)
def test_white_and_tiny_text_of_rtf(written: str, read: bool):
    parsed = parse(rf"{{\rtf1\ansi{COLOURS}Open at nine. {written}Closed.\par}}", "a.rtf")

    assert ("SECRET" in parsed.text) is read
    assert parsed.left_out.get("hidden text", 0) == (not read)
    assert "Open at nine. " in parsed.text
    assert "Closed." in parsed.text
