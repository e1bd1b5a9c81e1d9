"""A user who waits for the first word of a slow model reads that there will be one."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.llm.chat_model import DEFAULT_OPTIONS, ChatMessage, Completion, CompletionOptions
from tests.conversation.server.served import INIT, SUPPORT, serving, wait_until
from tests.fakes import ScriptedChatModel


class SlowModel(ScriptedChatModel):
    """Says nothing until the test lets it."""

    def __init__(self) -> None:
        super().__init__(always="It takes 14 days.")
        self.go_on = threading.Event()

    async def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        while not self.go_on.is_set():
            await asyncio.sleep(0.005)
        async for piece in super().astream(messages, options):
            yield piece


def agent(**changed: Any) -> AgentConfig:
    given = SUPPORT.model_dump(exclude_defaults=True)
    return AgentConfig.model_validate({**given, **changed})


@pytest.mark.parametrize(
    ("language", "message", "read"),
    [
        ("en", "", "Let me look."),
        ("de", "", "Ich sehe nach."),
        ("en", "One moment.", "One moment."),
    ],
)
def test_a_sentence_comes_before_the_answer_and_is_no_turn(
    tmp_path: Path, language: str, message: str, read: str
):
    model = SlowModel()
    taking = {"soft_timeout_s": 0.05, "soft_timeout_message": message}
    config = agent(language=language, turn_taking=taking)
    with serving(tmp_path, config, model=model) as served, served.dial() as client:
        client.send(INIT)
        conversation_id = client.opened()
        client.say("How long does it take?")
        waiting = client.until("agent_response")["agent_response_event"]
        model.go_on.set()
        answer = client.until("agent_response")["agent_response_event"]

        assert waiting["agent_response"] == read
        assert answer["agent_response"] == "It takes 14 days."
        assert waiting["event_id"] < answer["event_id"]
        wait_until(lambda: served.store.events(conversation_id, kind="soft_timeout"))
        (kept,) = served.store.events(conversation_id, kind="soft_timeout")
        assert kept.payload == {"text": read}
        said = [turn.text for turn in served.store.transcript(conversation_id).turns]
        assert read not in said


def test_nothing_is_said_to_a_user_who_does_not_wait(tmp_path: Path):
    model = SlowModel()
    model.go_on.set()
    config = agent(turn_taking={"soft_timeout_s": 20.0})
    with serving(tmp_path, config, model=model) as served, served.dial() as client:
        client.send(INIT)
        conversation_id = client.opened()
        client.say("How long does it take?")

        answer = client.until("agent_response")["agent_response_event"]
        assert answer["agent_response"] == "It takes 14 days."
        assert served.store.events(conversation_id, kind="soft_timeout") == []
