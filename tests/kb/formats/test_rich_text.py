"""RTF: hidden text goes and is counted, notes stand where they are referred to."""

import pytest

from tests.kb.formats.documents import parse


@pytest.mark.parametrize(
    "body",
    [
        r"The fee is 12.{\v Salary 5000} Pay now.",
        r"The fee is 12.\v Salary 5000\v0  Pay now.",
        r"{The fee is 12.\v Salary 5000} Pay now.",
        r"The fee is 12.\v Salary 5000\plain  Pay now.",
        r"The fee is 12.{\v {\b Salary} 5000} Pay now.",
    ],
)
def test_hidden_text_goes_and_is_counted(body: str):
    parsed = parse(rf"{{\rtf1\ansi {body}\par}}", "a.rtf")

    assert parsed.text == "The fee is 12. Pay now."
    assert parsed.hidden_chars_dropped == len("Salary 5000")
    assert parsed.left_out == {"hidden text": 1}


def test_hidden_words_of_other_scripts_go_too():
    parsed = parse(r"{\rtf1\ansi A{\v\u1047?\'e4x}B\par}", "a.rtf")

    assert parsed.text == "AB"


def test_a_note_stands_where_it_is_referred_to():
    parsed = parse(
        r"{\rtf1\ansi Delivery is free{\footnote \pard\plain Except Iceland.} anywhere.\par}",
        "a.rtf",
    )

    assert parsed.text == "Delivery is free (Except Iceland.) anywhere."


def test_margins_and_comments_are_counted():
    parsed = parse(
        r"{\rtf1\ansi{\header Page}{\footer Foot}Text{\*\annotation Why?} goes on.\par}", "a.rtf"
    )

    assert parsed.text == "Text goes on."
    assert parsed.left_out == {"header": 1, "footer": 1, "comment": 1}
