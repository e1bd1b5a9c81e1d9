"""Word: notes, margins, numbers and tracked changes, in every member of the family."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.formats.office.word_numbering import write_number
from tests.kb.formats.documents import docx, outline, parse

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_RELATED = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_RELATIONS = "word/_rels/document.xml.rels"
_DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff"
    "3f0005fe02fedccc59e70000000049454e44ae426082"
)


def edited(
    data: bytes,
    changes: dict[str, Callable[[str], str]],
    added: dict[str, str | bytes] | None = None,
) -> bytes:
    """The package with some parts changed, and some more in it."""
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(written, "w") as target:
        for member in source.namelist():
            content: str | bytes = source.read(member)
            if member in changes:
                content = changes[member](source.read(member).decode())
            target.writestr(member, content)
        for member, content in (added or {}).items():
            target.writestr(member, content)
    return written.getvalue()


def with_body(body: str, parts: dict[str, str | bytes] | None = None, relations: str = "") -> bytes:
    """A document of one body, with more parts and what refers to them."""
    return edited(
        docx(lambda document: None),
        {
            "word/document.xml": lambda _: (
                f"<w:document {_W} {_R}><w:body>{body}</w:body></w:document>"
            ),
            _RELATIONS: lambda _: f"<Relationships {_RELATED}>{relations}</Relationships>",
        },
        parts,
    )


def relation(key: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{key}" Type="{_KIND}{kind}" Target="{target}"/>'


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def p(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


@pytest.mark.parametrize("kind", ["footnote", "endnote"])
def test_notes_stand_where_they_are_referred_to(kind: str):
    note = f'<w:{kind}s {_W}><w:{kind} w:id="0" w:type="separator">{p()}</w:{kind}>'
    note += f'<w:{kind} w:id="2">{p(run("Except Iceland,"))}{p(run("where it costs 45 euros."))}'
    note += f"</w:{kind}></w:{kind}s>"
    body = p(
        run("Delivery is free"), f'<w:r><w:{kind}Reference w:id="2"/></w:r>', run(" anywhere.")
    )

    parsed = parse(
        with_body(body, {f"word/my{kind}s.xml": note}, relation("n", f"{kind}s", f"my{kind}s.xml")),
        "a.docx",
    )

    assert parsed.text == "Delivery is free (Except Iceland, where it costs 45 euros.) anywhere."


def test_headers_and_footers_are_kept_once_and_page_numbers_are_counted():
    def build(document: Any) -> None:
        document.add_paragraph("Your lift is serviced twice a year.")
        document.sections[0].header.paragraphs[0].text = "Contract ZX-99812"
        document.sections[0].footer.paragraphs[0].text = "Emergency line: 0800 555 017"
        second = document.add_section()
        second.header.is_linked_to_previous = False
        second.header.paragraphs[0].text = "Contract ZX-99812"
        second.footer.is_linked_to_previous = False
        from docx.oxml import parse_xml

        page = (
            f'<w:p {_W}>{run("Page ")}<w:fldSimple w:instr=" PAGE ">{run("1")}</w:fldSimple></w:p>'
        )
        second.footer._element.append(parse_xml(page))
        document.add_paragraph("And the doors once.")

    parsed = parse(docx(build), "a.docx")

    assert outline(parsed) == [
        "paragraph| Contract ZX-99812",
        "paragraph| Your lift is serviced twice a year.",
        "paragraph| And the doors once.",
        "paragraph| Emergency line: 0800 555 017",
    ]
    assert parsed.left_out == {"page number": 1}


def test_a_page_number_between_words_of_a_margin_costs_itself():
    line = p(run("Lift manual HP-300, service 0800 1, page "), *page_field("7"))
    footer = f"<w:ftr {_W}>{line}</w:ftr>"
    body = p(run("Oil it.")) + '<w:sectPr><w:footerReference w:type="default" r:id="f"/></w:sectPr>'

    parsed = parse(
        with_body(body, {"word/f.xml": footer}, relation("f", "footer", "f.xml")), "a.docx"
    )

    assert parsed.text == "Oil it.\n\nLift manual HP-300, service 0800 1, page"


def page_field(shown: str) -> list[str]:
    return [
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>',
        "<w:r><w:instrText> PAGE </w:instrText></w:r>",
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>',
        run(shown),
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
    ]


LEVELS = "".join(
    f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>'
    f'<w:lvlText w:val="{text}"/></w:lvl>'
    for at, (kind, text) in enumerate(
        [("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "%3)"), ("upperRoman", "%4")]
    )
)
NUMBERING = (
    f'<w:numbering {_W}><w:abstractNum w:abstractNumId="5">{LEVELS}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="5"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="5"/><w:lvlOverride w:ilvl="0">'
    '<w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>'
)


def item(text: str, level: int = 0, number: int = 1) -> str:
    return p(
        run(text),
        properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>',
    )


def numbered(body: str) -> list[str]:
    parsed = parse(
        with_body(body, {"word/n.xml": NUMBERING}, relation("n", "numbering", "n.xml")), "a.docx"
    )
    return [line.strip() for line in parsed.text.split("\n") if line.strip()]


def test_numbers_of_lists_go_on_and_begin_anew_as_word_counts_them():
    lines = numbered(
        item("Scope")
        + item("Duties")
        + item("Return", 1)
        + item("clean", 2)
        + item("dry", 2)
        + item("Damage", 1)
        + p(run("Whoever breaks 2.1 pays."))
        + item("Price", number=2)
        + item("Cars", 1, number=2)
        + item("Other", number=3)
        + item("More", number=3)
    )

    assert lines == [
        "1. Scope",
        "2. Duties",
        "2.1 Return",
        "a) clean",
        "b) dry",
        "2.2 Damage",
        "Whoever breaks 2.1 pays.",
        "3. Price",
        "3.1 Cars",
        "7. Other",
        "8. More",
    ]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_every_item_has_the_number_of_its_place(depths: list[int]):
    counts, expected = [0, 0, 0], list[str]()
    for number, depth in enumerate(depths):
        counts[depth] += 1
        counts[depth + 1 :] = [0] * (2 - depth)
        first = counts[0] or 1
        label = [f"{first}.", f"{first}.{counts[1] or 1}", f"{chr(96 + counts[2])})"][depth]
        expected.append(f"{label} item {number}")

    found = numbered("".join(item(f"item {at}", depth) for at, depth in enumerate(depths)))

    assert found == expected


@pytest.mark.parametrize(
    ("count", "kind", "written"),
    [
        (4, "lowerRoman", "iv"),
        (1994, "upperRoman", "MCMXCIV"),
        (27, "lowerLetter", "aa"),
        (26, "upperLetter", "Z"),
        (5, "decimalZero", "05"),
        (3, "chineseCounting", "3"),
        (0, "upperLetter", "0"),
    ],
)
def test_numbers_are_written_in_the_way_of_the_list(count: int, kind: str, written: str):
    assert write_number(count, kind) == written


def test_numbered_headings_keep_their_numbers_and_derived_styles_are_headings():
    def build(document: Any) -> None:
        from docx.enum.style import WD_STYLE_TYPE

        styles = document.styles
        own = styles.add_style("Clause title", WD_STYLE_TYPE.PARAGRAPH)
        own.base_style = styles["Heading 2"]
        document.add_heading("Scope", level=1)
        document.add_paragraph("Return", style="Clause title")
        from docx.oxml import parse_xml

        outlined = f'<w:p {_W}><w:pPr><w:outlineLvl w:val="2"/></w:pPr>{run("Late return")}</w:p>'
        plain = f'<w:p {_W}><w:pPr><w:outlineLvl w:val="9"/></w:pPr>{run("Just text")}</w:p>'
        document.element.body.insert(2, parse_xml(outlined))
        document.element.body.insert(3, parse_xml(plain))

    assert outline(parse(docx(build), "a.docx")) == [
        "heading1| Scope",
        "heading2| Return",
        "heading3| Late return",
        "paragraph| Just text",
    ]


def test_deleted_rows_and_words_are_left_out_and_counted():
    row = "<w:tr>{}<w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr>"
    table = row.format("", p(run("Item")), p(run("Fee")))
    table += row.format("<w:trPr><w:del w:id='1'/></w:trPr>", p(run("Old parcel")), p(run("99")))
    table += row.format("", p(run("New parcel")), p(run("7")))
    deleted = "<w:del><w:r><w:delText>never </w:delText></w:r></w:del>"

    parsed = parse(
        with_body(f"<w:tbl>{table}</w:tbl>" + p(run("It is "), deleted, run("free."))), "a.docx"
    )

    assert parsed.text == "Item | Fee\nNew parcel | 7\n\nIt is free."
    assert parsed.left_out == {"deleted row": 1, "deleted text": 1}


def test_hidden_by_style_and_comments_are_counted():
    comments = (
        f'<w:comments {_W}><w:comment w:id="1">{p(run("Raise it?"))}</w:comment></w:comments>'
    )
    secret = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>Salary 5000</w:t></w:r>"
    body = p(run("The fee is 12."), secret, '<w:r><w:commentReference w:id="1"/></w:r>')

    parsed = parse(
        with_body(body, {"word/c.xml": comments}, relation("c", "comments", "c.xml")), "a.docx"
    )

    assert parsed.text == "The fee is 12."
    assert parsed.left_out == {"hidden text": 1, "comment": 1}
    assert parsed.hidden_chars_dropped == len("Salary 5000")


def test_a_text_box_in_a_cell_stays_in_the_cell():
    box = f"<w:r><w:pict><w:txbxContent>{p(run('boxed'))}</w:txbxContent></w:pict></w:r>"
    table = f"<w:tbl><w:tr><w:tc>{p(run('A'), box)}</w:tc><w:tc>{p(run('B'))}</w:tc></w:tr></w:tbl>"

    assert parse(with_body(table + p(run("After"))), "a.docx").text == "A boxed | B\n\nAfter"


def test_an_inserted_file_of_another_format_is_read_in_its_place():
    body = p(run("Before")) + '<w:altChunk r:id="x"/>' + p(run("After"))
    page = "<html><body><h2>Rates</h2><p>Ten euros a day.</p></body></html>"

    parsed = parse(
        with_body(body, {"word/x.html": page}, relation("x", "aFChunk", "x.html")), "a.docx"
    )

    assert [line for line in parsed.text.split("\n") if line] == [
        "Before",
        "Rates",
        "Ten euros a day.",
        "After",
    ]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.docm", "application/vnd.ms-word.document.macroEnabled.main+xml"),
        ("a.dotx", _DOCX_TYPE.replace("document.main", "template.main")),
        ("a.dotm", "application/vnd.ms-word.template.macroEnabledTemplate.main+xml"),
    ],
)
def test_templates_and_files_with_macros_are_read(name: str, content_type: str):
    data = docx(lambda document: document.add_paragraph("The fee is 12 euros."))
    other = edited(data, {"[Content_Types].xml": lambda old: old.replace(_DOCX_TYPE, content_type)})

    assert parse(other, name).text == "The fee is 12 euros."


def test_the_strict_variant_is_read():
    def strict(old: str) -> str:
        return old.replace(
            "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            "http://purl.oclc.org/ooxml/wordprocessingml/main",
        ).replace(
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            "http://purl.oclc.org/ooxml/officeDocument/relationships",
        )

    data = docx(lambda document: document.add_heading("The fee is 12 euros.", level=1))
    parts = ("word/document.xml", "word/styles.xml", _RELATIONS, "_rels/.rels")

    assert outline(parse(edited(data, dict.fromkeys(parts, strict)), "a.docx")) == [
        "heading1| The fee is 12 euros."
    ]


def _filled(table: Any, rows: list[list[str]]) -> None:
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            table.cell(number, column).text = text


def test_a_table_in_a_cell_is_part_of_its_row():
    def build(document: Any) -> None:
        table = document.add_table(rows=2, cols=2)
        _filled(table, [["Plan", "Details"], ["Basic", ""]])
        _filled(table.cell(1, 1).add_table(rows=2, cols=2), [["Users", "1"], ["Price", "10"]])

    assert parse(docx(build), "a.docx").text == "Plan | Details\nBasic | Users: 1; Price: 10"


def test_tables_side_by_side_are_tables_of_their_own():
    def build(document: Any) -> None:
        around = document.add_table(rows=1, cols=2)
        _filled(around.cell(0, 0).add_table(rows=2, cols=2), [["Plan", "Price"], ["Basic", "10"]])
        _filled(around.cell(0, 1).add_table(rows=2, cols=2), [["Room", "Seats"], ["Blue", "8"]])

    assert outline(parse(docx(build), "a.docx")) == [
        "table| Plan | Price\nBasic | 10",
        "table| Room | Seats\nBlue | 8",
    ]


def test_a_cell_that_only_shows_a_picture_says_how_it_is_described():
    def build(document: Any) -> None:
        table = document.add_table(rows=2, cols=2)
        _filled(table, [["Plan", "Chat"], ["Basic", ""]])
        for paragraph, said in (
            (table.cell(1, 1).paragraphs[0], "included"),
            (document.add_paragraph(), "Map: we are at Main Street 5"),
            (document.add_paragraph("See this:"), "an arrow"),
        ):
            picture = paragraph.add_run().add_picture(BytesIO(_PNG))
            picture._inline.docPr.set("descr", said)

    parsed = parse(docx(build), "a.docx")

    assert outline(parsed) == [
        "table| Plan | Chat\nBasic | included",
        "paragraph| See this:",
    ]
    assert parsed.left_out == {"picture": 3}
