"""Chunks to passages: other documents are seen too, repeats once, neighbours together."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pptx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pptx.util import Inches

from kb.config import KnowledgeBaseConfig, Limits, RetrievalConfig
from kb.index.catalog import ChunkRow
from kb.retrieval.passages import ScoredChunk, diversified, is_repeat
from kb.retrieval.relevance import ChunkWords
from tests.kb.conftest import OpenKnowledgeBase
from tests.kb.formats.documents import pdf


def found(document: str, score: float, text: str = "some words") -> ScoredChunk:
    row = ChunkRow(
        row_id=1,
        chunk_id=f"{document}{score}",
        document_id=document,
        document_name=document,
        ordinal=0,
        start_char=0,
        end_char=len(text),
        heading_path=(),
        page=None,
        text=text,
        text_key="",
        document_version=1,
        headings="",
        name_id=None,
    )
    words = ChunkWords(Counter(text.split()), frozenset(), len(text.split()))
    return ScoredChunk(row, score, 0.5, words, {}, {}, {})


def test_of_equally_good_chunks_those_of_other_documents_come_first():
    chunks = [found("a", 0.90), found("a", 0.895), found("b", 0.89), found("a", 0.70)]

    order = [each.row.chunk_id for each in diversified(chunks, weight=0.01)]

    assert order == ["a0.9", "b0.89", "a0.895", "a0.7"]


def test_a_clearly_better_chunk_of_the_same_document_stays_ahead():
    chunks = [found("a", 0.90), found("a", 0.85), found("b", 0.80)]

    assert list(diversified(chunks, weight=0.01)) == chunks
    assert list(diversified([], weight=0.01)) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("refunds take five days", "refunds take five days", True),
        ("days take five refunds", "refunds take five days", True),
        ("refunds take five days", "refunds take ten days", False),
        (f"{'w ' * 60}basic", f"{'w ' * 60}silver", False),
        (f"{'w ' * 60}rises", f"{'w ' * 60}", True),
        (f"{'的' * 60} 北京", f"{'的' * 60} 上海", False),
        ("refunds", "refunds take five days", False),
        ("", "", False),
    ],
)
def test_a_repeat_has_nearly_the_same_words(one: str, other: str, same: bool):
    assert is_repeat(found("a", 1.0, one), found("b", 0.9, other), 0.95) == same


def test_what_stands_in_two_documents_is_shown_once(open_kb: OpenKnowledgeBase):
    kb = open_kb(KnowledgeBaseConfig(limits=Limits(max_documents=None)))
    answer = "Refunds take five working days and go to the card that was charged. "
    kb.add_text("Handbook", answer * 2)
    kb.add_text("Copy of handbook", answer * 2)
    kb.add_text("Shipping", "Parcels take three working days.")

    names = [passage.document_name for passage in kb.retrieve("refunds working days", limit=3)]

    assert len(names) == 2
    assert "Shipping" in names


@pytest.mark.parametrize(("merge_chars", "count"), [(1, 2), (1_200, 1)])
def test_neighbours_become_one_passage_within_the_budget(
    open_kb: OpenKnowledgeBase, merge_chars: int, count: int
):
    config = KnowledgeBaseConfig(retrieval=RetrievalConfig(merge_chars=merge_chars))
    kb = open_kb(config)
    first = "Refunds take five working days. " * 12
    second = "Exchanges of refunds are for sale items. " * 9
    document = kb.add_text("Handbook", f"{first}\n\n{second}")

    passages = kb.retrieve("refunds")

    assert document.chunk_count == 2
    assert len(passages) == count
    text = kb.text_of(document.document_id)
    assert all(each.text == text[each.start_char : each.end_char] for each in passages)


@pytest.mark.parametrize(("share", "count"), [(1.0, 1), (0.99, 2)])
def test_the_budget_of_a_passage_is_in_characters(
    open_kb: OpenKnowledgeBase, share: float, count: int
):
    first = "Refunds take five working days. " * 12
    second = "Exchanges of refunds are for sale items. " * 9
    text = f"{first.strip()}\n\n{second.strip()}"
    retrieval = RetrievalConfig(merge_chars=int(len(text) * share))
    kb = open_kb(KnowledgeBaseConfig(retrieval=retrieval))
    kb.add_text("Handbook", text)

    assert len(kb.retrieve("refunds")) == count


COLOURS = {"blue": 12, "red": 9, "green": 7, "grey": 5}


@pytest.mark.parametrize(("words", "count"), [(1, 1), (27, 2)])
def test_a_passage_knows_the_page_of_each_sentence(
    open_kb: OpenKnowledgeBase, tmp_path: Path, words: int, count: int
):
    # One chunk over four pages, and neighbouring chunks that become one passage.
    pages = [
        [(f"The {name} pump runs at {bar} bar.", 11, "Helvetica")]
        + [("It is serviced by the north team in spring.", 11, "Helvetica")] * (words // 9)
        for name, bar in COLOURS.items()
    ]
    (tmp_path / "pumps.pdf").write_bytes(pdf(*pages))
    retrieval = RetrievalConfig(merge_chars=9_000, duplicate_overlap=1.0)
    kb = open_kb(KnowledgeBaseConfig(retrieval=retrieval))
    assert kb.add_file(tmp_path / "pumps.pdf").chunk_count == count

    (passage,) = kb.retrieve("which pump runs at what bar?")

    said = [f"The {name} pump runs at {bar} bar." for name, bar in COLOURS.items()]
    assert [passage.place_at(passage.text.index(each)).page for each in said] == list("1234")


PAGES = {
    "en": (
        ["The blue pump runs at 12 bar.", "The red pump runs at 9 bar.", "The grey one is silent."],
        [
            ("How loud is the grey one?", "3"),
            ("red pump bar", "2"),
            ("Is the blue pump fast?", "1"),
        ],
    ),
    "de": (
        ["Die blaue Pumpe hat 12 bar.", "Die roten Pumpen brauchen Strom.", "Graue sind leise."],
        [("Braucht die rote Pumpe Strom?", "2"), ("Wie leise ist die graue?", "3")],
    ),
    "fr": (
        ["La pompe bleue tourne vite.", "La pompe rouge chauffe.", "La pompe grise est muette."],
        [("Pourquoi la pompe rouge chauffe-t-elle ?", "2"), ("La grise est muette ?", "3")],
    ),
    "zh": (
        ["蓝色水泵的压力是十二。", "红色水泵的保修期是三年。", "灰色水泵很安静。"],
        [("红色水泵的保修期", "2"), ("灰色水泵安静吗", "3")],
    ),
    "ru": (
        ["Синий насос работает быстро.", "Красный насос греется.", "Серый насос молчит."],
        [("Почему греется красный насос?", "2"), ("Серый молчит?", "3")],
    ),
}


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("search", ["retrieve", "retrieve_lexical"])
def test_a_passage_over_pages_is_on_the_page_of_what_was_asked(
    open_kb: OpenKnowledgeBase, tmp_path: Path, language: str, search: str
):
    slides, asked = PAGES[language]
    presentation = pptx.Presentation()
    for said in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        slide.shapes.add_textbox(*[Inches(1)] * 4).text_frame.text = said
    presentation.save(str(tmp_path / "pumps.pptx"))
    kb = open_kb()
    assert kb.add_file(tmp_path / "pumps.pptx").chunk_count == 1

    found = [getattr(kb, search)(question)[0].page for question, _ in asked]

    assert found == [page for _, page in asked]


@pytest.mark.parametrize("search", ["retrieve", "retrieve_lexical"])
@pytest.mark.parametrize("mark", ["#", "##"])
def test_a_passage_of_small_sections_is_named_by_the_one_that_was_asked_for(
    open_kb: OpenKnowledgeBase, tmp_path: Path, search: str, mark: str
):
    (tmp_path / "shop.md").write_text(
        f"# Our shop\n\nWe sell bicycles.\n\n{mark} Opening hours\n\nWe open at nine on Monday.\n\n"
        f"{mark} Delivery\n\n| to | price |\n|---|---|\n| Germany | 4.90 EUR |\n"
        f"| Austria | 9.90 EUR |\n\n{mark} Returns\n\nSend it back by post.\n"
    )
    kb = open_kb()
    kb.add_file(tmp_path / "shop.md")
    asked = {
        "What does delivery to Austria cost?": "Delivery",
        "When do you open on Monday?": "Opening hours",
        "May I send it back by post?": "Returns",
        "Do you sell bicycles?": "Our shop",
    }

    found = {question: getattr(kb, search)(question)[0] for question in asked}

    assert {each: passage.section[-1] for each, passage in found.items()} == asked
    if search == "retrieve":
        assert any(len(passage.places) > 2 for passage in found.values())


DELIVERY = (
    "Delivery of parcels to {country} is done by our partner on every working day between eight "
    "and six. The parcel is handed to the person at the door or to a neighbour, and a card is left "
    "when nobody is at home. Delivery costs {price} euros for each parcel up to thirty kilograms, "
    "whatever its size, and {can} be paid in cash at the door."
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"country": "Germany", "price": "5"}, {"country": "Austria", "price": "9"}),
        ({"price": "5"}, {"price": "9"}),
        ({"country": "Germany"}, {"country": "Poland"}),
        ({"can": "can"}, {"can": "cannot"}),
        ({"can": "may"}, {"can": "may not"}),
    ],
)
def test_pages_that_differ_in_a_fact_are_all_shown(
    open_kb: OpenKnowledgeBase, one: dict[str, str], other: dict[str, str]
):
    kb = open_kb()
    common = {"country": "Germany", "price": "5", "can": "cannot"}
    kb.add_text("one", DELIVERY.format(**common | one))
    kb.add_text("other", DELIVERY.format(**common | other))
    kb.add_text("pool", "The pool opens at nine.")

    for found in (kb.retrieve("delivery costs"), kb.retrieve_lexical("delivery costs")):
        assert {"one", "other"} <= {passage.document_name for passage in found}


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("The {} plan has five users and support by mail. You can change it at any time.", "basic",
         "silver"),
        ("The oven of the kitchen works down to {} and is cleaned every week.", "-5 C", "5 C"),
        ("The small box of the shop is sent for {} and comes on Monday.", "5 $", "5 \u20ac"),
        ("The rule of the house holds where {} and is read out.", "x < 5", "x > 5"),
        ("The room is open for all. Smoking: {} and it is cleaned.", "\u2705", "\u274c"),
        ("The branch in the north of the city is open on all days but it closes on {}.", "monday",
         "tuesday"),
        ("{}的客服中心周一到周五上午九点到下午六点营业，节假日休息，请提前预约。", "北京", "上海"),
    ],
)  # fmt: skip
def test_one_word_in_the_place_of_another_is_something_else(
    open_kb: OpenKnowledgeBase, text: str, one: str, other: str
):
    kb = open_kb()
    kb.add_texts([(name, (text.format(name) + " ") * 3) for name in (one, other)])

    asked = "客服" if "客服" in text else f"open plan {text.split()[1]}"
    for found in (kb.retrieve(asked), kb.retrieve_lexical(asked)):
        assert {passage.document_name for passage in found} == {one, other}


def test_a_word_that_was_asked_for_makes_a_difference(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    common = " ".join(f"word{'abcdefghij'[at % 10]}{'klmnop'[at // 10]}" for at in range(60))
    kb.add_text("red", f"{common} red")
    kb.add_text("blue", f"{common} blue")

    named = {passage.document_name for passage in kb.retrieve("red or blue wordak")}
    other = kb.retrieve("wordak")

    assert named == {"red", "blue"}
    assert len(other) == 2


def test_numbers_that_change_places_make_a_difference(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    kb.add_text("one", "Adults pay 9 euros and children pay 5 euros for the ticket at the desk.")
    kb.add_text("other", "Adults pay 5 euros and children pay 9 euros for the ticket at the desk.")

    assert len(kb.retrieve("what do children pay")) == 2


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1, 1)), max_size=60),
    st.floats(0, 0.5),
)
def test_what_comes_first_is_chosen_from_the_next_twenty_and_no_more_is_made(
    drawn: list[tuple[str, float]], weight: float
):
    waiting = sorted((found(document, score) for document, score in drawn), key=lambda x: -x.score)
    made: list[ScoredChunk] = []

    def coming() -> Iterator[ScoredChunk]:
        for item in waiting:
            made.append(item)
            yield item

    got = diversified(coming(), weight=weight)
    left, shown = list(waiting), Counter[str]()
    for place in range(len(waiting)):
        worth = [item.score - weight * shown[item.row.document_id] for item in left[:20]]
        expected = left.pop(worth.index(max(worth)))
        shown[expected.row.document_id] += 1
        assert next(got) is expected
        assert len(made) <= place + 21
    assert next(got, None) is None
