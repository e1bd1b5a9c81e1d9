"""OpenDocument text: margins of pages, numbers of lists; and remarks on slides."""

from io import BytesIO
from typing import Any

from tests.kb.formats.documents import outline, parse, zipped

_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "manifest", "style")
)


def text(body: str, *, styles: str = "", master: str = "") -> bytes:
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": f"<manifest {_NAMES}/>",
            "styles.xml": f"<office:document-styles {_NAMES}><office:master-styles>"
            f"<style:master-page>{master}</style:master-page></office:master-styles>"
            "</office:document-styles>",
            "content.xml": f"<office:document-content {_NAMES}><office:automatic-styles>{styles}"
            f"</office:automatic-styles><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
        }
    )


def test_margins_stand_once_before_and_behind_the_text():
    page = "<text:page-number>1</text:page-number>"
    header = "<style:header><text:p>Contract 4711</text:p></style:header>"
    left = "<style:header-left><text:p>Contract 4711</text:p></style:header-left>"
    footer = (
        f"<style:footer><text:p>Page {page}</text:p><text:p>Call 555 at night.</text:p>"
        "</style:footer>"
    )

    parsed = parse(text("<text:p>Body.</text:p>", master=header + left + footer), "a.odt")

    assert parsed.text == "Contract 4711\n\nBody.\n\nCall 555 at night."
    assert parsed.left_out == {"page number": 1}


def test_numbers_of_lists_are_written():
    styles = (
        '<text:list-style style:name="L">'
        '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:list-level-style-number text:level="2" style:num-format="1" '
        'text:display-levels="2"/>'
        '<text:list-level-style-number text:level="3" style:num-format="a" style:num-suffix=")"/>'
        "</text:list-style>"
    )

    def items(*parts: str) -> str:
        return "".join(
            f"<text:list-item>{part if part[:1] == '<' else f'<text:p>{part}</text:p>'}"
            "</text:list-item>"
            for part in parts
        )

    inner = f"<text:p>Return it.</text:p><text:list>{items('Clean.', 'Dry.')}</text:list>"
    deepest = f"<text:list>{items('First.')}</text:list>"
    deep = f"<text:list>{items(deepest)}</text:list>"
    again = 'text:continue-numbering="true"'
    body = (
        f'<text:list text:style-name="L">{items("Pay.", inner)}</text:list><text:p>Then:</text:p>'
        f'<text:list text:style-name="L" {again}>{items("Wait.")}</text:list>'
        f'<text:list text:style-name="L">{items(deep)}</text:list>'
        f"<text:list>{items('Any.')}</text:list>"
    )

    assert outline(parse(text(body, styles=styles), "a.odt")) == [
        "list| 1. Pay.\n2. Return it.\n  2.1 Clean.\n  2.2 Dry.",
        "paragraph| Then:",
        "list| 3. Wait.",
        "list| a) First.",
        "list| - Any.",
    ]


def test_remarks_on_slides_are_counted():
    from pptx import Presentation
    from pptx.opc.package import Part
    from pptx.opc.packuri import PackURI

    presentation: Any = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Rates"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"
    remark = b'<p:cmLst xmlns:p="p"><p:cm><p:text>Check</p:text></p:cm><p:cm/></p:cmLst>'
    part = Part(
        PackURI("/ppt/comments/comment1.xml"), "application/xml", slide.part.package, remark
    )
    slide.part.relate_to(part, kind)
    buffer = BytesIO()
    presentation.save(buffer)

    assert parse(buffer.getvalue(), "a.pptx").left_out == {"comment": 2}
