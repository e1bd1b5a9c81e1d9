from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.evaluators.unanswered import says_dont_know, unanswered_questions
from analysis.gaps.checking import check_question
from analysis.gaps.gaps import GapRun, find_gaps
from analysis.gaps.records import stored_gaps
from analysis.gaps.store import (
    KeptPassage,
    KeptQuestion,
    gap_history,
    gap_rows,
    read_questions,
)
from analysis.results import Evidence
from analysis.store.forgetting import forget_conversations
from conversation.transcript import Citation, Retrieval, ToolCall, Transcript, Turn
from tests.analysis.asked import ShelfSource, WordsEmbedder
from tests.analysis.calls import AGENT, DAY, Stores, a_verdict, open_stores, save_answers

NO_MEANING = np.zeros(3, dtype=np.float32)
VOUCHER = "Can I pay with a gift voucher"
WARRANTY = "How long is the warranty on lamps"


@dataclass
class Desk:
    """Calls of an agent over a shelf of documents."""

    stores: Stores
    shelf: ShelfSource = field(default_factory=ShelfSource)
    calls: int = 0

    def ask(
        self, question: str, answer: str = "I don't know.", *, conversation_id: str = ""
    ) -> str:
        """Hold a call in which the shelf is searched for the question."""
        self.calls += 1
        name = conversation_id or f"c{self.calls}"
        at = DAY + timedelta(hours=self.calls)
        store = self.stores.conversations
        store.begin(name, agent_id=AGENT.agent_id, started_at=at)
        store.append_turn(name, Turn(role="user", text=question, offset_s=1.0), at=at)
        found = self.shelf.retrieve(question)
        turn_id = f"{name}-answer"
        store.append_turn(
            name,
            Turn(role="agent", text=answer, turn_id=turn_id),
            at=at,
            retrieved=[
                Retrieval(
                    turn_id=turn_id,
                    query=question,
                    chunk_id=p.chunk_id,
                    document_id=p.document_id,
                    document_name=p.document_name,
                    start_char=0,
                    end_char=p.end_char,
                    rank=p.rank,
                    score=p.score,
                    text=p.text,
                )
                for p in found
            ],
        )
        store.end(name, reason="user_ended", at=at)
        return name

    def run(self, **changes: Any) -> GapRun:
        given: dict[str, Any] = {
            "conversations": self.stores.conversations,
            "store": self.stores.evaluations,
            "embedder": WordsEmbedder(),
            "now": DAY + timedelta(days=self.calls),
            "source": self.shelf,
        }
        return find_gaps(AGENT.agent_id, **(given | changes))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_stores(tmp_path) as stores:
        desk = Desk(stores)
        desk.shelf.put("Refunds", "Refunds of a purchase take five days.")
        yield desk


def test_alike_questions_are_one_gap_with_what_is_near_and_what_is_missing(desk: Desk):
    desk.ask(f"{VOUCHER}?")
    desk.ask(f"{VOUCHER} from my aunt?")
    desk.ask(f"{WARRANTY}?")
    desk.ask("How long do refunds take?", "Refunds take five days.")

    run = desk.run()

    assert [(gap.title, len(gap.questions), gap.state) for gap in run.gaps] == [
        (f"{VOUCHER}?", 2, "open"),
        (f"{WARRANTY}?", 1, "open"),
    ]
    voucher = run.gaps[0]
    assert voucher.conversations == 2
    assert voucher.per_day == {DAY.date(): 2}
    assert voucher.reasons["dont_know"] == 2
    assert [passage.document_name for passage in voucher.nearest] == ["Refunds"]
    assert voucher.missing_words[:3] == ("pay", "gift", "voucher")
    assert (run.new_questions, run.checked) == (3, 3)


def test_a_document_that_answers_fixes_the_gap_and_its_removal_brings_it_back(desk: Desk):
    desk.ask(f"{VOUCHER}?")
    desk.ask(f"{VOUCHER} from my aunt?")
    [before] = desk.run().gaps

    desk.shelf.put("Vouchers", "Yes, you can pay with a gift voucher.")
    [fixed] = desk.run().gaps
    assert (fixed.state, fixed.gap_id) == ("fixed", before.gap_id)
    assert fixed.passage is not None
    assert (fixed.passage.document_name, fixed.answered) == ("Vouchers", 2)

    desk.shelf.take("Vouchers")
    [back] = desk.run().gaps
    assert (back.state, back.passage) == ("regressed", None)

    desk.shelf.put("Vouchers", "Yes, you can pay with a gift voucher.")
    desk.run()
    states = [row["state"] for row in gap_history(desk.stores.evaluations.engine, fixed.gap_id)]
    assert states == ["open", "fixed", "regressed", "fixed"]


def test_a_question_asked_in_vain_after_the_fix_says_that_it_was_none(desk: Desk):
    for _ in range(3):
        desk.ask(f"{VOUCHER}?")
    desk.run()
    desk.shelf.put("Vouchers", "Yes, you can pay with a gift voucher.")
    desk.run()
    desk.ask(f"{VOUCHER}?")
    [gap] = desk.run().gaps
    assert (gap.state, len(gap.questions), gap.answered) == ("regressed", 4, 3)


def test_what_the_index_was_asked_already_is_not_asked_again(desk: Desk):
    desk.ask(f"{VOUCHER}?")
    assert desk.run().checked == 1
    assert desk.run().checked == 0
    assert desk.run(recheck=True).checked == 1
    desk.shelf.put("Prices", "Lamps cost ten euros.")
    run = desk.run()
    assert (run.checked, run.gaps[0].checked_index_version) == (1, desk.shelf.index_version)


def test_a_question_is_embedded_once(desk: Desk):
    embedder = WordsEmbedder()
    desk.ask(f"{VOUCHER}?")
    desk.run(embedder=embedder)
    desk.ask(f"{WARRANTY}?")
    desk.run(embedder=embedder)
    assert embedder.embedded == [f"{VOUCHER}?", f"{WARRANTY}?"]


def test_questions_are_asked_again_after_the_turns_they_followed(desk: Desk):
    store = desk.stores.conversations
    store.begin("c", agent_id=AGENT.agent_id, started_at=DAY)
    for turn in (
        Turn(role="user", text="Tell me about gift vouchers."),
        Turn(role="agent", text="I don't know."),
        Turn(role="user", text="And for how long?"),
        Turn(role="agent", text="I don't know."),
    ):
        store.append_turn("c", turn, at=DAY)
    store.end("c", reason="user_ended", at=DAY)
    embedder = WordsEmbedder()
    desk.run(embedder=embedder)
    assert desk.shelf.asked == [("Tell me about gift vouchers.", 0), ("And for how long?", 2)]
    assert "Tell me about gift vouchers. And for how long?" in embedder.embedded


def test_without_a_knowledge_base_gaps_stay_open(desk: Desk):
    desk.ask(f"{VOUCHER}?")
    run = desk.run(source=None)
    assert (run.gaps[0].state, run.checked, run.gaps[0].nearest) == ("open", 0, ())


def test_a_gap_whose_questions_are_gone_is_gone(desk: Desk):
    desk.ask(f"{VOUCHER}?")
    desk.run()
    desk.stores.conversations.delete("c1")
    desk.stores.evaluations.forget("c1")
    assert gap_rows(desk.stores.evaluations.engine) == ([], [])
    assert gap_history(desk.stores.evaluations.engine) == []


def test_forgetting_a_conversation_takes_its_words_out_of_the_title(desk: Desk):
    desk.ask(f"{VOUCHER}?", conversation_id="kept")
    desk.ask(f"{VOUCHER} from aunt Mildred?", conversation_id="gone")
    desk.run(name_gap=lambda _: "Aunt Mildred's voucher", named_by="a/b")
    desk.stores.evaluations.forget("gone")
    [gap], [question] = gap_rows(desk.stores.evaluations.engine)
    assert question["conversation_id"] == "kept"
    assert gap["title"] == f"{VOUCHER}?"
    assert "mildred" not in str(gap).lower()


def without_ids(run: GapRun) -> list[tuple[str, str, list[str]]]:
    return sorted((gap.title, gap.state, sorted(q.key for q in gap.questions)) for gap in run.gaps)


def test_a_run_that_reads_what_changed_finds_what_a_full_one_does(desk: Desk):
    desk.ask(f"{VOUCHER}?")
    desk.ask(f"{WARRANTY}?")
    desk.run()
    answered = desk.ask("How long do refunds take?", "Refunds take five days.")
    verdict = a_verdict(answered, "failure", evidence=(Evidence(turn_index=1, quote="five days"),))
    changes = [
        lambda: desk.ask(f"{VOUCHER} from my aunt?"),
        lambda: save_answers(desk.stores.evaluations, answered, verdict),
        lambda: forget_conversations(desk.stores.evaluations.engine, ["c2"]),
        lambda: desk.stores.evaluations.forget("c1"),  # the conversation is still there
        lambda: desk.shelf.put("Vouchers", f"{VOUCHER}: yes, you can."),
        lambda: desk.shelf.take("Vouchers"),
    ]
    marked = {"criteria": ["handled_inquiry"]}
    found: list[tuple[str, str, list[str]]] = []
    for change in changes:
        change()
        found = without_ids(desk.run(**marked))
        assert found == without_ids(desk.run(**marked))
        assert found == without_ids(desk.run(read=desk.stores.conversations.transcript, **marked))
    assert [state for _, state, _ in found] == ["regressed", "open"]


def test_a_forgotten_question_and_its_vector_are_gone_before_the_next_run(desk: Desk):
    desk.ask(f"{VOUCHER}?", conversation_id="kept")
    desk.ask(f"{VOUCHER} from aunt Mildred?", conversation_id="gone")
    desk.run()
    forget_conversations(desk.stores.evaluations.engine, ["gone"])
    kept = read_questions(desk.stores.evaluations.engine, AGENT.agent_id)
    assert [question.conversation_id for question in kept] == ["kept"]
    assert without_ids(desk.run()) == [(f"{VOUCHER}?", "open", ["kept:0"])]


def test_the_last_run_can_be_read_again(desk: Desk):
    desk.ask(f"{VOUCHER}?")
    desk.ask(f"{WARRANTY}?")
    run = desk.run()
    stored = stored_gaps(AGENT.agent_id, desk.stores.evaluations)
    assert [(g.gap_id, g.title, g.nearest) for g in stored] == [
        (g.gap_id, g.title, g.nearest) for g in run.gaps
    ]


def test_the_question_that_a_failed_criterion_points_to_is_a_gap(desk: Desk):
    name = desk.ask("How long do refunds take?", "Refunds take five days.")
    verdict = a_verdict(name, "failure", evidence=(Evidence(turn_index=1, quote="five days"),))
    save_answers(desk.stores.evaluations, name, verdict)
    assert desk.run().gaps == ()
    [gap] = desk.run(criteria=["handled_inquiry"]).gaps
    assert gap.reasons == {"failed_criterion": 1}


def exchange(answer: Turn, question: str = "What does a lamp cost?") -> Transcript:
    asked = Turn(role="user", text=question)
    return Transcript(conversation_id="c", turns=(asked, answer), started_at=DAY)


def reasons_of(transcript: Transcript, *scores: float) -> list[tuple[str, ...]]:
    retrieved = [
        Retrieval(
            turn_id="t",
            query="",
            chunk_id=f"k{rank}",
            document_id="d",
            document_name="D",
            start_char=0,
            end_char=1,
            rank=rank,
            score=score,
        )
        for rank, score in enumerate(scores, start=1)
    ]
    return [question.reasons for question in unanswered_questions(transcript, retrieved, now=DAY)]


def test_each_sign_of_a_missing_answer_counts():
    said = Turn(role="agent", text="A lamp costs ten euros.", turn_id="t")
    tool = ToolCall(tool_name="report_knowledge_gap", tool_call_id="1")
    reported = said.model_copy(update={"tool_calls": (tool,)})
    invented = said.model_copy(update={"grounded_share": 0.0, "unsupported_spans": ((0, 5),)})
    cited = Citation(
        document_id="d",
        document_name="D",
        chunk_id="k1",
        start_char=0,
        end_char=1,
        quote="x",
        turn_start_char=0,
        turn_end_char=1,
        score=1.0,
    )
    assert reasons_of(exchange(said), 0.9) == []
    assert reasons_of(exchange(said), 0.1, 0.2) == [("weak_retrieval",)]
    assert reasons_of(exchange(said.model_copy(update={"citations": (cited,)})), 0.1) == []
    assert reasons_of(exchange(reported), 0.9) == [("reported",)]
    assert reasons_of(exchange(invented), 0.9) == [("ungrounded",)]


def test_what_asks_for_nothing_is_no_question():
    said = Turn(role="agent", text="Fine.", turn_id="t")
    assert reasons_of(exchange(said, "Thank you, goodbye!"), 0.1) == []
    assert reasons_of(exchange(said, "My order number is 12345."), 0.1) == []


def test_a_reported_question_is_taken_as_the_agent_words_it():
    tool = ToolCall(
        tool_name="report_knowledge_gap", tool_call_id="1", parameters={"question": "Lamp prices?"}
    )
    answer = Turn(role="agent", text="I will pass that on.", tool_calls=(tool,))
    [found] = unanswered_questions(exchange(answer, "How much?"), [], now=DAY)
    assert found.question == "Lamp prices?"


@pytest.mark.parametrize(
    ("reply", "unknown"),
    [
        ("I don\u2019t know.", True),
        ("I do not have any information about prices.", True),
        ("The documents do not mention a price.", True),
        ("Sorry, I couldn't find that.", True),
        ("That is not covered in the handbook.", True),
        ("I'm not sure what it costs.", True),
        ("You don't need to know the price.", False),
        ("The lamp does not cover the table.", False),
        ("Refunds take five days.", False),
    ],
)
def test_replies_that_admit_not_to_know_are_told_from_others(reply: str, unknown: bool):
    assert says_dont_know(reply) is unknown


@pytest.mark.parametrize(
    ("question", "known", "missing"),
    [
        (
            "Kann ich mit Gutscheinen bezahlen?",
            "Sie können bei uns nur mit Karte bezahlen.",
            ("gutscheinen",),
        ),
        ("我可以用礼品券付款吗？", "我们接受信用卡付款。", ("礼品券",)),
        ("商品券で支払いできますか", "支払いはカードでできます。", ("商品券",)),
        (
            "¿Puedo pagar con vales?",
            "Puede pagar con tarjeta en la tienda o por internet.",
            ("vales",),
        ),
        ("Можно оплатить подарочной картой?", "Оплатите картой.", ("подарочной",)),
        ("هل يمكن الدفع بالقسيمة؟", "يمكن الدفع بالبطاقة.", ("بالقسيمة",)),
        ("Can I pay with a gift voucher?", "Pay by card.", ("gift", "voucher")),
    ],
)
def test_words_that_no_passage_says_are_told_in_the_language_of_the_question(
    question: str, known: str, missing: tuple[str, ...]
):
    asked = KeptQuestion("c", 0, None, question, DAY, (), None, (), "m", NO_MEANING)
    passage = KeptPassage("d", "Shop", 1, "d#0", known, 0.1)

    assert check_question(asked, [passage]).missing_words == missing


@pytest.mark.parametrize(
    "asked",
    [
        "wie lange dauert die Rückerstattung",
        "cuánto tarda el reembolso",
        "退款需要多久",
        "返金はいつですか",
        "환불은 언제 되나요",
        "متى يصل المبلغ",
        "сколько идёт возврат",
        "คืนเงินใช้เวลากี่วัน",
    ],
)
def test_a_question_without_a_mark_is_one_in_any_language(asked: str, desk: Desk):
    desk.ask(asked, "...")
    transcript = desk.stores.conversations.transcript("c1")
    weak = Retrieval(
        turn_id="c1-answer",
        query=asked,
        chunk_id="d#0",
        document_id="d",
        document_name="D",
        start_char=0,
        end_char=1,
        rank=1,
        score=0.1,
    )

    [found] = unanswered_questions(transcript, [weak], now=DAY)
    assert found.reasons == ("weak_retrieval",)
