from pathlib import Path

import pytest

from conversation.agent.config import AgentConfig
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import Completion
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.tools.deciding import offered_tools, tool_schema
from conversation.tools.naming import named_tool
from conversation.transcript import ToolCall, Usage
from conversation.turn.events import AgentTurn, SessionEvent
from tests.fakes import ScriptedAnswer, ScriptedChatModel

AGENT = AgentConfig.model_validate(
    {
        "agent_id": "shop",
        "name": "Shop",
        "system_tools": ["end_call"],
        "tools": [
            {
                "name": name,
                "description": f"About {name}.",
                "parameters": {
                    "type": "object",
                    "properties": {"order": {"type": "integer"}},
                    "required": ["order"],
                    "additionalProperties": False,
                },
            }
            for name in ("order_status", "cancel_order")
        ],
    }
)
TOOLS = offered_tools(AGENT, AGENT.all_tools)
CANCEL = {"action": {"tool": "cancel_order", "parameters": {"order": 5}}}
LOOK_UP = {"tool": "order_status", "parameters": {"order": 5}}


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        yield store


def start(
    store: ConversationStore, *answers: ScriptedAnswer, model: str = "embedded/small"
) -> tuple[ScriptedChatModel, Session]:
    scripted = ScriptedChatModel(*answers, model=model)
    session = Session.start(
        AGENT, store=store, chat_model=scripted, client_tool=lambda call: "done"
    )
    return scripted, session


def used(events: list[SessionEvent]) -> list[str]:
    assert isinstance(events[-1], AgentTurn)
    assert events[-1].error is None
    return [event.tool_name for event in events if isinstance(event, ToolCall)]


def test_a_turn_without_a_need_costs_one_name_before_its_answer(store: ConversationStore):
    model, session = start(store, '"none"', "Hello!")

    assert used(list(session.reply("Hello"))) == []
    assert len(model.prompts) == 2
    assert model.options[0].schema == {"enum": ["none", *(tool.name for tool in TOOLS)]}
    assert model.options[0].max_output_tokens < 50


def test_a_tool_without_parameters_is_used_by_its_name(store: ConversationStore):
    model, session = start(store, '"end_call"', "Bye!")

    assert used(list(session.reply("Bye"))) == ["end_call"]
    assert len(model.prompts) == 2


def test_parameters_are_asked_for_with_the_same_prompt(store: ConversationStore):
    model, session = start(store, '"cancel_order"', CANCEL, "Done.")

    assert used(list(session.reply("Cancel order 5"))) == ["cancel_order"]
    assert model.prompts[0] == model.prompts[1], "so that it is found in the cache"
    (named,) = (tool for tool in TOOLS if tool.name == "cancel_order")
    assert model.options[1].schema == tool_schema(TOOLS, [named])


async def test_the_same_without_blocking(store: ConversationStore):
    _, session = start(store, '"cancel_order"', CANCEL, "Done.")

    assert used([event async for event in session.areply("Cancel order 5")]) == ["cancel_order"]


def test_a_second_thought_and_a_second_tool_stay_possible(store: ConversationStore):
    _, session = start(store, '"cancel_order"', {"action": {"tool": "none"}}, "Which order?")
    assert used(list(session.reply("I want to cancel my order"))) == []

    _, session = start(store, '"cancel_order"', {**CANCEL, "more": [LOOK_UP]}, "Done.")
    assert used(list(session.reply("Cancel order 5, or where is it?"))) == [
        "cancel_order",
        "order_status",
    ]


def test_a_number_that_nobody_said_is_still_refused(store: ConversationStore):
    made_up = {"action": {"tool": "cancel_order", "parameters": {"order": 12345}}}
    _, session = start(store, '"cancel_order"', made_up, "Which order?")

    assert used(list(session.reply("Cancel my order"))) == []


def test_other_models_decide_at_once(store: ConversationStore):
    model, session = start(store, CANCEL, "Done.", model="scripted/large")

    assert used(list(session.reply("Cancel order 5"))) == ["cancel_order"]
    assert model.options[0].schema == tool_schema(TOOLS)


@pytest.mark.parametrize("text", ["none", "{}", '"delete_all"', '["end_call"]', "5", ""])
def test_what_is_no_name_of_a_tool_uses_none(store: ConversationStore, text: str):
    with pytest.raises(ModelOutputError):
        named_tool(Completion(text, Usage(model="m"), "stop"), TOOLS)
    _, session = start(store, text, "Hello!")

    assert used(list(session.reply("Hello"))) == []
