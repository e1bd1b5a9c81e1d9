"""Word: white and tiny text, and links that are fields."""

import pytest

from tests.kb.formats.documents import outline, parse
from tests.kb.formats.test_word import relation, run, with_body

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SHADED = (
    "<w:tbl><w:tr><w:tc><w:tcPr><w:shd w:val='clear' w:fill='1F4E79'/></w:tcPr>{}</w:tc></w:tr>"
    "</w:tbl>"
)
BEHIND = "<w:p><w:r><w:drawing><wp:anchor xmlns:wp='urn:wp' behindDoc='1'/></w:drawing></w:r></w:p>"


def seen(body: str, properties: str, outer: str = "") -> tuple[bool, int]:
    """Whether a run with these properties is read, and what is counted as hidden."""
    unseen = f"<w:r><w:rPr>{properties}</w:rPr><w:t>SECRET</w:t></w:r>"
    paragraph = f"<w:p>{outer}{run('Open at nine. ')}{unseen}</w:p>"
    parsed = parse(with_body(body.format(paragraph)), "a.docx")
    assert "Open at nine." in parsed.text
    return "SECRET" in parsed.text, parsed.left_out.get("hidden text", 0)


@pytest.mark.parametrize("body", ["{}", "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>"])
@pytest.mark.parametrize(
    "properties",
    [
        '<w:color w:val="FFFFFF"/>',
        '<w:color w:val="ffffff" w:themeColor="background1"/>',
        '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="auto"/>',
        '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="FFFFFF"/>',
        '<w:sz w:val="2"/>',
        '<w:sz w:val="1"/><w:color w:val="FF0000"/>',
    ],
)
def test_white_and_tiny_text_is_dropped_and_counted(properties: str, body: str):
    assert seen(body, properties) == (False, 1)


@pytest.mark.parametrize(
    ("body", "properties", "outer"),
    [
        (SHADED, '<w:color w:val="FFFFFF"/>', ""),
        ("{}", '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="000000"/>', ""),
        ("{}", '<w:color w:val="FFFFFF"/><w:highlight w:val="black"/>', ""),
        (
            "{}",
            '<w:color w:val="FFFFFF"/>',
            '<w:pPr><w:shd w:val="clear" w:fill="C00000"/></w:pPr>',
        ),
        ("{}", '<w:color w:val="FFFFFE"/>', ""),
        ("{}", '<w:color w:val="auto"/>', ""),
        ("{}", '<w:sz w:val="8"/>', ""),
        (f"{{}}{BEHIND}", '<w:color w:val="FFFFFF"/>', ""),
    ],
    ids=["cell", "run", "highlight", "paragraph", "nearly", "auto", "small", "picture behind"],
)
def test_white_text_on_a_colour_is_read(body: str, properties: str, outer: str):
    assert seen(body, properties, outer) == (True, 0)


@pytest.mark.parametrize("shading", ["", '<w:tcPr><w:shd w:val="clear" w:fill="1F4E79"/></w:tcPr>'])
def test_white_text_by_a_style_is_read_where_its_table_is_coloured(shading: str):
    styles = (
        f'<w:styles {_W}><w:style w:styleId="Pale"><w:name w:val="Pale"/>'
        '<w:rPr><w:color w:val="FFFFFF"/></w:rPr></w:style>'
        f'<w:style w:type="table" w:styleId="Grid"><w:tblStylePr>{shading}</w:tblStylePr></w:style>'
        "</w:styles>"
    )
    body = (
        '<w:tbl><w:tblPr><w:tblStyle w:val="Grid"/></w:tblPr><w:tr><w:tc><w:p><w:pPr>'
        f'<w:pStyle w:val="Pale"/></w:pPr>{run("Header")}</w:p></w:tc></w:tr></w:tbl>'
        + f"<w:p>{run('Open.')}</w:p>"
    )
    data = with_body(body, {"word/own.xml": styles}, relation("s", "styles", "own.xml"))

    read = outline(parse(data, "a.docx"))

    assert any("Header" in block for block in read) == bool(shading)


def with_theme(properties: str, light: str, settings: str = "") -> tuple[bool, int]:
    """The same where the theme says the colour."""
    drawing = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    parts: dict[str, str | bytes] = {
        "word/own.xml": f'<a:theme {drawing}><a:lt1><a:srgbClr val="{light}"/></a:lt1></a:theme>',
        "word/set.xml": f"<w:settings {_W}>{settings}</w:settings>",
    }
    relations = relation("t", "theme", "own.xml") + relation("s", "settings", "set.xml")
    unseen = f"<w:r><w:rPr>{properties}</w:rPr><w:t>SECRET</w:t></w:r>"
    parsed = parse(with_body(f"<w:p>{run('Open. ')}{unseen}</w:p>", parts, relations), "a.docx")
    return "SECRET" in parsed.text, parsed.left_out.get("hidden text", 0)


@pytest.mark.parametrize("value", ['w:val="auto" ', 'w:val="000000" ', ""])
@pytest.mark.parametrize("name", ["background1", "light1"])
def test_text_that_is_white_by_the_theme_alone_is_dropped_and_counted(name: str, value: str):
    colour = f'<w:color {value}w:themeColor="{name}"/>'
    tinted = f'<w:color {value}w:themeColor="{name}" w:themeTint="80"/>'

    assert with_theme(colour, "FFFFFF") == (False, 1)
    assert with_theme(tinted, "FFFFFF") == (False, 1)


@pytest.mark.parametrize(
    ("colour", "light", "settings"),
    [
        ('w:val="auto" w:themeColor="background1" w:themeShade="BF"', "FFFFFF", ""),
        ('w:val="auto" w:themeColor="text1"', "FFFFFF", ""),
        ('w:val="auto" w:themeColor="background1"', "222222", ""),
        (
            'w:val="auto" w:themeColor="background1"',
            "FFFFFF",
            '<w:clrSchemeMapping w:bg1="dark1"/>',
        ),
    ],
    ids=["shaded", "text", "dark theme", "turned round"],
)
def test_text_of_another_theme_colour_is_read(colour: str, light: str, settings: str):
    assert with_theme(f"<w:color {colour}/>", light, settings) == (True, 0)


def test_a_theme_and_settings_that_are_no_xml_cost_nothing_but_their_colours():
    relations = relation("t", "theme", "own.xml") + relation("s", "settings", "own.xml")
    body = f"<w:p>{run('Open at nine.')}</w:p>"

    parsed = parse(with_body(body, {"word/own.xml": "<a:theme"}, relations), "a.docx")

    assert parsed.text == "Open at nine."


FIELD = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPER</w:instrText></w:r>'
    '<w:r><w:instrText>LINK "{}" \\o "tip"</w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>our </w:t></w:r><w:r><w:t>form</w:t>'
    '</w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
SIMPLE = "<w:fldSimple w:instr='HYPERLINK \"{}\"'><w:r><w:t>our form</w:t></w:r></w:fldSimple>"


@pytest.mark.parametrize("form", [FIELD, SIMPLE])
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("https://city.example/f?a=1", "our form (https://city.example/f?a=1)"),
        ("mailto:office@city.example", "our form (office@city.example)"),
        ("file.docx", "our form"),
    ],
)
def test_a_link_that_is_a_field_says_where_it_leads(form: str, target: str, said: str):
    body = f"<w:p>{run('Use ')}{form.format(target)}{run(' today.')}</w:p>"

    assert parse(with_body(body), "a.docx").text == f"Use {said} today."
