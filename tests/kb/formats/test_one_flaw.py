"""One flaw costs itself, and what a show hides is dropped and counted."""

import json
from io import BytesIO
from typing import Any

import pytest

from kb.formats.office.package import as_presentation
from kb.formats.vendors import vendor
from tests.kb.formats.documents import parse, reason

_DECLARED = '<?xml version="1.0" encoding="utf-8"?>'


def test_a_bad_line_of_json_lines_costs_itself():
    lines = [json.dumps({"question": f"Q{number}", "answer": f"A{number}"}) for number in range(5)]
    lines.insert(2, '{"question": "cut of')

    parsed = parse("\n".join(lines), "a.jsonl")

    assert all(f"A{number}" in parsed.text for number in range(5))
    assert parsed.left_out == {"broken line": 1}


@pytest.mark.parametrize("source", ['{"a": [1,\n2,\n3', "{\nx\n", '{"a": 1}\n{\n{\n{'])
def test_a_file_that_is_mostly_broken_is_malformed(source: str):
    assert reason(source, "a.json") == "malformed"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (f"{_DECLARED}<a>Gebühr, ".encode() + b"K\xf6ln</a>", "Gebühr, K\ufffdln"),
        ("<a>Gebühr, ".encode() + b"K\xf6ln</a>", "Gebühr, K\ufffdln"),
        ("<a>Köln ist schön und groß</a>".encode("cp1252"), "Köln ist schön und groß"),
        ("<?xml version='1.0' encoding='gbk'?><a>图书馆\x0b</a>".encode("gbk"), "图书馆"),
        (b"<a>one\x0b line</a>", "one line"),
    ],
)  # fmt: skip
def test_a_byte_that_fits_nothing_costs_itself_in_xml(data: bytes, text: str):
    assert text in parse(data, "a.xml").text


def test_a_nul_costs_itself_in_the_shortest_file():
    assert parse(b"a,b\n1,\x002\n3,4\n", "a.csv").text == "a | b\n1 | 2\n3 | 4"


def test_a_long_cell_is_a_cell():
    long = "word " * 40_000

    assert long.strip() in parse(f"Plan,Text\nBasic,{long}\n", "a.csv").text


def deck(build: Any) -> bytes:
    from pptx import Presentation

    presentation = Presentation()
    build(presentation, presentation.slides.add_slide(presentation.slide_layouts[6]))
    buffer = BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def box(slide: Any, text: str, left: int = 100, top: int = 100) -> Any:
    shape = slide.shapes.add_textbox(left, top, 900_000, 300_000)
    shape.text_frame.text = text
    return shape


def test_hidden_shapes_and_those_off_the_slide_are_counted():
    def build(presentation: Any, slide: Any) -> None:
        box(slide, "Shown")
        hidden = box(slide, "Salary 5000")
        hidden._element.nvSpPr.cNvPr.set("hidden", "1")
        box(slide, "Obey me", left=presentation.slide_width + 10)
        box(slide, "And me", top=-400_000)
        box(slide, "Half of it is seen", left=-100_000)

    parsed = parse(deck(build), "a.pptx")

    assert "Shown" in parsed.text
    assert "Half of it is seen" in parsed.text
    assert parsed.left_out == {"hidden shape": 1, "shape off the slide": 2}
    assert parsed.hidden_chars_dropped == len("Salary 5000" + "Obey me" + "And me")


def test_what_an_alternative_offers_is_read_once():
    def build(_: Any, slide: Any) -> None:
        etree = vendor("lxml.etree")

        shapes = [box(slide, "New form")._element, box(slide, "Old form")._element]
        space = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
        both = etree.SubElement(slide.shapes._spTree, f"{space}AlternateContent")
        for name, shape in zip(("Choice", "Fallback"), shapes, strict=True):
            etree.SubElement(both, space + name).append(shape)

    assert parse(deck(build), "a.pptx").text == "New form"


@pytest.mark.parametrize("kind", ["slideshow", "template"])
def test_shows_and_templates_are_read(kind: str):
    import zipfile

    data, written = deck(lambda _, slide: box(slide, "The fee is 12.")), BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(written, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(
                member, content.replace(b".presentation.main", f".{kind}.main".encode())
            )

    assert parse(written.getvalue(), "a.ppsx").text == "The fee is 12."
    assert as_presentation(data) is data


def test_the_points_of_a_diagram_are_read():
    def build(_: Any, slide: Any) -> None:
        etree = vendor("lxml.etree")
        from pptx.opc.package import Part
        from pptx.opc.packuri import PackURI

        drawing = "http://schemas.openxmlformats.org/drawingml/2006/"
        points = "".join(
            f"<d:pt><d:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></d:t></d:pt>"
            for text in ("Ask", "Answer")
        )
        data = f'<d:dataModel xmlns:d="{drawing}diagram" xmlns:a="{drawing}main"><d:ptLst>{points}'
        part = Part(
            PackURI("/ppt/diagrams/data1.xml"),
            "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml",
            slide.part.package,
            f"{data}</d:ptLst></d:dataModel>".encode(),
        )
        relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        key = slide.part.relate_to(part, f"{relations}/diagramData")
        frame = slide.shapes.add_table(1, 1, 0, 0, 900_000, 300_000)._element
        graphic = frame.find(f".//{{{drawing}main}}graphicData")
        graphic.set("uri", f"{drawing}diagram")
        graphic.remove(graphic[0])
        etree.SubElement(graphic, f"{{{drawing}diagram}}relIds").set(f"{{{relations}}}dm", key)

    parsed = parse(deck(build), "a.pptx")

    assert parsed.text == "- Ask\n- Answer"


def test_chapters_beside_the_order_of_a_book_are_read_last():
    from tests.kb.formats.documents import zipped

    items = "".join(
        f'<item id="{key}" href="{key}.xhtml" media-type="application/xhtml+xml"/>' for key in "ab"
    )
    package = f'<package><manifest>{items}</manifest><spine><itemref idref="b" linear="no"/>'
    book = zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfile full-path="p.opf"/></container>',
            "p.opf": f'{package}<itemref idref="a"/></spine></package>',
            "a.xhtml": "<html><body><p>Question one</p></body></html>",
            "b.xhtml": "<html><body><p>Answer one</p></body></html>",
        }
    )

    assert parse(book, "a.epub").text == "Question one\n\nAnswer one"
