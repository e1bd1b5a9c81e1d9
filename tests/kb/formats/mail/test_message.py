"""Mails: every part that a reader would open is there, in the charset that it is really in."""

from email.message import EmailMessage

import pytest

from tests.kb.formats.documents import parse


def mail(subject: str = "Warranty", text: str = "") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "ann@a.example"
    message["To"] = "carl@c.example"
    if text:
        message.set_content(text)
    return message


def test_an_attached_mail_is_read_with_what_it_carries():
    inner = mail("Inner", "The warranty is three years.")
    inner.add_attachment("Plan,Price\nBasic,10\n", subtype="csv", filename="prices.csv")
    outer = mail("Outer", "See the attached mail.")
    outer.add_attachment(inner)

    text = parse(outer.as_bytes(), "a.eml").text

    assert "See the attached mail." in text
    assert "Inner" in text
    assert "The warranty is three years." in text
    assert "Basic" in text


def test_mails_in_mails_end_somewhere_and_are_counted():
    message = mail("Deepest", "Deep words")
    for level in range(5):
        outer = mail(f"Level {level}", f"Words {level}")
        outer.add_attachment(message)
        message = outer

    parsed = parse(message.as_bytes(), "a.eml")

    assert "Words 4" in parsed.text
    assert "Deep words" not in parsed.text
    assert parsed.left_out == {"attached message": 1}


def test_a_body_of_pictures_does_not_win_over_the_text():
    message = mail("Order", "Your order 4411 ships on Friday.")
    message.add_alternative('<html><body><img src="cid:x"></body></html>', subtype="html")

    assert "ships on Friday" in parse(message.as_bytes(), "a.eml").text


def test_the_html_form_is_taken_once():
    message = mail("Order", "Your order ships.")
    message.add_alternative("<p>Your <b>order</b> ships.</p>", subtype="html")

    assert parse(message.as_bytes(), "a.eml").text.count("order") == 1


def test_every_text_part_is_read():
    message = mail("Two parts")
    message.make_mixed()
    for text in ("First part: at ten.", "Second part: bring the folder."):
        part = EmailMessage()
        part.set_content(text)
        message.attach(part)

    text = parse(message.as_bytes(), "a.eml").text

    assert "First part" in text
    assert "Second part" in text


@pytest.mark.parametrize("stated", ["us-ascii", "x-unknown", "utf-8", "no charset"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_what_a_charset_states_is_weighed_against_the_bytes(stated: str, encoding: str):
    said = "Die Gebühr für Gäste beträgt fünf Euro. Öffnungszeiten: täglich außer Dienstag."
    kind = "text/plain" if stated == "no charset" else f"text/plain; charset={stated}"
    head = f"From: a@x.example\nTo: b@x.example\nSubject: hi\nContent-Type: {kind}\n"
    head += "Content-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n\n"

    assert said in parse(head.encode() + said.encode(encoding), "a.eml").text


@pytest.mark.parametrize("subject", ["=?unknown-8bit?q?Gr=FC=DFe?=", "Gr\xfc\xdfe"])
def test_a_subject_of_an_unknown_charset_is_read(subject: str):
    head = f"From: a@x.example\nTo: b@x.example\nSubject: {subject}\n\nWords."

    assert parse(head.encode("latin-1"), "a.eml").title == "Grüße"


def test_what_cannot_be_read_is_counted():
    message = mail("Photos", "Two photos.")
    message.add_attachment(b"\x89PNG\r\n\x1a\n0", maintype="image", subtype="png", filename="a.png")
    message.add_attachment(b"\x7fELF\0\0", maintype="application", subtype="x-elf", filename="b")

    assert parse(message.as_bytes(), "a.eml").left_out == {"picture": 1, "attachment": 1}


def mailbox_of(*messages: bytes) -> bytes:
    line = b"From a@example.com Mon Nov 30 21:48:45 2026\n"
    return b"".join(line + message + b"\n\n" for message in messages)


def test_each_mail_of_a_mailbox_is_read_with_what_it_carries():
    gate = mail("Gate", "The code is 4711.\n\nFrom there go left.\n>From: not quoted\n")
    water = EmailMessage()
    water["Subject"] = "Löschwasser"
    water.set_content("Das Wasser steht im Hof.", cte="base64")
    water.add_attachment(b"tank;litres\nnorth;400\n", maintype="text", subtype="csv", filename="t")
    quoted = bytes(gate).replace(b"\nFrom there", b"\n>From there")
    data = mailbox_of(quoted, bytes(water), b"Content-Type: multipart/encrypted\n\nx")

    parsed = parse(data, "all.mbox")

    assert [line for line in parsed.text.splitlines() if line] == [
        "Gate",
        "From: ann@a.example",
        "To: carl@c.example",
        "Subject: Gate",
        "The code is 4711.",
        "From there go left.",
        ">From: not quoted",
        "Löschwasser",
        "Subject: Löschwasser",
        "Das Wasser steht im Hof.",
        "t",
        "tank | litres",
        "north | 400",
    ]
    assert parsed.left_out == {"encrypted message": 1}


def test_a_mail_that_quotes_the_begin_of_one_is_one():
    text = "As it was:\n\nFrom a@example.com Mon Nov 30 21:48:45 2026\nSubject: not one"

    assert parse(b"Subject: Whole\n\n" + text.encode(), "a.eml").title == "Whole"
    assert "Subject: not one" in parse(b"Subject: W\n\n" + text.encode(), "a.eml").text
