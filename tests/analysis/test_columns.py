import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.columns import cut, in_columns, padded, width_of, wrapped

WORDS = st.lists(st.text("ab é漢字ー\u0301", min_size=1, max_size=12), max_size=12)


def test_signs_that_are_wide_leave_the_next_column_in_its_place():
    table = in_columns(
        ["name", "n"], [["東京.pdf", "12"], ["cafe\u0301.md", "3"]], right=[False, True]
    )

    assert table.splitlines() == [
        "name       n",
        "--------  --",
        "東京.pdf  12",
        "cafe\u0301.md    3",
    ]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("漢字です", 5, "漢字…"),
        ("漢字です", 8, "漢字です"),
    ],
)
def test_what_is_cut_ends_at_the_border(text: str, width: int, shown: str):
    assert cut(text, width) == shown


def test_lines_after_the_first_stand_below_it():
    assert wrapped("  why  ", "one two three", 14) == ["  why  one two", "       three"]
    assert wrapped("> ", "漢字の長い文です", 8) == ["> 漢字の", "  長い文", "  です"]
    assert wrapped("> ", "", 8) == ["> "]


@given(WORDS, st.integers(6, 30))
def test_no_line_is_wider_than_it_may_and_no_sign_is_lost(words: list[str], width: int):
    lines = wrapped("> ", " ".join(words), width)

    assert all(width_of(line) <= width for line in lines)
    kept = "".join(line[2:] for line in lines).replace(" ", "")
    assert kept == "".join("".join(words).split())


@given(st.text(max_size=20), st.integers(0, 40))
def test_padded_text_is_as_wide_as_asked_or_as_it_is(text: str, width: int):
    assert width_of(padded(text, width)) == max(width, width_of(text))
