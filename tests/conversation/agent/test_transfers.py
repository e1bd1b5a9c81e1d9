"""Another agent takes over."""

import pytest

from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError, ConversationError
from conversation.store.store import ConversationStore
from conversation.turn.events import (
    AgentTurn,
)
from conversation.turn.speaker import ResolvedAgent
from tests.conversation.agent.tool_turns import (
    NONE,
    ORDER,
    TRANSFER,
    Documents,
    agent,
    kinds,
    outcome,
    start,
    use,
)
from tests.fakes import ScriptedChatModel

# Transfers

BILLING = AgentConfig.model_validate(
    {
        "agent_id": "billing",
        "name": "Billing",
        "system_prompt": "You bill {{user_name}}.",
        "tools": [ORDER],
        "languages": {"de": {"system_prompt": "Du kassierst."}},
    }
)


def test_another_agent_takes_over_and_goes_on(store: ConversationStore):
    own = Documents(invoice="Shop: ask billing.")
    theirs = Documents(invoice="Billing: invoices come monthly.")
    first = ScriptedChatModel(use("transfer_to_agent", agent_id="billing"), model="scripted/first")
    second = ScriptedChatModel(
        NONE, "Invoices come monthly.", NONE, "Yes.", model="scripted/second"
    )
    session = start(
        store,
        agent(TRANSFER),
        first,
        knowledge_base=own,
        variables={"user_name": "Ada"},
        tools={"order_status": lambda given: "?"},
        resolve_agent=lambda agent_id: ResolvedAgent(BILLING, theirs, second),
    )

    (transfer,), turn = outcome(list(session.reply("When does my invoice come?")))
    list(session.reply("Every month?"))

    assert transfer.result == "handed over to billing"
    assert turn.text == "Invoices come monthly."
    assert (own.asked, theirs.asked[0]) == ([], "When does my invoice come?")
    answering = second.prompts[1]
    assert answering[0].content.startswith("You bill Ada.")
    assert "invoices come monthly" in answering[-1].content
    assert "taken over from another agent" in answering[-1].content
    assert session.agent.agent_id == "billing"
    assert "taken over" not in second.prompts[3][-1].content
    (event,) = [e for e in store.events(session.conversation_id) if e.kind == "agent_transferred"]
    assert (event.payload["from"], event.payload["to"]) == ("shop", "billing")
    assert store.transcript(session.conversation_id).agent_id == "shop"


def test_a_transfer_that_fails_is_told_and_the_agent_stays(
    store: ConversationStore, caplog: pytest.LogCaptureFixture
):
    def nobody(agent_id: str) -> ResolvedAgent:
        raise ConversationError(f"there is no agent {agent_id!r}")

    model = ScriptedChatModel(use("transfer_to_agent", agent_id="billing"), "Sorry.")
    session = start(store, agent(TRANSFER), model, resolve_agent=nobody)

    (failed,), turn = outcome(list(session.reply("My invoice?")))

    assert failed.is_error
    assert failed.result == "the agent 'billing' cannot take over now."
    assert "there is no agent 'billing'" in caplog.text, "why is for the operator alone"
    assert (turn.text, session.agent.agent_id) == ("Sorry.", "shop")
    assert "failed" in model.prompts[1][-1].content


def test_a_transfer_that_is_interrupted_does_not_happen(store: ConversationStore):
    def resolve(agent_id: str) -> ResolvedAgent:
        session.interrupt()
        return ResolvedAgent(BILLING, None, ScriptedChatModel())

    model = ScriptedChatModel(use("transfer_to_agent", agent_id="billing"))
    session = start(
        store,
        agent(TRANSFER),
        model,
        variables={"user_name": "Ada"},
        client_tool=lambda wanted: "?",
        resolve_agent=resolve,
    )
    *_, turn = session.reply("My invoice?")

    assert isinstance(turn, AgentTurn)
    assert [done.is_error for done in turn.turn.tool_calls] == [True]
    assert session.agent.agent_id == "shop"
    assert "agent_transferred" not in kinds(store, session)


def test_a_transfer_keeps_the_language(store: ConversationStore):
    config = agent(TRANSFER, language="de")
    first = ScriptedChatModel(use("transfer_to_agent", agent_id="billing"))
    second = ScriptedChatModel(NONE, "Ja.")
    session = start(
        store,
        config,
        first,
        client_tool=lambda wanted: "?",
        variables={"user_name": "Ada"},
        resolve_agent=lambda agent_id: ResolvedAgent(BILLING, None, second),
    )
    list(session.reply("Meine Rechnung?"))

    assert session.agent.system_prompt == "Du kassierst."


def test_a_transfer_needs_somebody_who_knows_the_agents(store: ConversationStore):
    with pytest.raises(AgentConfigError, match="resolve_agent"):
        start(store, agent(TRANSFER), ScriptedChatModel())
