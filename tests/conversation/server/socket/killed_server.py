"""A server with fake voices in a process of its own, which a test kills in the middle of a call."""

import sys
import time
from pathlib import Path

from conversation.voice.recording.kept_calls import KeptCalls
from tests.conversation.server.served import serving
from tests.conversation.server.socket.test_voice import ANSWER, FakeVoices, OneWord, speaking
from tests.conversation.voice.fakes import FakeModels
from tests.fakes import ScriptedChatModel


def main(folder: Path) -> None:
    """Serve until killed; the first line says the port."""
    model = ScriptedChatModel(always=ANSWER)
    with serving(folder, speaking(), model=model) as served:
        served.context.voices = FakeVoices(FakeModels(transcriber=OneWord()))
        served.context.recordings = KeptCalls(folder / "recordings")
        print(served.port, flush=True)
        time.sleep(600)


main(Path(sys.argv[1]))
