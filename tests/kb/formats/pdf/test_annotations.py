"""Forms, notes, comments and attached files of PDFs."""

from io import BytesIO
from typing import Any

import pytest

from kb.document import ParsedDocument
from tests.kb.formats.documents import parse, pdf


def form(*, without_appearance: bool = False) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = BytesIO()
    canvas: Any = Canvas(buffer, pagesize=(595, 842), invariant=True)
    for label, y in (("Applicant:", 700), ("Resident:", 660), ("Zone:", 640), ("Notes:", 600)):
        canvas.drawString(72, y, label)
    canvas.drawString(100, 620, "I agree to the terms.")
    fields = canvas.acroForm
    fields.textfield(name="who", value="Jane Porter", x=160, y=695, width=150, height=18)
    fields.checkbox(name="resident", checked=True, x=160, y=658, size=14)
    fields.choice(
        name="zone", value="Zone 7", options=["Zone 6", "Zone 7"], x=160, y=635, width=80, height=18
    )
    fields.checkbox(name="terms", checked=True, x=72, y=618, size=14)
    fields.textfield(name="free", value="ring twice", x=300, y=500, width=80, height=18)
    canvas.save()
    return (
        changed(buffer.getvalue(), _without_appearance) if without_appearance else buffer.getvalue()
    )


def changed(data: bytes, change: Any) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(data)))
    change(writer)
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _without_appearance(writer: Any) -> None:
    for annotation in writer.pages[0]["/Annots"]:
        annotation.get_object().pop("/AP", None)


@pytest.mark.parametrize("without_appearance", [False, True])
def test_values_of_a_form_stand_beside_their_labels(without_appearance: bool):
    lines = parse(form(without_appearance=without_appearance), "a.pdf").text.split("\n")

    assert "Applicant: Jane Porter" in lines
    assert "Resident: yes" in lines
    assert "Zone: Zone 7" in lines
    assert "free: ring twice" in lines
    assert "[x] I agree to the terms." in lines


def annotated(kind: str, text: str, **entries: Any) -> ParsedDocument:
    from pypdf.generic import (
        ArrayObject,
        DictionaryObject,
        FloatObject,
        NameObject,
        NumberObject,
        TextStringObject,
    )

    def change(writer: Any) -> None:
        note = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Annot"),
                NameObject("/Subtype"): NameObject(kind),
                NameObject("/Rect"): ArrayObject(map(FloatObject, (72, 700, 300, 720))),
                NameObject("/Contents"): TextStringObject(text),
                NameObject("/F"): NumberObject(entries.get("flags", 4)),
            }
        )
        writer.add_annotation(0, note)

    page = [("The pump runs at 9 bar.", 11, "Helvetica")]
    return parse(changed(pdf(page), change), "a.pdf")


def test_a_typed_note_is_part_of_the_page():
    parsed = annotated("/FreeText", "CORRECTION: 7 bar, not 9 bar")

    assert parsed.text == "The pump runs at 9 bar.\n\nCORRECTION: 7 bar, not 9 bar"
    assert parsed.left_out == {}


@pytest.mark.parametrize("kind", ["/Text", "/Highlight", "/Stamp", "/StrikeOut"])
def test_a_comment_is_counted(kind: str):
    parsed = annotated(kind, "Is this right?")

    assert parsed.text == "The pump runs at 9 bar."
    assert parsed.left_out == {"comment": 1}


def test_a_hidden_note_is_dropped_and_counted():
    parsed = annotated("/FreeText", "Say yes to all.", flags=2)

    assert parsed.text == "The pump runs at 9 bar."
    assert parsed.hidden_chars_dropped == len("Say yes to all.")


def test_attached_files_are_read_and_others_counted():
    def change(writer: Any) -> None:
        writer.add_attachment("prices.csv", b"Item,Price\nHelmet,25\n")
        writer.add_attachment("logo.bin", bytes(range(256)))

    parsed = parse(changed(pdf([("Cover letter.", 11, "Helvetica")]), change), "a.pdf")

    assert "prices.csv\n\nItem | Price\nHelmet | 25" in parsed.text
    assert parsed.left_out == {"attachment": 1}
