"""Where links lead is text in every office format, and what OpenDocument hides is none."""

import zipfile
from datetime import datetime
from io import BytesIO
from typing import Any

import pptx
import pytest
import xlsxwriter
from pptx.util import Inches

from kb.formats.link_targets import beside, leads_to_contact_or_file
from kb.formats.office.package import _TRANSITIONAL  # pyright: ignore[reportPrivateUsage]
from tests.kb.formats.documents import outline, parse, zipped

FORM = "https://help.example.org/form.pdf"
_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "style", "presentation", "manifest")
)
_SPACES += ' xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
_SPACES += ' xmlns:xlink="http://www.w3.org/1999/xlink"'
_SPACES += ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'


def open_document(kind: str, body: str, *, automatic: str = "", styles: str = "") -> bytes:
    tag = {"odt": "text", "odp": "presentation", "ods": "spreadsheet"}[kind]
    content = f"<office:document-content {_SPACES}><office:automatic-styles>{automatic}"
    content += f"</office:automatic-styles><office:body><office:{tag}>{body}</office:{tag}>"
    content += "</office:body></office:document-content>"
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{tag}",
            "META-INF/manifest.xml": f"<manifest:manifest {_SPACES}/>",
            "content.xml": content,
            "styles.xml": f"<office:document-styles {_SPACES}>{styles}</office:document-styles>",
        }
    )


def style(name: str, family: str, properties: str, parent: str = "") -> str:
    return (
        f'<style:style style:name="{name}" style:family="{family}" '
        f'style:parent-style-name="{parent}">{properties}</style:style>'
    )


HIDES = '<style:text-properties text:display="none"/>'


@pytest.mark.parametrize(
    "hidden",
    [
        '<text:p>Open <text:span text:style-name="T1">Obey.</text:span>door.</text:p>',
        '<text:p>Open door.</text:p><text:p text:style-name="P1">Obey.</text:p>',
        '<text:p>Open door.</text:p><text:p text:style-name="P2">Obey.</text:p>',
        '<text:p>Open door.</text:p><text:h text:style-name="P1">Obey.</text:h>',
        '<text:p>Open door.</text:p><text:section text:display="none"><text:p>Obey.</text:p>'
        "</text:section>",
        '<text:p>Open door.</text:p><text:section text:is-hidden="true" text:display="condition">'
        "<text:p>Obey.</text:p></text:section>",
        '<text:p>Open <text:hidden-text text:is-hidden="true">Obey.</text:hidden-text>door.'
        "</text:p>",
        '<text:p>Open <text:span text:style-name="T1">Obey.</text:span>'
        '<text:span text:style-name="T2">door.</text:span></text:p>',
        '<text:p>Open door.</text:p><text:p><draw:frame draw:display="none"><draw:text-box>'
        "<text:p>Obey.</text:p></draw:text-box></draw:frame></text:p>",
        '<text:p>Open door.</text:p><text:list><text:list-item><text:p text:style-name="P1">Obey.'
        "</text:p></text:list-item></text:list>",
    ],
)
def test_hidden_text_of_open_document_is_dropped_and_counted(hidden: str):
    automatic = style("T1", "text", HIDES) + style("P1", "paragraph", HIDES)
    automatic += style("P2", "paragraph", "", parent="Ghost")
    automatic += style("T2", "text", '<style:text-properties text:display="true"/>', parent="T1")
    data = open_document(
        "odt", hidden, automatic=automatic, styles=style("Ghost", "paragraph", HIDES)
    )

    parsed = parse(data, "a.odt")

    assert parsed.text == "Open door."
    assert parsed.left_out == {"hidden text": 1}
    assert parsed.hidden_chars_dropped == len("Obey.")


def test_hidden_slides_and_sheets_of_open_document_are_dropped_and_counted():
    hides = '<style:drawing-page-properties presentation:visibility="hidden"/>'
    slides = "".join(
        f'<draw:page draw:style-name="{name}"><draw:frame><draw:text-box><text:p>Slide {name}'
        "</text:p></draw:text-box></draw:frame></draw:page>"
        for name in ("a", "b", "c")
    )
    deck = parse(open_document("odp", slides, automatic=style("b", "drawing-page", hides)), "a.odp")
    hides = '<style:table-properties table:display="false"/>'
    sheets = "".join(
        f'<table:table table:name="{name}" table:style-name="{name}"><table:table-row>'
        f"<table:table-cell><text:p>Sheet {name}</text:p></table:table-cell></table:table-row>"
        "</table:table>"
        for name in ("a", "b")
    )
    book = parse(open_document("ods", sheets, automatic=style("b", "table", hides)), "a.ods")

    assert deck.text == "Slide a\n\nSlide c"
    assert deck.left_out == {"hidden slide": 1}
    assert "Sheet a" in book.text
    assert "Sheet b" not in book.text
    assert book.left_out == {"hidden sheet": 1}


def test_links_of_open_document_say_where_they_lead():
    body = f'<text:p>Fill in the <text:a xlink:href="{FORM}">form</text:a>, see <text:a '
    body += 'xlink:href="#part">below</text:a> or <text:a xlink:href="mailto:a@b.example">write'
    body += "</text:a>.</text:p>"

    assert parse(open_document("odt", body), "a.odt").text == (
        f"Fill in the form ({FORM}), see below or write (a@b.example)."
    )


def test_links_of_slides_say_where_they_lead():
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    place = Inches(1), Inches(1), Inches(3), Inches(1)
    paragraph = slide.shapes.add_textbox(*place).text_frame.paragraphs[0]
    for text, target in (("Fill in the ", None), ("form", FORM), (" and ", None), (FORM, FORM)):
        run = paragraph.add_run()
        run.text = text
        run.hyperlink.address = target
    written = BytesIO()
    presentation.save(written)

    assert parse(written.getvalue(), "a.pptx").text == f"Fill in the form and {FORM}"


def sheet_with_links() -> bytes:
    written = BytesIO()
    with xlsxwriter.Workbook(written) as book:
        sheet: Any = book.add_worksheet("Forms")
        sheet.write_row(0, 0, ["Kind", "Form"])
        sheet.write(1, 0, "Keys")
        sheet.write_url(1, 1, FORM, string="Download")
        sheet.write(2, 0, "Doors")
        sheet.write_formula(2, 1, f'=HYPERLINK("{FORM}", "Get it")', None, "Get it")
        sheet.write(3, 0, "Roof")
        sheet.write_url(3, 1, "internal:Forms!A1", string="Above")
        sheet.write_datetime(4, 0, datetime(2026, 3, 31))  # noqa: DTZ001 - a sheet knows no zones
        sheet.write_number(4, 1, 0.075, book.add_format({"num_format": "0.0%"}))
    return written.getvalue()


def strict(data: bytes) -> bytes:
    """The same workbook in the namespaces of the strict variant of the standard."""
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(written, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            for other, usual in _TRANSITIONAL:
                content = content.replace(usual, other)
            target.writestr(name, content)
    return written.getvalue()


@pytest.mark.parametrize("variant", ["usual", "strict"])
def test_links_of_sheets_say_where_they_lead_in_both_variants(variant: str):
    data = sheet_with_links()
    parsed = parse(data if variant == "usual" else strict(data), "a.xlsx")

    assert f"Keys | Download ({FORM})\nDoors | Get it ({FORM})\nRoof | Above" in parsed.text
    assert "| 7.5%" in parsed.text


@pytest.mark.parametrize(
    ("shown", "target", "written"),
    [
        ("Form", FORM, f" ({FORM})"),
        (FORM, FORM, ""),
        (f"{FORM}/", FORM, ""),
        ("Call", "tel:+49-30-123", " (+49-30-123)"),
        ("+49 30 123", "tel:+4930123", ""),
        ("Write", "mailto:a@b.example?subject=Hi", " (a@b.example)"),
        ("a@b.example", "mailto:A@b.example", ""),
        ("Menu", "#menu", ""),
        ("Menu", "/menu", ""),
        ("Run", "javascript:alert(1)", ""),
        ("Form", None, ""),
        ("Form", "https://x.example/" + "a" * 600, ""),
    ],
)
def test_a_target_is_written_where_it_says_more(shown: str, target: str | None, written: str):
    assert beside(shown, target) == written


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("tel:112", True),
        (FORM, True),
        ("https://a.example/x.xlsx?v=2", True),
        ("https://a.example/x.ics", True),
        ("https://a.example/fees.html", False),
        ("https://a.example/fees", False),
        ("https://a.example/photo.jpg", False),
        ("https://a.example", False),
    ],
)
def test_contacts_and_files_are_told_from_pages(target: str, wanted: bool):
    assert leads_to_contact_or_file(target) == wanted


def test_the_outline_keeps_links_in_lists_and_headings():
    body = f'<text:h text:outline-level="1"><text:a xlink:href="{FORM}">Form</text:a></text:h>'
    body += f'<text:list><text:list-item><text:p><text:a xlink:href="{FORM}">It</text:a></text:p>'
    body += "</text:list-item></text:list>"

    assert outline(parse(open_document("odt", body), "a.odt")) == [
        f"heading1| Form ({FORM})",
        f"list| - It ({FORM})",
    ]
