"""However a letter was written, it is the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.words.indexing import chunk_terms
from kb.words.spelling import folded, respelled, respelt, runs, syllables


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Zürich", "zurich"),
        (unicodedata.normalize("NFD", "Zürich"), "zurich"),
        ("ＳＫＵ４４１１Ｂ", "sku4411b"),
        ("ﬁle", "file"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Œuvre", "oeuvre"),
        ("smørrebrød", "smorrebrod"),
        ("Łódź", "lodz"),
        ("Iğdır", "igdir"),
        ("Đà Nẵng", "da nang"),
        ("退貨", "退货"),
        ("發票", "发票"),
        ("発票", "发票"),
        ("廣島", "广岛"),
        ("ぱすわーど", "パスワード"),
        ("ﾊﾟｽﾜｰﾄﾞ", "パスワード"),
        ("أحمد", "احمد"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("٤٤١١", "4411"),
        ("ёлка", "елка"),
        ("Kraft\u00adfahrzeug", "kraftfahrzeug"),
        (unicodedata.normalize("NFD", "が"), "ガ"),
        (unicodedata.normalize("NFD", "반품"), "반품"),
    ],
)
def test_one_spelling_for_all(written: str, same: str):
    assert folded(respelled(written)) == same


@given(st.text(max_size=200))
def test_runs_stand_where_they_say_and_nothing_of_them_is_lost(text: str):
    text = respelled(text)
    found = list(runs(text))

    assert all(run.text == text[run.start : run.end] for run in found)
    left = set(text) - set("".join(run.text for run in found))
    assert not any(character.isalnum() for character in left)
    assert all("".join(syllables(run.text)) == run.text for run in found)


@given(st.text(max_size=120), st.sampled_from(["en", "de", "zh", "ar", "he", "xx"]))
def test_a_text_has_the_same_terms_in_every_normal_form(text: str, language: str):
    # A few signs have no way back from their compatibility form.
    text = unicodedata.normalize("NFKC", text)
    composed, apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert chunk_terms("", apart, language=language) == chunk_terms("", composed, language=language)


@given(st.text(max_size=120))
def test_terms_hold_no_space_and_no_quote(text: str):
    made = chunk_terms(text, text, language="en")

    for term in f"{made.headings} {made.body} {made.extra}".split(" "):
        assert not set(term) & set(" \"'\n\t")


def test_words_are_respelt_in_place():
    assert respelt("musuem, Tickts?", {"musuem": "museum"}) == "museum, Tickts?"


def test_a_raised_digit_is_no_digit_of_the_number_before_it():
    assert respelled("50¹ euros, 10³ m², SKU-7") == "50 1 euros, 10 3 m2, SKU-7"
