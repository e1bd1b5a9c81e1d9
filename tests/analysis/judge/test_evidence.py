"""Evidence shown to a user always stands in the turn it names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.judge.evidence import (
    most_telling_turn,
    quote_of_turn,
    shares_words,
    telling_sentence,
    verbatim,
    verify_quote,
)
from analysis.results import Evidence
from conversation.transcript import Turn

TURNS = (
    Turn(role="user", text="My order  never\narrived."),
    Turn(role="agent", text="I am sorry. It was LOST, so you get 20 dollars back."),
)
texts = st.text(alphabet=st.sampled_from("ab .,\n\tAÄß<é1"), max_size=40)


def test_white_space_and_case_are_folded_and_the_turns_own_words_come_back():
    found = verify_quote(TURNS, 0, "my ORDER never arrived.")

    assert found is not None
    assert found.quote == "My order  never\narrived."


def test_nothing_else_is_folded():
    assert verify_quote(TURNS, 1, "It was lost so you get") is None
    assert verify_quote(TURNS, 1, "I'm sorry") is None
    assert verify_quote(TURNS, 1, "I am sorry ... 20 dollars") is None


def test_a_quote_counts_only_in_the_turn_it_names():
    assert verify_quote(TURNS, 1, "never arrived") is None
    assert verify_quote(TURNS, 2, "never arrived") is None
    assert verify_quote(TURNS, -2, "never arrived") is None


def test_an_empty_quote_is_no_evidence():
    assert verify_quote(TURNS, 0, " \n") is None


@given(texts=st.lists(texts, min_size=1, max_size=4), index=st.integers(-1, 5), quote=texts)
def test_accepted_evidence_is_always_verbatim(texts: list[str], index: int, quote: str):
    turns = [Turn(role="user", text=text) for text in texts]

    found = verify_quote(turns, index, quote)

    if found is not None:
        assert found.turn_index == index
        assert found.quote in texts[index]
        assert found.quote.split() != []


@given(text=texts, data=st.data())
def test_every_real_quote_is_accepted(text: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text)))
    quote = text[start : data.draw(st.integers(start, len(text)))]

    found = verbatim(text, f"  {quote.lower() if quote.isascii() else quote} ")

    assert (found is None) == (not quote.split())


@given(texts=st.lists(texts, max_size=3), index=st.integers(-1, 4), hint=texts)
def test_a_located_sentence_is_always_verbatim(texts: list[str], index: int, hint: str):
    found = quote_of_turn([Turn(role="user", text=text) for text in texts], index, hint)

    if found is not None:
        assert found.quote in texts[index]
        assert found.quote.strip() == found.quote != ""


def test_the_telling_sentence_of_a_long_turn_is_the_one_about_the_question():
    turn = (
        "Let me see what I can find in your account, one moment please. I have cancelled the "
        "subscription for you as of today. By the way, our opening hours have changed, and we are "
        "now here on Sundays too."
    )

    assert telling_sentence(turn, "The agent cancelled the subscription.") == (
        "I have cancelled the subscription for you as of today."
    )


def test_the_most_telling_sentence_shares_words_by_their_beginning():
    turns = (
        Turn(role="agent", text="Hello. Do you want to transfer money?"),
        Turn(role="user", text="Good morning. It was transferred yesterday."),
        Turn(role="user", text="Thank you."),
    )

    found = most_telling_turn(turns, range(3), "Whether the user has a transfer", min_shared=1)

    assert found == Evidence(turn_index=1, quote="It was transferred yesterday.")
    assert most_telling_turn(turns, range(3), "Whether the user smokes", min_shared=1) is None
    assert most_telling_turn(turns, range(3), "Is there a transfer?", min_shared=2) is None


@pytest.mark.parametrize(
    ("text", "hint", "shares"),
    [
        ("我想要转接给人工客服", "是否转接人工", True),
        ("我想要退款", "是否转接人工", False),
        ("返金してください", "返金を希望するか", True),
        ("ฉันต้องการคืนเงิน", "ลูกค้าขอคืนเงินหรือไม่", True),
        ("أريد استرداد المبلغ", "هل طلب استرداد", True),
        ("धनवापसी चाहिए", "धनवापसी माँगी", True),
        ("Ich möchte eine Rückerstattung", "Ob eine Rückerstattung verlangt wird", True),
    ],
)
def test_words_are_shared_in_scripts_without_spaces_too(text: str, hint: str, shares: bool):
    assert shares_words(text, hint) is shares


@pytest.mark.parametrize(
    ("told", "hint", "other"),
    [
        ("但是我想要退款，因为它坏了。", "用户要求退款", "我昨天收到了包裹。"),
        ("でも返金してほしいです。", "返金を希望するか", "昨日荷物が届きました。"),
        ("هل يمكن استرداد المبلغ؟", "طلب استرداد المبلغ", "وصلت الشحنة أمس مساء."),
        ("मुझे धनवापसी चाहिए।", "धनवापसी माँगी", "कल पार्सल आया था।"),
    ],
)
def test_a_long_turn_is_quoted_by_its_sentence_in_any_script(told: str, hint: str, other: str):
    turn = " ".join([*[other] * 20, told, *[other] * 5])

    assert telling_sentence(turn, hint) == told
