"""Words are compared without what makes no difference, and come back as they were said."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.fields.claims import Claim, check_claim
from analysis.judge.evidence import verbatim, verify_quote
from analysis.judge.windows import escape_tags
from conversation.agent.criteria import DataCollectionField
from conversation.transcript import Turn

texts = st.text(
    alphabet=st.sampled_from("ab .,'\u2019\u2013ée\u0301&lt;<>東京。アｱﾞ한"), max_size=30
)


@pytest.mark.parametrize(
    ("said", "quote"),
    [
        ("It\u2019s \u201cfine\u201d \u2013 really\u2026", 'It\'s "fine" - really...'),
        ("a < b", escape_tags("a < b")),
        ("AT&amp;T called", "AT&T called"),
        ("José", "Jose\u0301"),
        ("It never arrived", "It never arrived."),
        ("ｶﾞｽを止めて", "ガスを止めて"),
        ("Straße", "STRASSE"),
        ("no\u00a0break", "no break"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_typography_makes_no_difference_to_a_quote(said: str, quote: str):
    found = verify_quote([Turn(role="user", text=said)], 0, quote)

    assert found is not None
    assert found.quote == said


@given(texts)
def test_a_text_is_a_quote_of_itself_in_every_form(text: str):
    for quote in (unicodedata.normalize("NFD", text), unicodedata.normalize("NFKC", text)):
        found = verbatim(text, quote)

        assert (found is None) == (not text.split())
        assert found is None or found in text


@pytest.mark.parametrize(
    ("said", "wish", "status"),
    [
        ("I do not want an exchange, I want my money back", "refund", "supported"),
        ("Not a refund, an exchange please", "refund", "contradicted"),
        ("Not a refund", "refund", "unsupported"),
        ("I want my money back", "refund", "supported"),
        ("An exchange instead of a refund", "exchange", "supported"),
        ("An exchange instead of a refund", "refund", "contradicted"),
        ("Ich will keinen exchange, sondern einen refund", "refund", "supported"),
    ],
)
def test_a_class_that_was_turned_down_is_not_the_one_that_was_chosen(
    said: str, wish: str, status: str
):
    field = DataCollectionField(
        field_id="wish", type="string", description="Wish", enum=("refund", "exchange")
    )

    assert check_claim(field, Claim(0, wish), [Turn(role="user", text=said)]).status == status
