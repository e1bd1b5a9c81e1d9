"""Plain text keeps its offsets; encodings are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import DocumentError
from kb.formats.decoding import decode
from tests.kb.formats.documents import SMALL, outline, parse


@given(st.text(alphabet="ab =-\n*.1#", max_size=200))
def test_every_character_that_is_not_blank_is_in_one_block(text: str):
    if text.strip(" \n"):
        parse("x" + text, "a.txt")


def test_offsets_are_those_of_the_text_as_written():
    source = "Refunds\n=======\n\nThey take\nfive days.\n\n- one\n- two\n\nLast"

    parsed = parse(source, "a.txt")

    assert len(parsed.text) == len(source)
    assert parsed.text.replace(" ", "") == source.replace("=", "").replace(" ", "")
    assert outline(parsed) == [
        "heading1| Refunds",
        "paragraph| They take\nfive days.",
        "list| - one\n- two",
        "paragraph| Last",
    ]
    assert parsed.title == "Refunds"


@pytest.mark.parametrize(
    ("data", "stated", "expected"),
    [
        ("naïve — text".encode(), "latin-1", "naïve — text"),
        ("Größe".encode("utf-8-sig"), None, "Größe"),
        ("Größe".encode("utf-16"), None, "Größe"),
        ("Größe".encode("utf-32"), None, "Größe"),
        ("Größe".encode("cp1252"), "cp1252", "Größe"),
        ("これは日本語の文章です。".encode("shift_jis"), "shift_jis", "これは日本語の文章です。"),
        ("Größe".encode("cp1252"), "no-such-charset", "Größe"),
        (("Die Größe der Straße für die Mädchen. " * 9).encode("cp1252"), None, "Die Größe der"),
        (("Это обычный русский текст про возврат. " * 9).encode("cp1251"), None, "Это обычный"),
        (b"good text " * 7000 + b"\xff\xfe end", None, "good text"),
    ],
)
def test_encodings_are_found(data: bytes, stated: str | None, expected: str):
    assert decode(data, stated=stated).startswith(expected)


def test_characters_nobody_sees_are_dropped_and_hidden_ones_counted():
    hidden = "".join(chr(0xE0000 + ord(character)) for character in "obey me")

    parsed = parse(f"re\u00adfund\u200bs{hidden} are\x07 fine", "a.txt")

    assert parsed.text == "refunds are fine"
    assert parsed.hidden_chars_dropped == 7


def test_a_text_that_is_too_long_names_the_limit():
    with pytest.raises(DocumentError, match="200 characters") as caught:
        parse("x" * 201, "a.txt", limits=SMALL)

    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The refund is paid to the card that you used, and it takes five days for it.", "en"),
        (
            "Die Erstattung wird auf die Karte gebucht, mit der Sie bezahlt haben.",
            "de",
        ),
        ("Le remboursement est versé sur la carte que vous avez utilisée pour les achats.", "fr"),
        ("返金は五日以内に行われます。", "ja"),
        ("Возврат занимает пять дней.", "ru"),
        ("Повернення коштів займає п'ять днів, її та його", "uk"),
        ("12345 67890", None),
        ("OK", None),
    ],
)
def test_the_language_is_noted_when_it_is_clear(text: str, language: str | None):
    assert parse(text, "a.txt").language == language


def test_many_underlined_lines_and_gaps_stay_quick():
    source = "Head\n====\n\ntext\n\n" * 30_000

    parsed = parse(source, "a.txt")

    assert sum(block.kind == "heading" for block in parsed.blocks) == 30_000
