"""The published Python client (`elevenlabs`), unchanged, in text mode."""

import queue
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.server.limits import ServerLimits
from tests.conversation.server.served import (
    PATIENCE_S,
    PRIVATE,
    SUPPORT,
    PausingChatModel,
    Served,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

pytestmark = [
    pytest.mark.slow,
    # The client's own: it names what websockets and pydantic would like renamed.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

QUICK = ServerLimits(ping_every_s=0.1)


class Heard:
    """What the client calls back with."""

    def __init__(self) -> None:
        self.answers: queue.Queue[str] = queue.Queue()
        self.parts: list[tuple[str, str]] = []
        self.corrections: list[tuple[str, str]] = []
        self.latencies_ms: list[int] = []
        self.ended: queue.Queue[Any] = queue.Queue()

    def callbacks(self) -> dict[str, Any]:
        return {
            "callback_agent_response": self.answers.put,
            "callback_agent_chat_response_part": lambda text, kind: self.parts.append(
                (kind.value, text)
            ),
            "callback_agent_response_correction": lambda original, corrected: (
                self.corrections.append((original, corrected))
            ),
            "callback_latency_measurement": self.latencies_ms.append,
            "callback_disconnect": self.ended.put,
        }


@contextmanager
def talking(
    served: Served, agent_id: str = "support", *, api_key: str | None = None, **options: Any
) -> Generator[tuple[Any, Heard]]:
    from elevenlabs import ElevenLabs
    from elevenlabs.conversational_ai.conversation import Conversation

    heard = Heard()
    client = ElevenLabs(base_url=served.url, api_key=api_key, httpx_client=served.http)
    conversation = Conversation(
        client,
        agent_id,
        requires_auth=api_key is not None,
        audio_interface=None,
        **heard.callbacks(),
        **options,
    )
    conversation.start_session()
    try:
        yield conversation, heard
    finally:
        conversation.end_session()
        conversation.wait_for_session_end()


def test_a_text_conversation(tmp_path: Path):
    model = ScriptedChatModel(always="Five days, as a rule.")
    with serving(tmp_path, model=model, limits=QUICK) as served:
        with talking(served) as (conversation, heard):
            assert heard.answers.get(timeout=PATIENCE_S) == "Hello!"
            conversation.send_contextual_update("The user looks at order 7.")
            conversation.register_user_activity()
            conversation.send_user_message("How long do refunds take?")
            assert heard.answers.get(timeout=PATIENCE_S) == "Five days, as a rule."
            conversation.send_multimodal_message(text="And parcels?")
            assert heard.answers.get(timeout=PATIENCE_S) == "Five days, as a rule."
            wait_until(lambda: len(heard.latencies_ms) > 0)
        conversation_id = conversation.wait_for_session_end()
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")
        transcript = served.store.transcript(conversation_id)

    assert [kind for kind, _ in heard.parts] == ["start", *["delta"] * 5, "stop"] * 2
    assert "order 7" in model.prompt_texts[0]
    assert heard.ended.get(timeout=PATIENCE_S).reason == "user"
    assert transcript.end_reason == "user_ended"
    assert transcript.metadata["client"] == "python_sdk"
    assert transcript.metadata["text_only"] == "true"


def test_a_private_agent_by_signed_url(tmp_path: Path):
    with serving(tmp_path) as served:
        key = served.key("converse")
        with talking(served, "private", api_key=key) as (_, heard):
            assert heard.answers.get(timeout=PATIENCE_S) == "Hello!"


def test_a_private_agent_without_a_key_is_an_error_with_the_reason(tmp_path: Path):
    with serving(tmp_path, PRIVATE) as served, talking(served, "private") as (_, heard):
        details = heard.ended.get(timeout=PATIENCE_S)

    assert (details.reason, details.close_code) == ("error", 1008)
    assert "needs a signed URL" in details.close_reason


def test_the_webrtc_token_is_an_error_that_the_client_shows(tmp_path: Path):
    from elevenlabs import ElevenLabs
    from elevenlabs.core.api_error import ApiError

    with serving(tmp_path) as served:
        client = ElevenLabs(base_url=served.url, api_key="x", httpx_client=served.http)
        with pytest.raises(ApiError) as caught:
            client.conversational_ai.conversations.get_webrtc_token(agent_id="support")

    assert caught.value.status_code == 400
    assert "WebSocket" in caught.value.body["detail"]["message"]


def test_client_tools_and_the_end_of_the_call(tmp_path: Path):
    from elevenlabs.conversational_ai.conversation import ClientTools

    tool = {"name": "show_order", "description": "Shows an order."}
    agent = AgentConfig.model_validate(
        {
            **SUPPORT.model_dump(exclude_defaults=True),
            "tools": [tool],
            "system_tools": ["end_call"],
        }
    )
    shows = {"action": {"tool": "show_order", "parameters": {}}}
    ends = {"action": {"tool": "end_call", "parameters": {}}}
    model = ScriptedChatModel(shows, "It has shipped.", ends, always="Goodbye!")
    asked: list[dict[str, Any]] = []
    tools = ClientTools()
    tools.register("show_order", lambda parameters: asked.append(parameters) or {"state": "out"})
    with (
        serving(tmp_path, agent, model=model) as served,
        talking(served, client_tools=tools) as (conversation, heard),
    ):
        heard.answers.get(timeout=PATIENCE_S)
        conversation.send_user_message("Show me my order.")
        assert heard.answers.get(timeout=PATIENCE_S) == "It has shipped."
        conversation.send_user_message("Bye.")
        assert heard.answers.get(timeout=PATIENCE_S) == "Goodbye!"
        details = heard.ended.get(timeout=PATIENCE_S)

    assert len(asked) == 1
    assert any('"state": "out"' in prompt for prompt in model.prompt_texts)
    assert (details.reason, details.close_code) == ("agent", 1000)


def test_an_interrupted_turn_is_corrected(tmp_path: Path):
    model = PausingChatModel("Once upon a time there was a king.")
    with (
        serving(tmp_path, model=model) as served,
        talking(served) as (conversation, heard),
    ):
        heard.answers.get(timeout=PATIENCE_S)
        conversation.send_user_message("Tell me a story.")
        wait_until(lambda: len(heard.parts) >= 3)
        conversation.send_user_message("Stop.")
        wait_until(lambda: heard.corrections)
        model.go_on.set()

    assert heard.corrections == [("Once upon", "Once upon")]


async def test_the_asynchronous_client(tmp_path: Path):
    import asyncio

    from elevenlabs import ElevenLabs
    from elevenlabs.conversational_ai.conversation import AsyncConversation

    answers: asyncio.Queue[str] = asyncio.Queue()
    with serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served:
        conversation = AsyncConversation(
            ElevenLabs(base_url=served.url, httpx_client=served.http),
            "support",
            requires_auth=False,
            audio_interface=None,
            callback_agent_response=answers.put,
        )
        await conversation.start_session()
        async with asyncio.timeout(PATIENCE_S):
            assert await answers.get() == "Hello!"
            await conversation.send_user_message("Are you there?")
            assert await answers.get() == "Yes."
            await conversation.end_session()
            assert (await conversation.wait_for_session_end() or "").startswith("conv_")
