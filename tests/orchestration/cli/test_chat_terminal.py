"""The real command in a pseudo-terminal, as a person at a keyboard meets it."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from tests.conftest import REPOSITORY

pty = pytest.importorskip("pty", reason="pseudo-terminals are a thing of POSIX")

AGENT = """\
agent_id: desk
name: Desk
first_message: Hello {{who}}.
llm: {model: embedded/extractive}
dynamic_variables: {who: there}
turn_taking: {silence_timeout_s: SILENCE, max_reengagements: 1, goodbye_message: Goodbye then.}
"""
COMMAND = "from orchestration.cli.main import main; main()"
SLOW_MODEL = """
import asyncio
from conversation.llm.providers import extractive

def answer(messages, language="en"):
    return "One two three four. " * 400

extractive.extractive_answer = answer
pieces = extractive.ExtractiveGenerator.generate

async def slowly(self, messages, options):
    async for piece in pieces(self, messages, options):
        if isinstance(piece, str):
            await asyncio.sleep(0.05)
        yield piece

extractive.ExtractiveGenerator.generate = slowly
from orchestration.cli.main import main
main()
"""

PROMPT = "\r\nyou: "
"""On a line of its own: a history shows the same words further right."""


class Terminal:
    """A command at a pseudo-terminal."""

    def __init__(self, folder: Path, *command: str, environment: Mapping[str, str]) -> None:
        self.shown = ""
        ours, theirs = pty.openpty()
        self._fd = ours
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", **environment},
            # So that Ctrl-C reaches it, and only it.
            preexec_fn=_become_leader,
        )
        os.close(theirs)

    def wait_for(self, words: str, *, since: int = 0) -> str:
        """Everything shown since then, once it contains `words`."""
        deadline_s = time.monotonic() + 60
        while words not in self.shown[since:]:
            assert time.monotonic() < deadline_s, f"no {words!r} in {self.shown!r}"
            readable, _, _ = select.select([self._fd], [], [], 0.2)
            if readable:
                try:
                    self.shown += os.read(self._fd, 4_096).decode("utf-8", "replace")
                except OSError:  # the other side is closed
                    assert words in self.shown[since:], f"no {words!r} in {self.shown!r}"
        return self.shown[since:]

    def type(self, text: str, *, then: str) -> str:
        since = len(self.shown)
        self.send(text)
        return self.wait_for(then, since=since)

    def send(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def close(self) -> int:
        if self.process.poll() is None:
            self.process.wait(60)
        os.close(self._fd)
        return self.process.returncode


def _become_leader() -> None:
    os.setsid()
    # Tests that a shell runs in the background inherit that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_agent(tmp_path, silence_s=60)
    return tmp_path


def write_agent(folder: Path, *, silence_s: float) -> None:
    (folder / "data" / "agents").mkdir(parents=True, exist_ok=True)
    text = AGENT.replace("SILENCE", str(silence_s))
    (folder / "data" / "agents" / "desk.yaml").write_text(text)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        if terminal.process.poll() is None:
            os.kill(terminal.process.pid, signal.SIGKILL)
            terminal.process.wait()


def chat(
    folder: Path,
    *options: str,
    program: str = COMMAND,
    environment: Mapping[str, str] | None = None,
) -> Terminal:
    command = [sys.executable, "-c", program, "chat", "desk", *options]
    return Terminal(folder, *command, environment=environment or {})


def stored(folder: Path) -> Transcript:
    path = folder / "data" / "store" / "conversations.sqlite"
    with ConversationStore.open(f"sqlite:///{path}") as store:
        (summary,) = store.conversations()
        return store.transcript(summary.conversation_id)


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "")


@pytest.mark.slow
def test_a_conversation_at_a_terminal(folder: Path, terminals: list[Terminal]):
    terminals.append(terminal := chat(folder, "--variable", "who=Ada"))
    assert "Desk: Hello Ada." in plain(terminal.wait_for(PROMPT))

    assert "You're welcome." in terminal.type("Thanks\n", then=PROMPT)
    assert "No passage was found" in terminal.type("/why\n", then=PROMPT)
    assert "There is no command /nope" in terminal.type("/nope\n", then=PROMPT)
    assert "/retry" in terminal.type("/help\n", then=PROMPT)
    assert "Thanks" in terminal.type("/retry\n", then="[cites")
    terminal.wait_for(PROMPT, since=terminal.shown.rindex("[cites"))
    history = plain(terminal.type("/history\n", then=PROMPT))
    assert history.count("you: Thanks") == 2
    # Up and Enter: the line before comes again out of readline's history.
    assert "Noted" in terminal.type("/note On the page about refunds\n", then=PROMPT)
    assert "Noted" in terminal.type("\x1b[A\n", then=PROMPT)
    terminal.type("\x04", then="Stored as conv_")

    assert terminal.close() == 0
    transcript = stored(folder)
    assert (transcript.end_reason, transcript.metadata) == ("user_ended", {"channel": "terminal"})
    assert [turn.text for turn in transcript.turns] == [
        "Hello Ada.",
        "Thanks",
        "",
        "Thanks",
        "You're welcome.",
    ]


@pytest.mark.slow
def test_ctrl_c_stops_the_answer_and_then_the_conversation(folder: Path, terminals: list[Terminal]):
    terminals.append(terminal := chat(folder, program=SLOW_MODEL))
    terminal.wait_for(PROMPT)
    terminal.send("Count\n")
    terminal.wait_for("One two three")
    terminal.type("\x03", then="[stopped")
    terminal.wait_for(PROMPT, since=terminal.shown.index("[stopped"))

    # A line that was begun is thrown away; the next Ctrl-C, on an empty line, ends.
    terminal.type("half a line", then="half a line")
    time.sleep(1)  # as a person does
    terminal.type("\x03", then=PROMPT)
    terminal.type("\x03", then="Stored as conv_")

    assert terminal.close() == 0
    transcript = stored(folder)
    *_, counted = transcript.turns
    assert counted.interrupted
    assert counted.text.startswith("One two three")
    assert len(counted.text) < 7_000, "the model was stopped"
    assert counted.text.split()[-1] in plain(terminal.shown)
    assert [turn.role for turn in transcript.turns] == ["agent", "user", "agent"]


@pytest.mark.slow
def test_the_agent_speaks_up_and_ends_when_nobody_types(folder: Path, terminals: list[Terminal]):
    write_agent(folder, silence_s=5)
    terminals.append(terminal := chat(folder))
    terminal.wait_for(PROMPT)
    terminal.send("not yet sen")

    terminal.wait_for("Are you still there?")
    asked = terminal.shown.index("Are you still there?")
    terminal.wait_for("not yet sen", since=asked)  # what was typed is still there
    terminal.type("t\n", then="I don't know")
    terminal.wait_for("Goodbye then.")
    terminal.wait_for("The conversation is over (silence)")

    assert terminal.close() == 0
    texts = [turn.text for turn in stored(folder).turns]
    assert "Are you still there?" in texts
    assert "not yet sent" in texts
    assert texts[-1] == "Goodbye then."


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_no_escape_sequence_goes_to_a_terminal_that_minds(
    folder: Path, terminals: list[Terminal], environment: dict[str, str]
):
    terminals.append(terminal := chat(folder, environment=environment))
    terminal.wait_for(PROMPT)
    terminal.type("Thanks\n", then="[cites")
    terminal.wait_for(PROMPT, since=terminal.shown.index("[cites"))
    terminal.type("/quit\n", then="Stored as conv_")
    assert terminal.close() == 0
    colours = re.findall(r"\x1b\[[0-9;]*m", terminal.shown)
    assert colours == []


@pytest.mark.slow
def test_lines_from_a_pipe_are_a_conversation_too(folder: Path):
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "chat", "desk"],
        input="Thanks\n\n//help\n",
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )

    assert done.returncode == 0, done.stderr
    assert "You're welcome." in done.stdout
    assert "\x1b" not in done.stdout
    assert [turn.text for turn in stored(folder).turns if turn.role == "user"] == [
        "Thanks",
        "/help",
    ]
