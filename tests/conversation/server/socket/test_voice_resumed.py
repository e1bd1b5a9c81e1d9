"""A conversation that goes on by voice: after text, and after a lost network."""

import socket as network
from pathlib import Path

import numpy as np
import pytest

from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording.call_file import USER
from conversation.voice.recording.kept_calls import KeptCalls
from tests.conversation.server.served import serving, wait_until
from tests.conversation.server.socket.test_resuming import COMES_BACK
from tests.conversation.server.socket.test_voice import (
    FakeVoices,
    ended,
    settle,
    speaking,
    talk,
)
from tests.conversation.voice.fakes import silence, spoken
from tests.fakes import ScriptedChatModel

WRITES = {**COMES_BACK, "conversation_config_override": {"text_only": True}}


@pytest.mark.slow
def test_text_goes_on_by_voice_and_voice_by_voice_in_one_recording(tmp_path: Path):
    model = ScriptedChatModel("One.", "Two.", always="Three.")
    with serving(tmp_path, speaking(), model=model) as served:
        served.context.voices = FakeVoices()
        recordings = served.context.recordings = KeptCalls(tmp_path / "recordings")
        with served.dial(init=WRITES) as client:
            call_id = client.opened()
            client.say("first")
            assert client.answer() == "One."
            client.socket.socket.shutdown(network.SHUT_RDWR)
        with served.dial(init=COMES_BACK, resume=call_id) as client:
            client.until("conversation_initiation_metadata")
            talk(client, np.concatenate([silence(0.3), spoken("second"), silence(0.6)]))
            assert client.answer() == "Two."
            settle(client, 0.8)
            assert "Hello!" not in str([f for f in client.frames if f["type"] == "agent_response"])
            client.socket.socket.shutdown(network.SHUT_RDWR)
        with served.dial(init=COMES_BACK, resume=call_id) as client:
            client.until("conversation_initiation_metadata")
            talk(client, np.concatenate([silence(0.3), spoken("third"), silence(0.6)]))
            assert client.answer() == "Three."
            settle(client, 0.8)
            client.socket.close()
        kept = ended(served, call_id)
        wait_until(lambda: not recordings.unfinished())
        sound = recordings.sound(call_id)

    assert [turn.text for turn in kept.turns] == [
        *("Hello!", "first", "One.", "second", "Two.", "third", "Three.")
    ]
    offsets = [turn.offset_s for turn in kept.turns]
    assert offsets == sorted(offsets)
    assert [turn.sound is not None for turn in kept.turns] == [False] * 3 + [True] * 4
    for turn in (kept.turns[3], kept.turns[5]):
        assert turn.sound is not None
        at = round((turn.sound.start_s + turn.sound.end_s) / 2 * SAMPLE_RATE_HZ)
        assert sound[at, USER] != 0
