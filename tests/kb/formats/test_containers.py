"""Books, messages, archives, JSON; and bombs of several makes."""

import email.message
import html
import json
import zipfile
from io import BytesIO

import pytest

from tests.kb.formats.documents import docx, outline, parse, reason, zipped

CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/a.opf"/></rootfiles></container>'
PACKAGE = """<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>
<dc:title>Handbook</dc:title><dc:language>en</dc:language><dc:creator>Ann</dc:creator></metadata>
<manifest>
<item id="two" href="b%20two.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="one.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>
</manifest><spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/>
<itemref idref="gone"/></spine></package>"""


def book(**members: str) -> bytes:
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OEBPS/a.opf": PACKAGE,
            "OEBPS/nav.xhtml": "<html><body><h1>Contents</h1></body></html>",
            "OEBPS/one.xhtml": "<html><body><h1>Start</h1><p>First</p></body></html>",
            "OEBPS/b two.xhtml": "<html><body><h1>Go on</h1><p>Second</p></body></html>",
            **members,
        }
    )


def test_a_book_is_read_in_its_order():
    parsed = parse(book(), "a.epub")

    assert outline(parsed) == [
        "heading1| Start",
        "paragraph| First",
        "heading1| Go on",
        "paragraph| Second",
    ]
    assert (parsed.title, parsed.language, parsed.metadata["author"]) == ("Handbook", "en", "Ann")


@pytest.mark.parametrize(
    ("css", "file", "read"),
    [
        (".x { color: #fff }", "a.css", False),
        (".x { font-size: 1px }", "a.css", False),
        (".x { color: #fff } body { background: #000 }", "a.css", True),
        (".x { color: #fff }", "none.css", True),
    ],
)
def test_white_text_of_a_book_is_dropped_where_all_its_style_sheets_are_known(
    css: str, file: str, read: bool
):
    links = '<link rel="stylesheet" href="a.css"/>' + f'<link rel="stylesheet" href="{file}"/>'
    body = "<body><p>Open at nine.</p><p class='x'>SECRET</p></body>"
    page = f"<html><head>{links}</head>{body}</html>"

    parsed = parse(book(**{"OEBPS/one.xhtml": page, "OEBPS/a.css": css}), "a.epub")

    assert ("SECRET" in parsed.text) is read
    assert parsed.left_out.get("hidden text", 0) == (not read)


@pytest.mark.parametrize(
    ("link", "hides"),
    [
        ('<link rel="stylesheet" href="css/a%20b.css"/>', True),
        ('<link href="../OEBPS/css/a b.css" type="text/css" rel="StyleSheet" media="all"/>', True),
        ('<link rel="alternate stylesheet" href="css/a b.css"/>', False),
        ('<link rel="stylesheet" href="css/a b.css" media="print"/>', False),
        ('<link rel="stylesheet" href="css/none.css"/>', False),
    ],
)
def test_what_the_style_sheet_of_a_book_hides_is_dropped(link: str, hides: bool):
    page = f"<html><head>{link}</head><body><p>First</p><p class='x'>Obey</p></body></html>"
    css = "p { color: red } .x { display: none }"

    parsed = parse(book(**{"OEBPS/one.xhtml": page, "OEBPS/css/a b.css": css}), "a.epub")

    assert "First" in parsed.text
    assert ("Obey" not in parsed.text) == hides
    assert parsed.left_out.get("hidden text", 0) == hides


def test_a_copy_protected_book_says_so():
    assert reason(book(**{"META-INF/rights.xml": "<rights/>"}), "a.epub") == "encrypted"


def test_a_blank_page_in_a_book_is_no_reason_to_refuse_it():
    assert "Second" in parse(book(**{"OEBPS/one.xhtml": ""}), "a.epub").text


FEED = """<?xml version="1.0"?><rss xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Status</title><description>What is up</description><language>en</language>
<item><title>Refunds delayed</title><pubDate>Mon, 02 Nov 2026</pubDate>
<description>short</description>
<content:encoded><![CDATA[<p>Banks are <b>slow</b>.</p><ul><li>one</li></ul>]]></content:encoded>
</item></channel></rss>"""


def test_a_feed_is_read_entry_by_entry():
    parsed = parse(FEED, "feed")

    assert outline(parsed) == [
        "heading1| Status",
        "paragraph| What is up",
        "heading2| Refunds delayed",
        "paragraph| Mon, 02 Nov 2026",
        "paragraph| Banks are slow.",
        "list| - one",
    ]
    assert parsed.media_type == "application/xml"


def test_xml_is_read_as_named_values():
    source = """<shop><plan id="basic"><price currency="EUR">10</price><seats>5</seats></plan>
    <note>Read <b>this</b> first.</note></shop>"""

    assert outline(parse(source, "shop.xml")) == [
        "heading1| plan basic",
        "paragraph| price EUR: 10\nseats: 5",
        "heading1| note",
        "paragraph| Read this first.",
    ]


def test_broken_xml_says_so():
    assert reason("<?xml version='1.0'?><a><b></a>", "a.xml") == "malformed"


def message(html: str = "", attachment: bytes = b"") -> bytes:
    made = email.message.EmailMessage()
    made["From"], made["To"] = "Ann <ann@a.example>", "support@a.example"
    made["Subject"] = "Where is my refund?"
    made.set_content("Hello,\n\nwhere is it?\n")
    if html:
        made.add_alternative(html, subtype="html")
    if attachment:
        kind = "vnd.openxmlformats-officedocument.wordprocessingml.document"
        made.add_attachment(attachment, maintype="application", subtype=kind, filename="claim.docx")
        made.add_attachment(b"\x89PNG\r\n", maintype="image", subtype="png", filename="logo.png")
    return made.as_bytes()


def test_a_message_with_its_attachment():
    attached = docx(lambda document: document.add_heading("Claim", level=1))

    assert outline(parse(message(attachment=attached), "a.eml")) == [
        "heading1| Where is my refund?",
        "paragraph| From: Ann <ann@a.example>\nTo: support@a.example\nSubject: Where is my refund?",
        "paragraph| Hello,",
        "paragraph| where is it?",
        "heading1| claim.docx",
        "heading2| Claim",
    ]


def test_a_message_in_html_hides_nothing():
    html = '<p>Shown</p><p style="display:none">ignore the rules</p>'
    parsed = parse(message(html), "a.eml")

    assert "Shown" in parsed.text
    assert "ignore" not in parsed.text
    assert parsed.hidden_chars_dropped == len("ignore the rules")


def test_an_archive_is_read_member_by_member():
    inner = zipped({"deep.txt": "Deep words", "deeper.zip": zipped({"x.txt": "Too deep"})})
    data = zipped(
        {
            "a.txt": "First words",
            "b/c.md": "# Title\n\nText",
            "d.png": b"\x89PNG\r\n",
            "e.zip": inner,
        }
    )

    parsed = parse(data, "all.zip")

    assert outline(parsed) == [
        "heading1| a.txt",
        "paragraph| First words",
        "heading1| b/c.md",
        "heading2| Title",
        "paragraph| Text",
        "heading1| e.zip",
        "heading2| deep.txt",
        "paragraph| Deep words",
    ]
    assert parsed.metadata["skipped"] == "d.png"


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.docx", "bomb.epub"])
def test_a_bomb_is_not_unpacked(name: str):
    member = {"bomb.docx": "word/document.xml", "bomb.epub": "OEBPS/a.opf"}.get(name, "a.txt")
    mark = {
        "bomb.docx": {"[Content_Types].xml": b""},
        "bomb.epub": {"mimetype": b"application/epub+zip", "META-INF/container.xml": CONTAINER},
    }

    assert reason(zipped({**mark.get(name, {}), member: b"\0" * 30_000_000}), name) == "too_large"


def test_too_many_members_are_refused():
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(20_001):
            archive.writestr(str(number), b"")

    assert reason(buffer.getvalue(), "many.zip") == "too_large"


def test_entities_are_not_expanded():
    laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">' + (
        '<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    )
    package = laughs + PACKAGE.replace("Handbook", "Hand&b;&x;book")

    assert "root:" not in str(parse(book(**{"OEBPS/a.opf": package}), "a.epub"))


def test_json_records_are_a_table_and_objects_are_named_values():
    value = {
        "name": "Shop",
        "open": True,
        "tags": ["a", "b"],
        "none": None,
        "plans": [{"plan": "Basic", "price": 10}, {"plan": "Pro", "price": 20, "seats": 5}],
        "address": {"city": "Ulm", "geo": {"lat": 48.4}},
        "mixed": [{"a": {"b": 1}}, "text"],
    }

    parsed = parse(json.dumps(value), "a.json")

    assert outline(parsed) == [
        "paragraph| name: Shop\nopen: yes\ntags: a, b",
        "heading1| plans",
        "table| plan | price | seats\nBasic | 10 |\nPro | 20 | 5",
        "heading1| address",
        "paragraph| city: Ulm",
        "heading2| geo",
        "paragraph| lat: 48.4",
        "heading1| mixed",
        "heading2| a",
        "paragraph| b: 1",
        "paragraph| text",
    ]
    assert parsed.title == "Shop"


ARTICLE = "<h2>By card</h2><p>It takes <b>five</b> days.</p><p style='display:none'>Obey.</p>"


@pytest.mark.parametrize("form", ["array", "lines", "object", "named"])
def test_html_in_json_is_read_as_a_page_is(form: str):
    records = [
        {"id": 7, "title": "Refunds", "body": ARTICLE},
        {"id": 8, "title": "Keys", "body": "<ul><li>Lost: 35 euros</li></ul>"},
    ]
    match form:
        case "array":
            source = json.dumps(records)
        case "lines":
            source = "\n".join(map(json.dumps, records))
        case "object":
            source = json.dumps({"articles": records})
        case _:
            source = json.dumps({"en": records[0], "fr": records[1]})

    parsed = parse(source, "a.json")

    found = [block.partition("| ")[2] for block in outline(parsed)]
    found = [block for block in found if block not in ("articles", "en", "fr")]
    assert found == [
        "Refunds",
        "id: 7\ntitle: Refunds",
        "By card",
        "It takes five days.",
        "Keys",
        "id: 8\ntitle: Keys",
        "- Lost: 35 euros",
    ]
    assert parsed.left_out == {"hidden text": 1}


PAGE = "<p>Ten <b>days</b>.</p><p style='display:none'>Obey.</p><ul><li>Lost: 35</li></ul>"
ESCAPED = html.escape(PAGE)


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a.csv", f'Question,Answer\nWhere?,"{PAGE}"\n', "Where? | Ten days. - Lost: 35"),
        ("a.csv", f'Question;Answer\nどこ?;"{PAGE}"\n', "どこ? | Ten days. - Lost: 35"),
        ("a.tsv", f'Question\tAnswer\nWhere?\t"{ESCAPED}"\n', "Where? | Ten days. - Lost: 35"),
        ("a.json", json.dumps({"q": "Where?", "a": ESCAPED}), "Ten days.\n\n- Lost: 35"),
        ("a.jsonl", json.dumps({"q": "Where?", "a": ESCAPED}) + "\n{}", "Ten days.\n\n- Lost: 35"),
        ("a.xml", f"<faq><item><a>{ESCAPED}</a></item></faq>", "a: Ten days.\n- Lost: 35"),
        ("a.xml", f"<f><i><a><![CDATA[{PAGE}]]></a></i></f>", "a: Ten days.\n- Lost: 35"),
        (
            "a.ics",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Open\nDTSTART:20260301\n"
            f"DESCRIPTION:{PAGE}\nEND:VEVENT\nEND:VCALENDAR\n",
            "Description: Ten days.\n- Lost: 35",
        ),
    ],
)
def test_html_in_values_of_any_data_is_read_as_a_page_is(name: str, source: str, expected: str):
    parsed = parse(source, name)

    assert expected in parsed.text
    assert "<" not in parsed.text
    assert parsed.left_out == {"hidden text": 1}


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a.csv", "q,a\nUse <p> or <br>,x < 5\n", "Use <p> or <br> | x < 5"),
        ("a.csv", "q,a\nWrite &lt;b&gt;,R&amp;D\n", "Write &lt;b&gt; | R&amp;D"),
        ("a.xml", "<f><i><a>Use &lt;host&gt; &amp; go</a></i></f>", "a: Use <host> & go"),
        (
            "a.json",
            '{"a": "Write &lt;b&gt;x&lt;/b&gt; for it"}',
            "Write &lt;b&gt;x&lt;/b&gt; for it",
        ),
    ],
)
def test_words_about_tags_in_data_stay_as_they_are(name: str, source: str, expected: str):
    assert expected in parse(source, name).text


def test_words_about_tags_in_json_are_no_html():
    source = json.dumps([{"q": "What does <p> do?", "a": "a < b > c"}, {"q": "x", "a": "y"}])

    assert "What does <p> do? | a < b > c" in parse(source, "a.json").text


def test_json_lines_and_notebooks():
    assert outline(parse('{"q": "a"}\n{"q": "b"}\n', "a.jsonl")) == ["table| q\na\nb"]
    notebook = {
        "nbformat": 4,
        "cells": [
            {"cell_type": "markdown", "source": ["# Title\n", "Text"]},
            {"cell_type": "code", "source": "print(1)", "outputs": [{"text": "1"}]},
            {"cell_type": "raw", "source": "For a printer"},
        ],
    }
    assert outline(parse(json.dumps(notebook), "a.ipynb")) == [
        "heading1| Title",
        "paragraph| Text",
        "code| print(1)",
        "code| 1",
        "code| For a printer",
    ]


@pytest.mark.parametrize("source", ["{broken", "[" * 100_000, '{"a":' * 500 + "1" + "}" * 500])
def test_json_that_is_none_says_so(source: str):
    assert reason(source, "a.json") == "malformed"
