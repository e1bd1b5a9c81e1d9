import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from analysis.evaluation.plan import EvaluationScope
from analysis.evaluation.run import evaluate_conversations
from analysis.store.leases import LASTS, give_back, new_holder, take
from conversation.agent.config import LLMConfig
from conversation.llm.chat_model import ChatMessage, CompletionOptions
from conversation.store.ownership import this_process
from tests.analysis.calls import AGENT, DAY, Stores, hold_call
from tests.fakes import ScriptedChatModel


def test_a_conversation_is_held_until_it_is_given_back(stores: Stores):
    engine = stores.evaluations.engine
    one, two = new_holder("one"), new_holder("two")

    assert take(engine, "c0", holder=one, now=DAY)
    assert take(engine, "c0", holder=one, now=DAY), "who has it may take it again"
    assert not take(engine, "c0", holder=two, now=DAY)
    assert take(engine, "c1", holder=two, now=DAY)
    give_back(engine, "c0", holder=two)
    assert not take(engine, "c0", holder=two, now=DAY), "only its holder gives it back"

    give_back(engine, "c0", holder=one)
    assert take(engine, "c0", holder=two, now=DAY)


def test_what_an_ended_process_held_is_taken_over(stores: Stores):
    host = this_process().partition("/")[0]
    engine = stores.evaluations.engine
    assert take(engine, "c0", holder=f"{host}/999999999/dead one", now=DAY)

    assert take(engine, "c0", holder=new_holder("two"), now=DAY)


def test_a_holder_on_another_machine_keeps_it_for_a_while(stores: Stores):
    engine = stores.evaluations.engine
    assert take(engine, "c0", holder="elsewhere/7/aaaa one", now=DAY)

    assert not take(engine, "c0", holder=new_holder("two"), now=DAY + LASTS - timedelta(seconds=1))
    assert take(engine, "c0", holder=new_holder("two"), now=DAY + LASTS)


def test_two_runs_at_the_same_time_ask_nothing_twice(stores: Stores):
    for number in range(6):
        hold_call(stores.conversations, f"c{number}", started_at=DAY + timedelta(minutes=number))
    both_plan = threading.Barrier(2)

    def answer(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
        if options.schema is None:
            return "A summary."
        if "verdict" in options.schema["properties"]:
            return {"verdict": "success", "turn": 1, "quote": "refunds", "rationale": "Answered."}
        return {"fields": []}

    def run(_: int) -> tuple[int, int, int]:
        judge = ScriptedChatModel(always=answer, model="scripted/judge")

        def open_model(_: LLMConfig) -> ScriptedChatModel:
            # Both have made their plan before either asks.
            both_plan.wait(30)
            return judge

        done = evaluate_conversations(
            stores.conversations,
            stores.evaluations,
            [AGENT],
            open_model=open_model,
            scope=EvaluationScope(judge="scripted/judge"),
        )
        return done.evaluated, done.elsewhere, len(judge.prompts)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))

    assert first[0] + second[0] == 6
    assert first[1] + second[1] == 6
    alone = ScriptedChatModel(always=answer, model="scripted/judge")
    with_nothing_left = evaluate_conversations(
        stores.conversations,
        stores.evaluations,
        [AGENT],
        open_model=lambda _: alone,
        scope=EvaluationScope(judge="scripted/judge"),
    )
    assert (with_nothing_left.cached, len(alone.prompts)) == (6, 0)
    ids = [f"c{number}" for number in range(6)]
    judged = [(e.conversation_id, e.criterion_id) for e in stores.evaluations.evaluations(ids)]
    assert len(judged) == len(set(judged)) == 12
