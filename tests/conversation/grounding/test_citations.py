from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.grounding.citations import attribute, states_something
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.language.telling_words import numbers_of, stem, telling_words
from kb.document import Place, RetrievedPassage
from kb.words.sentences import finished_length, split_sentences


def passage(text: str, *, name: str = "handbook.md", chunk_id: str = "c1") -> RetrievedPassage:
    return RetrievedPassage(
        document_id=f"doc_{name}",
        document_name=name,
        chunk_id=chunk_id,
        text=text,
        start_char=500,
        end_char=500 + len(text),
        heading_path=("Returns",),
        page=None,
        score=0.5,
        rank=1,
    )


REFUNDS = passage(
    "Orders can be returned within 30 days. Refunds are paid to the original card within 14 days. "
    "Gift cards cannot be refunded."
)
SHIPPING = passage(
    "Shipping to Norway takes 5 to 7 working days and costs 9.50 EUR.",
    name="shipping.md",
    chunk_id="c2",
)


def test_a_sentence_cites_the_words_that_support_it():
    answer = "Sure! Refunds are paid within 14 days. Shipping to Norway costs 9.50 EUR."

    found = attribute(answer, [SHIPPING, REFUNDS])

    first, second = found.citations
    assert first.quote == "Refunds are paid to the original card within 14 days."
    assert first.quote in REFUNDS.text
    assert answer[first.turn_start_char : first.turn_end_char] == "Refunds are paid within 14 days."
    assert second.document_name == "shipping.md"
    assert found.grounded_share == 1.0
    assert found.unsupported_spans == ()


@pytest.mark.parametrize(
    "claim",
    [
        "Refunds are paid within 10 days.",
        "Refunds are paid in cash by our office in Berlin.",
        "Gift cards can be refunded.",
        "Shipping to Norway costs 95 EUR.",
        "Our founder is Ada Miller.",
    ],
)
def test_a_claim_with_other_numbers_words_or_sense_is_unsupported(claim: str):
    found = attribute(claim, [REFUNDS, SHIPPING])

    assert found.citations == ()
    assert found.unsupported_spans == ((0, len(claim)),)
    assert found.grounded_share == 0.0


def test_a_sentence_may_name_its_document():
    named = passage("Refunds take 14 days.", name="faq_7384-12")

    assert attribute("faq_7384-12 says: Refunds take 14 days.", [named]).grounded_share == 1.0


def test_a_number_in_words_is_the_same_number():
    assert attribute("You get it within fourteen days.", [REFUNDS]).grounded_share is not None
    assert attribute("Refunds take fourteen days.", [REFUNDS]).grounded_share == 1.0


def test_a_sentence_that_joins_two_passages_cites_both():
    answer = "Orders can be returned within 30 days and shipping to Norway costs 9.50 EUR."

    found = attribute(answer, [REFUNDS, SHIPPING])

    assert {citation.document_name for citation in found.citations} == {
        "handbook.md",
        "shipping.md",
    }


def test_an_embedder_lets_other_words_count():
    answer = "Your money comes back to the original payment card."

    def alike(sentence: str, texts: Sequence[str]) -> list[float]:
        return [0.9 if "Refunds" in text else 0.1 for text in texts]

    assert attribute(answer, [REFUNDS]).citations == ()
    (citation,) = attribute(answer, [REFUNDS], similarity=alike).citations
    assert "Refunds" in citation.quote


def test_without_passages_a_claim_is_unsupported_and_small_talk_is_not_counted():
    assert attribute("We open at nine.", []).grounded_share == 0.0
    assert attribute("Hello! How can I help you?", []).grounded_share is None
    assert attribute("", [REFUNDS]).grounded_share is None


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "I don\u2019t know the price of that.",
        "Sorry, I do not have any information about parrots.",
        "The passages do not mention a phone number.",
        "The documentation does not cover this question.",
        "The documents say nothing about parrots.",
        "There is no information about this.",
        "I'm not sure which plan you have.",
        "I couldn't find an answer.",
        "No passage of the documents answers that.",
        "The iPhone app is not mentioned in the given passages.",
    ],
)
def test_a_confession_is_recognised_and_needs_no_support(text: str):
    assert admits_not_knowing(text)
    assert not states_something(text)


@pytest.mark.parametrize(
    "text",
    [
        "Refunds do not include shipping costs.",
        "The warranty does not cover water damage.",
        "You cannot find it in stores.",
        "Gift cards cannot be refunded.",
        "No refunds are paid after 30 days.",
    ],
)
def test_a_negative_fact_is_no_confession(text: str):
    assert not admits_not_knowing(text)
    assert states_something(text)


@pytest.mark.parametrize(
    "text", ["Is there anything else?", "You're welcome!", "Thanks for waiting.", "Sure.", "..."]
)
def test_courtesies_and_questions_state_nothing(text: str):
    assert not states_something(text)


VOCABULARY = "refunds are paid not within 14 days . ! ? the card Norway costs 5 EUR"
WORDS = st.lists(st.sampled_from(VOCABULARY.split())).map(" ".join)


@given(answer=WORDS | st.text(max_size=80), texts=st.lists(WORDS, max_size=3))
def test_citations_are_verbatim_and_spans_lie_in_the_answer(answer: str, texts: list[str]):
    passages = [passage(text, chunk_id=str(index)) for index, text in enumerate(texts)]

    found = attribute(answer, passages)

    by_id = {each.chunk_id: each for each in passages}
    for citation in found.citations:
        assert citation.quote in by_id[citation.chunk_id].text
        assert 0.0 <= citation.score <= 1.0
        assert answer[citation.turn_start_char : citation.turn_end_char].strip()
        span = (citation.turn_start_char, citation.turn_end_char)
        assert span not in found.unsupported_spans
    for start, end in found.unsupported_spans:
        assert 0 <= start < end <= len(answer)
    assert found.grounded_share is None or 0.0 <= found.grounded_share <= 1.0


def test_sentences_end_where_a_reader_ends_them():
    text = (
        "Use e.g. a card. It costs 3.50 EUR (Mr. X says so). Done!\n1. First step\n- Second. "
        "lower. \u201cQuoted.\u201d What? \u597d\u3002\u662f"
    )
    assert [sentence.text for sentence in split_sentences(text)] == [
        "Use e.g. a card.",
        "It costs 3.50 EUR (Mr. X says so).",
        "Done!",
        "First step",
        "Second.",
        "lower.",
        "\u201cQuoted.\u201d",
        "What?",
        "\u597d\u3002",
        "\u662f",
    ]


@given(st.text(st.sampled_from("ab. !?\n1-A\u3002"), max_size=40))
def test_sentences_are_in_order_and_lose_no_word(text: str):
    position = 0
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.start >= position
        position = sentence.end
    kept = "".join(sentence.text for sentence in split_sentences(text))
    assert kept.count("a") == text.count("a")


def test_a_growing_text_knows_its_finished_sentences():
    assert finished_length("One. Two") == 4
    assert finished_length("One two") == 0
    assert finished_length("It costs 3.5") == 0


def test_words_are_compared_by_their_stems():
    assert stem("policies") == stem("policy")
    assert stem("cancelled") == stem("cancel")
    assert stem("deliveries") == stem("delivery")
    assert telling_words("The refunds are processed") == telling_words("processing of a refund")
    assert numbers_of("It takes fourteen days and 1,000.50 EUR") == {"14", "1000.5"}
    assert numbers_of("Seventy or eighty of a hundred, one each") == {"70", "80", "100"}


def test_a_citation_names_the_place_of_what_it_quotes():
    both = replace(
        REFUNDS,
        page="3",
        places=(
            Place(500, "3", ("Returns",)),
            Place(500 + REFUNDS.text.index("Refunds"), "4", ("Returns", "Money")),
        ),
    )

    answer = "Orders can be returned within 30 days. Gift cards cannot be refunded."
    first, second = attribute(answer, [both]).citations

    assert (first.page, first.heading_path) == ("3", ("Returns",))
    assert (second.page, second.heading_path) == ("4", ("Returns", "Money"))
    assert attribute(answer, [REFUNDS]).citations[0].heading_path == ("Returns",)
