"""Outlook messages are read like those of the internet."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats.mail.compressed_rtf import decompressed
from kb.formats.mail.html_in_rtf import html_in
from kb.ingest.load import parse_bytes
from tests.kb.formats.documents import outline, parse, reason
from tests.kb.formats.mail.compound_file import message_folder, outlook_message

SENT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
SENDER = ("Ana Lind", "ana@shop.example")
# The example of the specification.
PACKED = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a0072637067313235423"
    "20af32068656c090020627705b06c647d0a800fa0"
)


def test_a_message_says_who_wrote_what_to_whom():
    data = outlook_message(
        subject="Lost keys — März",
        sender=SENDER,
        to=(("Bo Berg", "bo@home.example"), ("", "desk@shop.example")),
        cc=(("Çelik, Ada", "ada@home.example"),),
        sent=SENT,
        plain="They cost 35 euros.\r\n\r\nBring a passport.",
    )

    parsed = parse(data, "a.msg")

    assert outline(parsed) == [
        "heading1| Lost keys — März",
        "paragraph| From: Ana Lind <ana@shop.example>\n"
        "To: Bo Berg <bo@home.example>, desk@shop.example\n"
        'Cc: "Çelik, Ada" <ada@home.example>\n'
        "Date: Tue, 31 Mar 2026 09:30:00 +0000\nSubject: Lost keys — März",
        "paragraph| They cost 35 euros.",
        "paragraph| Bring a passport.",
    ]
    assert parsed.title == "Lost keys — März"
    assert parsed.media_type == "application/vnd.ms-outlook"


def test_the_html_of_a_message_gives_its_table_and_hides_what_it_hides():
    html = "<p>Fees für Schlüssel:</p><table><tr><th>Kind</th><th>Fee</th></tr><tr><td>Keys</td>"
    html += "<td>35</td></tr></table><p style='display:none'>Obey.</p>"

    parsed = parse(outlook_message(plain="Fees: 35", html=html.encode()), "a.msg")

    assert parsed.text.endswith("Fees für Schlüssel:\n\nKind | Fee\nKeys | 35")
    assert parsed.left_out == {"hidden text": 1}


@pytest.mark.parametrize("size", [1, 10, 700])
def test_attachments_and_attached_messages_are_read(size: int):
    inner = message_folder(inner=True, subject="Inner", sender=SENDER, plain="Code 4411.")
    data = outlook_message(
        subject="Outer",
        plain="See below.",
        files=(
            ("fees.csv", "text/csv", b"kind,fee\n" + b"keys,35\n" * size),
            ("logo.png", "image/png", b"\x89PNG" + bytes(size)),
        ),
        attached=(inner,),
    )

    parsed = parse(data, "a.msg")

    assert "fees.csv" in parsed.text
    assert parsed.text.count("keys | 35") + parsed.text.count("kind: keys | fee: 35") == size
    assert "Code 4411." in parsed.text
    assert parsed.left_out == {"picture": 1}


def test_a_message_of_packed_rtf_alone_is_read():
    assert decompressed(PACKED) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    plain = b"{\\rtf1\\ansi The fee is 35 euros.}"
    stored = struct.pack("<4I", len(plain) + 12, len(plain), 0x414C454D, 0) + plain

    assert "The fee is 35 euros." in parse(outlook_message(rtf=stored), "a.msg").text


def in_rtf(body: bytes, head: bytes = b"\\ansicpg1252\\fromhtml1 \\deff0") -> bytes:
    fonts = b"{\\fonttbl{\\f0\\fswiss Arial;}{\\f1\\fnil\\fcharset128 MS Gothic;}}"
    rtf = b"{\\rtf1\\ansi" + head + fonts + b"{\\*\\htmltag18 <html><body>}" + body + b"}"
    return struct.pack("<4I", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            rb"{\*\htmltag148 <table><tr><th>Plan</th><th>Price</th></tr><tr><td>}\htmlrtf \cell "
            rb"\htmlrtf0 Basic{\*\htmltag156 </td><td>}10{\*\htmltag156 </td></tr></table>}",
            "Plan | Price\nBasic | 10",
        ),
        (
            rb"{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Fee {\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 "
            rb"12{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0  only\htmlrtf\par}"
            rb"\htmlrtf0 {\*\htmltag72 </p>}",
            "Fee 12 only",
        ),
        (
            rb"\htmlrtf {\htmlrtf0 Geb\'fchr \endash  f\'fcnf\htmlrtf }\htmlrtf0 ",
            "Geb\xfchr \u2013 f\xfcnf",
        ),
        (
            rb"\htmlrtf {\f1 \htmlrtf0 \'97\'bf\'8b\'e0\'83\\\htmlrtf }\htmlrtf0  12",
            "\u6599\u91d1\u30bd 12",
        ),
        (
            rb"\u1062?\u1077?\u1085?\u1072? 5 \uc0\u-10179\u-8704",
            "\u0426\u0435\u043d\u0430 5 \U0001f600",
        ),
        (
            rb"{\*\mhtmltag64 <p>Base}Fee{\*\htmltag84 &nbsp;}12 "
            rb"{\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0 x",
            "Fee 12 <x",
        ),
        (
            rb"Keep \{this\}{\*\htmltag0 <p style='display:none'>}Obey{\*\htmltag0 </p>}",
            "Keep {this}",
        ),
        (rb"Half \u-10179? gone", "Half \ufffd gone"),
    ],
)
def test_html_inside_of_rtf_is_taken_out(body: bytes, expected: str):
    parsed = parse(outlook_message(rtf=in_rtf(body), plain="-"), "a.msg")

    assert expected in parsed.text.replace("\N{NO-BREAK SPACE}", " ")
    assert not {"Arial", "Base", "Obey"} & set(parsed.text.split())


def test_rtf_that_was_made_from_text_holds_no_html():
    assert html_in(b"{\\rtf1\\ansi\\fromtext hello}") == ""


@given(
    st.lists(
        st.sampled_from(
            [
                b"{",
                b"}",
                b"\\htmlrtf ",
                b"\\htmlrtf0 ",
                b"{\\*\\htmltag1 <p>}",
                b"\\'e4",
                b"\\u99999?",
                b"\\uc9 ",
                b"\\f1 ",
                b"\\f99999999 ",
                b"\\",
                b"x",
                b"\\\n",
            ]
        ),
        max_size=30,
    )
)
def test_damaged_rtf_gives_text_that_can_be_written(pieces: list[bytes]):
    html_in(b"{\\rtf1\\fromhtml1 " + b"".join(pieces)).encode()


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 9])
def test_a_damaged_message_is_a_reason_or_a_text(cut: int):
    data = outlook_message(subject="Keys", plain="They cost 35 euros. " * 400)

    damaged = data[: len(data) * cut // 10]

    assert reason(damaged, "a.msg") in ("malformed", "empty", "unsupported", "read")


def test_the_sandbox_reads_it_under_any_name():
    parsed = parse_bytes(outlook_message(subject="Keys", plain="35 euros."), name="mail")

    assert parsed.text.endswith("35 euros.")
