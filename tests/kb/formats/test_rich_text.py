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


def _row(*cells: str, shape: str = "", more: str = "") -> str:
    edges = shape or "".join(rf"\cellx{1000 * at}" for at in range(1, len(cells) + 1))
    return (
        rf"\trowd{more}{edges}\pard\intbl " + "".join(rf"{each}\cell " for each in cells) + r"\row "
    )


@pytest.mark.parametrize(
    ("table", "stored"),
    [
        (
            _row("Room", "Summer", "Winter", shape=r"\cellx1000\cellx3000\cellx4000")
            + _row("12", "52", "82", "42"),
            "Room | Summer | Summer | Winter\n12 | 52 | 82 | 42",
        ),
        (
            _row(
                "Room",
                "Summer",
                "",
                "Winter",
                shape=r"\cellx1000\clmgf\cellx2000\clmrg\cellx3000\cellx4000",
            )
            + _row("12", "52", "82", "42"),
            "Room | Summer | Summer | Winter\n12 | 52 | 82 | 42",
        ),
        (
            _row("Zone", "Who", "Price")
            + _row("North", "Adult", "3", shape=r"\clvmgf\cellx1000\cellx2000\cellx3000")
            + _row("", "Child", "2", shape=r"\clvmrg\cellx1000\cellx2000\cellx3000")
            + _row("South", "Adult", "4"),
            "Zone | Who | Price\nNorth | Adult | 3\nNorth | Child | 2\nSouth | Adult | 4",
        ),
        (
            _row("Plan", "What") + _row(r"Basic\par small", r"mail\line chat"),
            "Plan | What\nBasic small | mail chat",
        ),
        (_row("Plan", "a | b | c") + _row("Basic", "1"), "Plan | a \\| b \\| c\nBasic | 1"),
        (
            _row("Plan", "Price", shape=r"\cellx1000\cellx2000")
            + _row("Basic", "10", shape=r"\cellx1010\cellx1995"),
            "Plan | Price\nBasic | 10",
        ),
        (
            _row(
                "Plan",
                r"Users\nestcell 1\nestcell {\*\nesttableprops\trowd\cellx500\cellx900\nestrow}",
            )
            + _row("Basic", "10"),
            "Plan | Users, 1\nBasic | 10",
        ),
        (
            _row("Topic", "Said", more=r"\trhdr") + r"\pard\intbl Dogs\cell Allowed\cell\row ",
            "Topic | Said\nDogs | Allowed",
        ),
    ],
)
def test_cells_stand_under_what_spans_them(table: str, stored: str):
    parsed = parse(rf"{{\rtf1\ansi Before.\par {table}\pard After.\par}}", "a.rtf")

    assert parsed.text == f"Before.\n\n{stored}\n\nAfter."


def test_rows_in_a_margin_do_not_shift_those_of_the_text():
    margin = r"{\header " + _row("Old", "Head") + r"\pard}"
    body = _row("Room", "Summer", shape=r"\cellx1000\cellx3000") + _row("12", "52", "82")

    parsed = parse(rf"{{\rtf1\ansi{margin}{body}\pard\par}}", "a.rtf")

    assert parsed.text == "Room | Summer | Summer\n12 | 52 | 82"


def test_numbers_of_lists_are_kept():
    item = r"{{\listtext\pard\plain {}\tab}}{}\par "

    parsed = parse(
        r"{\rtf1\ansi " + item.format("2.1", "Return it.") + item.format("2.2", "Wait.") + "}",
        "a.rtf",
    )

    assert parsed.text.split() == ["2.1", "Return", "it.", "2.2", "Wait."]
