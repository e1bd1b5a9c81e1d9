"""Content decides what a file is; suffix and stated type only where content is mute."""

import time
from importlib import import_module
from pathlib import Path

import pytest

from kb.config import Limits
from kb.errors import DocumentError
from kb.formats.known import (
    CSV,
    EML,
    EPUB,
    FORMATS,
    HTML,
    JSON,
    MARKDOWN,
    PDF,
    PLAIN,
    RTF,
    ZIP,
)
from kb.formats.parse import parse_document
from kb.formats.recognition import recognise
from tests.kb.formats.documents import parse, reason, zipped

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MESSAGE = b"From: a@b.c\nTo: d@e.f\nSubject: Hello\n\nBody"


@pytest.mark.parametrize(
    ("data", "name", "stated", "expected"),
    [
        (b"%PDF-1.7\n...", "report.docx", None, PDF),
        (b"junk before\n%PDF-1.4", "x", None, PDF),
        (b"<!DOCTYPE html><html>", "page.txt", None, HTML),
        (b"\xef\xbb\xbf <!-- c --> <HTML lang=en>", "page", None, HTML),
        (b"<?xml version='1.0'?><html xmlns='x'>", "a.xml", None, HTML),
        (b"<p>A fragment</p>", "https://a.example/help?x=1.5", "text/html", HTML),
        (b"Just words", "a.html", None, PLAIN),
        (b"# Title", "a.md", None, MARKDOWN),
        (b"# Title", "a.mdx", None, MARKDOWN),
        (b"# Title", "https://a.example/raw/a.md?token=x.y", None, MARKDOWN),
        (b"# Title", "a", "text/x-markdown", MARKDOWN),
        (b"# Title", "a.txt", None, PLAIN),
        (b"a,b\n1,2", "a.csv", None, CSV),
        (b'{"a": 1}', "a", "application/json", JSON),
        (b"{\\rtf1 Hello}", "a.doc", None, RTF),
        (MESSAGE, "saved", None, EML),
        (MESSAGE, "saved.txt", None, PLAIN),
        (zipped({"[Content_Types].xml": "", "word/document.xml": ""}), "a.zip", None, DOCX),
        (zipped({"mimetype": EPUB, "META-INF/container.xml": ""}), "a.zip", None, EPUB),
        (zipped({"a.txt": "x"}), "a.docx", None, ZIP),
        ("Größe".encode("utf-16"), "a.txt", None, PLAIN),
        ("plain words".encode("utf-16-le"), "a.txt", None, PLAIN),
    ],
)
def test_what_it_is(data: bytes, name: str, stated: str | None, expected: str):
    assert recognise(data, name, stated=stated).media_type == expected


@pytest.mark.parametrize(
    ("data", "look"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG image"),
        (b"\0\0\0\x18ftypmp42\0\0", "a video or recording"),
        (b"a" * 257 + b"ustar\0", "a tar archive"),
        (b"\x7fELF\2\1\1\0", "a program"),
        (bytes(range(256)) * 4, "binary data of an unknown kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "old .doc"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_can(data: bytes, look: str):
    with pytest.raises(DocumentError, match=look) as caught:
        recognise(data, "thing.bin")

    assert caught.value.reason == "unsupported"
    assert "'thing.bin'" in str(caught.value)
    assert "Word (.docx)" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\0" * 1000])
def test_nothing_is_empty(data: bytes):
    assert reason(data, "a.pdf") == "empty"


def test_an_encrypted_office_file_says_so():
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")

    assert reason(data, "a.xlsx") == "encrypted"


def test_a_truncated_container_is_malformed():
    assert reason(zipped({"word/document.xml": "x" * 1000})[:-30], "a.docx") == "malformed"


def test_every_format_has_its_parser():
    assert all(callable(import_module(each.parser).parse) for each in FORMATS)


@pytest.mark.parametrize(
    "beginning", ["<!---->", "<?xml?>", " ", "1", "WEBVTT\n", "{\\rt", "BEGIN:"]
)
def test_what_a_text_begins_like_is_found_in_linear_time(beginning: str):
    text = (beginning * 60_000)[:60_000].encode() + b"x"
    started = time.process_time()

    recognise(text, "a")

    assert time.process_time() - started < 2


def test_comments_before_a_page_do_not_hide_it():
    assert recognise(b"<!-- a --><!-- <p> -->\n<html>", "a.txt").media_type == HTML
    assert recognise(b"<!-- a --> b <!-- c --><html>", "a.txt").media_type == PLAIN


def test_the_format_of_the_contributing_guide_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    guide = Path(__file__).parents[3] / ".github" / "CONTRIBUTING.md"
    section = guide.read_text("utf-8").partition("## Add a document format")[2]
    module = section.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "acme_notes.py").write_text(module, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    acme = import_module("acme_notes").ACME

    parsed = parse_document(
        b"ACME 1\r\nHOURS\n% internal\nWe open at nine.\n",
        name="a.txt",
        limits=Limits(),
        formats=(acme, *FORMATS),
    )
    with pytest.raises(DocumentError, match=r"reads Acme notes, PDF, .* and ZIP archives"):
        recognise(b"\x89PNG\r\n\x1a\n\0\0", "a.png", formats=(acme, *FORMATS))

    assert parsed.text == "HOURS\n\nWe open at nine."
    assert [block.kind for block in parsed.blocks] == ["heading", "paragraph"]
    assert parsed.left_out == {"comment": 1}
    assert parsed.media_type == "text/x-acme"


def test_one_nul_costs_itself_and_many_are_no_text():
    table = b"Plan,Price\nBasic,1\x000\nPro,30\n"

    assert parse(table, "a.csv").text == parse(table.replace(b"\0", b""), "a.csv").text
    assert reason(b"x\0yz\0\0w" * 50, "a.csv") == "unsupported"
