"""How many calls, how much money and time a turn with tools may take."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from conversation.llm.chat_model import ChatMessage, Completion
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import (
    SessionEvent,
    ToolRequest,
)
from tests.conversation.agent.tool_turns import ORDER, NativeModel, agent, call, outcome, start, use
from tests.fakes import ScriptedChatModel


def test_calls_in_a_turn_are_bounded(store: ConversationStore):
    def eager(messages: Sequence[ChatMessage], options: Any) -> object:
        number = len(model.prompts)
        return use("order_status", order=number) if options.schema else "Enough."

    config = agent({**ORDER, "trusted_result": True}, tool_use={"max_calls_per_turn": 3})
    model = ScriptedChatModel(always=eager)
    session = start(store, config, model, tools={"order_status": lambda given: "?"})

    calls, turn = outcome(list(session.reply("Where?")))

    assert len(calls) == 3
    assert turn.text == "Enough."


STUBBORN = {
    "a tool that is not there": ({"tools": [dict(ORDER)]}, call("", ("get_weather", {}))),
    "the same call again": (
        {"tools": [{**ORDER, "trusted_result": True}]},
        call("", ("order_status", {"order": 5})),
    ),
    "a gap again": (
        {"system_tools": ["report_knowledge_gap"]},
        call("", ("report_knowledge_gap", {"question": "Why?"})),
    ),
    "a tool though none is offered": ({}, call("", ("order_status", {"order": 5}))),
    "a language that is not there": (
        {"system_tools": ["language_detection"], "languages": {"de": {}}},
        call("", ("language_detection", {"language": "xx"})),
    ),
    "broken parameters": ({"tools": [dict(ORDER)]}, call("", ("order_status", "{"))),
}


@pytest.mark.parametrize("kind", STUBBORN)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_model_that_asks_for_nothing_new_is_not_asked_for_ever(
    store: ConversationStore, kind: str, is_async: bool
):
    settings, answer = STUBBORN[kind]
    model = NativeModel(always=answer)
    tools = {"order_status": lambda given: "on its way"} if "tools" in settings else {}
    config = agent(**{"tools": [], **settings})
    session = start(store, config, model, tools=tools)

    calls, turn = outcome(replied(session, "Hello", is_async=is_async))

    assert len(model.prompts) <= 4
    assert model.offers[-1] == []
    assert len(calls) == 1
    assert turn.error is not None
    assert turn.text.startswith("Sorry, something went wrong")
    assert store.transcript(session.conversation_id).turns[-1] == turn.turn


def replied(session: Session, text: str, *, is_async: bool) -> list[SessionEvent]:
    async def collect() -> list[SessionEvent]:
        return [event async for event in session.areply(text)]

    return asyncio.run(collect()) if is_async else list(session.reply(text))


def test_a_turn_has_so_many_calls_of_the_model_and_no_more(store: ConversationStore):
    def eager(messages: Sequence[ChatMessage], options: Any) -> Completion:
        return call("", ("order_status", {"order": len(model.prompts)}))

    config = agent(
        {**ORDER, "trusted_result": True},
        tool_use={"max_calls_per_turn": 20},
        llm={"max_calls_per_turn": 5},
    )
    model = NativeModel(always=eager)
    session = start(store, config, model, tools={"order_status": lambda given: "?"})

    calls, turn = outcome(list(session.reply("Where?")))

    assert len(model.prompts) == 5
    assert [offered != [] for offered in model.offers] == [True, True, True, False, False]
    assert [each.is_error for each in calls] == [False, False, False, True, True]
    assert turn.error is not None


def test_a_turn_costs_so_much_and_no_more(store: ConversationStore):
    config = agent({**ORDER, "trusted_result": True}, llm={"max_cost_per_turn_usd": 0.15})
    numbers = iter(range(100))
    model = NativeModel(
        always=lambda messages, options: call("", ("order_status", {"order": next(numbers)}))
    )
    session = start(store, config, model, tools={"order_status": lambda given: "?"})

    _, turn = outcome(list(session.reply("Where?")))

    assert len(model.prompts) == 2
    assert turn.error is not None
    assert "max_cost_per_turn_usd" in turn.error


@pytest.mark.parametrize("is_async", [False, True])
def test_all_calls_of_a_turn_share_its_time(store: ConversationStore, is_async: bool):
    class Slow(NativeModel):
        def _pieces(self, messages: Any, options: Any):
            nonlocal now_s
            for piece in super()._pieces(messages, options):
                now_s += 40.0
                yield piece

    now_s = 0.0
    config = agent({**ORDER, "trusted_result": True}, llm={"total_timeout_s": 100})
    numbers = iter(range(100))
    model = Slow(
        always=lambda messages, options: call("", ("order_status", {"order": next(numbers)}))
    )
    session = start(
        store,
        config,
        model,
        tools={"order_status": lambda given: "?"},
        timer_s=lambda: now_s,
    )

    _, turn = outcome(replied(session, "Where?", is_async=is_async))

    assert [options.total_timeout_s for options in model.options] == [100.0, 60.0, 20.0]
    assert turn.error is not None
    assert "total_timeout_s" in turn.error
    assert turn.text


@pytest.mark.parametrize("is_async", [False, True])
def test_an_answer_without_end_is_cut(store: ConversationStore, is_async: bool):
    class Endless(NativeModel):
        def _pieces(self, messages: Any, options: Any):
            nonlocal now_s
            while True:
                now_s += 1.0
                yield "on and "

    now_s = 0.0
    session = start(store, agent(llm={"total_timeout_s": 9}), Endless(), timer_s=lambda: now_s)

    turn = outcome(replied(session, "Go on", is_async=is_async))[1]

    assert turn.error is not None
    assert "still answering after 9 s" in turn.error
    assert turn.text.startswith("on and on and")
    assert turn.text.endswith("Please ask me again.")


@pytest.mark.parametrize("is_async", [False, True])
def test_calls_over_the_limit_are_told_and_kept(store: ConversationStore, is_async: bool):
    model = NativeModel(
        call("", *(("order_status", {"order": number}) for number in range(6))), "Four are here."
    )
    session = start(store, agent(ORDER), model, tools={"order_status": lambda given: "here"})

    events = replied(session, "Where are they?", is_async=is_async)
    calls, turn = outcome(events)

    assert [each.is_error for each in calls] == [False] * 4 + [True] * 2
    assert calls[5].result == "not done: a turn has room for 4 calls of tools."
    assert 'order_status with {"order": 5} failed; tell the user so' in model.prompt_texts[1]
    assert 'order_status with {"order": 3} was done' in model.prompt_texts[1]
    kinds_of = [event.kind for event in events if isinstance(event, ToolRequest)]
    assert kinds_of == ["client"] * 4 + ["system"] * 2
    assert store.transcript(session.conversation_id).turns[-1] == turn.turn
