from pathlib import Path

from tests.conversation.server.served import serving
from tests.fakes import ScriptedChatModel


def test_a_text_turn_is_streamed_and_then_sent_whole(tmp_path: Path):
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Five days.")) as served,
        served.dial() as client,
    ):
        client.opened()
        client.say("How long do refunds take?")

        assert client.answer() == "Five days."
        assert client.kinds() == ["conversation_initiation_metadata", "agent_response"] + [
            "agent_chat_response_part"
        ] * 4 + ["agent_response"]
