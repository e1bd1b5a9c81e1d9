import pytest

from analysis.gaps.impact import Effect, impact_of, past_questions, turn_impact
from analysis.gaps.impact_text import differences_as_text, impact_as_text
from analysis.labels.paired import paired_difference
from conversation.transcript import Citation
from kb.document import RetrievedPassage
from tests.analysis.asked import ShelfSource, a_passage
from tests.analysis.calls import AGENT, DAY, Stores, hold_call

REFUNDS = "Refunds are paid within five days."


def test_past_turns_are_searched_for_in_both(stores: Stores):
    hold_call(stores.conversations, "c1", question="How long do refunds take?")
    hold_call(stores.conversations, "c2", question="Do you sell gift vouchers?")
    before = ShelfSource({"Refunds": "How long refunds take: five days."})
    after = ShelfSource({**before.documents, "Vouchers": "Do we sell gift vouchers? Yes."})

    questions = past_questions(stores.conversations, AGENT.agent_id)
    impact = impact_of(questions, before, after, limit=3, min_score=0.3)

    assert (impact.turns, impact.conversations) == (2, 2)
    [turn] = impact.changed
    assert (turn.question.conversation_id, turn.effect) == ("c2", "gains_answer")
    assert [c.passage.document_name for c in turn.changes] == ["Vouchers"]
    assert (
        before.asked
        == after.asked
        == [
            ("Do you sell gift vouchers?", 1),
            ("How long do refunds take?", 1),
        ]
    )


def test_an_answer_that_loses_the_passage_it_cites_comes_first(stores: Stores):
    hold_call(stores.conversations, "c1", question="How long do refunds take?")
    hold_call(stores.conversations, "c2", question="When are refunds paid?")
    [newest, asked] = past_questions(stores.conversations, AGENT.agent_id)
    cited = a_passage("Refunds", REFUNDS, score=0.8, rank=1, document_id="doc-1")
    other = a_passage("Prices", "Lamps cost ten euros.", score=0.8, rank=1)
    found = turn_impact(asked, [cited], [other])
    assert found is not None
    assert found.effect == "loses_citation"
    assert [(c.passage.document_name, c.cited) for c in found.changes] == [
        ("Refunds", True),
        ("Prices", False),
    ]
    assert newest.citations[0].quote == "five days"


def passages(*scored: tuple[str, float]) -> list[RetrievedPassage]:
    return [
        a_passage(name, f"What {name} says of it.", score=score, rank=rank)
        for rank, (name, score) in enumerate(scored, start=1)
    ]


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ([("A", 0.8)], [("A", 0.8)], None),
        ([("A", 0.8), ("B", 0.7)], [("B", 0.8), ("A", 0.7)], "other_order"),
        ([("A", 0.8)], [("A", 0.8), ("B", 0.7)], "other_passages"),
        ([("A", 0.1)], [("B", 0.7)], "gains_answer"),
        ([("A", 0.8)], [], "loses_answer"),
        ([], [], None),
    ],
)
def test_turns_are_sorted_by_what_happens_to_them(
    stores: Stores,
    before: list[tuple[str, float]],
    after: list[tuple[str, float]],
    effect: Effect | None,
):
    hold_call(stores.conversations, "c1")
    [asked] = past_questions(stores.conversations, AGENT.agent_id)
    found = turn_impact(asked, passages(*before), passages(*after))
    assert (found and found.effect) == effect


def test_a_passage_that_moved_in_its_document_is_the_same(stores: Stores):
    hold_call(stores.conversations, "c1")
    [asked] = past_questions(stores.conversations, AGENT.agent_id)
    old = a_passage("Refunds", REFUNDS, score=0.8, rank=1)
    moved = a_passage("Refunds", f"{REFUNDS} ", score=0.8, rank=1, start_char=40)
    rewritten = a_passage("Refunds", "Lamps cost ten euros.", score=0.8, rank=1)
    assert turn_impact(asked, [old], [moved]) is None
    assert turn_impact(asked, [old], [rewritten]) is not None


def test_only_conversations_since_a_day_are_asked(stores: Stores):
    hold_call(stores.conversations, "c1")
    later = DAY.replace(year=2027)
    assert list(past_questions(stores.conversations, AGENT.agent_id, since=later)) == []


def test_the_text_counts_turns_and_shows_the_gravest(stores: Stores):
    hold_call(stores.conversations, "c1", question="Refunds\x1b[31m?")
    [asked] = past_questions(stores.conversations, AGENT.agent_id)
    source = ShelfSource({"Refunds": "Refunds"})
    impact = impact_of([asked], source, ShelfSource(), limit=3)
    text = impact_as_text(impact)
    assert "1 turn of 1 conversation searched for again:" in text
    assert "1  found a passage that fits, and find none any more" in text
    assert 'lost   1 ->    Refunds: "Refunds"' in text
    assert "\x1b" not in text
    assert "nobody has asked anything yet" in impact_as_text(impact_of([], source, source, limit=3))


def test_differences_say_whether_they_may_be_chance():
    clear = paired_difference([("failure", "success")] * 10 + [("success", "success")] * 10)
    text = differences_as_text({"handled": clear, "polite": paired_difference([])})
    assert "handled: 50 % -> 100 %, difference +50 points, 95 % interval +" in text
    assert "clear" in text
    assert "polite: no conversation was decided both times." in text


def test_citations_match_by_quote_where_chunks_were_cut_anew(stores: Stores):
    hold_call(stores.conversations, "c1")
    [asked] = past_questions(stores.conversations, AGENT.agent_id)
    assert isinstance(asked.citations[0], Citation)
    cut_anew = a_passage("Refunds", REFUNDS, score=0.8, rank=1, document_id="doc-1")
    found = turn_impact(asked, [cut_anew], [])
    assert found is not None
    assert found.effect == "loses_citation"
