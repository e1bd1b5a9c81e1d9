"""Conversations with users that are played."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from conversation.agent.config import AgentConfig, ToolConfig
from conversation.errors import AgentConfigError, ModelUnavailableError
from conversation.session.simulating import (
    ModelUser,
    Persona,
    paired_answers,
    replay,
    scripted_user,
    simulate,
    user_prompt,
)
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript, Turn
from conversation.turn.events import AgentTurn, SessionEvent
from tests.fakes import ScriptedChatModel

AGENT = AgentConfig(agent_id="support", name="Support", first_message="Hi!")


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        yield store


def said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in transcript.turns]


def plays(*words: str, last: str) -> ScriptedChatModel:
    answers = [{"says": word, "hangs_up": False} for word in words]
    return ScriptedChatModel(*answers, {"says": last, "hangs_up": True}, model="played/user")


def test_a_model_plays_a_user_with_persona_and_goal(store: ConversationStore):
    user = plays("How long do refunds take?", last="Thanks, bye.")

    transcript = simulate(
        AGENT,
        "an impatient customer",
        "find out how long refunds take",
        user_model=user,
        chat_model=ScriptedChatModel("Five days.", "Goodbye."),
        store=store,
    )

    assert said(transcript) == [
        ("agent", "Hi!"),
        ("user", "How long do refunds take?"),
        ("agent", "Five days."),
        ("user", "Thanks, bye."),
        ("agent", "Goodbye."),
    ]
    assert (transcript.simulated, transcript.end_reason) == (True, "user_ended")
    assert transcript.metadata == {
        "persona": "an impatient customer",
        "goal": "find out how long refunds take",
    }
    assert transcript == store.transcript(transcript.conversation_id)
    assert store.conversations(simulated=False) == []
    rules, *spoken = user.prompts[1]
    assert "an impatient customer" in rules.content
    assert [message.role for message in spoken] == ["user", "assistant", "user"]
    assert json.loads(spoken[1].content)["says"] == "How long do refunds take?"


def test_it_stops_after_so_many_turns_or_when_the_user_repeats_himself(store: ConversationStore):
    endless = ScriptedChatModel(
        *({"says": f"Question {n}?", "hangs_up": False} for n in range(9)), model="played/user"
    )
    stuck = ScriptedChatModel(always={"says": "Hello?", "hangs_up": False}, model="played/user")

    def run(user: ScriptedChatModel) -> Transcript:
        model = ScriptedChatModel(always="I see.")
        return simulate(
            AGENT, "anyone", user_model=user, chat_model=model, store=store, max_turns=3
        )

    assert (run(endless).end_reason, len(endless.prompts)) == ("max_turns", 3)
    assert (run(stuck).end_reason, len(stuck.prompts)) == ("user_ended", 2)
    with pytest.raises(ValueError, match="max_turns=0"):
        simulate(AGENT, "anyone", max_turns=0)


def test_the_agent_may_end_the_conversation(store: ConversationStore):
    agent = AGENT.model_copy(update={"tools": (ToolConfig(name="end_call", description="Over."),)})
    model = ScriptedChatModel({"action": {"tool": "end_call", "parameters": {}}}, always="Bye.")

    transcript = simulate(
        agent,
        "anyone",
        user=scripted_user(["Bye", "Still there?"]),
        chat_model=model,
        store=store,
    )

    assert transcript.end_reason == "agent_ended"
    assert len(transcript.turns) == 3


def test_a_user_model_that_fails_leaves_the_conversation_stored(store: ConversationStore):
    user = ScriptedChatModel(
        {"says": "Hello", "hangs_up": False}, ModelUnavailableError("down"), model="played/user"
    )
    with pytest.raises(ModelUnavailableError, match="down"):
        simulate(AGENT, "anyone", user_model=user, chat_model=ScriptedChatModel("Hi."), store=store)

    (kept,) = store.conversations()
    assert (kept.status, kept.simulated, kept.turn_count) == ("failed", True, 3)


def test_each_turn_can_be_followed(store: ConversationStore):
    seen: list[tuple[str, str]] = []

    def follow(words: str, events: Iterable[SessionEvent]) -> None:
        *_, last = events
        assert isinstance(last, AgentTurn)
        seen.append((words, last.text))

    simulate(
        AGENT,
        "anyone",
        user=scripted_user(["One", "Two"]),
        chat_model=ScriptedChatModel("A", "B"),
        store=store,
        follow=follow,
    )

    assert seen == [("One", "A"), ("Two", "B")]


def test_a_recorded_user_asks_another_agent(store: ConversationStore):
    recorded = Transcript(
        conversation_id="conv_old",
        agent_version="v1",
        turns=(
            Turn(role="agent", text="Hello."),
            Turn(role="user", text="How long?"),
            Turn(role="agent", text="Ten days."),
            Turn(role="user", text=" "),
            Turn(role="user", text="Really?"),
            Turn(role="agent", text="Well,"),
            Turn(role="agent", text="yes."),
        ),
    )
    model = ScriptedChatModel("Five days.", "Yes.")

    now = replay(recorded, AGENT, chat_model=model, store=store)

    assert [turn.text for turn in now.turns if turn.role == "user"] == ["How long?", "Really?"]
    assert (now.simulated, now.end_reason) == (True, "user_ended")
    assert now.metadata == {"replay_of": "conv_old", "replayed_agent_version": "v1"}
    assert paired_answers(recorded, now) == [
        ("How long?", "Ten days.", "Five days."),
        ("Really?", "Well, yes.", "Yes."),
    ]
    assert "Ten days." not in model.prompt_texts[1], "the new agent hears its own answers"


def test_a_recording_without_a_user_cannot_be_replayed(store: ConversationStore):
    empty = Transcript(conversation_id="conv_old", turns=(Turn(role="agent", text="Hello."),))

    with pytest.raises(AgentConfigError, match="no words of a user"):
        replay(empty, AGENT, store=store)


def test_the_user_speaks_first_when_the_agent_waits():
    prompt = user_prompt([], Persona("anyone"))

    assert [message.role for message in prompt] == ["system", "user"]
    turns = [Turn(role="user", text="Hello?"), Turn(role="agent", text="")]
    roles = [message.role for message in user_prompt(turns, Persona("anyone"))]
    assert roles == ["system", "user", "assistant", "user"]


def test_the_goal_stands_last_and_only_there():
    turns = [Turn(role=role, text=role) for role in ("agent", "user", "agent")]

    _, first, _, last = user_prompt(turns, Persona("a student", "know the opening hours."))

    assert first.content == "agent"
    assert last.content.startswith("agent\n")
    assert "you still want: know the opening hours. Ask" in last.content


def test_a_played_user_is_any_function_of_the_turns(store: ConversationStore):
    def counts(turns: Sequence[Turn]) -> str | None:
        return f"I heard {len(turns)} turns" if len(turns) < 4 else None

    transcript = simulate(
        AGENT, "a counter", user=counts, chat_model=ScriptedChatModel(always="Yes."), store=store
    )

    assert [turn.text for turn in transcript.turns if turn.role == "user"] == [
        "I heard 1 turns",
        "I heard 3 turns",
    ]
    assert not ModelUser(ScriptedChatModel(), Persona("anyone")).has_hung_up
