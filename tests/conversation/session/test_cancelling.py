"""An interruption reaches the provider: its HTTP stream is closed. Real sockets throughout."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversation.agent.config import AgentConfig
from conversation.llm.generator import TwinChatModel
from conversation.llm.providers.litellm_model import LiteLLMGenerator
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn, SessionEvent, TextDelta
from tests.conversation.llm.openai_stub import OpenAIStub, Reply, openai_stub

SLOW = Reply(pieces=("One ", "two ", *("more ",) * 2_000), piece_delay_s=0.02)


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    with openai_stub(SLOW) as running:
        yield running


@pytest.fixture
def session(stub: OpenAIStub, tmp_path: Path) -> Iterator[Session]:
    model = TwinChatModel(LiteLLMGenerator("openai/stub", api_base=stub.base_url))
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        # The check is a first call of its own.
        stub.script = [Reply(), SLOW]
        agent = AgentConfig(agent_id="a", name="A", system_prompt="Count.")
        yield Session.start(agent, store=store, chat_model=model)


def heard(events: list[SessionEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_an_interruption_closes_the_stream(stub: OpenAIStub, session: Session):
    events: list[SessionEvent] = []
    for event in session.reply("Count"):
        events.append(event)
        if heard(events).startswith("One two"):
            session.interrupt()

    assert stub.disconnected.wait(60)
    assert isinstance(events[-1], AgentTurn)
    assert (events[-1].interrupted, events[-1].text) == (True, "One two")


def test_another_thread_ends_a_stream_that_gives_nothing(stub: OpenAIStub, session: Session):
    stub.script = [Reply(pieces=("One ", "two ", "three "), piece_delay_s=20.0)]
    events: list[SessionEvent] = []
    first = threading.Event()

    def listen() -> None:
        for event in session.reply("Count"):
            events.append(event)
            first.set()

    listening = threading.Thread(target=listen)
    listening.start()
    assert first.wait(60)
    session.interrupt()
    listening.join(60)

    assert not listening.is_alive(), "it did not wait for the model's next word"
    assert isinstance(events[-1], AgentTurn)
    assert events[-1].text == "One"


async def test_a_new_turn_closes_the_stream_of_the_last(stub: OpenAIStub, session: Session):
    stub.script.append(Reply())
    reached = asyncio.Event()

    async def listen() -> list[SessionEvent]:
        events: list[SessionEvent] = []
        async for event in session.areply("Count"):
            events.append(event)
            if heard(events).startswith("One two"):
                reached.set()
        return events

    first = asyncio.create_task(listen())
    await asyncio.wait_for(reached.wait(), 60)
    second = [event async for event in session.areply("Stop, how long do refunds take?")]
    events = await asyncio.wait_for(first, 60)

    assert await asyncio.to_thread(stub.disconnected.wait, 60)
    assert isinstance(events[-1], AgentTurn)
    assert events[-1].interrupted
    assert heard(second) == "Refunds take five days."
    sent = [message["content"] for message in stub.requests[-1]["messages"]]
    assert sent[1:] == ["Count", events[-1].text, "Stop, how long do refunds take?"]
    assert len(events[-1].text) < 100, "the next prompt holds only what was heard"


async def test_cancelling_the_task_closes_the_stream(stub: OpenAIStub, session: Session):
    reached = asyncio.Event()

    async def listen() -> None:
        async for event in session.areply("Count"):
            if isinstance(event, TextDelta):
                reached.set()

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(reached.wait(), 60)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening

    assert await asyncio.to_thread(stub.disconnected.wait, 60)
    assert session.transcript.turns[-1].interrupted
