"""A user who goes on before anything of the answer was heard: one turn, durably."""

import asyncio
from collections.abc import Iterator

import pytest

from conversation.agent.config import AgentConfig
from conversation.agent.tool_config import ToolConfig
from conversation.session.driver import SessionDriver
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import TurnFile, TurnSound
from conversation.turn.events import AgentTurn, SessionEvent, TextDelta
from tests.fakes import ScriptedChatModel

AGENT = AgentConfig(agent_id="a", name="A", system_prompt="Answer.", first_message="Hello.")


@pytest.fixture
def store() -> Iterator[ConversationStore]:
    with ConversationStore.open("sqlite://") as opened:
        yield opened


def started(store: ConversationStore, model: ScriptedChatModel) -> Session:
    return Session.start(AGENT, store=store, chat_model=model)


def texts(session: Session) -> list[str]:
    return [turn.text for turn in session.transcript.turns]


@pytest.mark.parametrize("after", [0, 1, 2, None], ids=["asked", "a word", "words", "whole"])
def test_two_halves_are_one_turn_wherever_the_answer_stands(
    store: ConversationStore, after: int | None
):
    model = ScriptedChatModel(
        always=lambda messages, _: (
            "On Sunday we are closed."
            if "Sunday" in messages[-1].content
            else "We are open at nine."
        )
    )
    session = started(store, model)
    answer = session.reply("When are you open?")
    if after is None:
        list(answer)
    else:
        for _ in range(after):
            assert isinstance(next(answer), TextDelta)
    events = list(session.reply("When are you open on Sunday?", amends=True))

    expected = ["Hello.", "When are you open on Sunday?", "On Sunday we are closed."]
    assert texts(session) == expected
    assert isinstance(events[-1], AgentTurn)
    assert "We are open" not in model.prompt_texts[-1]
    assert "When are you open?" not in model.prompt_texts[-1]
    stored = store.transcript(session.conversation_id)
    assert [turn.text for turn in stored.turns] == expected
    assert [turn.turn_id for turn in stored.turns] == [
        f"{session.conversation_id}.{index}" for index in range(3)
    ]


def test_what_was_discarded_is_counted_and_paid_for(store: ConversationStore):
    session = started(store, ScriptedChatModel("We are open at nine.", "Closed."))
    list(session.reply("When are you open?"))
    list(session.reply("When are you open on Sunday?", amends=True))

    discarded = store.events(session.conversation_id, kind="agent_turn_discarded")
    assert [event.payload for event in discarded] == [{"generated_chars": 20, "was_stored": True}]
    amended = store.events(session.conversation_id, kind="user_turn_amended")
    assert amended[0].payload["text"] == "When are you open on Sunday?"
    agent_turn = session.end().turns[-1]
    assert [call.purpose for call in agent_turn.calls] == ["discarded", "answer"]
    assert agent_turn.usage is not None
    assert agent_turn.usage.calls == 2


def test_the_turn_can_be_amended_again_and_again(store: ConversationStore):
    session = started(store, ScriptedChatModel("One.", "Two.", "Three."))
    list(session.reply("I"))
    list(session.reply("I want", amends=True))
    list(session.reply("I want tea", amends=True))

    assert texts(session) == ["Hello.", "I want tea", "Three."]
    assert len(store.events(session.conversation_id, kind="agent_turn_discarded")) == 2
    assert [call.purpose for call in session.end().turns[-1].calls] == [
        *("discarded",) * 2,
        "answer",
    ]


def test_there_is_nothing_to_amend_before_the_user_has_spoken(store: ConversationStore):
    session = started(store, ScriptedChatModel("Fine."))
    assert not session.may_amend
    list(session.reply("Hi", amends=True))

    assert texts(session) == ["Hello.", "Hi", "Fine."]


def test_an_answer_in_which_something_was_done_stays(store: ConversationStore):
    agent = AGENT.model_copy(
        update={"tools": (ToolConfig(name="book", description="Book a table."),)}
    )
    model = ScriptedChatModel(
        {"action": {"tool": "book", "parameters": {}}}, always="It is booked."
    )
    session = Session.start(
        agent, store=store, chat_model=model, tools={"book": lambda _: "booked"}
    )
    events: list[SessionEvent] = list(session.reply("Book a table"))
    assert session.transcript.turns[-1].tool_calls, events
    assert not session.may_amend
    list(session.reply("Book a table for two", amends=True))

    assert texts(session)[:4] == ["Hello.", "Book a table", "It is booked.", "Book a table for two"]
    assert store.events(session.conversation_id, kind="agent_turn_discarded") == []


def test_the_amended_turn_has_the_sound_of_both_halves(store: ConversationStore):
    session = started(store, ScriptedChatModel("One.", "Two."))
    list(session.reply("When", sound=TurnSound(start_s=2.0, end_s=2.5)))
    list(session.reply("When then", sound=TurnSound(start_s=2.0, end_s=4.0), amends=True))
    session.sounded(f"{session.conversation_id}.2", TurnSound(start_s=5.0, end_s=6.0))

    user, agent = store.transcript(session.conversation_id).turns[1:]
    assert (user.offset_s, user.sound) == (2.0, TurnSound(start_s=2.0, end_s=4.0))
    assert (agent.offset_s, agent.sound) == (5.0, TurnSound(start_s=5.0, end_s=6.0))


async def test_the_driver_amends_while_the_model_still_writes(store: ConversationStore):
    session = started(store, ScriptedChatModel("We are open at nine.", "Closed."))
    driver = SessionDriver(session)
    first = driver.areply("When are you open?")
    assert isinstance(await anext(first), TextDelta)
    events = [event async for event in driver.areply("When on Sunday?", amends=True)]
    rest = [event async for event in first]

    assert texts(session) == ["Hello.", "When on Sunday?", "Closed."]
    assert isinstance(events[-1], AgentTurn)
    assert isinstance(rest[-1], AgentTurn)
    assert rest[-1].interrupted


def test_a_call_lets_the_last_words_be_heard_before_it_ends(store: ConversationStore):
    agent = AGENT.model_copy(update={"system_tools": ("end_call",)})
    model = ScriptedChatModel({"action": {"tool": "end_call", "parameters": {}}}, always="Goodbye.")
    session = Session.start(agent, store=store, chat_model=model)
    session.ends_when_heard = True
    list(session.reply("Bye"))

    assert (session.is_over, session.leaving) == (False, "agent_ended")
    session.interrupt(heard_chars=3)
    assert session.end(session.leaving or "").end_reason == "agent_ended"


def test_silence_leaves_a_call_to_its_voice(store: ConversationStore):
    now_s = 0.0
    taking = AGENT.turn_taking.model_copy(
        update={"silence_timeout_s": 5.0, "max_reengagements": 0, "goodbye_message": "Bye then."}
    )
    session = started(store, ScriptedChatModel())
    session.ends_when_heard = True
    driver = SessionDriver(session, taking, clock=lambda: now_s)
    stopped: list[float] = []

    async def before() -> None:
        stopped.append(now_s)

    async def all_said() -> list[str]:
        return [said.text async for said in driver.arun(before)]

    now_s = 6.0
    assert asyncio.run(all_said()) == ["Bye then."]
    assert (session.is_over, session.leaving, stopped) == (False, "silence", [6.0])


def test_files_of_the_turn_stay_where_the_user_goes_on(store: ConversationStore):
    session = started(store, ScriptedChatModel("One.", "Two."))
    one, two = (TurnFile(file_id=each, name=each, mime_type="text/plain") for each in "ab")
    list(session.reply("I have", files=[one]))
    list(session.reply("I have two", amends=True, files=[two]))

    stored = store.transcript(session.conversation_id)
    assert [turn.files for turn in stored.turns if turn.role == "user"] == [(one, two)]
