"""What is searched for, given a conversation."""

from dataclasses import dataclass

import pytest

from kb.config import RetrievalConfig
from kb.retrieval.query import asked_part, build_queries
from kb.retrieval.small_talk import should_search


@dataclass
class Said:
    role: str
    text: str


HISTORY = [
    Said("user", "a place to eat"),
    Said("agent", "there is Burma Love"),
    Said("user", "the address please"),
    Said("agent", "it is Valencia Street"),
]


def test_a_first_turn_is_searched_as_it_is():
    queries = build_queries("refunds?")

    assert {name: (text.text, text.weight) for name, text in queries.dense.items()} == {
        "dense_last": ("refunds?", 1.0)
    }
    assert [text.text for text in queries.words] == ["refunds?"]


@pytest.mark.parametrize(
    ("before", "asks", "after"),
    [
        ("We were in the mountains. " * 40, "How long do refunds take?", ""),
        ("", "How long do refunds take?", " We were in the mountains." * 40),
        ("We swam. " * 60, "How long do refunds take?", " We danced." * 60),
        ("我们去了山里。" * 200, "退款要多久？", ""),
        ("x" * 20_000 + " ", "How long do refunds take?", ""),
    ],
)
def test_a_pasted_mail_is_searched_by_what_it_asks_and_by_all_of_it(
    before: str, asks: str, after: str
):
    mail = before + asks + after

    queries = build_queries(mail)

    assert asked_part(mail) in (asks, mail[-600:])
    assert queries.dense["dense_last"].text == asked_part(mail)
    assert queries.dense["dense_context"].text == mail
    assert [said.text for said in queries.words] == [asked_part(mail), mail]
    assert queries.exact == mail


def test_a_long_turn_without_a_question_is_searched_by_its_end():
    mail = "We were in the mountains. " * 40 + "Please tell me what a helmet costs."

    assert asked_part(mail).endswith("Please tell me what a helmet costs.")
    assert len(asked_part(mail)) <= 300


def test_words_weigh_less_the_longer_ago_and_when_the_agent_said_them():
    config = RetrievalConfig(turn_decay=0.5, agent_turn_weight=0.3, name_decay=0.9)

    queries = build_queries("do they have parking", HISTORY, config)

    assert [(text.text, text.weight) for text in queries.words] == [
        ("do they have parking", 1.0),
        ("it is Valencia Street", pytest.approx(0.3)),
        ("the address please", 0.5),
        ("there is Burma Love", pytest.approx(0.15)),
        ("a place to eat", 0.25),
    ]
    assert [text.weight for text in queries.names] == pytest.approx([1.0, 1.0, 0.9, 0.9, 0.81])
    assert queries.dense["dense_context"].text == (
        "a place to eat\nthe address please\ndo they have parking"
    )
    assert sum(text.weight for text in queries.dense.values()) == pytest.approx(1.0)


def test_only_so_many_turns_are_looked_at():
    long = [Said("user", f"turn {number}") for number in range(100)]

    queries = build_queries("now", long, RetrievalConfig(history_turns=3, context_user_turns=0))

    assert [text.text for text in queries.words] == ["now", "turn 99", "turn 98", "turn 97"]
    assert list(queries.dense) == ["dense_last"]


@pytest.mark.parametrize(
    "said",
    [
        "Hi!",
        "Good morning, how are you?",
        "Thank you so much for your help. Have a great day.",
        "No that's all. Thank you.",
        "ok great",
        "okay, perfect, bye",
        "...",
        "",
    ],
)
def test_small_talk_is_not_searched(said: str):
    assert not should_search(said)


@pytest.mark.parametrize(
    "said",
    [
        "thanks, and how do I get a refund?",
        "Good. What about parking?",
        "meteoroid",
        "CDT Services",
        "If I live in Spain?",
        "No, I just need the address, thank you.",
        "Is it good?",
        "4",
        "warum nicht",
        "营业时间",
    ],
)
def test_a_question_is_searched(said: str):
    assert should_search(said)


def test_yes_to_a_question_of_the_agent_is_searched():
    assert should_search("yes please", [Said("agent", "Shall I explain the refund rules?")])
    assert not should_search("yes thank you", [Said("agent", "Is that all?")])
    assert not should_search("ok", [Said("agent", "Refunds take five days.")])
