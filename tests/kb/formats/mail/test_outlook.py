"""Outlook messages are read like those of the internet."""

import struct
from datetime import UTC, datetime

import pytest

from kb.formats.mail.compressed_rtf import decompressed
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


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 9])
def test_a_damaged_message_is_a_reason_or_a_text(cut: int):
    data = outlook_message(subject="Keys", plain="They cost 35 euros. " * 400)

    damaged = data[: len(data) * cut // 10]

    assert reason(damaged, "a.msg") in ("malformed", "empty", "unsupported", "read")


def test_the_sandbox_reads_it_under_any_name():
    parsed = parse_bytes(outlook_message(subject="Keys", plain="35 euros."), name="mail")

    assert parsed.text.endswith("35 euros.")
