"""Answers made to take long to put into words: four times the text takes four times as long."""

import pytest

from conversation.language.spoken_text import SpokenStream, spoken_form, spoken_sentence
from tests.growth import growth

pytestmark = pytest.mark.hostile

_PIECES = ["a", "1", ".", "_", "-", ",", "a.", "1-", "a--", "a/", "a@", "*", "|", " ", "* ", "a~"]


@pytest.mark.parametrize("piece", _PIECES)
def test_time_grows_with_the_length(piece: str):
    assert growth(lambda text: spoken_form(text, "en"), piece) < 7


@pytest.mark.parametrize("piece", _PIECES)
def test_time_grows_with_the_length_between_words(piece: str):
    assert growth(lambda text: spoken_sentence(f"a{text}a", "de"), piece) < 7


@pytest.mark.parametrize("piece", ["A. ", "a ", ". a", "?!", "a) "])
def test_time_grows_with_the_length_of_what_comes_in_small_pieces(piece: str):
    def follow(text: str) -> None:
        stream = SpokenStream("en")
        for start in range(0, len(text), 4):
            stream.feed(text[start : start + 4])
        stream.finish()

    assert growth(follow, piece) < 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See -example.com and a..example.com.", "example dot com and a..example dot com."),
        ("Open a--b.example.com", "Open a dash dash b dot example dot com"),
        (
            "Get archive.tar.gz or my.own-report.pdf",
            "archive dot tar dot gz or my dot own dash report",
        ),
        ("Run ./a/b.js, ../c.py", "Run dot slash a slash b dot js, dot dot slash c dot py"),
        ("Mail a.b+c@d-e.example.org", "Mail a dot b plus c at d dash e dot example dot org"),
        ("So ...notes.md it is", "...notes.md it is"),
        ("a ___b___ c __ d", "a b c d"),
    ],
)
def test_addresses_and_marks_are_read_as_before(text: str, expected: str):
    assert expected in spoken_form(text, "en")
