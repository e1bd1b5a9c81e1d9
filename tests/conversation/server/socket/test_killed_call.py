"""A server that is killed in the middle of a call."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from websockets.sync.client import connect

from conversation.store.store import ConversationStore
from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording.call_file import AGENT, USER
from conversation.voice.recording.kept_calls import KeptCalls
from tests.conftest import REPOSITORY
from tests.conversation.server.served import INIT, Client
from tests.conversation.server.socket.test_voice import ANSWER, heard, settle, talk
from tests.conversation.voice.fakes import silence, spoken


@pytest.mark.slow
def test_no_complete_turn_and_at_most_a_second_of_sound_is_lost(tmp_path: Path):
    program = "tests.conversation.server.socket.killed_server"
    with subprocess.Popen(
        [sys.executable, "-m", program, str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        address = f"ws://127.0.0.1:{port}/v1/convai/conversation?agent_id=support"
        with connect(address, proxy=None, ping_interval=None) as socket:
            client = Client(socket)
            client.send(INIT)
            metadata = client.until("conversation_initiation_metadata")
            assert client.answer() == "Hello!"
            settle(client, 1.0)
            asked_s = time.monotonic()
            question = np.concatenate([spoken("when are you open"), silence(0.6)])
            talk(client, question)
            assert client.answer() == ANSWER
            settle(client, 1.0)
            talked_s = time.monotonic() - asked_s
            process.send_signal(signal.SIGKILL)
            process.wait()
    conversation_id = metadata["conversation_initiation_metadata_event"]["conversation_id"]
    kept = KeptCalls(tmp_path / "recordings")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        assert store.close_abandoned(datetime.now(UTC)) == [conversation_id]
        transcript = store.transcript(conversation_id)
    kept.finish(conversation_id)
    sound = kept.sound(conversation_id)

    assert transcript.end_reason == "interrupted_by_crash"
    assert [(turn.role, turn.text) for turn in transcript.turns][:2] == [
        ("agent", "Hello!"),
        ("user", "thanks"),
    ]
    said = question[question != 0]
    assert np.array_equal(sound[:, USER][sound[:, USER] != 0], said), "every word of the user"
    given = heard(client)
    missing_s = (len(given) - np.count_nonzero(sound[:, AGENT])) / SAMPLE_RATE_HZ
    assert abs(missing_s) < 1.0
    assert len(sound) / SAMPLE_RATE_HZ > talked_s
