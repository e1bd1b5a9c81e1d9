"""A server that holds conversations for a while: does it keep anything of those that are over?

    python -m tests.bench.soak [--minutes 15] [--at-once 20] [--voice 0.5]

Text and voice over real sockets, each conversation a few turns long and followed by another one;
the server is a process of its own. Models behind the ports are scripted and keep nothing, so that
what grows is the server's. Prints memory, handles and threads at the start (after a tenth of the
time), in the middle and at the end.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from websockets.exceptions import ConnectionClosed

from conversation.server.limits import ServerLimits
from conversation.voice.ports import Samples, Transcription
from conversation.voice.recording.kept_calls import KeptCalls
from tests.bench.places import REPOSITORY
from tests.conversation.server.served import SUPPORT, Client, Served, serving
from tests.conversation.server.socket.test_voice import FakeVoices, speaking, talk
from tests.conversation.voice.fakes import (
    FakeModels,
    FakeSynthesizer,
    FakeTranscriber,
    silence,
    spoken,
)
from tests.fakes import ScriptedChatModel

ANSWER = "We are open from nine to five, and on Saturdays until noon."
_TURNS = 3
_LISTENS_S = 3.5
_ANSWERS_WITHIN_S = 30.0
_SERVED_S = 86_400
_READY_WITHIN_S = 120


class ForgetfulEars(FakeTranscriber):
    """Understand the same words whatever is said, and keep nothing."""

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        return Transcription("when are you open", "en")


class ForgetfulModel(ScriptedChatModel):
    """Answers always the same, and keeps no prompt."""

    def __init__(self) -> None:
        super().__init__(always=ANSWER)
        self.prompts = _Nothing()
        self.options = _Nothing()


class _Nothing(list):  # type: ignore[type-arg]
    def append(self, _: object, /) -> None:
        """Keep nothing."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a process uses at one moment."""

    rss_mb: float
    handles: int
    threads: int


@dataclass
class Counts:
    """What was held meanwhile."""

    text: int = 0
    voice: int = 0
    failed: list[str] = field(default_factory=list[str])


def use_of(pid: int) -> Use:
    """Memory, open handles and threads of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return Use(
        int(lines["VmRSS"].split()[0]) / 1_024,
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        int(lines["Threads"]),
    )


def serve(folder: Path) -> None:
    """Serve until killed; the first line says the port."""
    limits = ServerLimits(starts_per_minute=1_000_000, requests_per_minute=1_000_000)
    voiced = speaking().model_copy(update={"agent_id": "voiced"})
    with serving(folder, SUPPORT, voiced, model=ForgetfulModel(), limits=limits) as served:
        mouth = FakeSynthesizer()
        mouth.clauses = _Nothing()
        served.context.voices = FakeVoices(
            FakeModels(transcriber=ForgetfulEars(), synthesizer=mouth)
        )
        served.context.recordings = KeptCalls(folder / "recordings")
        print(served.port, flush=True)
        time.sleep(_SERVED_S)


def hold(served: Served, counts: Counts, *, has_voice: bool, until_s: float) -> None:
    """One conversation after the other."""
    question = np.concatenate([spoken("when are you open"), silence(0.8)])
    while time.monotonic() < until_s:
        try:
            with served.dial("voiced" if has_voice else "support") as client:
                client.until("conversation_initiation_metadata")
                _answered(client)
                if has_voice:
                    time.sleep(1.0)
                for _ in range(_TURNS):
                    _turn(client, question if has_voice else None)
        except (OSError, AssertionError, TimeoutError, ConnectionClosed) as error:
            counts.failed.append(f"{type(error).__name__}: {error}")
            continue
        if has_voice:
            counts.voice += 1
        else:
            counts.text += 1


def _turn(client: Client, question: Samples | None) -> None:
    if question is None:
        client.say("When are you open?")
    else:
        talk(client, question)
    _answered(client)
    # A voice is listened to before the user goes on, as far as it was heard.
    time.sleep(_LISTENS_S if question is not None else 0.2)


def _answered(client: Client) -> None:
    """Wait for the agent's turn; pings come meanwhile, so each frame has a deadline of its own."""
    until_s = time.monotonic() + _ANSWERS_WITHIN_S
    while client.next(_ANSWERS_WITHIN_S)["type"] != "agent_response":
        if time.monotonic() > until_s:
            raise TimeoutError("no answer came")


def soak(folder: Path, *, minutes: float, at_once: int, voice: float) -> tuple[list[Use], Counts]:
    """Hold conversations for so long; returns what the server used at the start, middle and end."""
    command = [sys.executable, "-m", "tests.bench.soak", "--serve", str(folder)]
    server = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        served = Served.__new__(Served)
        served.port = port
        counts, seconds = Counts(), minutes * 60
        began_s = time.monotonic()
        voiced = round(at_once * voice)
        threads = [
            threading.Thread(
                target=hold,
                args=[served, counts],
                kwargs={"has_voice": number < voiced, "until_s": began_s + seconds},
            )
            for number in range(at_once)
        ]
        for thread in threads:
            thread.start()
            time.sleep(random.uniform(0, 0.2))
        uses: list[Use] = []
        for share in (0.1, 0.5, 0.97):
            time.sleep(max(0.0, began_s + share * seconds - time.monotonic()))
            uses.append(use_of(server.pid))
        for thread in threads:
            thread.join()
        return uses, counts
    finally:
        server.kill()
        server.wait()


def main() -> None:
    """Print one line a moment."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--voice", type=float, default=0.5, help="share of calls by voice")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory(prefix="vivavoce-soak-") as folder:
        uses, counts = soak(
            Path(folder), minutes=options.minutes, at_once=options.at_once, voice=options.voice
        )
    print("| moment | RSS MB | handles | threads |\n|---|---|---|---|")
    for moment, use in zip(("start", "middle", "end"), uses, strict=True):
        print(f"| {moment} | {use.rss_mb:.0f} | {use.handles} | {use.threads} |")
    print(
        f"{counts.text} conversations by text, {counts.voice} by voice, in {options.minutes:g} min"
    )
    print(f"{len(counts.failed)} failed: {sorted(set(counts.failed))[:3]}")


if __name__ == "__main__":
    main()
